"""All orders of a user: where a stream begins, goes on, and begins again."""

import json
from typing import Any
from uuid import UUID

import pytest

from orderengine import errors
from orderengine.core.commands import HandshakeRefused, Response
from orderengine.core.streams import memory
from tests.client.streams.faults import Faults
from tests.client.streams.lives import USER, life, lives, text_of, without
from tests.client.streams.model import Model, ModelSocket, problem
from tests.client.streams.shells import Awaited, Blocking

Shell = Blocking | Awaited
OLD_OPEN = life(1, [-500.0, -400.0, 50.0], ends=False)
OLD_DONE = life(2, [-500.0, -400.0])
NEW = life(3, [10.0, 10.5, 11.0])
LATER = life(4, [100.0, 100.5, 101.0])
_CURSOR = '{"v":1,"user":"u","since":"2026-11-01T12:00:00Z","began":null,"seqs":{},"ended":{}}'
ALL = lives(OLD_OPEN, OLD_DONE, NEW, LATER)


def names(updates: list[Any]) -> list[tuple[int, int]]:
    return [(UUID(one.order_id).int, one.seq) for one in updates]


def test_a_feed_begins_with_the_latest_update_of_each_open_order_and_brings_all_new_ones(shell: Shell) -> None:
    model = Model(ALL)
    client = shell.client(model, user=USER)
    updates = shell.collect(client.follow(), most=8)
    assert names(updates) == [(1, 2), (3, 1), (3, 2), (3, 3), (1, 3), (4, 1), (4, 2), (4, 3)]
    assert [query for _, query in model.handshakes] == [{"path": "/ws", "userId": USER}]
    assert (client.counters.gaps, client.counters.doubles) == (0, 0)


def test_without_sockets_a_feed_begins_and_goes_on_just_so(shell: Shell) -> None:
    model = Model(ALL, Faults(refuse=1.0))
    updates = shell.collect(shell.client(model).follow(USER), most=8)
    assert sorted(names(updates)) == [(1, 2), (1, 3), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2), (4, 3)]


def test_a_feed_with_since_brings_what_has_ended_meanwhile(shell: Shell) -> None:
    model = Model(ALL)
    updates = shell.collect(shell.client(model).follow(USER, since=text_of(-450.0)), most=4)
    assert {(2, 1), (2, 2), (1, 1), (1, 2)} == set(names(updates))


def _sinces(model: Model) -> list[str | None]:
    return [query.get("since") for _, query in model.handshakes]


def _cut(model: Model, *ends: float) -> None:
    """Cut the sockets at these times, in turn."""
    left = list(ends)

    def cut(socket: ModelSocket) -> None:
        if left:
            socket.ends_at, socket.code = left.pop(0), 1006

    model.on_socket = cut


def test_before_live_a_socket_that_was_cut_leaves_the_since_as_it_was(shell: Shell) -> None:
    model = Model(ALL)
    _cut(model, 4.0, 7.0)
    since = text_of(-100.0)
    shell.collect(shell.client(model).follow(USER, since=since), most=6)
    assert _sinces(model) == [since, since, since]


def test_a_stream_that_began_without_since_begins_again_at_its_own_start(shell: Shell) -> None:
    model = Model(ALL)
    _cut(model, 4.0)
    shell.collect(shell.client(model).follow(USER), most=8)
    assert _sinces(model) == [None, text_of(-2.0)]


def test_after_live_a_cut_stream_begins_at_its_newest_update_and_gives_no_double(shell: Shell) -> None:
    model = Model(ALL)
    _cut(model, 60.0)
    client = shell.client(model, user=USER)
    updates = shell.collect(client.follow(), most=8)
    assert names(updates) == [(1, 2), (3, 1), (3, 2), (3, 3), (1, 3), (4, 1), (4, 2), (4, 3)]
    assert _sinces(model) == [None, text_of(50.0)]
    assert client.counters.doubles > 0
    assert client.counters.gaps == client.counters.gaps_filled == 0


def test_a_new_order_whose_first_frames_are_lost_is_filled_from_its_first_update(shell: Shell) -> None:
    model = Model(ALL)
    lost = LATER.frame(LATER.events[0])

    def lose(socket: ModelSocket) -> None:
        socket.coming = [one for one in socket.coming if one[2] != lost]

    model.on_socket = lose
    client = shell.client(model, user=USER)
    assert names(shell.collect(client.follow(), most=8))[5:] == [(4, 1), (4, 2), (4, 3)]
    assert client.counters.gaps == client.counters.gaps_filled == 1


