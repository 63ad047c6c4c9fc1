"""The answer of the explain call: the story of an order in plain words, and the arithmetic behind it."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict

from chalicelib.api.quotes import FailureBody, QuoteBody, failure_body, quote_body
from chalicelib.codec.times import to_text
from chalicelib.domain.money import plain, to_human_units
from chalicelib.domain.spec import OrderSpec
from chalicelib.services.orders.explain.explanation import (
    Attempt,
    Counterfactual,
    Decision,
    Explanation,
    RoutingGain,
    Step,
    VenuePart,
)
from chalicelib.services.orders.replay import ReplayReport

Rule = Literal["ONLY_QUOTE", "BEST_OUTPUT", "REACHES_MINIMUM", "DEEPER_POOL", "LOWER_FEE", "NAME"]
ChangedTerm = Literal["slippagePct", "limitPrice", "amountIn", "moment", "minLiquidity", "maxPrice", "venue"]
AttemptOutcome = Literal["running", "confirmed", "failed", "retried", "reopened", "cancelled", "expired"]


class StepBody(TypedDict):
    """An event in words. ``durationMs`` is the time to the next event, null for the last."""

    seq: int
    attempt: int
    at: str
    sinceAcceptedMs: int
    durationMs: int | None
    text: str


class VenueBody(TypedDict):
    """A venue's part in a decision. ``arithmetic`` computes the output from the amount, the fee and the price."""

    venue: str
    quote: QuoteBody | None
    failure: FailureBody | None
    arithmetic: str | None


class RoutingGainBody(TypedDict):
    """What the chosen venue returns more than the best of the others; ``pct`` is the share of that one's output.

    Negative if the other venue returns more, within the bounds of a tie, and depth, fee or name decides.
    """

    against: str
    amountOut: Decimal
    amountOutBase: str
    pct: Decimal


class DecisionBody(TypedDict):
    """A routing decision: ``rule`` decides, ``marginPct`` and ``reason`` say by how much.

    ``marginPct`` is the advantage over the next venue: in output, in liquidity (``DEEPER_POOL``) or in the fee
    (``LOWER_FEE``). ``rule`` is null if the order was routed by the rules of another version. ``minAmountOut`` is the
    minimum that the order had before its quotes; a market order has none until its first quote.
    """

    seq: int
    attempt: int
    at: str
    chosen: str
    rule: Rule | None
    marginPct: Decimal | None
    reason: str
    minAmountOut: Decimal | None
    minAmountOutBase: str | None
    venues: list[VenueBody]
    gain: RoutingGainBody | None


class AttemptBody(TypedDict):
    """An attempt. ``handling`` is what the engine does about its error.

    Attempts of a limit order that missed its price have the same number: a miss uses up no attempt.
    """

    attempt: int
    startedAt: str
    endedAt: str | None
    outcome: AttemptOutcome
    decisions: list[DecisionBody]
    error: FailureBody | None
    handling: str | None


class CounterfactualBody(TypedDict):
    """What would have filled the order: ``exact`` where the market as it was makes it certain, else an ``estimate``.

    ``value`` is a percentage, a price in quote per base, an amount in human units, a time or a venue.
    """

    change: ChangedTerm
    value: Decimal | str
    basis: Literal["exact", "estimate"]
    text: str


class DifferenceBody(TypedDict):
    """A value that the order keeps and that the engine now computes differently."""

    seq: int
    field: str
    kept: str
    computed: str


class ReplayBody(TypedDict):
    """The quotes, signatures and outcome of the order, computed again.

    ``matches``: none of the ``checked`` values differs. ``unknown`` counts the quotes, failures and fills not
    computed, because their price or launch is not kept any more, or because the order knew too many prices.
    """

    matches: bool
    checked: int
    unknown: int
    differences: list[DifferenceBody]


