"""State machine rules for limit and sniper orders: submission, market events, amendment and cancellation."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.domain.conditions import Amendment, TimeInForce
from chalicelib.domain.status import OrderType
from tests.faults.virtual.client_scenarios import Expected
from tests.faults.virtual.injection import Fault
from tests.faults.virtual.open_orders import SOL_USDC, a_launch, sniper_terms
from tests.faults.virtual.world import World
from tests.support.callers import ANYONE
from tests.support.specs import a_spec

Armed = tuple[int, Fault] | None
#: A fault at the n-th call after the current one, or none.
FAULTS = st.one_of(st.none(), st.tuples(st.integers(1, 12), st.sampled_from(list(Fault))))
INDEX = st.integers(0, 7)
#: Prices and limits are so far apart that the simulated drift alone never crosses a limit.
_LIMITS = st.sampled_from([Decimal(80), Decimal(120)])
_PRICES = st.sampled_from([Decimal(60), Decimal(100), Decimal(140)])


class MarketRules:
    """Mixin for a state machine that defines these attributes."""

    world: World
    expected: Expected
    cancelled: set[str]

    def _arm(self, fault: Armed) -> None:
        raise NotImplementedError

    @rule(limit=_LIMITS, force=st.sampled_from(TimeInForce), fault=FAULTS, missing=st.booleans())
    def submit_limit(self, limit: Decimal, force: TimeInForce, fault: Armed, missing: bool) -> None:
        """Submit a limit order; with ``missing`` its first swap fails by slippage."""
        until = self.world.clock.now() + timedelta(seconds=40) if force is TimeInForce.GTD else None
        simulate = "slippage:1" if missing else None
        spec = {"limit_price": limit, "time_in_force": force, "expires_at": until, "simulate": simulate}
        self._submit(fault, type=OrderType.LIMIT, **spec)

    @rule(least=st.sampled_from([None, Decimal(5000)]), fault=FAULTS)
    def submit_sniper(self, least: Decimal | None, fault: Armed) -> None:
        self._submit(fault, **sniper_terms(min_liquidity=least))

    @rule(to=_PRICES, fault=FAULTS)
    def price(self, to: Decimal, fault: Armed) -> None:
        assert SOL_USDC is not None
        self._ask(fault, partial(self.world.engine.market.push_price, ANYONE, SOL_USDC, to))

    @rule(venue=st.sampled_from(["raydium", "meteora"]), liquidity=st.sampled_from([100, 10_000]), fault=FAULTS)
    def launch(self, venue: str, liquidity: int, fault: Armed) -> None:
        self._ask(
            fault, partial(self.world.engine.market.announce_launch, ANYONE, a_launch(self.world, venue, liquidity))
        )

    @rule(fault=FAULTS)
    def look(self, fault: Armed) -> None:
        self._arm(fault)
        self.world.look()

    @precondition(lambda self: self.world.all_orders())
    @rule(index=INDEX, limit=_LIMITS, fault=FAULTS)
    def amend(self, index: int, limit: Decimal, fault: Armed) -> None:
        self._ask(fault, partial(self.world.engine.amend, ANYONE, self._order(index), Amendment(limit_price=limit)))

    @precondition(lambda self: self.world.all_orders())
    @rule(index=INDEX, fault=FAULTS)
    def cancel(self, index: int, fault: Armed) -> None:
        order_id = self._order(index)
        if self._ask(fault, partial(self.world.engine.cancel, ANYONE, order_id)) is not None:
            self.cancelled.add(order_id)

    def _order(self, index: int) -> str:
        orders = list(self.world.all_orders())
        return str(orders[index % len(orders)])

    def _submit(self, fault: Armed, **changes: Any) -> None:
        made = self._ask(fault, partial(self.world.engine.submit, ANYONE, a_spec(**changes)))
        if made is not None:
            self.expected.accepted.append(("", made.order_id))

    def _ask(self, fault: Armed, work: Any) -> Any:
        """Run ``work`` once, with this fault; return ``None`` if the engine is killed, refuses or fails."""
        self._arm(fault)
        return self.world.once(work)
