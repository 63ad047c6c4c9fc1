"""The ``meta`` of an event, as frames and the events call show it."""

from typing import Any

from chalicelib.api.quotes import failure_body, route_body
from chalicelib.codec.times import to_text
from chalicelib.domain import events
from chalicelib.domain.conditions import Launch
from chalicelib.domain.events import Event, OpenTerms
from chalicelib.domain.failures import FATAL
from chalicelib.domain.money import to_human_units
from chalicelib.domain.spec import OrderSpec
from chalicelib.domain.tokens import Token


def meta_of(spec: OrderSpec, event: Event) -> dict[str, Any]:  # noqa: C901 - one case per kind of event
    """The public form of an event's data. Amounts are in human units, ``...Base`` in base units as text."""
    match event.data:
        case events.Accepted(starts_at=starts_at, trace_id=trace_id):
            return _present(startsAt=starts_at and to_text(starts_at), traceId=trace_id)
        case events.Opened(terms=terms, marketable=marketable):
            return _terms(spec, terms) | _present(marketableAtEntry=marketable)
        case events.Amended(terms=terms, changes=changes):
            amended = _present(
                limitPrice=changes.limit_price,
                slippageBps=changes.slippage_bps,
                expiresAt=changes.expires_at and to_text(changes.expires_at),
            )
            return _terms(spec, terms) | {"amended": amended}
        case events.LaunchRefused(launch=launch, reason=reason):
            return {"reason": reason, "launchId": launch.id, "launch": _launch(launch)}
        case events.PriceMovedAway(reason=reason, count=count):
            return {"reason": reason, "rearmed": count}
        case events.TriggeredAtEntry():
            return {"trigger": "entry"}
        case events.PriceTriggered(venue=venue, price=price):
            return {"trigger": "price", "dex": venue, "price": price}
        case events.LaunchTriggered(launch=launch):
            return {"trigger": "launch", "launch": _launch(launch)}
        case events.AttemptStarted(last_failure=failure):
            return {"lastError": failure_body(failure)} if failure else {}
        case events.QuotesReceived():
            return route_body(event.data, spec.token_in, spec.token_out)
        case events.Building(venue=venue, min_amount_out=minimum, steps=steps):
            return {"dex": venue, **_amount("minAmountOut", minimum, spec.token_out), "steps": list(steps)}
        case events.Submitted(venue=venue, tx_hash=tx_hash):
            return {"dex": venue, "txHash": tx_hash}
        case events.Confirmed():
            return _confirmed(spec, event.data)
        case events.Failed(failure=failure):
            return {**failure_body(failure), "retryable": failure.code not in FATAL, "attempts": event.attempt}
        case events.Cancelled():
            return {}
        case events.Expired(reason=reason, code=code):
            return _present(reason=reason, code=code and code.value)


def _terms(spec: OrderSpec, terms: OpenTerms) -> dict[str, Any]:
    minimum = terms.min_amount_out
    return _present(
        limitPrice=terms.limit_price,
        timeInForce=terms.time_in_force and terms.time_in_force.value,
        expiresAt=terms.expires_at and to_text(terms.expires_at),
        **({} if minimum is None else _amount("minAmountOut", minimum, spec.token_out)),
        mint=terms.mint,
    )


def _confirmed(spec: OrderSpec, data: events.Confirmed) -> dict[str, Any]:
    return {
        "dex": data.venue,
        "txHash": data.tx_hash,
        "executedPrice": data.executed_price,
        "executionPrice": data.executed_price,
        **_amount("amountOut", data.amount_out, spec.token_out),
        "slippagePct": data.slippage_pct,
    }


def _launch(launch: Launch) -> dict[str, Any]:
    return {
        "mint": launch.mint,
        "venue": launch.venue,
        "pool": launch.pool,
        "slot": launch.slot,
        "price": launch.price,
        "liquidity": launch.liquidity,
    }


def _amount(name: str, base_units: int, token: Token) -> dict[str, Any]:
    return {name: to_human_units(base_units, token.decimals), f"{name}Base": str(base_units)}


def _present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
