"""The doctor's last verdict in memory."""

from chalicelib.ports.verdicts import DoctorVerdict


class FakeVerdicts:
    """``Verdicts`` in memory. ``verdict`` is the last one, and ``None`` before the first."""

    def __init__(self) -> None:
        self.verdict: DoctorVerdict | None = None

    def last(self) -> DoctorVerdict | None:
        return self.verdict
