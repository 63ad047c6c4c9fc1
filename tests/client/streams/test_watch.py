"""One order, watched to its end over whatever transport is left."""

from typing import Any

import pytest

from orderengine import Reconnect, errors
from orderengine.core.commands import HandshakeRefused, Response, Unreachable
from tests.client.streams.faults import Faults
from tests.client.streams.lives import life, lives, without
from tests.client.streams.model import Model, ModelSocket, problem
from tests.client.streams.shells import Awaited, Blocking

Shell = Blocking | Awaited
QUICK = life(1, [-1.0, 0.5, 1.0, 2.0])
HOUR = 3600.0
SLOW = life(2, [0.0, *(600.0 * n for n in range(1, 60))])


def seqs(updates: list[Any]) -> list[int]:
    return [one.seq for one in updates]


def test_watch_gives_each_update_to_the_last_and_ends(shell: Shell) -> None:
    model = Model(lives(QUICK))
    client = shell.client(model, key="secret")
    updates = shell.collect(client.watch(QUICK.order_id))
    assert seqs(updates) == [1, 2, 3, 4]
    assert updates[-1].is_terminal
    assert {(one.order_id, one.user_id) for one in updates} == {(QUICK.order_id, "bot-1")}
    assert model.sockets[0].is_closed
    assert model.requests == []
    assert model.handshakes[0][1] == {
        "path": "/ws",
        "orderId": QUICK.order_id,
        "afterSeq": "0",
        "authorization": "Bearer secret",
    }


def test_watch_goes_on_after_a_seq(shell: Shell) -> None:
    model = Model(lives(QUICK))
    assert seqs(shell.collect(shell.client(model).watch(QUICK.order_id, after=2))) == [3, 4]


@pytest.mark.parametrize("after", [4, 9])
def test_watch_after_the_last_update_ends_at_once(shell: Shell, after: int) -> None:
    model = Model(lives(QUICK), now=10.0)
    assert shell.collect(shell.client(model).watch(QUICK.order_id, after=after)) == []
    assert model.now < 11.0


def test_a_coarse_watch_gives_the_changes_of_phase_alone(shell: Shell) -> None:
    model = Model(lives(QUICK))
    updates = shell.collect(shell.client(model).watch(QUICK.order_id, coarse=True))
    assert [one.phase for one in updates] == ["queued", "processing", "completed"]
    again = shell.collect(shell.client(Model(lives(QUICK))).watch(QUICK.order_id, after=2, coarse=True))
    assert seqs(again) == [4]


def test_doubles_and_gaps_are_counted_and_mended(shell: Shell) -> None:
    order = life(1, [-1.0, *(0.1 * n for n in range(1, 60))])
    model = Model(lives(order), Faults(double=0.5, swap=0.2, drop=0.2))
    client = shell.client(model)
    assert seqs(shell.collect(client.watch(order.order_id))) == list(range(1, 61))
    counters = client.counters
    assert counters.doubles > 0
    assert counters.gaps == counters.gaps_filled > 0


def test_a_cut_socket_is_told_of_once_with_what_was_missed(shell: Shell) -> None:
    order = life(1, [0.0, 1.0, 61.5, 61.6, 90.0])
    model = Model(lives(order), Faults(away=(61.0, 62.0)))
    seen: list[Reconnect] = []
    stream = shell.client(model, on_reconnect=seen.append).watch(order.order_id)

    def end_first(socket: ModelSocket) -> None:
        if len(model.sockets) == 1:
            socket.code = 1001

    model.on_socket = end_first
    assert seqs(shell.collect(stream)) == [1, 2, 3, 4, 5]
    [reconnect] = seen
    assert (reconnect.code, reconnect.gap_filled, reconnect.transport) == (1001, 2, "socket")
    assert "API Gateway" in reconnect.words
    assert reconnect.attempt >= 1


