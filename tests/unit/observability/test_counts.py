"""What the engine counts of the life of its orders, sockets, messages and looks."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.codec.looks import LookMessage, look_message
from chalicelib.codec.times import to_ms, to_seconds
from chalicelib.consumers.batch import process_batch
from chalicelib.consumers.looks import run_looks
from chalicelib.domain.events import Building
from chalicelib.domain.status import Status
from chalicelib.observability.metrics import METRICS
from chalicelib.ports.queues import MarketLook, WatchdogLook
from chalicelib.ports.streams import Connection, PushFailedError, Subscriber
from chalicelib.services.orders.execution_events import swap_request
from tests.support.callers import ANYONE
from tests.support.lines import Line, engine_lines, values_of
from tests.support.open_orders import FAR, a_limit, accept, push
from tests.support.workbench import Workbench, a_workbench

SOCKET = Subscriber("socket-1")


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


@pytest.fixture
def lines() -> Iterator[list[Line]]:
    with engine_lines() as lines:
        yield lines


def counted(lines: list[Line], metric: str) -> dict[str | None, float]:
    """The sum of a metric by the value of its dimension."""
    total: Counter[str | None] = Counter()
    for part, value in values_of(lines, metric):
        total[part] += value  # type: ignore[assignment]
    return dict(total)


def test_a_confirmed_order_counts_each_step_and_each_stage_once(bench: Workbench, lines: list[Line]) -> None:
    order_id = bench.submit()
    bench.clock.sleep(1.5)
    bench.process_all()
    for metric in ("OrdersAccepted", "OrdersStarted"):
        assert values_of(lines, metric) == [(None, 1)]
    assert values_of(lines, "QueueWait") == [(None, 1500)]
    assert [stage for stage, _ in values_of(lines, "StageTime")] == ["routing", "building", "submitted"]
    events = bench.order(order_id).events
    assert values_of(lines, "OrderTime") == [(None, to_ms(events[-1].at) - to_ms(events[0].at))]
    assert values_of(lines, "OrdersEnded") == [("confirmed", 1)]
    assert not {"AttemptsFailed", "OrdersFailed", "CaughtFailures", "FramesPushed"} & set(names_of(lines))


def test_the_stages_of_an_order_add_up_to_its_time_without_the_wait(bench: Workbench, lines: list[Line]) -> None:
    bench.submit()
    bench.process_all()
    stages = sum(value for _, value in values_of(lines, "StageTime"))
    assert values_of(lines, "OrderTime") == [(None, stages)]


def test_the_time_of_routing_begins_with_the_lease_and_has_no_backoff(bench: Workbench, lines: list[Line]) -> None:
    """The venues answer at once, so routing takes no time in any attempt, whatever lies between the attempts."""
    bench.submit(simulate="network_error:2")
    while bench.order_queue.bodies:
        bench.process()
        bench.clock.sleep(30)
    assert counted(lines, "AttemptsFailed") == {"NETWORK_ERROR": 2}
    stages = [(stage, value) for stage, value in values_of(lines, "StageTime") if stage == "routing"]
    assert stages == [("routing", 0)] * 3


@pytest.mark.parametrize("died_in", [Status.ROUTING, Status.BUILDING])
def test_the_time_of_routing_has_none_of_a_worker_that_was_lost(
    bench: Workbench, lines: list[Line], died_in: Status
) -> None:
    bench.submit(simulate="network_error:1")
    [message] = bench.order_queue.bodies
    leased = bench.lease("lost")
    assert leased is not None
    if died_in is Status.BUILDING:
        route = bench.engine.execute.attempt.router.route(replace(swap_request(leased.order), simulate=None), 0)
        routed = leased.order.after(route.as_event(), bench.clock.now())
        built = routed.after(Building(route.chosen.venue, 1, ()), bench.clock.now())
        bench.orders.write(leased, built, lease=leased.lease, deadline_ms=leased.deadline_ms)
    bench.clock.sleep(60)
    bench.order_queue.bodies.append(message)
    bench.process_all()
    stages = values_of(lines, "StageTime")
    assert [stage for stage, _ in stages] == ["routing", "routing", "building", "submitted"]
    assert stages[0] == ("routing", 0)


def test_the_delay_of_the_rate_limit_is_no_wait_in_the_queue(lines: list[Line]) -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    for _ in range(2):
        bench.submit()
    bench.process_all()
    assert [waited < 1000 for _, waited in values_of(lines, "QueueWait")] == [True, True]
    assert max(time for _, time in values_of(lines, "OrderTime")) >= 60_000


def test_each_attempt_that_fails_counts_with_its_code_and_so_does_the_end(
    bench: Workbench, lines: list[Line]
) -> None:
    bench.submit(simulate="network_error:9")
    bench.process_all()
    assert counted(lines, "AttemptsFailed") == {"NETWORK_ERROR": 3}
    assert counted(lines, "OrdersFailed") == {"NETWORK_ERROR": 1}
    assert counted(lines, "OrdersEnded") == {"failed": 1}
    assert counted(lines, "OrdersStarted") == {None: 3}
    assert len(values_of(lines, "QueueWait")) == 1, "a backoff is no wait in the queue"


def test_a_cancelled_order_and_an_expired_one_count_as_such(lines: list[Line]) -> None:
    bench = a_workbench()
    bench.engine.cancel(ANYONE, bench.submit())
    open_order = accept(bench, a_limit(10_000))
    expires_at = bench.order(open_order).expires_at
    assert expires_at is not None
    bench.clock.sleep((expires_at - bench.clock.now()).total_seconds())
    bench.engine.market.look()
    assert counted(lines, "OrdersEnded") == {"cancelled": 1, "expired": 1}


def test_a_triggered_order_counts_and_waits_from_its_trigger(bench: Workbench, lines: list[Line]) -> None:
    push(bench, 100)
    accept(bench, a_limit(110))
    bench.clock.sleep(3600)
    push(bench, 100 * FAR)
    bench.clock.sleep(2)
    bench.process_all()
    assert counted(lines, "OrdersTriggered") == {None: 1}
    assert values_of(lines, "QueueWait") == [(None, 2000)]
    assert not values_of(lines, "OrderTime"), "the time of a limit order is that of the market"


def test_a_cancel_that_beats_a_worker_counts_as_a_lost_lease(
    bench: Workbench, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = bench.submit()
    route = bench.engine.execute.attempt.router.route

    def cancelled_meanwhile(*args: object) -> object:
        bench.engine.cancel(ANYONE, order_id)
        return route(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.engine.execute.attempt.router, "route", cancelled_meanwhile)
    bench.process_all()
    assert bench.order(order_id).status is Status.CANCELLED
    assert counted(lines, "LeasesLost") == {None: 1}
    assert counted(lines, "OrdersEnded") == {"cancelled": 1}


def test_an_order_whose_message_was_lost_counts_as_overdue_and_as_sent_again(
    bench: Workbench, lines: list[Line]
) -> None:
    bench.order_queue.down = True
    bench.submit()
    bench.order_queue.down = False
    bench.clock.sleep(60)
    look(bench, WatchdogLook(to_ms(bench.clock.now())))
    assert (counted(lines, "OrdersResent"), counted(lines, "OrdersOverdue")) == ({None: 1}, {None: 1})


def test_without_postgres_each_failure_counts_and_a_look_counts_the_lag(bench: Workbench, lines: list[Line]) -> None:
    bench.history.down = True
    bench.submit()
    bench.process_all()
    bench.clock.sleep(5)
    look(bench, WatchdogLook(to_ms(bench.clock.now())))
    assert counted(lines, "HistoryFailed") == {None: 1}
    assert counted(lines, "CaughtFailures") == {None: 1}
    assert counted(lines, "HistoryLag") == {None: 1}
    [(_, seconds)] = values_of(lines, "HistoryLagSeconds")
    assert seconds >= 5


def test_the_gauges_are_read_once_a_minute_and_only_a_state_that_is_not_zero_counts(
    bench: Workbench, lines: list[Line]
) -> None:
    look(bench, WatchdogLook(to_ms(bench.clock.now())))
    assert not names_of(lines)
    bench.submit()
    bench.lease("worker")
    for _ in range(3):
        look(bench, WatchdogLook(to_ms(bench.clock.now())))
    assert not values_of(lines, "SlotsInUse"), "the minute is not over"
    bench = replace(bench, engine=bench.engine)
    bench.clock.sleep(60)
    bench.submit()
    bench.lease("worker")
    look(bench, WatchdogLook(to_ms(bench.clock.now())))
    assert values_of(lines, "SlotsInUse") == [(None, 1)]


def test_frames_that_a_socket_takes_count_and_so_does_a_socket_that_is_late(
    bench: Workbench, lines: list[Line]
) -> None:
    order_id = bench.submit(subscriber=SOCKET)
    bench.process_all()
    assert counted(lines, "FramesPushed") == {None: len(bench.order(order_id).events)}
    bench.sockets.slow.add(SOCKET.connection_id)
    bench.submit(subscriber=SOCKET)
    assert counted(lines, "FramesLate") == {None: 1}


@pytest.mark.parametrize("stays_open", [False, True])
def test_a_slow_socket_counts_as_closed_once_however_many_messages_find_it_slow(
    bench: Workbench, lines: list[Line], stays_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_answer(_: str) -> None:
        raise PushFailedError("no answer")

    if stays_open:
        monkeypatch.setattr(bench.sockets, "close", no_answer)
    bench.streams.connect(Connection(SOCKET.connection_id, False, to_seconds(bench.clock.now()) + 7200))
    for _ in range(3):
        bench.engine.connections.end_slow(SOCKET.connection_id)
    assert counted(lines, "SocketsClosed") == {None: 1}


def test_a_message_that_fails_counts_and_its_line_names_it(lines: list[Line]) -> None:
    def fail(record: object) -> None:
        raise RuntimeError("broken")

    records = [{"messageId": name, "receiptHandle": name, "body": ""} for name in ("m-1", "m-2")]
    process_batch({"Records": records}, fail, lambda receipt, seconds: None)
    assert counted(lines, "MessagesFailed") == {None: 2}
    assert {line["messageId"] for line in lines} == {"m-1", "m-2"}


def test_a_look_that_comes_too_late_counts_as_skipped(bench: Workbench, lines: list[Line]) -> None:
    look(bench, MarketLook(to_ms(bench.clock.now()) - 60_000))
    assert counted(lines, "LooksSkipped") == {None: 1}


def test_every_metric_has_a_name_of_its_own_and_a_meaning() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS) == 22
    assert all(metric.meaning.endswith(".") for metric in METRICS)


def look(bench: Workbench, message: LookMessage) -> None:
    run_looks(bench.engine, {"Records": [{"messageId": "m", "body": look_message(message)}]})


def names_of(lines: list[Line]) -> list[str]:
    return [
        one["Name"]
        for line in lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ())
        for one in directive["Metrics"]
    ]
