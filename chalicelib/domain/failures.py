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
    """The reason why an attempt, or a venue's quote, failed.

    ``at_ms`` is when the venue said so, in milliseconds since the epoch; a failure that no venue decides has none.
    ``amount_out`` is what the venue would have returned, in base units, from a market with ``price_at_ms`` and
    ``launch_slot`` as in ``VenueQuote``.
    """

    code: FailureCode
    reason: str
    amount_out: int | None = None
    at_ms: int | None = None
    price_at_ms: int | None = None
    launch_slot: int | None = None


class AttemptFailedError(Exception):
    """An attempt to execute an order failed; ``code`` decides whether another may follow."""

    def __init__(
        self,
        code: FailureCode,
        reason: str,
        *,
        amount_out: int | None = None,
        at_ms: int | None = None,
        price_at_ms: int | None = None,
        launch_slot: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        #: The failure as an event keeps it.
        self.failure = Failure(code, reason, amount_out, at_ms, price_at_ms, launch_slot)

    @property
    def retryable(self) -> bool:
        return self.code not in FATAL