def test_a_socket_is_renewed_before_two_hours_and_nothing_is_missing(shell: Shell) -> None:
    model = Model(lives(SLOW))
    client = shell.client(model)
    assert seqs(shell.collect(client.watch(SLOW.order_id))) == list(range(1, 61))
    assert client.counters.renewals == 5
    assert client.counters.reconnects == 0
    for old, new in zip(model.sockets, model.sockets[1:], strict=False):
        assert 105 * 60 <= new.opened_at - old.opened_at <= 115 * 60 + 1
    assert all(one.is_closed for one in model.sockets)


def test_a_refused_renewal_keeps_the_old_socket(shell: Shell) -> None:
    order = life(1, [0.0, 1.9 * HOUR, 1.95 * HOUR])
    model = Model(lives(order))
    refused = HandshakeRefused(problem(429, "TOO_MANY_SOCKETS"))

    def refuse_others(_: ModelSocket) -> None:
        model.refusals = [refused] * 2

    model.on_socket = refuse_others
    client = shell.client(model)
    stream = client.watch(order.order_id)
    assert seqs(shell.collect(stream)) == [1, 2, 3]
    assert len(model.handshakes) > 1
    assert client.counters.reconnects == 0


def test_a_silent_socket_is_pinged_every_four_minutes(shell: Shell) -> None:
    order = life(1, [0.0, 2000.0])
    model = Model(lives(order))
    shell.collect(shell.client(model).watch(order.order_id))
    pings = [one for one in model.sockets[0].written if one["action"] == "ping"]
    assert 6 <= len(pings) <= 9
    assert len(model.sockets) == 1


@pytest.mark.parametrize("faults", [Faults(mute=1.0), Faults(withhold=1.0)], ids=["mute", "pongs alone"])
def test_a_socket_that_withholds_updates_is_found_out(shell: Shell, faults: Faults) -> None:
    order = life(1, [0.0, 100.0, 101.0])
    model = Model(lives(order), faults)
    client = shell.client(model)
    assert seqs(shell.collect(client.watch(order.order_id))) == [1, 2, 3]
    assert model.now < 101.0 + 240.0 + 60.0


def test_a_socket_that_brings_no_frame_at_all_is_checked_after_ten_seconds(shell: Shell) -> None:
    model = Model(lives(QUICK))

    def mute(socket: ModelSocket) -> None:
        socket.mute_from = 0.0

    model.on_socket = mute
    assert seqs(shell.collect(shell.client(model).watch(QUICK.order_id))) == [1, 2, 3, 4]
    assert model.now < 12.0


def test_a_proxy_that_cuts_every_socket_leaves_the_stream_whole_and_gets_no_storm(shell: Shell) -> None:
    order = life(1, [0.0, *(20.0 * n for n in range(1, 90))])
    model = Model(lives(order), Faults(cut_after=1.0, max_request_seconds=1.0))
    client = shell.client(model)
    assert seqs(shell.collect(client.watch(order.order_id))) == list(range(1, 91))
    assert len(model.handshakes) <= 3 + model.now / 300 + 1


def test_without_sockets_the_stream_waits_by_requests(shell: Shell) -> None:
    order = life(1, [0.0, 30.0, 60.0, 90.0])
    model = Model(lives(order), refusals=[HandshakeRefused(Response(426, {}, b""))])
    seen: list[Reconnect] = []
    client = shell.client(model, on_reconnect=seen.append)
    updates = shell.collect(client.watch(order.order_id))
    assert seqs(updates) == [1, 2, 3, 4]
    assert {one.user_id for one in updates} == {"bot-1"}
    assert client.counters.long_polls >= 4
    assert [one.transport for one in seen] == ["long poll"]
    assert len(model.requests) < 20


def test_too_many_sockets_are_a_reason_to_wait_by_requests_and_too_many_waits_to_poll(shell: Shell) -> None:
    order = life(1, [0.0, 30.0, 60.0])
    refusal = HandshakeRefused(problem(429, "TOO_MANY_SOCKETS"))
    model = Model(lives(order), Faults(too_many_waits=True), refusals=[refusal])
    client = shell.client(model)
    assert seqs(shell.collect(client.watch(order.order_id))) == [1, 2, 3]
    assert client.counters.long_polls == 1
    polls = [one for one in model.requests if one.path.endswith("/events")]
    assert len(polls) < 40