def test_a_cursor_goes_on_after_what_is_handled_in_another_process(shell: Shell) -> None:
    model = Model(ALL)
    feed = shell.client(model).follow(USER)
    first = names(shell.collect(feed, most=3))
    assert first == [(1, 2), (3, 1), (3, 2)]
    model.now = 300.0
    resumed = shell.client(model).follow(cursor=feed.cursor)
    rest = names(shell.collect(resumed, most=6))
    # The consumer did not come back from the last update, so it comes again.
    assert sorted(rest) == [(1, 3), (3, 2), (3, 3), (4, 1), (4, 2), (4, 3)]
    third = shell.client(model).follow(cursor=resumed.cursor, timeout=60.0)
    with pytest.raises(errors.DeadlineExceeded):
        assert len(shell.collect(third)) == 1


def test_a_cursor_forgets_the_orders_that_ended_long_ago(shell: Shell) -> None:
    model = Model(lives(*(life(n, [10.0 * n, 10.0 * n + 1]) for n in range(1, 200))))
    feed = shell.client(model).follow(USER)
    shell.collect(feed, most=396)
    body = json.loads(feed.cursor)
    assert len(body["seqs"]) + len(body["ended"]) < 60


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "{",
        "[]",
        "{}",
        _CURSOR.replace('"v":1', '"v":2'),
        _CURSOR.replace("2026-11-01T12:00:00Z", "noon"),
        _CURSOR.replace('"2026-11-01T12:00:00Z"', "null"),
        _CURSOR.replace('"seqs":{}', '"seqs":{"o":-1}'),
        _CURSOR.replace('"seqs":{}', '"seqs":[]'),
        _CURSOR.replace('"ended":{}', '"ended":{"o":1}'),
        _CURSOR.replace('"ended":{}', '"ended":{"o":[1,"noon"]}'),
    ],
)
def test_what_is_no_cursor_is_refused_before_anything_is_sent(shell: Shell, cursor: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        shell.client(Model({})).follow(cursor=cursor)


def test_a_cursor_of_another_user_is_refused(shell: Shell) -> None:
    cursor = shell.client(Model({})).follow("a").cursor
    with pytest.raises(errors.InvalidArgument, match="that of user 'a'"):
        shell.client(Model({})).follow("b", cursor=cursor)


@pytest.mark.parametrize("since", ["yesterday", "2026-01-01", "2026-01-01T00:00:00"])
def test_a_since_that_is_no_time_is_refused(shell: Shell, since: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        shell.client(Model({})).follow("a", since=since)


def test_a_feed_without_a_user_is_that_of_the_credential(shell: Shell) -> None:
    model = Model(ALL)
    shell.collect(shell.client(model, key="secret").follow(), most=1)
    assert model.handshakes[0][1]["userId"] == USER


def test_a_user_who_may_not_be_followed_is_forbidden(shell: Shell) -> None:
    model = Model(ALL, refusals=[HandshakeRefused(Response(403, {}, b""))])
    original = model.send

    def send(request: Any, timeout: float) -> Response:
        if request.path == "/api/orders":
            return Response(403, {}, b'{"code":"FORBIDDEN","status":403,"title":"Forbidden"}')
        return original(request, timeout)

    model.send = send  # type: ignore[method-assign]
    with pytest.raises(errors.Forbidden):
        shell.collect(shell.client(model).follow(USER))


def test_a_feed_begins_when_it_is_made_and_not_with_its_first_update(shell: Shell) -> None:
    model = Model(lives(life(1, [1.0, 2.0, 3.0])))
    feed = shell.client(model).follow(USER)
    model.now = 60.0
    assert names(shell.collect(feed, most=3)) == [(1, 1), (1, 2), (1, 3)]
    assert model.now < 70.0


def test_an_order_that_lives_between_the_call_and_the_handshake_comes_with_the_first_updates(shell: Shell) -> None:
    model = Model(lives(life(1, [0.1, 0.2, 0.3])))
    feed = shell.client(model).follow(USER)
    model.now = 0.5
    assert names(shell.collect(feed, most=3)) == [(1, 1), (1, 2), (1, 3)]
    assert model.now < 10.0


@pytest.mark.parametrize("clock_error", [0.0, 7200.0, -7200.0])
def test_a_cursor_from_before_the_first_update_goes_on_where_the_feed_began(shell: Shell, clock_error: float) -> None:
    model = Model(lives(life(1, [1.0, 2.0, 3.0])), clock_error=clock_error)
    cursor = shell.client(model).follow(USER).cursor
    model.now = 600.0
    assert names(shell.collect(shell.client(model).follow(cursor=cursor), most=3)) == [(1, 1), (1, 2), (1, 3)]


def test_a_feed_that_could_not_begin_has_a_cursor_that_goes_on_where_it_was_made(shell: Shell) -> None:
    model = Model(lives(life(1, [1.0, 2.0, 3.0])), Faults(away=(0.0, 500.0)))
    feed = shell.client(model).follow(USER)
    with pytest.raises(errors.Unreachable):
        shell.collect(feed)
    model.now = 600.0
    assert len(shell.collect(shell.client(model).follow(cursor=feed.cursor), most=3)) == 3


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), True])
def test_a_timeout_that_makes_no_sense_is_refused_at_the_call(shell: Shell, timeout: Any) -> None:
    with pytest.raises(errors.InvalidArgument):
        shell.client(Model({})).follow(USER, timeout=timeout)