class ExplanationBody(TypedDict):
    orderId: str
    status: str
    phase: str
    seq: int
    summary: str
    story: list[StepBody]
    attempts: list[AttemptBody]
    decision: DecisionBody | None
    counterfactuals: list[CounterfactualBody]
    replay: ReplayBody


def explanation_body(explanation: Explanation) -> ExplanationBody:
    order, spec, decisions = explanation.order, explanation.order.spec, explanation.decisions
    return {
        "orderId": order.order_id,
        "status": order.current_status.value,
        "phase": order.phase.value,
        "seq": order.seq,
        "summary": explanation.summary,
        "story": [_step(step) for step in explanation.story],
        "attempts": [_attempt(spec, attempt, decisions) for attempt in explanation.attempts],
        "decision": _decision(spec, explanation.decision) if explanation.decision else None,
        "counterfactuals": [_counterfactual(one) for one in explanation.counterfactuals],
        "replay": replay_body(explanation.replay),
    }


def replay_body(report: ReplayReport) -> ReplayBody:
    return {
        "matches": report.matches,
        "checked": report.checked,
        "unknown": report.unknown,
        "differences": [
            {"seq": one.seq, "field": one.field, "kept": one.kept, "computed": one.computed}
            for one in report.differences
        ],
    }


def _step(step: Step) -> StepBody:
    return {
        "seq": step.event.seq,
        "attempt": step.event.attempt,
        "at": to_text(step.event.at),
        "sinceAcceptedMs": step.since_accepted_ms,
        "durationMs": step.duration_ms,
        "text": step.text,
    }


def _attempt(spec: OrderSpec, attempt: Attempt, decisions: Sequence[Decision]) -> AttemptBody:
    seqs = {event.seq for event in attempt.events}
    return {
        "attempt": attempt.number,
        "startedAt": to_text(attempt.events[0].at),
        "endedAt": to_text(attempt.ended_at) if attempt.ended_at else None,
        "outcome": attempt.outcome.value,
        "decisions": [_decision(spec, decision) for decision in decisions if decision.event.seq in seqs],
        "error": failure_body(attempt.error) if attempt.error else None,
        "handling": attempt.handling,
    }


def _decision(spec: OrderSpec, decision: Decision) -> DecisionBody:
    minimum = decision.min_amount_out
    return {
        "seq": decision.event.seq,
        "attempt": decision.event.attempt,
        "at": to_text(decision.event.at),
        "chosen": decision.chosen,
        "rule": decision.rule.value if decision.rule else None,
        "marginPct": decision.margin_pct,
        "reason": decision.reason,
        "minAmountOut": None if minimum is None else to_human_units(minimum, spec.token_out.decimals),
        "minAmountOutBase": None if minimum is None else str(minimum),
        "venues": [_venue(spec, part) for part in decision.venues],
        "gain": _gain(spec, decision.gain) if decision.gain else None,
    }


def _venue(spec: OrderSpec, part: VenuePart) -> VenueBody:
    answer = part.answer
    return {
        "venue": answer.venue,
        "quote": quote_body(answer.quote, spec.token_in, spec.token_out) if answer.quote else None,
        "failure": failure_body(answer.failure) if answer.failure else None,
        "arithmetic": part.arithmetic,
    }


def _gain(spec: OrderSpec, gain: RoutingGain) -> RoutingGainBody:
    return {
        "against": gain.against,
        "amountOut": to_human_units(gain.amount_out, spec.token_out.decimals),
        "amountOutBase": str(gain.amount_out),
        "pct": gain.pct,
    }


def _counterfactual(one: Counterfactual) -> CounterfactualBody:
    return {
        "change": one.change.value,
        "value": _value(one.value),
        "basis": "exact" if one.is_exact else "estimate",
        "text": one.text,
    }


def _value(value: Decimal | str | datetime) -> Decimal | str:
    if isinstance(value, datetime):
        return to_text(value)
    return plain(value) if isinstance(value, Decimal) else value
