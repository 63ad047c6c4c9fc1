"""Retryable and fatal failures, by the table of the specification."""

import pytest

from chalicelib.domain.failures import AttemptFailedError, FailureCode

RETRIED = {
    "NETWORK_ERROR",
    "VENUE_TIMEOUT",
    "VENUE_RATE_LIMITED",
    "VENUE_UNAVAILABLE",
    "STALE_QUOTE",
    "TX_DROPPED",
    "SLIPPAGE_EXCEEDED",
    "TX_OUTCOME_UNKNOWN",
}
FATAL = {"NO_LIQUIDITY", "POOL_NOT_FOUND", "POOL_PAUSED", "PRICE_IMPACT_TOO_HIGH", "QUEUE_EXHAUSTED"}


def test_every_code_of_the_specification_exists_and_no_other() -> None:
    assert {code.value for code in FailureCode} == RETRIED | FATAL


@pytest.mark.parametrize("code", FailureCode)
def test_transient_failures_are_retryable_and_fatal_ones_are_not(code: FailureCode) -> None:
    assert AttemptFailedError(code, "why").retryable is (code.value in RETRIED)