@pytest.fixture
def quick_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a feed of few orders forget those that have ended, as one of hundreds does."""
    monkeypatch.setattr(memory, "_FIRST_PRUNE", 10)


@pytest.mark.usefixtures("quick_forgetting")
def test_no_update_comes_twice_when_many_orders_end_and_an_audit_fails(shell: Shell) -> None:
    model = Model(lives(*(life(n, [5.0 + n * 7.0, 7.0 + n * 7.0]) for n in range(1, 200))))
    _fail_one_list(model, after=480.0)
    updates: list[Any] = []
    with pytest.raises(errors.DeadlineExceeded):
        shell.collect(shell.client(model).follow(USER, timeout=1500.0), into=updates)
    given = names(updates)
    assert len(given) == len(set(given)) == 398


def _fail_one_list(model: Model, after: float) -> None:
    """Let one list of orders fail that the client asks for later."""
    original, left = model.send, [problem(503, "UNAVAILABLE")]

    def send(request: Any, timeout: float) -> Response:
        if left and request.path == "/api/orders" and model.now > after:
            return left.pop()
        return original(request, timeout)

    model.send = send  # type: ignore[method-assign]


@pytest.mark.usefixtures("quick_forgetting")
def test_no_update_of_a_day_comes_twice(shell: Shell) -> None:
    old = [life(n, [-80_000.0 + n * 1000, -79_995.0 + n * 1000]) for n in range(1, 80)]
    model = Model(lives(*old, life(5000, [10.0, 20.0, 1000.0, 5000.0])))
    updates: list[Any] = []
    with pytest.raises(errors.DeadlineExceeded):
        shell.collect(shell.client(model).follow(USER, since=text_of(-86_400.0), timeout=900.0), into=updates)
    assert len(updates) == 2 * len(old) + 2


def test_an_open_order_whose_first_frame_is_lost_is_found_by_an_audit(shell: Shell) -> None:
    model = Model(ALL)
    lost = OLD_OPEN.frame(OLD_OPEN.events[1])

    def lose(socket: ModelSocket) -> None:
        socket.coming = [one for one in socket.coming if one[2] != lost]

    model.lives = lives(life(1, [-500.0, -400.0], ends=False), NEW)
    model.on_socket = lose
    assert set(names(shell.collect(shell.client(model).follow(USER), most=4))) == {(1, 2), (3, 1), (3, 2), (3, 3)}


def test_a_cursor_keeps_its_size_through_restarts(shell: Shell) -> None:
    model = Model(lives(*(life(n, [20.0 * n, 20.0 * n + 2]) for n in range(1, 90))))
    sizes: list[int] = []
    updates: list[Any] = []
    cursor = None
    while model.now < 1900.0:
        feed = shell.client(model).follow(USER, cursor=cursor, timeout=150.0)
        with pytest.raises(errors.DeadlineExceeded):
            shell.collect(feed, into=updates)
        cursor = feed.cursor
        body = json.loads(cursor)
        sizes.append(len(body["seqs"]) + len(body["ended"]))
    assert max(sizes) < 20
    assert len(names(updates)) == len(set(names(updates)))


def test_a_cursor_forgets_an_order_that_the_engine_does_not_have_any_more(shell: Shell) -> None:
    model = Model(lives(life(1, [1.0, 2.0, 3.0], ends=False), life(2, [600.0, 2000.0])))
    feed = shell.client(model).follow(USER, timeout=1500.0)

    def lose(socket: ModelSocket) -> None:
        socket.coming = [one for one in socket.coming if '"seq": 2' not in one[2]]
        model.lives = {order_id: one for order_id, one in model.lives.items() if order_id.endswith("2")}

    model.on_socket = lose
    with pytest.raises(errors.DeadlineExceeded):
        shell.collect(feed)
    assert not any(order_id.endswith("1") for order_id in json.loads(feed.cursor)["seqs"])


def test_a_feed_goes_on_with_the_other_orders_where_the_engine_lacks_an_event(shell: Shell) -> None:
    model = Model(lives(without(life(1, [1.0, 2.0, 3.0]), 2), life(2, [20.0, 400.0])))
    client = shell.client(model)
    assert names(shell.collect(client.follow(USER), most=4)) == [(1, 1), (1, 3), (2, 1), (2, 2)]
    assert client.counters.gaps - client.counters.gaps_filled == 1


def test_a_feed_of_a_busy_user_polls_twice_a_second_or_so(shell: Shell) -> None:
    model = Model(lives(*(life(n, [n * 0.05, n * 0.05 + 1.0]) for n in range(1, 300))), Faults(refuse=1.0))
    client = shell.client(model)
    with pytest.raises(errors.DeadlineExceeded):
        shell.collect(client.follow(USER, timeout=15.0))
    assert client.counters.polls < 3 * 15.0
