"""The last verdict of the doctor (``infra.ops.doctor``), which judges the stored data of a deployment."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

MAX_FINDINGS = 10
MAX_FINDING_CHARACTERS = 300


class VerdictStatus(StrEnum):
    OK = "ok"
    VIOLATIONS = "violations"
    #: No violation was found, and the doctor could not check the history.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class DoctorVerdict:
    """What the doctor found at ``at`` in this many orders.

    ``findings`` are the first of the violations, each in a line of plain text: at most ``MAX_FINDINGS`` of
    ``MAX_FINDING_CHARACTERS``.
    """

    at: datetime
    status: VerdictStatus
    orders: int
    violations: int
    findings: tuple[str, ...] = ()


class Verdicts(Protocol):
    def last(self) -> DoctorVerdict | None:
        """The newest verdict; ``None`` if the doctor has never stored one."""
        ...
