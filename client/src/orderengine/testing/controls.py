"""The calls under ``/sim``, by which a test in another language does what a tester does with the engine in Python."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from inspect import signature
from typing import Any

from chalicelib.codec.times import to_text
from orderengine.core.commands import Response
from orderengine.testing.errors import InvariantError
from orderengine.testing.handle import VirtualEngine

PREFIX = "/sim/"
_Body = Mapping[str, Any]


def _now(engine: VirtualEngine) -> datetime:
    return engine.now


def _add_fault(engine: VirtualEngine, fault: str, orders: int | None = None) -> None:
    engine.faults.add(fault, orders)


def _clear_faults(engine: VirtualEngine) -> None:
    engine.faults.clear()


def _violations(engine: VirtualEngine) -> tuple[str, ...]:
    try:
        engine.check()
    except InvariantError as error:
        return error.violations
    return ()


#: The function of each call, and the name that its result has in the answer. Parameters are the fields of the body.
_CALLS: Mapping[tuple[str, str], tuple[Callable[..., Any], str | None]] = {
    ("POST", "advance"): (VirtualEngine.advance, "now"),
    ("GET", "now"): (_now, "now"),
    ("POST", "price"): (VirtualEngine.price, "triggered"),
    ("POST", "launch"): (VirtualEngine.launch, "new"),
    ("POST", "faults"): (_add_fault, None),
    ("DELETE", "faults"): (_clear_faults, None),
    ("POST", "cut-sockets"): (VirtualEngine.cut_sockets, None),
    ("POST", "duplicate-frames"): (VirtualEngine.duplicate_frames, None),
    ("POST", "lose-answers"): (VirtualEngine.lose_answers, None),
    ("POST", "restart"): (VirtualEngine.restart, None),
    ("POST", "keys"): (VirtualEngine.key, "key"),
    ("GET", "check"): (_violations, "violations"),
}


def control(engine: VirtualEngine, method: str, path: str, body: bytes) -> Response:
    """The answer to a call under ``/sim``; 400 says what is wrong with it."""
    found = _CALLS.get((method, path.removeprefix(PREFIX)))
    if found is None:
        known = ", ".join(f"{verb} {PREFIX}{name}" for verb, name in _CALLS)
        return _json(404, {"detail": f"There are {known}."})
    call, name = found
    try:
        fields = json.loads(body or b"{}")
        if not isinstance(fields, dict):
            raise TypeError("the body is not an object")
        signature(call).bind(engine, **fields)
        result = call(engine, **fields)
    except Exception as error:
        return _json(400, {"detail": str(error)})
    return _json(200, {} if name is None else {name: to_text(result) if isinstance(result, datetime) else result})


def _json(status: int, body: _Body) -> Response:
    return Response(status, {"content-type": "application/json"}, json.dumps(body).encode())
