"""A history in memory that behaves like the one in Postgres."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any

from chalicelib.clock import Clock, utc_now
from chalicelib.codec import cursors
from chalicelib.codec.times import to_ms
from chalicelib.domain.events import Confirmed, Event, QuotesReceived
from chalicelib.domain.orders import Order
from chalicelib.domain.read_model import OrderReadModel, read_model_of
from chalicelib.domain.status import OrderType, Status
from chalicelib.history.scores import score_row
from chalicelib.ports.history import ExecutionQuality, HistoryUnavailableError, OrderFilter, Page, Percentiles


class FakeHistory:
    """``History`` in memory. While ``down`` is set, every call fails as if Postgres were unreachable.

    ``events`` holds the recorded events by order id and ``seq``; ``refused`` holds the orders that it always rejects.
    """

    def __init__(self, now: Clock = utc_now) -> None:
        self._now = now
        self.down = False
        self.refused: set[str] = set()
        self.events: dict[str, dict[int, Event]] = {}
        self._orders: dict[str, Order] = {}
        self._recorded_at: dict[str, datetime] = {}

    def record(self, order: Order) -> None:
        self.ping()
        if order.order_id in self.refused:
            raise HistoryUnavailableError("the fake history does not take it")
        kept = self._orders.get(order.order_id)
        if kept is None or order.seq > kept.seq:
            self._orders[order.order_id] = order
            self._recorded_at[order.order_id] = self._now()
        recorded = self.events.setdefault(order.order_id, {})
        for event in order.events:
            recorded.setdefault(event.seq, event)

    def page(self, wanted: OrderFilter, limit: int, cursor: str | None) -> Page:
        after = None if cursor is None else cursors.decode(cursor)
        self.ping()
        models = [read_model_of(order) for order in self._orders.values()]
        found = [model for model in models if self._meets(model, wanted)]
        rest = [model for model in found if after is None or model.position < after]
        page = sorted(rest, key=lambda model: model.position, reverse=True)[:limit]
        return Page(page, cursors.encode(*page[-1].position) if len(rest) > limit else None)

    def settled(self, order_ids: Collection[str]) -> set[str]:
        self.ping()
        return {order_id for order_id in order_ids if (kept := self._orders.get(order_id)) and kept.is_terminal}

    def _meets(self, model: OrderReadModel, wanted: OrderFilter) -> bool:
        since = wanted.updated_since
        is_recent = since is None or self._recorded_at[model.order_id] >= since
        return is_recent and replace(wanted, updated_since=None).includes(model)

    def quality(self, since: datetime, until: datetime | None = None, user_id: str | None = None) -> ExecutionQuality:
        self.ping()
        covered = OrderFilter(user_id=user_id, since=since, until=until)
        recent = [order for order in self._orders.values() if covered.includes(read_model_of(order))]
        scores = [score_row(order) for order in recent]
        done = [order for order in recent if order.status is Status.CONFIRMED]
        market = [order for order in done if order.spec.type is OrderType.MARKET]
        fills = [order.events[-1].data for order in done]
        slippages = [
            fill.slippage_pct for fill in fills if isinstance(fill, Confirmed) and fill.slippage_pct is not None
        ]
        gains = [gain for order in done if order.quotes and (gain := _gain(order.quotes)) is not None]
        return ExecutionQuality(
            orders=Counter(order.current_status.value for order in recent),
            failures=Counter(order.fail_code.value for order in recent if order.fail_code),
            venues=Counter(order.venue or "" for order in done),
            retries=Counter(code for score in scores for code in score["retry_codes"] or ()),
            retried=sum(order.attempts > 1 for order in recent),
            missed_orders=sum(order.missed_triggers > 0 for order in recent),
            missed_triggers=sum(order.missed_triggers for order in recent),
            to_start=_percentiles([to_ms(o.events[1].at) - to_ms(o.events[0].at) for o in market]),
            to_end=_percentiles([to_ms(o.events[-1].at) - to_ms(o.events[0].at) for o in market]),
            quoting=_percentiles(_values(scores, "quoting_ms")),
            building=_percentiles(_values(scores, "building_ms")),
            landing=_percentiles(_values(scores, "landing_ms")),
            average_slippage=_average(slippages),
            worst_slippage=max(slippages, default=None),
            average_slippage_used=_average(_values(scores, "slippage_used_pct")),
            worst_slippage_used=max(_values(scores, "slippage_used_pct"), default=None),
            average_routing_gain=_average(gains),
            average_preview_gain=_average(_values(scores, "preview_gain_pct")),
            worst_preview_gain=min(_values(scores, "preview_gain_pct"), default=None),
        )

    def count_open(self, limit: int) -> Mapping[OrderType, int]:
        self.ping()
        kept = Counter(order.spec.type for order in self._orders.values() if order.status is Status.OPEN)
        return {kind: min(kept[kind], limit) for kind in (OrderType.LIMIT, OrderType.SNIPER)}

    def ping(self) -> None:
        if self.down:
            raise HistoryUnavailableError("the fake history is down")


def _values(scores: list[dict[str, Any]], column: str) -> list[Any]:
    return [score[column] for score in scores if score[column] is not None]


def _gain(quotes: QuotesReceived) -> Decimal | None:
    """The advantage of the best venue's output over the worst one's, in percent."""
    outputs = [Decimal(answer.quote.amount_out) for answer in quotes.answers if answer.quote]
    if len(outputs) < 2 or min(outputs) <= 0:
        return None
    return (max(outputs) / min(outputs) - 1) * 100


def _percentiles(values: list[int]) -> Percentiles:
    ranked = sorted(values)
    return Percentiles(*(ranked[ceil(share * len(ranked)) - 1] if ranked else None for share in (0.5, 0.95, 0.99)))


def _average(values: list[Decimal]) -> Decimal | None:
    return round(sum(values, Decimal()) / len(values), 4) if values else None
