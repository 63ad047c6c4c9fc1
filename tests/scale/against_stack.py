"""The simulation beside a running stack of this machine.

A small burst calibrates an order's own time and the gap between two orders of a slot; the simulation then predicts a
larger burst and a launch. Arrivals are those that were measured: how fast a machine accepts orders is no part of it.
"""

from collections.abc import Sequence

from tests.bench import snipers, sustained
from tests.bench.subject import Subject
from tests.scale.against_kit import BURST_ORDERS
from tests.scale.figures import Burst, Compared, Launch, burst_figures, compared, launch_figures
from tests.scale.model import HIGH, NORMAL, Setup, World
from tests.scale.venue_times import Quoting, endless, of_launch

#: A machine with other work must fail no order.
ENVIRONMENT = {**sustained.ENVIRONMENT, "QUOTE_TIMEOUT_SECONDS": "10"}
#: When an order was created, started and ended, in seconds since the epoch.
Row = tuple[float, float, float]
_WARM_UP_ORDERS, _CALIBRATION_ORDERS = 30, 60
_USER = "scale"
_TIMES = """
    select extract(epoch from o.created_at)::float8,
        extract(epoch from min(e.at) filter (where e.status = 'routing'))::float8,
        extract(epoch from max(e.at) filter (where e.status = 'confirmed'))::float8
    from orders o join order_events e using (order_id) where o.user_id = %s group by o.order_id order by 1
"""


def compare(subject: Subject) -> tuple[Setup, list[Compared]]:
    """The setup that the calibration gives, and each figure measured and simulated.

    :raises BenchError: if an order fails, is refused or is late.
    """
    sustained.measure(subject, _WARM_UP_ORDERS, "scale-warm")
    calibration = sustained.measure(subject, _CALIBRATION_ORDERS, "scale-calibration")
    setup = Setup(build=calibration.mean_own_seconds, gap=calibration.mean_gap_seconds)
    sustained.measure(subject, BURST_ORDERS, _USER)
    rows: list[Row] = [(row[0], row[1], row[2]) for row in subject.query(_TIMES, _USER)]
    together = snipers.measure(subject, alone=0).together
    measured = launch_figures([one.engine / 1000 for one in together])
    triggered = sorted(one.triggered / 1000 for one in together)
    return setup, [
        *compared(f"burst of {BURST_ORDERS}", measured_burst(rows), simulated_burst(setup, rows)),
        *compared(f"launch of {len(together)}", measured, simulated_launch(setup, triggered)),
    ]


def measured_burst(rows: Sequence[Row]) -> Burst:
    """The figures of orders by their creation, start and end."""
    return burst_figures(
        [began for _, began, _ in rows], [ended for _, _, ended in rows], [began - made for made, began, _ in rows]
    )


def simulated_burst(setup: Setup, rows: Sequence[Row]) -> Burst:
    """The figures of as many orders that arrive as those did."""
    first = min(made for made, _, _ in rows)
    lives = _run(setup, [made - first for made, _, _ in rows], max, NORMAL).lives
    starts, ends = [life.started or 0.0 for life in lives], [life.ended or 0.0 for life in lives]
    return burst_figures(starts, ends, [life.wait for life in lives])


def simulated_launch(setup: Setup, triggered: Sequence[float]) -> Launch:
    """The figures of sniper orders that are triggered at these times after their launch."""
    world = _run(setup, triggered, of_launch, HIGH)
    return launch_figures([life.submitted or 0.0 for life in world.lives])


def _run(setup: Setup, arrivals: Sequence[float], quoting: Quoting, lane: int) -> World:
    world = World(setup, "stack")
    world.arrive(iter(arrivals), endless("stack", quoting), lane)
    world.run()
    return world
