"""The forms of values on the wire, by the names of their fields, as far as the types of the models do not have them.

A key ``Model.field`` is about the field of one model.
"""

from enum import StrEnum
from typing import Any, TypeAlias, get_args

from chalicelib.api import event_metas
from chalicelib.api.codes import FieldCode, ProblemCode, WarningCode
from chalicelib.api.quotes import RouteBody
from chalicelib.api.requests.numbers import MAX_SEQ
from chalicelib.domain.conditions import TimeInForce
from chalicelib.domain.events import EventData
from chalicelib.domain.failures import FailureCode
from chalicelib.domain.status import OrderType, Phase, Status
from chalicelib.domain.tokens import BY_MINT, BY_SYMBOL, QUOTE_SYMBOLS, Side
from chalicelib.ports.event_waits import MAX_WAIT_SECONDS
from chalicelib.ports.verdicts import VerdictStatus
from chalicelib.services.operations.stats import Outage
from chalicelib.simulation.faults import fault_pattern
from chalicelib.simulation.venues import venue_names

#: A schema, a model, an enumeration, or several of which a value is one.
Form: TypeAlias = "dict[str, Any] | type | tuple[dict[str, Any] | type, ...]"

#: The venues of the registry, in its order.
VenueName = StrEnum("VenueName", [(name.upper(), name) for name in venue_names()])  # type: ignore[misc]
#: The tokens of the registry, by symbol and by mint.
TokenName = StrEnum("TokenName", [(name, name) for name in (*BY_SYMBOL, *BY_MINT)])  # type: ignore[misc]
#: The data of each kind of event.
METAS: tuple[type, ...] = tuple(getattr(event_metas, f"{kind.__name__}Meta") for kind in get_args(EventData))

ORDER_ID = {"type": "string", "format": "uuid"}
TIME = {"type": "string", "format": "date-time"}
USER_ID = {"type": "string", "pattern": "^[A-Za-z0-9_.:@-]{1,64}$"}
BASE_UNITS = {"type": "string", "pattern": "^[0-9]{1,20}$"}
#: 32 bytes in base58, as far as a pattern can check.
MINT_PATTERN = "[1-9A-HJ-NP-Za-km-z]{32,44}"
MINT = {"type": "string", "pattern": f"^{MINT_PATTERN}$"}
LIVENESS = {"type": "string", "enum": ["ok", "down"]}
_PATH = {"type": "string", "format": "uri-reference"}
_CANCELLED = {"type": "string", "const": "cancelled"}
_VERDICT = {"type": "string", "enum": ["too_late", "not_open", "too_often", "moved_on"]}
_PROBLEM: dict[str, Form] = {
    "status": {"type": "integer", "minimum": 400, "maximum": 599},
    "code": (ProblemCode, FailureCode),
    "outcome": _VERDICT,
    "retryAfter": {"type": "integer", "minimum": 1},
}

