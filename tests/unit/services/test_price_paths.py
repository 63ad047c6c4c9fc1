"""Random price paths and random limit orders: the engine triggers and fills the orders that an oracle computes."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.conditions import Amendment, TimeInForce
from chalicelib.domain.errors import NotAmendableError
from chalicelib.domain.events import Amended, PriceMovedAway
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import OrderType, Status
from chalicelib.domain.tokens import Pair, Side, find_market
from chalicelib.ports.market import PushedPrice
from chalicelib.simulation.market import BASE_PRICES_USD
from tests.support.callers import ANYONE
from tests.support.oracle import OpenLimitOrder, Oracle, Verdict
from tests.support.specs import a_spec
from tests.support.workbench import a_workbench

_PAIRS = [pair for name in ("SOL/USDC", "BONK/USDC", "JUP/SOL", "USDT/USDC") if (pair := find_market(name))]
_STEPS = 14
#: Order sizes in USD, from less than a cent to a fifth of a pool.
_USD = [Decimal("0.000001"), Decimal("0.0003"), Decimal("0.01"), Decimal(1), Decimal(150), Decimal(20_000)]
_USD += [Decimal(200_000), Decimal(550_000), Decimal(1_000_000)]


class Path:
    """A run of the engine and the oracle side by side, compared after each step."""

    def __init__(self, seed: int, profile: str, batch: int) -> None:
        self.random = Random(seed)
        # A batch smaller than the number of crossed orders leaves the rest to the next look.
        self.bench = a_workbench(venue_seed=f"path-{seed}", venue_profile=profile, trigger_batch=batch)
        self.oracle = Oracle(f"path-{seed}", profile)
        self.batch = batch
        self.open: dict[str, OpenLimitOrder] = {}
        self.triggered: dict[str, OpenLimitOrder] = {}
        self.trigger_count = 0

    def step(self) -> None:
        steps = [
            self.submit,
            self.submit,
            self.push,
            self.push,
            self.tick,
            self.tick,
            self.work,
            self.cancel,
            self.amend,
        ]
        self.random.choice(steps)()

    # --- the steps ----------------------------------------------------------------------------------------

    def submit(self) -> None:
        spec = self._a_limit_order()
        if spec is None:
            return
        order = OpenLimitOrder(spec.pair, spec.side, spec.amount_in, spec.limit_price or Decimal(0), spec.expires_at)
        order_id = self.bench.engine.submit(ANYONE, spec).order_id
        entered = self.bench.order(order_id)
        assert entered.min_amount_out == order.min_output
        marketable = self._is_triggered(order_id)
        if spec.time_in_force is TimeInForce.IOC:
            assert marketable
        else:
            self._agree(order_id, order, marketable)
        (self.triggered if marketable else self.open)[order_id] = order

    def push(self) -> None:
        """Push a price anywhere around the base price, which may be far from the last one."""
        pair = self.random.choice(_PAIRS)
        price = self._around(pair, Decimal("0.06"))
        self.oracle.push(pair, price, self.bench.clock.now_ms())
        self.bench.engine.market.push_price(ANYONE, pair, price)
        self._compare({pair.name}, self.batch)

    def tick(self) -> None:
        """Let time pass, less or much more than a price takes to move, and look at the market."""
        self.bench.clock.sleep(self.random.choice([0.001, 0.4, 5, 5, 61, 900, 4000]))
        self.bench.engine.market.look()
        now = self.bench.clock.now()
        for order_id in [one for one, order in self.open.items() if order.expires_at and order.expires_at <= now]:
            assert self.bench.order(order_id).status is Status.EXPIRED
            del self.open[order_id]
        self._compare({pair.name for pair in _PAIRS})

    def cancel(self) -> None:
        order_id = self._any({**self.open, **self.triggered})
        if order_id is None:
            return
        self.bench.engine.cancel(ANYONE, order_id)
        assert self.bench.order(order_id).status is Status.CANCELLED
        self.open.pop(order_id, None)
        self.triggered.pop(order_id, None)

    def amend(self) -> None:
        order_id = self._any({**self.open, **self.triggered})
        if order_id is None:
            return
        order = self.open.get(order_id) or self.triggered[order_id]
        now = self.bench.clock.now()
        expires_at = (
            now + timedelta(seconds=self.random.choice([1, 30, 3600])) if self.random.random() < 0.4 else None
        )
        wanted = replace(
            order, limit=self._around(order.pair, Decimal("0.06")), expires_at=expires_at or order.expires_at
        )
        if not wanted.min_output:
            return
        amendment = Amendment(limit_price=wanted.limit, expires_at=expires_at)
        if order_id in self.triggered or (order.expires_at and order.expires_at <= now):
            with pytest.raises(NotAmendableError):
                self.bench.engine.amend(ANYONE, order_id, amendment)
            return
        self.bench.engine.amend(ANYONE, order_id, amendment)
        amended = self.bench.order(order_id)
        assert amended.min_amount_out == wanted.min_output
        self.open[order_id] = wanted
        triggered_now = self._is_triggered(order_id)
        if not self._pauses(order_id):
            self._agree(order_id, wanted, triggered_now)
        if triggered_now:
            self.triggered[order_id] = self.open.pop(order_id)

    def work(self) -> None:
        """Execute the triggered orders, perhaps after the price has moved on."""
        if self.random.random() < 0.5:
            self.bench.clock.sleep(self.random.choice([0.5, 30, 1200]))
        while self.bench.order_queue.bodies:
            assert self.bench.process() is None
        now, now_ms = self.bench.clock.now(), self.bench.clock.now_ms()
        for order_id, wanted in list(self.triggered.items()):
            order, offers = self.bench.order(order_id), self.oracle.offers(wanted, now_ms).values()
            fills = self.bench.ledger.swaps_of(order_id)
            del self.triggered[order_id]
            if fills:
                # The fill is at the limit or better, and is the output of one of the venues.
                assert order.status is Status.CONFIRMED
                assert [order.amount_out] == [fill.amount_out for fill in fills]
                assert wanted.min_output <= fills[0].amount_out
                assert fills[0].amount_out in {one.amount_out for one in offers}
                assert wanted.expires_at is None or now < wanted.expires_at
            else:
                may_reopen = order.spec.time_in_force is not TimeInForce.IOC
                in_time = wanted.expires_at is None or now < wanted.expires_at
                assert order.status is (Status.OPEN if may_reopen and in_time else Status.EXPIRED)
            if not fills and (wanted.expires_at is None or now < wanted.expires_at):
                assert not any(
                    one.tradable is Verdict.FILLS and one.amount_out >= wanted.min_output for one in offers
                )
            if order.status is Status.OPEN:
                self.open[order_id] = wanted

    # --- the comparison -----------------------------------------------------------------------------------

    def _compare(self, pairs: set[str], most: float = inf) -> None:
        """Compare all open orders of these pairs with the oracle; triggered orders move to ``triggered``.

        At most ``most`` orders of a pair and side trigger at once; a push leaves the rest to the next look.
        """
        triggered_now = [order_id for order_id in self.open if self._is_triggered(order_id)]
        per_side: dict[tuple[str, Side], int] = {}
        for order_id in triggered_now:
            order = self.open[order_id]
            assert order.pair.name in pairs
            key = order.pair.name, order.side
            per_side[key] = per_side.get(key, 0) + 1
        for order_id, order in list(self.open.items()):
            if order.pair.name not in pairs or self._pauses(order_id):
                assert order_id not in triggered_now
                continue
            if order.expires_at and order.expires_at <= self.bench.clock.now():
                assert order_id not in triggered_now
                continue
            # A full batch may have left the order out.
            if order_id in triggered_now or per_side.get((order.pair.name, order.side), 0) < most:
                self._agree(order_id, order, order_id in triggered_now)
        for order_id in triggered_now:
            self.triggered[order_id] = self.open.pop(order_id)
        assert all(count <= most for count in per_side.values())

    def _agree(self, order_id: str, order: OpenLimitOrder, triggered_now: bool) -> None:
        verdict = self.oracle.verdict(order, self.bench.clock.now_ms())
        self.trigger_count += triggered_now
        if verdict is not Verdict.EITHER:
            assert triggered_now == (verdict is Verdict.FILLS), (order_id, order, self.bench.order(order_id))

    def _is_triggered(self, order_id: str) -> bool:
        return self.bench.order(order_id).status is Status.TRIGGERED

    def _pauses(self, order_id: str) -> bool:
        """Return whether the order pauses after a missed trigger, for 1 s, 2 s, 4 s and so on.

        While the price is half a percent through the limit, only every sixth miss doubles the pause. An amendment
        ends the pause.
        """
        order = self.bench.order(order_id)
        misses = [event for event in order.events if isinstance(event.data, PriceMovedAway)]
        if not misses or any(isinstance(event.data, Amended) for event in order.events[misses[-1].seq :]):
            return False
        wanted = self.open[order_id]
        offers = self.oracle.offers(wanted, self.bench.clock.now_ms()).values()
        clear = any(
            one.tradable is Verdict.FILLS and Fraction(one.amount_out, wanted.min_output) >= Fraction(1005, 1000)
            for one in offers
        )
        doublings = (len(misses) - 1) // 6 if clear else len(misses) - 1
        pause = min(2**doublings, 6 * 3600)
        return self.bench.clock.now() < misses[-1].at + timedelta(seconds=pause)

    # --- orders -------------------------------------------------------------------------------------------

    def _a_limit_order(self) -> OrderSpec | None:
        pair, side = self.random.choice(_PAIRS), self.random.choice(list(Side))
        paid, bought = (pair.base, pair.quote) if side is Side.SELL else (pair.quote, pair.base)
        tokens = self.random.choice(_USD) / BASE_PRICES_USD[paid.symbol] * self.random.randint(50, 150) / 100
        amount_in = int(tokens * 10**paid.decimals)
        force = self.random.choice([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.GTD, TimeInForce.IOC])
        seconds = self.random.choice([1, 60, 5000])
        spec = a_spec(
            type=OrderType.LIMIT,
            side=side,
            token_in=paid,
            token_out=bought,
            amount_in=max(1, amount_in),
            limit_price=self._around(pair, Decimal("0.08")),
            time_in_force=force,
            expires_at=self.bench.clock.now() + timedelta(seconds=seconds) if force is TimeInForce.GTD else None,
        )
        return spec if spec.limit_min_out else None

    def _around(self, pair: Pair, reach: Decimal) -> Decimal:
        """A price within this share of the base price, with few digits as clients write them, or with many."""
        ratio = BASE_PRICES_USD[pair.base.symbol] / BASE_PRICES_USD[pair.quote.symbol]
        factor = 1 + reach * self.random.randint(-1000, 1000) / 1000
        digits = self.random.choice([3, 5, 12])
        return Decimal(f"{ratio * factor:.{digits}g}")

    def _any(self, orders: dict[str, OpenLimitOrder]) -> str | None:
        return self.random.choice(sorted(orders)) if orders else None


@settings(max_examples=1000)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["realistic", "realistic", "flat", "brief"]),
    st.sampled_from([500, 500, 1]),
)
def test_the_engine_and_the_oracle_trigger_and_fill_the_same_orders(seed: int, profile: str, batch: int) -> None:
    path = Path(seed, profile, batch)
    for _ in range(_STEPS):
        path.step()
    path.tick()
    path.work()


def test_the_paths_trigger_some_orders_and_leave_others_open() -> None:
    """Guards the comparison, which needs paths with triggered orders and paths with open ones."""
    paths = [Path(seed, "realistic", 500) for seed in range(20)]
    for path in paths:
        for _ in range(3 * _STEPS):
            path.step()
    statuses = {order.order.status for path in paths for order in path.bench.orders._kept.values()}
    assert {Status.OPEN, Status.CONFIRMED, Status.EXPIRED, Status.CANCELLED} <= statuses
    assert sum(path.trigger_count for path in paths) > 20
    assert any(
        isinstance(event.data, PriceMovedAway)
        for path in paths
        for kept in path.bench.orders._kept.values()
        for event in kept.order.events
    )


def test_the_watch_list_covers_an_order_that_triggered_at_entry_and_missed() -> None:
    bench = a_workbench()
    order_id = bench.submit(type=OrderType.LIMIT, limit_price=Decimal(90), time_in_force=TimeInForce.GTC)
    sol = _PAIRS[0]
    bench.engine.market.push_price(ANYONE, sol, Decimal(50))
    bench.process_all()
    assert bench.order(order_id).status is Status.OPEN
    bench.clock.sleep(60)
    bench.markets.push_price(sol, PushedPrice(Decimal(100), bench.clock.now_ms()))
    bench.engine.market.look()
    assert bench.order(order_id).status is Status.TRIGGERED
