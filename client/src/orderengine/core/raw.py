"""Any request, once: for what the client has no method for."""

from collections.abc import Mapping
from typing import Any

from orderengine import errors
from orderengine.core import commands
from orderengine.core.commands import Flow, Request, Response, Send
from orderengine.core.exact_json import dumps
from orderengine.core.requests import JSON, checked_headers, checked_path, query
from orderengine.core.session import Session


def raw(
    session: Session,
    method: str,
    path: str,
    fields: Mapping[str, str] | None,
    body: Any,
    headers: Mapping[str, str] | None,
) -> Flow[Response]:
    """The answer, whatever it is. ``body`` is sent as it is if it is bytes, else as JSON.

    :raises InvalidArgument: for what no request can have.
    :raises Unreachable: if no answer comes; ``sent`` tells whether the engine may have received the request.
    """
    content = body if body is None or isinstance(body, bytes) else dumps(body)
    all_headers = {**session.headers, **({} if body is None else JSON), **checked_headers(headers or {})}
    request = Request(method, checked_path(path), query(**(fields or {})), all_headers, content)
    session.counters.requests += 1
    try:
        response: Response = yield Send(request, session.options.timeout)
    except commands.Unreachable as error:
        raise errors.Unreachable(f"no answer from the engine: {error}", sent=error.sent) from error
    return response
