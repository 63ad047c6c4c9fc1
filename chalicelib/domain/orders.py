"""The order: a fold of its events. ``apply`` is the only thing that moves it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self, TypeAlias

from chalicelib.domain.conditions import LaunchedPool, LaunchTerms, TimeInForce, min_output_at_price
from chalicelib.domain.errors import IllegalTransitionError
from chalicelib.domain.money import MAX_BASE_UNITS
from chalicelib.domain.status import PHASES, TERMINAL, OrderType, Phase, Status, may_follow
from chalicelib.domain.tokens import Pair, Side, Token, find_pair

Meta: TypeAlias = Mapping[str, Any]


class Priority(StrEnum):
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Event:
    """One step of an order's life. ``seq`` is 1, 2, 3 ... per order; ``meta`` is what the stream tells."""

    seq: int
    status: Status
    attempt: int
    at: datetime
    meta: Meta

    @property
    def phase(self) -> Phase:
        return PHASES[self.status]


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """What the client asked for, as amended. ``amount_in`` is in base units of ``token_in``.

    ``limit_price`` is what a limit order accepts, quote per base, and ``launch`` what a sniper order waits for;
    both have a ``time_in_force``, and ``expires_at`` where that is a date.
    """

    user_id: str
    type: OrderType
    side: Side
    token_in: Token
    token_out: Token
    amount_in: int
    slippage_bps: int
    priority: Priority = Priority.NORMAL
    client_order_id: str | None = None
    simulate: str | None = None
    limit_price: Decimal | None = None
    launch: LaunchTerms | None = None
    time_in_force: TimeInForce | None = None
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        """:raises ValueError: for an amount that no token account can hold."""
        if not 0 < self.amount_in <= MAX_BASE_UNITS:
            raise ValueError(f"amount_in of {self.amount_in} base units")

    @property
    def pair(self) -> Pair:
        pair = find_pair(self.token_in, self.token_out)
        if pair is None:
            raise LookupError(f"no market of {self.token_in.symbol} and {self.token_out.symbol}")
        return pair

    @property
    def limit_min_out(self) -> int | None:
        """The least output in base units that its price limit allows; ``None`` if it has none."""
        limit = self.launch.max_price if self.launch else self.limit_price
        if limit is None:
            return None
        return min_output_at_price(self.side, self.token_in, self.token_out, self.amount_in, limit)


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its events left it. Amounts are in base units; what has not happened yet is ``None``.

    ``expires_at`` is when one that waits is over, ``wait_reason`` why it waits still. ``rearmed`` is how often the
    price left after it had triggered, last ``last_missed_at``; ``launched_in`` the pool that released it.
    """

    order_id: str
    spec: OrderSpec
    status: Status | None = None
    attempts: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    events: tuple[Event, ...] = ()
    quotes: Meta | None = None
    dex: str | None = None
    min_amount_out: int | None = None
    tx_hash: str | None = None
    amount_out: int | None = None
    executed_price: Decimal | None = None
    fail_code: str | None = None
    fail_reason: str | None = None
    expires_at: datetime | None = None
    wait_reason: str | None = None
    rearmed: int = 0
    last_missed_at: datetime | None = None
    launched_in: LaunchedPool | None = None

    @classmethod
    def accepted(cls, order_id: str, spec: OrderSpec, at: datetime, meta: Meta | None = None) -> Self:
        """A new order with its first event."""
        return cls(order_id, spec).moved(Status.PENDING, at, meta)

    @classmethod
    def replayed(cls, order_id: str, spec: OrderSpec, events: tuple[Event, ...]) -> Self:
        """The order that these events make."""
        order = cls(order_id, spec)
        for event in events:
            order = order.apply(event)
        return order

    @property
    def seq(self) -> int:
        return len(self.events)

    @property
    def phase(self) -> Phase:
        return PHASES[self.current_status]

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL

    def is_expired(self, at: datetime) -> bool:
        """Whether an order that is not over should be, as its time was up."""
        return self.expires_at is not None and at >= self.expires_at and not self.is_terminal

    def was_refused(self, launch_id: str) -> bool:
        """Whether this launch did not suit it."""
        return any(event.meta.get("launchId") == launch_id for event in self.events)

    @property
    def current_status(self) -> Status:
        """The status of an order that exists."""
        if self.status is None:
            raise IllegalTransitionError(f"order {self.order_id} has no events")
        return self.status

    def moved(self, status: Status, at: datetime, meta: Meta | None = None, *, next_attempt: bool = False) -> Self:
        """The order after the next event, which begins a new attempt if told so."""
        attempt = self.attempts + 1 if next_attempt else self.attempts
        return self.apply(Event(self.seq + 1, status, attempt, at, meta or {}))

    def apply(self, event: Event) -> Self:
        """The order after this event.

        :raises IllegalTransitionError: if the status may not follow, or ``seq`` or ``attempt`` is out of turn.
        """
        in_turn = event.seq == self.seq + 1 and event.attempt in (self.attempts, self.attempts + 1)
        if not in_turn or not may_follow(self.spec.type, self.status, event.status):
            raise IllegalTransitionError(
                f"order {self.order_id}: {event.status} ({event.seq}) may not follow {self.status} ({self.seq})"
            )
        return replace(
            self,
            status=event.status,
            attempts=event.attempt,
            created_at=self.created_at or event.at,
            updated_at=event.at,
            events=(*self.events, event),
            **(_kept_waiting(self, event) if event.status is Status.OPEN else _learned(event)),
        )


#: Where an order goes that does not trade (now), what it was about to send is void.
_NOTHING_SENT: dict[str, Any] = {"dex": None, "tx_hash": None, "wait_reason": None}


def _kept_waiting(order: Order, event: Event) -> dict[str, Any]:
    """What the order learns where it begins to wait, is amended, is refused a launch, or waits again."""
    meta, spec = event.meta, order.spec
    if "amended" in meta:
        amended = meta["amended"]
        spec = replace(
            spec,
            limit_price=Decimal(amended["limitPrice"]) if "limitPrice" in amended else spec.limit_price,
            slippage_bps=int(amended.get("slippageBps", spec.slippage_bps)),
        )
        if until := amended.get("expiresAt"):
            spec = replace(spec, time_in_force=TimeInForce.GTD, expires_at=datetime.fromisoformat(until))
    least, expires_at = meta.get("minAmountOutBase"), meta.get("expiresAt")
    return {
        "spec": spec,
        "expires_at": datetime.fromisoformat(expires_at) if expires_at else order.expires_at,
        "min_amount_out": int(least) if least else order.min_amount_out,
        "rearmed": int(meta.get("rearmed", order.rearmed)),
        # New terms are tried at once.
        "last_missed_at": event.at if "rearmed" in meta else None if "amended" in meta else order.last_missed_at,
        **_NOTHING_SENT,
        # What can be amended of a sniper order is none of what a launch is judged by.
        "wait_reason": order.wait_reason if "amended" in meta and spec.launch else meta.get("reason"),
    }


def _learned(event: Event) -> dict[str, Any]:
    """What the order learns from an event's meta, by the event's status."""
    meta = event.meta
    match event.status:
        case Status.TRIGGERED if "launch" in meta:
            launch = meta["launch"]
            return {"launched_in": LaunchedPool(launch["venue"], launch["pool"]), **_NOTHING_SENT}
        case Status.ROUTING if "chosen" in meta:
            return {"quotes": meta, **_NOTHING_SENT}
        case Status.BUILDING:
            return {"dex": meta["dex"], "min_amount_out": int(meta["minAmountOutBase"])}
        case Status.SUBMITTED:
            return {"dex": meta["dex"], "tx_hash": meta["txHash"]}
        case Status.CONFIRMED:
            return {
                "dex": meta["dex"],
                "tx_hash": meta["txHash"],
                "amount_out": int(meta["amountOutBase"]),
                "executed_price": Decimal(meta["executedPrice"]),
            }
        case Status.FAILED:
            return {"fail_code": meta["code"], "fail_reason": meta["reason"], **_NOTHING_SENT}
        case _:
            return _NOTHING_SENT
