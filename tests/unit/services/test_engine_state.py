"""The state of the engine tells what happens now, and which of its parts are not known."""

from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.responses.engine_state import EngineStateBody, engine_state_body
from chalicelib.codec.times import to_text
from chalicelib.domain.spec import Priority
from chalicelib.ports.history import HistoryTooSlowError
from chalicelib.ports.streams import CheckSocket, Connection
from chalicelib.ports.verdicts import DoctorVerdict, VerdictStatus
from chalicelib.services.operations.engine_state import MAX_READ_SLOTS, EngineState
from chalicelib.services.operations.work import SLOTS
from tests.support.callers import ANYONE
from tests.support.open_orders import a_limit, a_sniper
from tests.support.workbench import Workbench, a_workbench


@pytest.fixture
def bench() -> Workbench:
    return a_workbench()


def fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError("it does not answer")


def shown(bench: Workbench) -> EngineStateBody:
    """The state as its last read tells it, which is at most a second old."""
    return engine_state_body(bench.engine.state(ANYONE))


def busy(bench: Workbench) -> list[str]:
    slots = shown(bench)["slots"]
    assert slots is not None
    return [one["orderId"] for one in slots["busy"]]


def test_an_engine_at_rest_is_empty(bench: Workbench) -> None:
    assert shown(bench) == {
        "at": to_text(bench.clock.now()),
        "slots": {"limit": SLOTS, "busy": []},
        "waiting": {
            "normal": 0,
            "high": 0,
            "retrying": 0,
            "rateLimited": 0,
            "nextStartAt": None,
            "open": {"limit": 0, "sniper": 0},
        },
        "rateLimit": {"perMinute": 0, "startedLastMinute": None},
        "deadLetters": {"deadLetters": 0, "unprocessable": 0},
        "queues": {"replay": 0, "fanOut": 0},
        "history": {"behind": 0, "since": None},
        "sockets": {"open": 0, "limitReached": False},
        "doctor": None,
        "outages": {},
    }


def test_a_slot_is_busy_from_the_lease_of_its_order_to_the_end(bench: Workbench) -> None:
    first, second, waiting = (bench.submit() for _ in range(3))
    assert busy(bench) == []
    bench.lease("worker")
    bench.clock.sleep(1)
    bench.lease("another")
    assert busy(bench) == [first, second]
    assert shown(bench)["waiting"]["normal"] == 1
    bench.process_all()
    bench.clock.sleep(1)
    assert bench.order(waiting).is_terminal
    assert busy(bench) == [first, second]
    bench.clock.sleep(15)
    assert busy(bench) == []


def test_a_busy_slot_tells_its_order(bench: Workbench) -> None:
    order_id = bench.submit(user_id="alice", amount_in=1_500_000_000)
    leased = bench.lease("worker")
    assert leased is not None
    now = bench.clock.now()
    state = shown(bench)["slots"]
    assert state is not None
    assert state["busy"] == [
        {
            "orderId": order_id,
            "userId": "alice",
            "type": "market",
            "side": "sell",
            "tokenIn": "SOL",
            "tokenOut": "USDC",
            "amountIn": Decimal("1.5"),
            "status": "routing",
            "attempt": 1,
            "since": to_text(now),
            "leaseUntil": to_text(now + timedelta(seconds=15)),
        }
    ]


def test_an_order_that_pauses_before_its_next_attempt_is_retrying_and_not_busy(bench: Workbench) -> None:
    bench.submit(simulate="stale_quote:1")
    assert bench.process() is not None
    body = shown(bench)
    assert body["slots"] == {"limit": SLOTS, "busy": []}
    assert body["waiting"]["retrying"] == 1
    bench.clock.sleep(20)
    assert shown(bench)["waiting"]["retrying"] == 0


def test_an_order_whose_deadline_a_worker_with_another_clock_set_is_busy(bench: Workbench) -> None:
    order_id = bench.submit()
    bench.clock.sleep(0.09)
    bench.lease("worker")
    bench.clock.sleep(-0.09)
    assert busy(bench) == [order_id]


def test_more_waiting_orders_than_one_look_reads_hide_no_busy_slot() -> None:
    """The deadlines of orders that start soon are like those of leases."""
    per_minute = 310
    bench = a_workbench(rate_limit_per_minute=per_minute, max_active_orders_per_user=0)
    ids = [bench.submit() for _ in range(2 * per_minute)]
    bench.clock.sleep(45)
    for number in range(SLOTS):
        bench.lease(f"worker-{number}")
    assert set(busy(bench)) == set(ids[:SLOTS])


def test_waiting_orders_are_told_by_lane(bench: Workbench) -> None:
    for priority in (Priority.NORMAL, Priority.NORMAL, Priority.HIGH):
        bench.submit(priority=priority)
    waiting = shown(bench)["waiting"]
    assert (waiting["normal"], waiting["high"]) == (3, 1)


