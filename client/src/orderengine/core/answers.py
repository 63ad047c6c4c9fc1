"""Answers: a model, or the exception that the answer stands for."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from orderengine import errors
from orderengine.core.commands import Response
from orderengine.core.exact_json import loads
from orderengine.core.problems import kind_of
from orderengine.models.reading import Model, Unreadable

M = TypeVar("M", bound=Model)


def read(kind: type[M], response: Response) -> M:
    """The body of a successful answer.

    :raises ProblemError: if the engine refuses the request.
    :raises NotTheEngine: if the answer is none that the engine gives.
    """
    if not 200 <= response.status < 300:
        raise problem_of(response)
    try:
        return kind.read(loads(response.body))
    except Unreadable as error:
        raise not_the_engine(f"the answer is not what the contract says: {error}", response) from None
    except ValueError:
        raise not_the_engine("the answer is not JSON, or half of it", response) from None


def problem_of(response: Response) -> errors.OrderEngineError:
    """The exception of an answer that is not successful."""
    try:
        body = loads(response.body)
    except ValueError:
        body = None
    # API Gateway refuses some requests by itself, with a body that has a code too.
    if not isinstance(body, dict) or not isinstance(body.get("code"), str):
        return _bare_problem(response)
    kind = kind_of(response.status, body["code"])
    return kind(response.status, body, response.headers, retry_after(response, body))


def _bare_problem(response: Response) -> errors.OrderEngineError:
    """The exception of an answer without a problem document: a gateway or proxy is busy, or it is another service."""
    if response.status in (408, 425, 429, 502, 503, 504):
        body = {"code": "", "title": f"HTTP {response.status} without a problem document"}
        return kind_of(response.status, "")(response.status, body, response.headers, retry_after(response))
    if 300 <= response.status < 400:
        target = response.headers.get("location", "no address")
        return not_the_engine(f"the answer is a redirect to {target}, which the client does not follow", response)
    return not_the_engine("the answer is not the engine's", response)


def not_the_engine(detail: str, response: Response) -> errors.NotTheEngine:
    return errors.NotTheEngine(
        detail, response.status, response.headers.get("content-type", ""), response.text[:2000]
    )


def retry_after(response: Response, body: Mapping[str, Any] | None = None) -> float | None:
    """The seconds of ``Retry-After``, which is a number or a date (RFC 9110, 10.2.3), else those of the problem."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return float(text)
    if until := _http_date(text):
        return max(0.0, (until - (server_time(response) or datetime.now(UTC))).total_seconds())
    seconds = (body or {}).get("retryAfter")
    return float(seconds) if isinstance(seconds, int) and 0 <= seconds <= 1e9 else None


def server_time(response: Response) -> datetime | None:
    """The time of the server's clock, to the second; ``None`` if the answer does not say, or comes from a cache."""
    return None if "age" in response.headers else _http_date(response.headers.get("date", ""))


def _http_date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # loads sockets and more

    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def json_object(response: Response) -> dict[str, Any]:
    """:raises NotTheEngine: if the body is no JSON object."""
    try:
        body = loads(response.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise not_the_engine("the answer is not a JSON object", response)
    return body
