"""Explanations on the workbench, whose market keeps every price and launch that a test pushes."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from chalicelib.api.responses.explanations import ExplanationBody, explanation_body
from chalicelib.codec.times import from_ms
from chalicelib.domain.conditions import Launch
from chalicelib.domain.depth import Depth
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.swaps import Fill, Transaction
from chalicelib.ports.market import PushedPrice
from chalicelib.routing.best_swap import best_swap
from chalicelib.services.orders.explain.explanation import Change, Counterfactual, Explanation
from chalicelib.simulation.venue import SimulatedVenue
from tests.support.callers import ANYONE
from tests.support.open_orders import SOL_USDC, push
from tests.support.workbench import Workbench, a_workbench


@dataclass(frozen=True)
class Explaining:
    bench: Workbench

    def push(self, price: Decimal | str | int) -> int:
        """Push a price of SOL in USDC, which the next quote and swap know."""
        return push(self.bench, price)

    def push_unseen(self, price: int, at_ms: int | None = None) -> None:
        """Push a price, by default of now, at which no open order looks."""
        at_ms = self.bench.clock.now_ms() if at_ms is None else at_ms
        self.bench.markets.push_price(SOL_USDC, PushedPrice(Decimal(price), at_ms))

    def announce(self, launch: Launch) -> None:
        self.bench.engine.market.announce_launch(ANYONE, launch)

    def explain(self, order_id: str) -> Explanation:
        """The explanation. Its replay computes the order as the workbench executed it."""
        explanation = self.bench.engine.explain(ANYONE, order_id)
        assert explanation.replay.matches, explanation.replay.differences
        return explanation

    def body(self, order_id: str) -> ExplanationBody:
        return explanation_body(self.explain(order_id))

    def texts(self, order_id: str) -> list[str]:
        return [step.text for step in self.explain(order_id).story]

    def depths(self, spec: OrderSpec, at_ms: int) -> list[Depth]:
        at = from_ms(at_ms)
        return self.bench.engine.explain.hindsight.market(spec.pair, at, at).depths(at_ms)

    def output(self, spec: OrderSpec, at_ms: int) -> int:
        """What the whole order brings at a moment; 0 where no pool can trade it."""
        best = best_swap(self.depths(spec, at_ms), spec.side, spec.amount_in)
        return best.amount_out if best else 0


def an_explaining_bench(**settings: Any) -> Explaining:
    return Explaining(a_workbench(**settings))


def before_each_swap(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something between the quote of a swap and its landing."""
    send = SimulatedVenue.send

    def sent(venue: SimulatedVenue, transaction: Transaction) -> Fill:
        act()
        return send(venue, transaction)

    monkeypatch.setattr(SimulatedVenue, "send", sent)


def changes(explanation: Explanation) -> dict[Change, Counterfactual]:
    return {one.change: one for one in explanation.counterfactuals}
