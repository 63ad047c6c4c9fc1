"""Failures of an attempt at a venue. Refusals of requests are in ``errors``."""

from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    NETWORK_ERROR = "NETWORK_ERROR"
    VENUE_TIMEOUT = "VENUE_TIMEOUT"
    VENUE_RATE_LIMITED = "VENUE_RATE_LIMITED"
    VENUE_UNAVAILABLE = "VENUE_UNAVAILABLE"
    STALE_QUOTE = "STALE_QUOTE"
    TX_DROPPED = "TX_DROPPED"
    SLIPPAGE_EXCEEDED = "SLIPPAGE_EXCEEDED"
    TX_OUTCOME_UNKNOWN = "TX_OUTCOME_UNKNOWN"
    NO_LIQUIDITY = "NO_LIQUIDITY"
    POOL_NOT_FOUND = "POOL_NOT_FOUND"
    POOL_PAUSED = "POOL_PAUSED"
    PRICE_IMPACT_TOO_HIGH = "PRICE_IMPACT_TOO_HIGH"
    QUEUE_EXHAUSTED = "QUEUE_EXHAUSTED"


#: Failures that a retry cannot mend: the order fails at once.
FATAL = frozenset(
    {
        FailureCode.NO_LIQUIDITY,
        FailureCode.POOL_NOT_FOUND,
        FailureCode.POOL_PAUSED,
        FailureCode.PRICE_IMPACT_TOO_HIGH,
        FailureCode.QUEUE_EXHAUSTED,
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why an attempt, or a venue's quote, failed."""

    code: FailureCode
    reason: str


class AttemptFailedError(Exception):
    """An attempt to execute an order failed; ``code`` decides whether another may follow."""

    def __init__(self, code: FailureCode, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason

    @property
    def failure(self) -> Failure:
        """The failure as an event keeps it."""
        return Failure(self.code, self.reason)

    @property
    def retryable(self) -> bool:
        return self.code not in FATAL
