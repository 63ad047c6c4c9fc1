"""The answer about what the engine does now."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypedDict, TypeVar

from chalicelib.api.responses.operations import LagBody, lag_body
from chalicelib.codec.times import from_ms, to_text
from chalicelib.domain.money import to_human_units
from chalicelib.domain.rate_limit import SlotUse
from chalicelib.domain.status import OrderType
from chalicelib.ports.orders import Lease, StoredOrder
from chalicelib.ports.streams import OpenSockets
from chalicelib.ports.verdicts import DoctorVerdict
from chalicelib.services.operations.engine_state import EngineState
from chalicelib.services.operations.work import SLOTS, Work

Part = TypeVar("Part")
Shape = TypeVar("Shape")

#: The fields of the answer that are null while a part of the state is missing.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "work": ("slots", "waiting.retrying"),
    "normal": ("waiting.normal",),
    "high": ("waiting.high",),
    "starts": ("waiting.rateLimited", "waiting.nextStartAt", "rateLimit"),
    "open": ("waiting.open",),
    "dead_letters": ("deadLetters",),
    "unprocessable": ("deadLetters",),
    "replay": ("queues",),
    "fan_out": ("queues",),
    "lag": ("history",),
    "sockets": ("sockets",),
    "verdict": ("doctor",),
}


class BusySlotBody(TypedDict):
    """An order that a worker executes."""

    orderId: str
    userId: str
    type: str
    side: str
    tokenIn: str
    tokenOut: str
    amountIn: Decimal
    status: str
    attempt: int
    since: str
    leaseUntil: str


class SlotsBody(TypedDict):
    """The orders that execute at this moment, the oldest lease first.

    A lease ends up to 15 seconds after its worker dies, so a few more than ``limit`` may be busy.
    """

    limit: int
    busy: list[BusySlotBody]


class OpenCountsBody(TypedDict):
    """The open orders that the history has, by type, each counted up to 10000."""

    limit: int
    sniper: int


class WaitingBody(TypedDict):
    """The orders that wait, by what they wait for. The numbers of messages in queues are approximate."""

    normal: int | None
    high: int | None
    retrying: int | None
    rateLimited: int | None
    nextStartAt: str | None
    open: OpenCountsBody | None


class RateLimitBody(TypedDict):
    """The limit on the starts of orders; ``perMinute`` is 0 without one, and the starts are not counted then."""

    perMinute: int
    startedLastMinute: int | None


class DeadLettersBody(TypedDict):
    """Messages of orders that no delivery could process."""

    deadLetters: int
    unprocessable: int


class StreamQueuesBody(TypedDict):
    """Messages of the streams that wait for a worker."""

    replay: int
    fanOut: int


class SocketsBody(TypedDict):
    """The sockets that are open, and perhaps some that vanished within the last two hours."""

    open: int
    limitReached: bool


class DoctorVerdictBody(TypedDict):
    """The last verdict of the doctor, which an operator starts by ``make doctor``."""

    at: str
    status: str
    orders: int
    violations: int
    findings: list[str]


class EngineStateBody(TypedDict):
    """What the engine does now, at most a second old.

    A part whose source does not answer is null, and ``outages`` says why.
    """

    at: str
    slots: SlotsBody | None
    waiting: WaitingBody
    rateLimit: RateLimitBody | None
    deadLetters: DeadLettersBody | None
    queues: StreamQueuesBody | None
    history: LagBody | None
    sockets: SocketsBody | None
    doctor: DoctorVerdictBody | None
    outages: dict[str, str]


def engine_state_body(state: EngineState) -> EngineStateBody:
    return {
        "at": to_text(state.at),
        "slots": _shown(state.work, _slots),
        "waiting": _waiting(state),
        "rateLimit": _shown(state.starts, lambda starts: _rate_limit(starts, state.per_minute)),
        "deadLetters": _dead_letters(state),
        "queues": _queues(state),
        "history": _shown(state.lag, lag_body),
        "sockets": _shown(state.sockets, _sockets),
        "doctor": _shown(state.verdict, _verdict),
        "outages": {name: outage.value for part, outage in state.outages.items() for name in _FIELDS[part]},
    }


def _shown(part: Part | None, shape: Callable[[Part], Shape]) -> Shape | None:
    return None if part is None else shape(part)


def _slots(work: Work) -> SlotsBody:
    return {"limit": SLOTS, "busy": [_busy_slot(stored, stored.lease) for stored in work.leased if stored.lease]}


def _waiting(state: EngineState) -> WaitingBody:
    next_ms = state.starts.next_ms if state.starts else None
    return {
        "normal": _shown(state.normal, lambda depth: depth.waiting),
        "high": _shown(state.high, lambda depth: depth.waiting),
        "retrying": _shown(state.work, lambda work: work.retrying),
        "rateLimited": _shown(state.starts, lambda starts: starts.reserved),
        "nextStartAt": _shown(next_ms, lambda at_ms: to_text(from_ms(at_ms))),
        "open": _shown(state.open, _open_counts),
    }


def _open_counts(found: Mapping[OrderType, int]) -> OpenCountsBody:
    return {"limit": found[OrderType.LIMIT], "sniper": found[OrderType.SNIPER]}


def _rate_limit(starts: SlotUse, per_minute: int) -> RateLimitBody:
    return {"perMinute": per_minute, "startedLastMinute": starts.started if per_minute else None}


def _dead_letters(state: EngineState) -> DeadLettersBody | None:
    if state.dead_letters is None or state.unprocessable is None:
        return None
    return {"deadLetters": state.dead_letters.total, "unprocessable": state.unprocessable.total}


def _queues(state: EngineState) -> StreamQueuesBody | None:
    if state.replay is None or state.fan_out is None:
        return None
    return {"replay": state.replay.waiting, "fanOut": state.fan_out.waiting}


def _sockets(found: OpenSockets) -> SocketsBody:
    return {"open": found.number, "limitReached": found.limit_reached}


def _busy_slot(stored: StoredOrder, lease: Lease) -> BusySlotBody:
    order, spec = stored.order, stored.order.spec
    return {
        "orderId": order.order_id,
        "userId": spec.user_id,
        "type": spec.type.value,
        "side": spec.side.value,
        "tokenIn": spec.token_in.symbol,
        "tokenOut": spec.token_out.symbol,
        "amountIn": to_human_units(spec.amount_in, spec.token_in.decimals),
        "status": order.current_status.value,
        "attempt": order.attempts,
        "since": to_text(order.events[-1].at),
        "leaseUntil": to_text(from_ms(lease.until_ms)),
    }


def _verdict(verdict: DoctorVerdict) -> DoctorVerdictBody:
    return {
        "at": to_text(verdict.at),
        "status": verdict.status.value,
        "orders": verdict.orders,
        "violations": verdict.violations,
        "findings": list(verdict.findings),
    }
