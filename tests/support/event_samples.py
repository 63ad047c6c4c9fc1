"""An example of the event data of every status."""

from decimal import Decimal

from chalicelib.domain.events import (
    Accepted,
    AttemptStarted,
    Building,
    Cancelled,
    Confirmed,
    EventData,
    Expired,
    Failed,
    Opened,
    OpenTerms,
    Submitted,
    TriggeredAtEntry,
)
from chalicelib.domain.failures import Failure, FailureCode
from chalicelib.domain.status import Status

SAMPLES: dict[Status, EventData] = {
    data.status: data
    for data in (
        Accepted(),
        Opened(OpenTerms()),
        TriggeredAtEntry(),
        AttemptStarted(),
        Building("raydium", 5),
        Submitted("raydium", "hash"),
        Confirmed("raydium", "hash", 7, Decimal(100)),
        Failed(Failure(FailureCode.NO_LIQUIDITY, "the pool is empty")),
        Cancelled(),
        Expired(),
    )
}
