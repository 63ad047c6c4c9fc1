"""An explanation in two or three sentences: how the order stands, why, and what would help."""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.codec.times import milliseconds
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.events import Confirmed, Failed, LaunchRefused
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.status import Status
from chalicelib.services.orders.explain import waiting, wording
from chalicelib.services.orders.explain.explanation import Attempt, Counterfactual, Decision

_UNDER_WAY = {
    Status.PENDING: "waits in the queue",
    Status.TRIGGERED: "has triggered and waits in the queue",
    Status.ROUTING: "is asking the venues for quotes",
    Status.BUILDING: "has a transaction ready to send",
    Status.SUBMITTED: "has sent its swap and waits for the outcome",
}
#: Failures that other terms of the order may avoid.
_BY_ITS_TERMS = frozenset(
    {FailureCode.SLIPPAGE_EXCEEDED, FailureCode.PRICE_IMPACT_TOO_HIGH, FailureCode.NO_LIQUIDITY}
)


def summary_of(
    order: Order,
    attempts: Sequence[Attempt],
    decision: Decision | None,
    counterfactuals: Sequence[Counterfactual],
    now: datetime,
) -> str:
    parts = [_state(order, attempts, now)]
    if order.status is Status.CONFIRMED and decision:
        parts.append(decision.reason)
    if order.status is Status.FAILED:
        parts += _cause(order)
    if counterfactuals:
        parts.append(counterfactuals[0].text)
    return " ".join(parts)


def _state(order: Order, attempts: Sequence[Attempt], now: datetime) -> str:
    spec, accepted_at, last = order.spec, order.events[0].at, order.events[-1]
    asked = f"{wording.kind(spec)} to {wording.swap(spec)}"
    took = wording.duration(milliseconds(last.at - accepted_at))
    if isinstance(last.data, Confirmed):
        tries = "" if order.attempts == 1 else f" in its {wording.ordinal(order.attempts)} attempt"
        received = wording.received(last.data.amount_out, spec)
        return f"Confirmed {took} after acceptance{tries}: {wording.paid(spec)} for {received}."
    if isinstance(last.data, Failed):
        return f"Failed {took} after acceptance: {wording.error(last.data.failure)}."
    if order.status is Status.CANCELLED:
        return f"Cancelled {took} after acceptance: {asked}. Nothing was traded."
    if order.status is Status.EXPIRED:
        return f"Expired {took} after acceptance: {asked}. {_never(order, attempts)}"
    age = wording.duration(milliseconds(now - accepted_at))
    if order.status is Status.OPEN:
        return f"Open for {age}: {asked}. {_waits_for(order)}"
    return f"On its way for {age}: {asked}. It {_UNDER_WAY[order.current_status]}{_tries(order)}."


def _tries(order: Order) -> str:
    return f" in its {wording.ordinal(order.attempts)} attempt" if order.attempts > 1 else ""


def _never(order: Order, attempts: Sequence[Attempt]) -> str:
    if attempts and attempts[-1].error:
        return f"Its last attempt missed: {wording.error(attempts[-1].error)}."
    if order.spec.launch:
        return _launches(order)
    if order.spec.time_in_force is TimeInForce.IOC:
        return "It was not filled at once."
    return "It missed its price after each trigger." if order.missed_triggers else "Its price never triggered it."


def _waits_for(order: Order) -> str:
    spec = order.spec
    if spec.launch:
        return f"It waits for {waiting.launch(spec, spec.launch)}. {_launches(order)}"
    missed = ""
    if order.missed_triggers:
        times = "once" if order.missed_triggers == 1 else f"{order.missed_triggers} times"
        missed = f" It triggered and missed its price {times}."
    return f"It waits until the whole size can be traded at {_limit(spec)}, net of fees.{missed}"


def _limit(spec: OrderSpec) -> str:
    return "its limit" if spec.limit_price is None else wording.limit(spec, spec.limit_price)


def _launches(order: Order) -> str:
    refused = [event.data for event in order.events if isinstance(event.data, LaunchRefused)]
    if not refused:
        return "No pool of this token was opened while it waited."
    times = "A launch was" if len(refused) == 1 else f"{len(refused)} launches were"
    return f"{times} refused, the last one because: {refused[-1].reason}."


def _cause(order: Order) -> list[str]:
    """What a failure that the market did not cause comes from."""
    if order.spec.simulate is not None:
        return [f"The order asked for the simulated fault {order.spec.simulate}."]
    if order.fail_code not in _BY_ITS_TERMS:
        return ["No term of the order caused this; the same order may fill when it is placed again."]
    return []
