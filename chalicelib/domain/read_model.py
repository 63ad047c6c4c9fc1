"""The read model of an order: the flat form that records, lists and the history are made from."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from chalicelib.domain.conditions import LaunchTerms, TimeInForce
from chalicelib.domain.events import QuotesReceived
from chalicelib.domain.orders import Order
from chalicelib.domain.status import PHASES, OrderType, Phase, Status
from chalicelib.domain.tokens import Pair, Side, Token, market_of

#: The place of an order in a list, which is newest first: its creation time in milliseconds, and its id.
Position: TypeAlias = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class OrderReadModel:
    """An order without its events. Amounts are in base units; a field that does not apply is ``None``."""

    order_id: str
    user_id: str
    client_order_id: str | None
    type: OrderType
    side: Side
    token_in: Token
    token_out: Token
    amount_in: int
    amount_out: int | None
    min_amount_out: int | None
    status: Status
    seq: int
    attempts: int
    venue: str | None
    executed_price: Decimal | None
    limit_price: Decimal | None
    time_in_force: TimeInForce | None
    expires_at: datetime | None
    launch: LaunchTerms | None
    wait_reason: str | None
    tx_hash: str | None
    fail_code: str | None
    fail_reason: str | None
    quotes: QuotesReceived | None
    created_at: datetime
    updated_at: datetime

    @property
    def phase(self) -> Phase:
        return PHASES[self.status]

    @property
    def pair(self) -> Pair:
        return market_of(self.token_in, self.token_out)

    @property
    def position(self) -> Position:
        milliseconds = self.created_at.microsecond // 1000
        return self.created_at.replace(microsecond=milliseconds * 1000), UUID(self.order_id)


def read_model_of(order: Order) -> OrderReadModel:
    """:raises IllegalTransitionError: for an order without events."""
    spec, status = order.spec, order.current_status
    return OrderReadModel(
        order_id=order.order_id,
        user_id=spec.user_id,
        client_order_id=spec.client_order_id,
        type=spec.type,
        side=spec.side,
        token_in=spec.token_in,
        token_out=spec.token_out,
        amount_in=spec.amount_in,
        amount_out=order.amount_out,
        min_amount_out=order.min_amount_out,
        status=status,
        seq=order.seq,
        attempts=order.attempts,
        venue=order.venue,
        executed_price=order.executed_price,
        limit_price=spec.limit_price,
        time_in_force=spec.time_in_force,
        expires_at=order.expires_at,
        launch=spec.launch,
        wait_reason=order.wait_reason,
        tx_hash=order.tx_hash,
        fail_code=order.fail_code,
        fail_reason=order.fail_reason,
        quotes=order.quotes,
        created_at=order.events[0].at,
        updated_at=order.events[-1].at,
    )
