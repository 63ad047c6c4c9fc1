"""The rules that a deployment adds to the contract."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestRules:
    """The venues that exist, how to check a simulated fault, and how to name a pool whose feed names none.

    ``check_fault`` raises ``ValueError`` for a text that is not a fault; ``None`` refuses every fault.
    ``describe_fault`` describes what a fault does to an order.
    """

    venues: tuple[str, ...]
    check_fault: Callable[[str], None] | None
    describe_fault: Callable[[str], str]
    pool_address: Callable[[str, str, str], str]