def test_the_rate_limit_tells_the_starts_of_the_last_minute_and_when_the_next_one_is() -> None:
    bench = a_workbench(rate_limit_per_minute=2)
    for _ in range(5):
        bench.submit()
    began = bench.clock.now()
    for _ in range(2):
        bench.process()
    bench.clock.sleep(1)
    body = shown(bench)
    assert body["rateLimit"] == {"perMinute": 2, "startedLastMinute": 2}
    assert body["waiting"]["rateLimited"] == 3
    assert body["waiting"]["nextStartAt"] == to_text(began + timedelta(minutes=1))


def test_open_orders_are_counted_by_type(bench: Workbench) -> None:
    for spec in (a_limit(500), a_limit(501), a_sniper()):
        bench.engine.submit(ANYONE, spec)
    while bench.order_queue.bodies:
        bench.process()
    bench.clock.sleep(10)
    bench.engine.watchdog()
    assert shown(bench)["waiting"]["open"] == {"limit": 2, "sniper": 1}


def test_letters_streams_and_sockets_are_counted(bench: Workbench) -> None:
    bench.dead_letter_queue.keep("no order")
    bench.replay_queue.send([CheckSocket("socket", 0)])
    bench.streams.connect(Connection("socket", coarse=False, expires_at=bench.clock.now_ms() // 1000 + 7200))
    body = shown(bench)
    assert body["deadLetters"] == {"deadLetters": 0, "unprocessable": 1}
    assert body["queues"] == {"replay": 1, "fanOut": 0}
    assert body["sockets"] == {"open": 1, "limitReached": False}


def test_the_last_verdict_of_the_doctor_is_shown(bench: Workbench) -> None:
    bench.verdicts.verdict = DoctorVerdict(bench.clock.now(), VerdictStatus.VIOLATIONS, 3, 1, ("I4 order: a gap",))
    assert shown(bench)["doctor"] == {
        "at": to_text(bench.clock.now()),
        "status": "violations",
        "orders": 3,
        "violations": 1,
        "findings": ["I4 order: a gap"],
    }


#: The call of each source, and the fields that are missing without it.
SOURCES: dict[str, tuple[str, ...]] = {
    "order_index.with_deadline": ("slots", "waiting.retrying"),
    "order_queue.depth": ("waiting.normal",),
    "high_priority_queue.depth": ("waiting.high",),
    "rate_limit_slots.use": ("waiting.rateLimited", "waiting.nextStartAt", "rateLimit"),
    "history.count_open": ("waiting.open",),
    "dead_letter_queue.depth": ("deadLetters",),
    "dead_letter_queue.unprocessable_depth": ("deadLetters",),
    "replay_queue.depth": ("queues",),
    "fan_out_queue.depth": ("queues",),
    "orders.history_lag": ("history",),
    "streams.count_open": ("sockets",),
    "verdicts.last": ("doctor",),
}


def field(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body[name]
    return body


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_fails_hides_its_own_part_alone_and_is_named(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = a_workbench(rate_limit_per_minute=1)
    bench.verdicts.verdict = DoctorVerdict(bench.clock.now(), VerdictStatus.OK, 1, 0)
    for _ in range(2):
        bench.submit()
    port, _, call = source.partition(".")
    monkeypatch.setattr(getattr(bench, port), call, fails)
    body = shown(bench)
    assert body["outages"] == dict.fromkeys(SOURCES[source], "UNAVAILABLE")
    missing = {path for paths in SOURCES.values() for path in paths if field(body, path) is None}
    assert missing == set(SOURCES[source])


def test_every_part_of_the_state_has_a_source_here() -> None:
    parts = {one.name for one in fields(EngineState)} - {"at", "per_minute", "outages"}
    assert len(parts) == len(SOURCES)


def test_a_history_that_takes_too_long_is_named_so(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(limit: int) -> Any:
        raise HistoryTooSlowError("canceling statement due to statement timeout")

    monkeypatch.setattr(bench.history, "count_open", slow)
    assert shown(bench)["outages"] == {"waiting.open": "TOO_SLOW"}


def test_many_pages_that_poll_read_the_state_once_a_second(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(bench.verdicts, "last", lambda: read.append(1))
    for _ in range(50):
        bench.engine.state(ANYONE)
    assert len(read) == 1
    bench.clock.sleep(1)
    bench.engine.state(ANYONE)
    assert len(read) == 2


def test_without_a_rate_limit_its_slots_are_not_read(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.rate_limit_slots, "use", fails)
    assert shown(bench)["outages"] == {}


def test_a_rate_limit_with_too_many_slots_to_read_hides_its_own_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = a_workbench(rate_limit_per_minute=MAX_READ_SLOTS + 1)
    monkeypatch.setattr(bench.rate_limit_slots, "use", lambda now_ms: pytest.fail("it reads every slot"))
    assert shown(bench)["outages"] == dict.fromkeys(SOURCES["rate_limit_slots.use"], "TOO_SLOW")