def test_the_socket_is_tried_again_after_five_minutes(shell: Shell) -> None:
    order = life(1, [0.0, 400.0, 500.0])
    model = Model(lives(order), refusals=[HandshakeRefused(Response(403, {}, b""))])
    assert seqs(shell.collect(shell.client(model).watch(order.order_id))) == [1, 2, 3]
    assert [round(at) for at, _ in model.handshakes[1:]] == pytest.approx([300], abs=25)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [(401, "INVALID_CREDENTIAL", errors.Unauthenticated), (403, "MISSING_SCOPE", errors.Forbidden)],
)
def test_a_refused_credential_is_raised_at_once(shell: Shell, status: int, code: str, kind: type[Exception]) -> None:
    model = Model(lives(QUICK))
    model.refusals = [HandshakeRefused(Response(status, {}, b""))]
    model.answers = [problem(status, code)]
    with pytest.raises(kind):
        shell.collect(shell.client(model, key="wrong").watch(QUICK.order_id))
    assert model.now < 1.0


def test_an_order_that_does_not_exist_is_not_found(shell: Shell) -> None:
    model = Model({})
    with pytest.raises(errors.NotFound):
        shell.collect(shell.client(model).watch(QUICK.order_id))
    assert all(one.is_closed for one in model.sockets)


def test_the_deadline_tells_what_is_known_of_the_order(shell: Shell) -> None:
    order = life(1, [0.0, 1.0, 500.0])
    model = Model(lives(order))
    updates: list[Any] = []
    with pytest.raises(errors.DeadlineExceeded) as caught:
        updates = shell.collect(shell.client(model).watch(order.order_id, timeout=60.0))
    assert updates == []
    assert (caught.value.last_seq, caught.value.status) == (2, "routing")
    assert model.now == pytest.approx(60.0, abs=0.1)
    assert all(one.is_closed for one in model.sockets)


def test_a_server_that_is_not_there_at_the_start_is_unreachable(shell: Shell) -> None:
    model = Model(lives(QUICK), Faults(unreachable=1.0))
    with pytest.raises(errors.Unreachable):
        shell.collect(shell.client(model).watch(QUICK.order_id))
    assert model.now < 31.0


def test_another_service_at_the_start_is_not_the_engine(shell: Shell) -> None:
    page = Response(200, {"content-type": "text/html"}, b"<html>Welcome</html>")
    model = Model(lives(QUICK), refusals=[HandshakeRefused(page)], answers=[page])
    with pytest.raises(errors.NotTheEngine):
        shell.collect(shell.client(model).watch(QUICK.order_id))


def test_a_server_that_is_away_later_is_waited_for(shell: Shell) -> None:
    order = life(1, [0.0, 1.0, 2000.0, 2001.0])
    model = Model(lives(order), Faults(away=(100.0, 1900.0)))
    client = shell.client(model)
    assert seqs(shell.collect(client.watch(order.order_id))) == [1, 2, 3, 4]
    assert len(model.handshakes) < 400


def test_each_handshake_has_a_ticket_of_its_own_and_no_key(shell: Shell) -> None:
    model = Model(lives(QUICK), Faults(cut_after=1.0))
    shell.collect(shell.client(model, key="secret", use_tickets=True).watch(QUICK.order_id))
    tokens = [query["token"] for _, query in model.handshakes]
    assert len(set(tokens)) == len(tokens) >= 2
    assert all("authorization" not in query for _, query in model.handshakes)


def test_an_error_frame_that_ends_the_stream_is_raised(shell: Shell) -> None:
    model = Model(lives(SLOW))
    text = '{"type":"error","status":400,"code":"INVALID_STREAM","detail":"No such stream."}'
    model.on_socket = lambda socket: socket.push(model.now + 1.0, text)
    with pytest.raises(errors.StreamRefused, match="INVALID_STREAM") as caught:
        shell.collect(shell.client(model).watch(SLOW.order_id))
    assert caught.value.last_seq == 1


