"""The figures by which the simulation is compared with an engine, and the comparison."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

#: How far a simulated figure may be from the measured one.
TOLERANCE = 0.10
#: The share of the orders of a burst that wait less than the late ones.
_LATE = 0.95


@dataclass(frozen=True)
class Burst:
    """A burst of orders: orders a minute from the first start to the last end, and seconds of waiting for a slot."""

    per_minute: float
    median_wait: float
    late_wait: float


@dataclass(frozen=True)
class Launch:
    """Orders that one launch triggers: seconds from the launch to ``submitted``."""

    median: float
    last: float


@dataclass(frozen=True)
class Compared:
    """A figure of an engine, and the simulated one."""

    name: str
    measured: float
    simulated: float

    @property
    def difference(self) -> float:
        return self.simulated / self.measured - 1

    @property
    def agrees(self) -> bool:
        return abs(self.difference) <= TOLERANCE


def burst_figures(starts: Sequence[float], ends: Sequence[float], waits: Sequence[float]) -> Burst:
    return Burst(
        per_minute=60 * len(ends) / (max(ends) - min(starts)),
        median_wait=median(waits),
        late_wait=quantile(waits, _LATE),
    )


def launch_figures(seconds: Sequence[float]) -> Launch:
    return Launch(median(seconds), max(seconds))


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed."""
    ascending = sorted(values)
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


def compared(what: str, measured: Burst | Launch, simulated: Burst | Launch) -> list[Compared]:
    pairs = zip(asdict(measured).items(), asdict(simulated).values(), strict=True)
    return [Compared(f"{what}: {name.replace('_', ' ')}", one, other) for (name, one), other in pairs]


def report(rows: Sequence[Compared]) -> str:
    """The figures side by side, as Markdown."""
    lines = ["| figure | measured | simulated | difference |", "| --- | ---: | ---: | ---: |"]
    for row in rows:
        lines.append(f"| {row.name} | {row.measured:.2f} | {row.simulated:.2f} | {row.difference:+.1%} |")
    return "\n".join(lines)
