"""The account's limit on environments of functions, which AWS checks only in the middle of a deployment."""

from collections.abc import Mapping
from typing import Any

from infra.errors import InfraError

#: Parameters of the stack that reserve environments.
RESERVATIONS = ("ProcessorConcurrency", "ApiConcurrency")
#: What AWS keeps unreserved in each account.
_UNRESERVED = 100
#: The sum of MaximumConcurrency of the mappings, and a few environments for requests and sockets.
_COMFORTABLE = 50


class ReservationError(InfraError):
    """The account cannot spare the environments that the stack shall reserve."""


def check_reservations(limits: Mapping[str, Any], before: Mapping[str, str], after: Mapping[str, str]) -> str | None:
    """Return a remark about a small account, or ``None``. The parameters are the stack's before and after.

    ``limits`` are the ``AccountLimit`` of Lambda's account settings.

    :raises ReservationError: if Lambda would refuse the reservations.
    """
    more = _reserved(after) - _reserved(before)
    unreserved = limits["UnreservedConcurrentExecutions"]
    if more > 0 and unreserved - more < _UNRESERVED:
        raise ReservationError(
            f"The account can reserve {max(0, unreserved - _UNRESERVED)} more environments, and "
            f"PROCESSOR_CONCURRENCY and API_CONCURRENCY take {more}: raise Lambda's quota of "
            "concurrent executions, or reserve fewer."
        )
    if limits["ConcurrentExecutions"] < _COMFORTABLE:
        return (
            f"Lambda runs at most {limits['ConcurrentExecutions']} environments in this account: orders, requests "
            "and sockets wait for each other until AWS raises the quota of concurrent executions."
        )
    return None


def _reserved(parameters: Mapping[str, str]) -> int:
    return sum(int(parameters.get(name) or 0) for name in RESERVATIONS)