ANSWER_FORMS: dict[str, Form] = {
    "orderId": ORDER_ID,
    "traceId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    **dict.fromkeys(
        (
            "at",
            "createdAt",
            "updatedAt",
            "expiresAt",
            "startsAt",
            "startedAt",
            "endedAt",
            "quotedAt",
            "since",
            "until",
        ),
        TIME,
    ),
    **dict.fromkeys(("amountInBase", "amountOutBase", "minAmountOutBase", "feeBase"), BASE_UNITS),
    **dict.fromkeys(("venue", "dex", "chosen", "dexUsed", "against"), VenueName),
    "seq": {"type": "integer", "minimum": 1},
    "Live.seq": {"type": "integer", "minimum": 0},
    "attempt": {"type": "integer", "minimum": 0},
    "userId": USER_ID,
    "mint": MINT,
    "status": Status,
    "detailedStatus": Status,
    "phase": Phase,
    "type": OrderType,
    "side": Side,
    "timeInForce": TimeInForce,
    "code": FailureCode,
    "failCode": FailureCode,
    **dict.fromkeys(("Event.meta", "Update.meta"), METAS),
    "OrderRecord.quotes": RouteBody,
    "Accepted.status": {"type": "string", "enum": [Status.PENDING.value, Status.OPEN.value]},
    **dict.fromkeys(("Links.self", "Links.status", "Links.events"), _PATH),
    "Accepted.websocketUrl": {"type": "string", "format": "uri"},
    **dict.fromkeys(("Cancellation.outcome", "Cancelled.outcome"), _CANCELLED),
    "Verdict.outcome": _VERDICT,
    "TooLate.outcome": {"type": "string", "const": "too_late"},
    "Problem.type": {"type": "string", "pattern": "^urn:order-execution-engine:problem:[a-z-]+$"},
    **{f"{model}.{name}": form for model in ("Problem", "Error") for name, form in _PROBLEM.items()},
    "FieldError.code": FieldCode,
    "Warning.code": (WarningCode, FailureCode),
    "Health.status": {"type": "string", "enum": ["ok", "degraded", "down"]},
    "Health.dependencies": {"type": "object", "additionalProperties": LIVENESS},
    "Stats.executionOutage": Outage,
    "EngineState.outages{}": Outage,
    "DoctorVerdict.status": VerdictStatus,
    **dict.fromkeys(("nextStartAt", "leaseUntil"), TIME),
    "Ticket.token": {"type": "string", "pattern": "^oet_[0-9A-Za-z]+$"},
}

#: A JSON number or a decimal string, which the engine reads to the letter.
_DECIMAL = r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"
_POSITIVE_DECIMAL = r"(0*[1-9][0-9]*(\.[0-9]*)?|0*\.0*[1-9][0-9]*)([eE][+-]?[0-9]+)?"


def _number(pattern: str, **bounds: Any) -> dict[str, Any]:
    return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "pattern": pattern}]}


POSITIVE = _number(rf"^\+?{_POSITIVE_DECIMAL}$", exclusiveMinimum=0)
#: Characters that are none of Unicode's control characters.
_PRINTABLE = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_TOKEN = {"$ref": "#/components/schemas/TokenName"}
_PAIR = {"type": "string", "pattern": "^[A-Za-z0-9]{1,44}[/-][A-Za-z0-9]{1,44}$"}
_VENUE = {"type": "string", "enum": list(venue_names())}

REQUEST_FORMS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("amountIn", "limitPrice", "minLiquidity", "maxPrice", "price", "liquidity"), POSITIVE),
    **dict.fromkeys(("tokenIn", "tokenOut"), _TOKEN),
    **dict.fromkeys(("expiresAt", "from", "to", "updatedSince", "since"), TIME),
    "userId": USER_ID,
    "orderId": ORDER_ID,
    # Without multipleOf: a validator that computes with floats would refuse 0.29 as no multiple of 0.01.
    "slippage": _number(rf"^\+?{_DECIMAL}$", minimum=0, maximum=50),
    "slippageBps": _number(rf"^\+?{_DECIMAL}$", minimum=0, maximum=5000, multipleOf=1),
    "slot": _number(rf"^\+?{_DECIMAL}$", minimum=0, multipleOf=1),
    "clientOrderId": {"type": "string", "pattern": _PRINTABLE},
    "mint": MINT,
    "venue": _VENUE,
    "pair": _PAIR,
    "pool": {"type": "string", "pattern": "^[ -~]*$"},
    "simulate": {"type": "string", "pattern": fault_pattern(venue_names())},
    "quote": {"type": "string", "enum": [*QUOTE_SYMBOLS, *(BY_SYMBOL[symbol].mint for symbol in QUOTE_SYMBOLS)]},
    "wait": {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_SECONDS},
    "atSeq": {"type": "integer", "minimum": 1, "maximum": MAX_SEQ},
    "afterSeq": {"type": "integer", "minimum": 0, "maximum": MAX_SEQ},
}
