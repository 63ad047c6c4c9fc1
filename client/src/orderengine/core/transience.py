"""Which refusals a later attempt may overcome, and how long to pause before it: one rule for calls and streams."""

from orderengine.errors import OrderEngineError, ProblemError

#: Request timeout, too early, too many requests. Every 5xx is transient too.
_TRANSIENT_STATUSES = frozenset({408, 425, 429})
#: Refusals with a transient status that last until the caller changes something.
_LASTING_CODES = frozenset({"OPEN_ORDERS_FULL", "TOO_MANY_WAITS"})


def is_transient(status: int, code: str) -> bool:
    """Whether the same request may succeed later, given the status and code of a problem."""
    return code not in _LASTING_CODES and (status in _TRANSIENT_STATUSES or status >= 500)


def is_final(error: OrderEngineError) -> bool:
    """Whether the engine refuses, and would refuse the same request again."""
    return isinstance(error, ProblemError) and not is_transient(error.status, error.code)


def full_jitter(random: float, failures: int, base_seconds: float, cap_seconds: float) -> float:
    """A pause between 0 and ``base_seconds`` times 2^failures, up to a cap; ``random`` is from 0 up to 1."""
    return random * min(cap_seconds, base_seconds * float(2 ** min(failures, 20)))
