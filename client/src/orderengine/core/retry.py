"""Requests with retries: which failures are worth another attempt, how long to pause, and when to give up."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from orderengine import errors
from orderengine.core import commands
from orderengine.core.answers import server_time
from orderengine.core.commands import Flow, Monotonic, Notify, Now, Random, Request, Response, Send, Sleep
from orderengine.core.session import Session
from orderengine.core.transience import full_jitter, is_transient
from orderengine.times import seconds

#: Full jitter: the n-th pause is random between 0 and this base times 2^n, up to the cap.
BASE_SECONDS, CAP_SECONDS = 0.2, 10.0

T = TypeVar("T")
Failure: TypeAlias = errors.ProblemError | errors.NotTheEngine | errors.Unreachable
FAILURES = (errors.ProblemError, errors.NotTheEngine, errors.Unreachable)


class Unanswered(Exception):
    """A request ended without success, and an attempt of it may have worked.

    ``failure`` ended it: a ``Failure``, or an exception of a hook or a transport.
    """

    def __init__(self, failure: Exception) -> None:
        super().__init__(str(failure))
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Retry:
    """An attempt that follows after a pause: the argument of ``on_retry`` and ``on_rate_limit``.

    It has no credential.
    """

    attempt: int
    pause_seconds: float
    failure: errors.OrderEngineError
    request: Request


@dataclass(slots=True)
class _Limits:
    """The time of a request and of each attempt, and whether one that may have worked is repeated."""

    deadline: float
    attempt_seconds: float
    repeats_sent: bool


@dataclass(slots=True)
class _Progress:
    #: Whether an attempt may have worked without the client knowing.
    is_unknown: bool = False


def within(session: Session, timeout: float | None) -> Flow[Session]:
    """The session for one call, whose requests share ``timeout`` seconds; those of the client if none are given.

    :raises InvalidArgument: for a timeout that is not positive.
    """
    limit = session.options.timeout if timeout is None else seconds("timeout", timeout)
    now: float = yield Monotonic()
    options = replace(session.options, timeout=limit)
    return replace(session, options=options, ends_at=min(session.ends_at, now + limit))


def call(
    session: Session,
    request: Request,
    read: Callable[[Response], T],
    *,
    timeout: float | None = None,
    try_timeout: float | None = None,
    repeats_sent: bool = True,
) -> Flow[T]:
    """Send a request until the engine gives an answer that another attempt would not change.

    Attempts without an answer, 408, 425, 429 and 5xx are repeated after the pause that the engine asks for, or a
    random one. Without ``repeats_sent``, no attempt follows one that may have worked.

    :raises ProblemError, NotTheEngine, Unreachable: if the engine has refused or not received the request.
    :raises Unanswered: if an attempt may have worked without the client knowing.
    """
    options, progress = session.options, _Progress()
    now: float = yield Monotonic()
    deadline = min(session.ends_at, now + (options.timeout if timeout is None else timeout))
    limits = _Limits(deadline, try_timeout or options.try_timeout, repeats_sent)
    try:
        return (yield from _attempts(session, request, read, limits, progress))
    except Exception as failure:
        if progress.is_unknown:
            raise Unanswered(failure) from failure
        raise


def _attempts(
    session: Session, request: Request, read: Callable[[Response], T], limits: _Limits, progress: _Progress
) -> Flow[T]:
    attempt = 0
    failure: Failure = errors.Unreachable("the time of the call ended before the request was sent", sent=False)
    while (left := limits.deadline - (yield Monotonic())) > 0:
        signed = _signed(session, request)
        try:
            return read((yield from _attempt(session, signed, min(left, limits.attempt_seconds))))
        except commands.Unreachable as error:
            progress.is_unknown = progress.is_unknown or error.sent
            failure = errors.Unreachable(f"no answer from the engine: {error}", sent=progress.is_unknown)
        except (errors.ProblemError, errors.NotTheEngine) as error:
            failure = error
            # A server that fails may have done its work before; a success that cannot be read has done it.
            progress.is_unknown = progress.is_unknown or error.status >= 500 or error.status < 300
        except errors.UsageError:
            # The transport has refused to send.
            raise
        except Exception:
            progress.is_unknown = True
            raise
        pause = yield from _pause(failure, attempt)
        is_last = attempt == session.options.retries or (progress.is_unknown and not limits.repeats_sent)
        if is_last or not _is_worth_another(failure) or pause >= limits.deadline - (yield Monotonic()):
            break
        attempt += 1
        session.counters.retries += 1
        yield from _announce(session, Retry(attempt, pause, failure, request))
        yield Sleep(pause)
    raise failure


def _signed(session: Session, request: Request) -> Request:
    return replace(request, headers={**session.headers, **request.headers})


def _attempt(session: Session, request: Request, timeout: float) -> Flow[Response]:
    """Send a request once, and learn the server's time."""
    session.counters.requests += 1
    before = yield Now()
    response: Response = yield Send(request, timeout)
    session.clock.note(before, (yield Now()), server_time(response))
    return response


def call_safely(
    session: Session,
    request: Request,
    read: Callable[[Response], T],
    *,
    timeout: float | None = None,
    try_timeout: float | None = None,
    repeats_sent: bool = True,
) -> Flow[T]:
    """As ``call``, for requests whose outcome need not be known: the caller can make them again.

    :raises ProblemError, NotTheEngine, Unreachable: as the last attempt says.
    """
    try:
        return (
            yield from call(
                session, request, read, timeout=timeout, try_timeout=try_timeout, repeats_sent=repeats_sent
            )
        )
    except Unanswered as error:
        raise error.failure from None


def _is_worth_another(failure: Failure) -> bool:
    """Whether another attempt may succeed: JSON that broke off may come whole, a page stays a page."""
    if isinstance(failure, errors.NotTheEngine):
        return failure.status >= 500 or (failure.status < 300 and "json" in failure.content_type)
    return isinstance(failure, errors.Unreachable) or is_transient(failure.status, failure.code)


def _pause(failure: Failure, attempt: int) -> Flow[float]:
    """What the engine asks for, with a little jitter so that clients do not all come back at once; else jitter."""
    jitter: float = yield Random()
    if isinstance(failure, errors.ProblemError) and failure.retry_after is not None:
        return failure.retry_after + jitter * BASE_SECONDS
    return full_jitter(jitter, attempt, BASE_SECONDS, CAP_SECONDS)


def _announce(session: Session, retry: Retry) -> Flow[None]:
    options = session.options
    if isinstance(retry.failure, errors.RateLimited):
        session.counters.rate_limited += 1
        if options.on_rate_limit:
            yield Notify(options.on_rate_limit, (retry,))
    if options.on_retry:
        yield Notify(options.on_retry, (retry,))
