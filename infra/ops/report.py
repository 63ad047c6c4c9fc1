"""The doctor's report."""

from collections import Counter
from dataclasses import dataclass, field

from chalicelib.domain.invariants import TITLES, Violation

_MAX_SHOWN = 20


@dataclass
class Report:
    """The state of a deployment. ``history_missing`` says why the history was not checked, if it was not."""

    location: str
    history: str
    history_missing: str = ""
    statuses: Counter[str] = field(default_factory=Counter)
    swaps: int = 0
    #: Orders that are open.
    open: int = 0
    #: Active orders in a queue, and active orders that a worker has started.
    queued: int = 0
    in_progress: int = 0
    #: Open and active orders past their deadline.
    overdue: int = 0
    #: Terminal orders that the history does not have yet, and the creation time of the oldest.
    unrecorded: int = 0
    unrecorded_since: str = ""
    dead_letters: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def __str__(self) -> str:
        history = f"not checked: {self.history_missing}" if self.history_missing else self.history
        lag = f"{self.unrecorded} orders" + (f", since {self.unrecorded_since}" if self.unrecorded else "")
        statuses = ", ".join(f"{count} {status}" for status, count in self.statuses.most_common())
        letters = ", ".join(f"{count} in {queue}" for queue, count in self.dead_letters.items())
        return "\n".join(
            [
                f"stack         {self.location}",
                f"history       {history}",
                f"history lag   {lag}",
                f"orders        {self.statuses.total()}: {statuses or 'none'}; {self.swaps} swaps",
                f"open          {self.open} wait for their price or launch",
                f"active        {self.queued} queued, {self.in_progress} in progress",
                f"overdue       {self.overdue} open or active orders",
                f"dead letters  {letters}",
                "",
                *(line for invariant in TITLES for line in self._judged(invariant)),
            ]
        )

    def _judged(self, invariant: str) -> list[str]:
        found = [one for one in self.violations if one.invariant == invariant]
        verdict = (f"{len(found)} violation" + "s" * (len(found) > 1)) if found else "ok"
        if invariant == "I7":
            verdict = "not visible in stored data"
        elif invariant == "I6" and self.history_missing and not found:
            verdict = "not checked"
        lines = [f"   {one.order_id}  {one.detail}" for one in found[:_MAX_SHOWN]]
        more = [f"   and {len(found) - _MAX_SHOWN} more"] if len(found) > _MAX_SHOWN else []
        return [f"{invariant} {TITLES[invariant]}: {verdict}", *lines, *more]
