"""The hooks of schemathesis: orders that the engine can trade, short waits, and the rules that no schema states."""

import atexit
import json
import os
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import schemathesis
from schemathesis import APIOperation, CheckContext, GenerationMode, HookContext, Response
from schemathesis.generation.case import Case as AnyCase
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import JsonSchemaError, RejectedPositiveData

from chalicelib.api.codes import FieldCode, ProblemCode
from chalicelib.api.responses.event_stream import EVENT_STREAM
from chalicelib.domain.failures import FATAL
from chalicelib.ports.event_waits import MAX_WAIT_SECONDS
from tests.e2e.client import parse
from tests.fuzz.oracle import faults_of_answer
from tests.fuzz.repairs import repaired
from tests.support.contract import check_answer

Case: TypeAlias = AnyCase[APIOperation[Any, Any, Any, Any]]

#: The variable with the path of the file that gets the number of calls by phase, mode and status.
COUNTS = "SCHEMA_COUNTS"
#: Seconds that a request waits at most for an event that may not come.
_MAX_WAIT = 1

#: Rules that no JSON Schema states. An answer to schema-valid data may name these codes alone.
RULES = {
    # Two fields decide together.
    FieldCode.AMOUNT_TOO_LARGE,
    FieldCode.AMOUNT_TOO_PRECISE,
    FieldCode.MINT_CONTRADICTS,
    FieldCode.PAIR_INVERTED,
    FieldCode.PAIR_UNSUPPORTED,
    FieldCode.PRICE_OUT_OF_REACH,
    FieldCode.SLIPPAGE_CONTRADICTS,
    FieldCode.TOKEN_SAME,
    FieldCode.WINDOW_EMPTY,
    # The clock decides.
    FieldCode.EXPIRY_PAST,
    FieldCode.EXPIRY_TOO_FAR,
    # The number of the order's events decides.
    FieldCode.SEQ_BEYOND_END,
    # A pattern bounds neither the value and digits of a number in a string nor the bytes of a text in base58.
    FieldCode.MINT_INVALID,
    FieldCode.NUMBER_OUT_OF_RANGE,
    FieldCode.PAIR_UNKNOWN,
    FieldCode.PRICE_TOO_PRECISE,
    FieldCode.SLIPPAGE_OUT_OF_RANGE,
    FieldCode.SLIPPAGE_TOO_PRECISE,
    # A cursor is opaque: only those that the engine made are valid.
    FieldCode.CURSOR_INVALID,
}
#: The type of the order decides whether an amendment may change the limit price.
AMENDMENT_RULES = {FieldCode.NOT_FOR_TYPE}
#: Fields with a whole number: a pattern cannot tell that "5e3" is whole and "5e-3" is not.
WHOLE_NUMBERS = {"slippageBps", "slot"}
#: Problems that name no field: a key that another order has, and an amount or a fault that leaves no venue to quote.
PROBLEMS = {ProblemCode.IDEMPOTENCY_KEY_REUSED, *FATAL}

_counts: Counter[str] = Counter()
_numbers = count()
#: Orders that wait for a price or a launch, and so can be amended.
_open_orders: list[str] = []


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    """Give schema-valid calls an order to act on, and orders that the engine can trade."""
    meta = case.meta
    if meta is None or not is_valid(case):
        return case
    if isinstance(case.body, dict):
        case.body = repaired(case.body)
    if case.query:
        case.query = repaired(case.query)
    if case.method == "PATCH" and meta.phase.name is not TestPhase.STATEFUL and _open_orders:
        case.path_parameters["orderId"] = _open_orders[-1]
    if meta.phase.name is TestPhase.COVERAGE and "Idempotency-Key" in case.headers:
        # The phase varies the body under one key, and a key is good for one body.
        case.headers["Idempotency-Key"] = f"{next(_numbers)}{case.headers['Idempotency-Key']}"[:255].rstrip()
    return case


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """Ask for every second list of events as a stream, and shorten a wait for an event that may not come."""
    if not case.path.endswith("{orderId}/events") or not is_valid(case):
        return
    query = case.query or {}
    if next(_numbers) % 2 and "Accept" not in case.headers:
        case.headers["Accept"] = EVENT_STREAM
    # Every order has an event after seq 0.
    may_block = query.get("afterSeq", 0) not in (0, "0") or "Last-Event-ID" in case.headers
    wait = str(query.get("wait", ""))
    if may_block and wait.isascii() and wait.isdigit() and _MAX_WAIT < int(wait[:9]) <= MAX_WAIT_SECONDS:
        case.query = {**query, "wait": _MAX_WAIT}


@schemathesis.hook
def filter_failure(context: HookContext, failure: AssertionError, case: Case, response: Response) -> bool:
    """Drop the refusal of schema-valid data by rules that no schema states; keep every other finding."""
    if isinstance(failure, RejectedPositiveData):
        return not is_refused_by_rule(case.method, response)
    # The schema of an event stream is about the whole text (OpenAPI 3.1), and schemathesis holds each event against
    # it. ``documented`` holds each frame against its own schema.
    return not (isinstance(failure, JsonSchemaError) and failure.title == "SSE event violates schema")


@schemathesis.check
def documented(context: CheckContext, response: Response, case: Case) -> None:
    """Refuse what schemathesis leaves to clients: undocumented fields and headers, internal words, bad frames."""
    method, path = response.request.method or "", urlsplit(response.request.url or "").path
    headers: dict[str, str] = {name: values[0] for name, values in response.headers.items()}
    check_answer(method, path, response.status_code, headers, response.text)
    faults = faults_of_answer(response.status_code, headers, response.text) if method != "HEAD" else []
    assert not faults, faults


@schemathesis.hook
def after_call(context: HookContext, case: Case, response: Response) -> None:
    if case.meta:
        _counts[f"{case.meta.phase.name.value} {case.meta.generation.mode.value} {response.status_code}"] += 1
    if case.method == "POST" and response.status_code == 202:
        accepted = parse(response.content)
        _open_orders.extend([accepted["orderId"]] if accepted.get("status") == "open" else [])


def is_valid(case: Case) -> bool:
    """Whether the call is schema-valid. Hooks leave the others alone, each of which is wrong in one known place."""
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def is_refused_by_rule(method: str, response: Response) -> bool:
    """Whether a 400 or 422 names nothing but rules that no schema states."""
    if response.status_code not in (400, 422):
        return False
    if method == "HEAD":
        # The answer has no body that names the rule. GET, which has one, is the same route.
        return True
    problem = parse(response.content)
    if not problem["errors"]:
        return problem["code"] in PROBLEMS
    rules = RULES | AMENDMENT_RULES if method == "PATCH" else RULES
    return all(error["code"] in rules or error["field"] in WHOLE_NUMBERS for error in problem["errors"])


def _write_counts(path: str) -> None:
    Path(path).write_text(json.dumps(_counts))


if COUNTS in os.environ:
    atexit.register(_write_counts, os.environ[COUNTS])
