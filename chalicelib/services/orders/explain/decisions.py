"""Routing decisions from the quotes that an order keeps: the rule, its margin, and the arithmetic of each quote."""

from decimal import Decimal

from chalicelib.domain.events import Event, QuotesReceived, VenueAnswer, VenueQuote
from chalicelib.domain.money import percent, price, to_human_units
from chalicelib.domain.orders import Order
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Side
from chalicelib.routing.choice import TIE_BPS, Choice, RoutingRule, choose
from chalicelib.services.orders.execution_events import guaranteed_min_output
from chalicelib.services.orders.explain import wording
from chalicelib.services.orders.explain.explanation import Decision, RoutingGain, VenuePart


def decisions_of(order: Order, before: list[Order]) -> list[Decision]:
    """The routing decisions of an order, the first one first. ``before``: the order before each event."""
    return [
        _decision(event, event.data, past)
        for event, past in zip(order.events, before, strict=True)
        if isinstance(event.data, QuotesReceived)
    ]


def _decision(event: Event, decision: QuotesReceived, order: Order) -> Decision:
    spec, minimum = order.spec, guaranteed_min_output(order)
    quotes = {answer.venue: answer.quote for answer in decision.answers if answer.quote}
    choice = choose(quotes, minimum) if decision.chosen in quotes else None
    if choice and choice.venue != decision.chosen:
        # Today's rules differ from those of the version that routed the order.
        choice = None
    gain = _gain(decision.chosen, quotes)
    return Decision(
        event=event,
        chosen=decision.chosen,
        rule=choice.rule if choice else None,
        margin_pct=choice.margin_pct if choice else None,
        reason=_reason(order, choice, quotes) if choice else f"{decision.reason}.",
        min_amount_out=minimum or None,
        venues=[VenuePart(answer, _arithmetic(spec, answer)) for answer in decision.answers],
        gain=gain,
    )


def _gain(chosen: str, quotes: dict[str, VenueQuote]) -> RoutingGain | None:
    others = [venue for venue in quotes if venue != chosen]
    if not others or chosen not in quotes:
        return None
    against = max(others, key=lambda venue: quotes[venue].amount_out)
    more = quotes[chosen].amount_out - quotes[against].amount_out
    return RoutingGain(against, more, percent(more, quotes[against].amount_out))


def _reason(order: Order, choice: Choice, quotes: dict[str, VenueQuote]) -> str:
    """The rule in a sentence, and by how much it decides."""
    spec, venue = order.spec, wording.name_of(choice.venue)
    returns = wording.received(quotes[choice.venue].amount_out, spec)
    if choice.against is None:
        why = "has the launched pool" if order.launched_in else "is the only venue with a usable quote"
        return f"{venue} {why}: {returns} net of fees."
    other, beaten = wording.name_of(choice.against), quotes[choice.against]
    margin = wording.percentage(choice.margin_pct or Decimal(0))
    if choice.rule is RoutingRule.BEST_OUTPUT:
        difference = wording.received(quotes[choice.venue].amount_out - beaten.amount_out, spec)
        return f"{venue} returns {returns} net of fees, {difference} ({margin}) more than {other}."
    outputs = f"{returns} against {wording.received(beaten.amount_out, spec)} on {other}"
    if choice.rule is RoutingRule.REACHES_MINIMUM:
        least = wording.received(guaranteed_min_output(order), spec)
        preferred = f"{other}, which comes first of the outputs within {TIE_BPS} bps"
        return f"{venue} reaches the minimum output of {least}, and {preferred}, does not: {outputs}."
    within = f"The outputs are within {TIE_BPS} bps ({outputs}), so they count as equal"
    return f"{within}. {_tie_breaker(spec, choice, quotes[choice.venue], f'{margin} more than {other}')}"


def _tie_breaker(spec: OrderSpec, choice: Choice, chosen: VenueQuote, more: str) -> str:
    venue = wording.name_of(choice.venue)
    if choice.rule is RoutingRule.DEEPER_POOL:
        depth = f"{wording.computed_number(chosen.liquidity)} {wording.symbol(spec.pair.quote)}"
        return f"Of these pools, {venue} has the deepest: {depth} on the quote side, {more}."
    if choice.rule is RoutingRule.LOWER_FEE:
        return f"The pools are equally deep, and {venue} has the lower fee: {wording.fee(chosen.fee_bps)}."
    return f"Depth and fee are equal too, and {venue} comes first by name."


def _arithmetic(spec: OrderSpec, answer: VenueAnswer) -> str | None:
    """The output of a quote, computed from the amount, the fee and the price after the price impact."""
    quote = answer.quote
    net = spec.amount_in - quote.fee if quote else 0
    if quote is None or net <= 0:
        return None
    token_in, received = spec.token_in, wording.received(quote.amount_out, spec)
    left = wording.amount(net, token_in)
    fee = f"{wording.paid(spec)} - {wording.amount(quote.fee, token_in)} fee ({wording.fee(quote.fee_bps)}) = {left}"
    net_paid, net_received = (
        to_human_units(net, token_in.decimals),
        to_human_units(quote.amount_out, spec.token_out.decimals),
    )
    buys = spec.side is Side.BUY
    pool_price = price(net_paid, net_received) if buys else price(net_received, net_paid)
    at = f"{left} {'/' if buys else '*'} {wording.price(pool_price, spec.pair)}"
    impact = f"after {wording.percentage(quote.price_impact_pct)} price impact"
    whole = f"{wording.paid(spec)} for {received} is {wording.price(quote.price, spec.pair)}, fee and impact included"
    return f"{fee}; {at} ({impact}) = {received}; {whole}."
