"""Errors as they reach the user: sentences for people, a problem document for programs."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from orderengine import errors
from orderengine.cli.exits import Stop, of_error

_HINTS = {
    "SIDE_CONTRADICTS": "say it the other way round: 'oe buy TOKEN AMOUNT TOKEN' pays with the pair's quote token,"
    " 'oe sell AMOUNT TOKEN TOKEN' with its base token",
    "TOKEN_UNKNOWN": "'oe tokens' lists the tokens that can be traded",
}
_HINTS_BY_KIND: tuple[tuple[type[Exception], str], ...] = (
    (errors.Unauthenticated, "give a key with --key-file or OE_KEY; 'oe doctor' says what it may do"),
    (errors.Forbidden, "'oe doctor' says what the key may do"),
    (errors.Unreachable, "is --url (or OE_URL) the engine's address? 'oe doctor' looks closer"),
    (errors.NotTheEngine, "is --url (or OE_URL) the engine's address? 'oe doctor' looks closer"),
)
#: Arguments of the client, as the command line calls them.
_OPTIONS = {
    "base_url": "--url (or OE_URL)",
    "ws_url": "OE_WS_URL",
    "key": "--key (or --key-file, OE_KEY)",
    "timeout": "--timeout",
    "idempotency_key": "--idempotency-key",
    "client_order_id": "--id",
    "limit_price": "--limit",
    "slippage": "--slippage",
    "min_liquidity": "--min-liquidity",
    "max_price": "--max-price",
    "expires_at": "--expires",
    "expires_in": "--expires",
    "userId": "--user (or OE_USER)",
    "since": "--since",
    "until": "--until",
    "updated_since": "--updated-since",
}


def document_of(error: errors.OrderEngineError, placed: Mapping[str, str]) -> dict[str, Any]:
    """The problem document: the engine's own, or one of the same shape. ``placed`` is an order placed before."""
    return {**placed, **_members(error), "exitCode": int(of_error(error))}


def _members(error: errors.OrderEngineError) -> Mapping[str, Any]:
    if isinstance(error, errors.ProblemError):
        retry = {} if error.retry_after is None else {"retryAfter": int(error.retry_after)}
        named = {} if error.code else {"code": _word(error), "status": error.status, "detail": text_of(error)}
        return {**error.body, **named, **retry}
    if isinstance(error, Stop):
        command = {"command": error.command} if error.command else {}
        return {"code": error.code, "detail": error.detail, **error.facts, **command}
    code = error.code if isinstance(error, errors.StreamRefused) else _word(error)
    return {"code": code, "detail": text_of(error)}


def _word(error: Exception) -> str:
    """``NotTheEngine`` as ``NOT_THE_ENGINE``."""
    name = type(error).__name__
    return "".join(f"_{one}" if one.isupper() else one.upper() for one in name).removeprefix("_")


def text_of(error: BaseException) -> str:
    """What an error says, in the words of the command line."""
    if isinstance(error, errors.ProblemError) and not error.code:
        return f"{error.status}: a gateway or proxy answered without saying why"
    if isinstance(error, errors.UsageError):
        return re.sub(r"\w+", lambda name: _OPTIONS.get(name[0], name[0]), str(error), count=1)
    return str(error)


def sentences_of(error: errors.OrderEngineError, placed: Mapping[str, str]) -> Iterator[str]:
    """The lines for people: what is wrong, every bad field, and what to do."""
    if isinstance(error, errors.ProblemError):
        yield from _problem(error)
    else:
        yield text_of(error)
    if isinstance(error, Stop) and error.command:
        yield f"  {error.command}"
    elif placed:
        yield f"The order is placed: {placed['orderId']}, idempotency key {placed['idempotencyKey']}. Look with:"
        yield f"  {placed['command']}"
    codes = [problem.code for problems in _fields(error).values() for problem in problems]
    by_kind = [hint for kind, hint in _HINTS_BY_KIND if isinstance(error, kind)]
    for hint in [*dict.fromkeys(_HINTS[code] for code in codes if code in _HINTS), *by_kind]:
        yield f"hint: {hint}"


def _problem(error: errors.ProblemError) -> Iterator[str]:
    yield f"{error.detail or error.title} ({error.code})" if error.code else text_of(error)
    for name, problems in error.fields.items():
        for problem in problems:
            yield f"  {name}: {problem.message} ({problem.code})"
    if error.verdict:
        yield f"The order is {error.verdict.status} since event {error.verdict.seq}."
    if error.retry_after is not None:
        yield f"Try again in {error.retry_after:.0f} s."
    if error.status >= 500 and error.request_id:
        yield f"The engine's logs name this request {error.request_id}."


def _fields(error: errors.OrderEngineError) -> Mapping[str, list[errors.FieldProblem]]:
    return error.fields if isinstance(error, errors.ProblemError) else {}
