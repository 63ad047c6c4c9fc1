"""Events of version 1: the data was the public ``meta``, with the wire names of that time.

This version of the engine never writes this form. Orders live up to thirty days and terminal orders stay in the
table, so the reader stays as long as such items may exist.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from chalicelib.codec.times import EPOCH, from_text, to_ms
from chalicelib.domain import events
from chalicelib.domain.conditions import Amendment, Launch, TimeInForce
from chalicelib.domain.events import EventData, OpenTerms, VenueAnswer, VenueQuote
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.status import Status

Meta = Mapping[str, Any]

#: Version 1 named quotes by the initial of one of the two venues that existed.
_VENUES = {"raydium": "rQuote", "meteora": "mQuote"}


def data_from_meta(status: Status, meta: Meta, at: datetime = EPOCH) -> EventData:  # noqa: C901 - one case a status
    """The typed data of an event of version 1.

    :raises ValueError, LookupError, TypeError, ArithmeticError: if the meta is not of that form.
    """
    match status:
        case Status.PENDING:
            return events.Accepted(_time(meta.get("startsAt")), meta.get("traceId"))
        case Status.OPEN:
            return _opened(meta, at)
        case Status.TRIGGERED:
            return _triggered(meta, at)
        case Status.ROUTING if "chosen" in meta:
            return events.QuotesReceived(tuple(_answers(meta)), meta["chosen"], meta["reason"])
        case Status.ROUTING:
            return events.AttemptStarted(_failure(meta["lastError"]) if "lastError" in meta else None)
        case Status.BUILDING:
            return events.Building(meta["dex"], int(meta["minAmountOutBase"]), tuple(meta.get("steps", ())))
        case Status.SUBMITTED:
            return events.Submitted(meta["dex"], meta["txHash"])
        case Status.CONFIRMED:
            price, amount_out = Decimal(meta["executedPrice"]), int(meta["amountOutBase"])
            slippage = _decimal(meta.get("slippagePct"))
            return events.Confirmed(meta["dex"], meta["txHash"], amount_out, price, slippage)
        case Status.FAILED:
            return events.Failed(_failure(meta))
        case Status.CANCELLED:
            return events.Cancelled()
        case Status.EXPIRED:
            code = meta.get("code")
            return events.Expired(meta.get("reason"), FailureCode(code) if code else None)


def _opened(meta: Meta, at: datetime) -> EventData:
    if "launchId" in meta:
        return events.LaunchRefused(_launch(meta["launch"], at), meta["reason"])
    if "rearmed" in meta:
        return events.PriceMovedAway(meta["reason"], int(meta["rearmed"]))
    in_force, min_out = meta.get("timeInForce"), meta.get("minAmountOutBase")
    terms = OpenTerms(
        limit_price=_decimal(meta.get("limitPrice")),
        time_in_force=TimeInForce(in_force) if in_force else None,
        expires_at=_time(meta.get("expiresAt")),
        min_amount_out=int(min_out) if min_out else None,
        mint=meta.get("mint"),
    )
    if "amended" not in meta:
        return events.Opened(terms, meta.get("marketableAtEntry"))
    changes = meta["amended"]
    slippage = changes.get("slippageBps")
    return events.Amended(
        terms,
        Amendment(
            limit_price=_decimal(changes.get("limitPrice")),
            slippage_bps=None if slippage is None else int(slippage),
            expires_at=_time(changes.get("expiresAt")),
        ),
    )


def _triggered(meta: Meta, at: datetime) -> EventData:
    match meta["trigger"]:
        case "launch":
            return events.LaunchTriggered(_launch(meta["launch"], at))
        case "price":
            return events.PriceTriggered(meta["dex"], Decimal(meta["price"]))
        case "entry":
            return events.TriggeredAtEntry()
        case unknown:
            raise ValueError(f"trigger {unknown!r}")


def _answers(meta: Meta) -> list[VenueAnswer]:
    errors = meta.get("errors", {})
    return [
        VenueAnswer(
            venue,
            _quote(meta[key]) if meta.get(key) else None,
            _failure(errors[venue]) if venue in errors else None,
        )
        for venue, key in _VENUES.items()
    ]


def _quote(quote: Meta) -> VenueQuote:
    return VenueQuote(
        price=Decimal(quote["price"]),
        amount_out=int(quote["amountOutBase"]),
        fee=int(quote["feeBase"]),
        fee_bps=Decimal(quote["feeBps"]),
        price_impact_pct=Decimal(quote["priceImpactPct"]),
        liquidity=Decimal(quote["liquidity"]),
    )


def _launch(launch: Meta, at: datetime) -> Launch:
    return Launch(
        mint=launch["mint"],
        venue=launch["venue"],
        pool=launch["pool"],
        slot=int(launch["slot"]),
        price=Decimal(launch["price"]),
        liquidity=Decimal(launch["liquidity"]),
        at_ms=to_ms(at),
    )


def _failure(failure: Meta) -> Failure:
    return Failure(FailureCode(failure["code"]), failure["reason"])


def _decimal(number: Any) -> Decimal | None:
    return None if number is None else Decimal(number)


def _time(text: str | None) -> datetime | None:
    return from_text(text) if text else None