def test_a_consumer_that_stops_closes_the_socket(shell: Shell) -> None:
    model = Model(lives(SLOW))
    assert seqs(shell.collect(shell.client(model).watch(SLOW.order_id), most=2)) == [1, 2]
    assert model.sockets[0].is_closed


@pytest.mark.parametrize(("after", "timeout"), [(-1, None), (True, None), (0, 0), (0, float("nan")), (0, "5")])
def test_arguments_that_make_no_sense_are_refused_at_the_call(shell: Shell, after: Any, timeout: Any) -> None:
    with pytest.raises(errors.InvalidArgument):
        shell.client(Model({})).watch("x", after=after, timeout=timeout)


@pytest.mark.parametrize("asked", [86_400, 10**12])
def test_a_pause_that_the_engine_asks_a_stream_for_is_five_minutes_at_most(shell: Shell, asked: int) -> None:
    order = life(1, [0.0, 10.0, 700.0])
    model = Model(lives(order), refusals=[HandshakeRefused(problem(503, "UNAVAILABLE", retry_after=asked))])
    stream = shell.client(model).watch(order.order_id)
    assert seqs(shell.collect(stream, most=2)) == [1, 2]
    assert model.now < 302.0


def test_a_pause_asked_for_before_the_first_contact_ends_the_stream_as_it_ends_a_call(shell: Shell) -> None:
    model = Model(lives(QUICK), refusals=[Unreachable("no route", sent=False)])
    model.answers = [problem(503, "UNAVAILABLE", retry_after=86_400)]
    with pytest.raises(errors.Unavailable):
        shell.collect(shell.client(model).watch(QUICK.order_id))
    assert model.now < 1.0


def test_a_busy_order_is_polled_twice_a_second_or_so(shell: Shell) -> None:
    order = life(1, [0.004 * n for n in range(1, 2000)])
    faults = Faults(refuse=1.0, too_many_waits=True)
    model = Model(lives(order), faults)
    assert len(shell.collect(shell.client(model).watch(order.order_id))) == 1999
    assert len(model.requests) < 5 * model.now


def test_an_event_that_the_engine_lacks_ends_the_stream_and_is_named(shell: Shell) -> None:
    order = without(life(1, [-1.0, 0.5, 1.0, 2.0]), 2)
    model = Model(lives(order))
    client = shell.client(model)
    given: list[Any] = []
    with pytest.raises(errors.EventMissing) as caught:
        shell.collect(client.watch(order.order_id, timeout=HOUR), into=given)
    assert seqs(given) == [1]
    assert (caught.value.order_id, caught.value.seq) == (order.order_id, 2)
    assert (client.counters.gaps, client.counters.gaps_filled) == (1, 0)
    assert model.now < 60.0


def test_polls_find_out_that_the_engine_lacks_an_event_too(shell: Shell) -> None:
    order = without(life(1, [-1.0, 0.5, 1.0, 2.0]), 2)
    model = Model(lives(order), Faults(refuse=1.0))
    with pytest.raises(errors.EventMissing):
        shell.collect(shell.client(model).watch(order.order_id, timeout=HOUR))
    assert len(model.requests) < 20


@pytest.mark.parametrize("refuse", [0.0, 1.0])
def test_a_watch_goes_on_after_an_event_that_the_engine_lacks(shell: Shell, refuse: float) -> None:
    order = without(life(1, [-1.0, 0.5, 1.0, 2.0]), 2)
    model = Model(lives(order), Faults(refuse=refuse))
    assert seqs(shell.collect(shell.client(model).watch(order.order_id, after=2, timeout=HOUR))) == [3, 4]


def test_a_lost_answer_is_no_end(shell: Shell) -> None:
    model = Model(lives(QUICK), refusals=[Unreachable("no route", sent=False)])
    model.answers = [Unreachable("lost", sent=True), problem(503, "UNAVAILABLE", retry_after=1)]
    assert seqs(shell.collect(shell.client(model).watch(QUICK.order_id))) == [1, 2, 3, 4]
