"""What the network of the model does to its clients."""

import random
from dataclasses import dataclass


@dataclass
class Faults:
    """How the network treats its clients. Probabilities are for each socket, frame or request."""

    refuse: float = 0.0
    unreachable: float = 0.0
    #: Sockets live for a random time up to this.
    cut_after: float = float("inf")
    #: Sockets that say nothing at all after a while, and those that answer pings alone.
    mute: float = 0.0
    withhold: float = 0.0
    double: float = 0.0
    drop: float = 0.0
    swap: float = 0.0
    garbage: float = 0.0
    error_frame: float = 0.0
    lag_seconds: float = 0.05
    lose_request: float = 0.0
    busy: float = 0.0
    html: float = 0.0
    #: A proxy ends each request that takes longer.
    max_request_seconds: float = float("inf")
    #: No request may wait.
    no_waits: bool = False
    too_many_waits: bool = False
    #: Nothing works between these times.
    away: tuple[float, float] = (0.0, 0.0)


def random_faults(rng: random.Random, *, in_sequence: bool) -> Faults:
    """``in_sequence`` keeps the frames of each order in their sequence, as the contract promises."""

    def some(most: float) -> float:
        return rng.random() * most if rng.random() < 0.4 else 0.0

    begin = rng.random() * 300
    return Faults(
        refuse=some(0.9),
        unreachable=some(0.5),
        cut_after=rng.choice((float("inf"), 1.0, 5.0, 40.0, 200.0)),
        mute=some(0.8),
        withhold=some(0.8),
        double=some(0.9),
        drop=some(0.5),
        swap=0.0 if in_sequence else some(0.5),
        garbage=some(0.6),
        error_frame=some(0.6),
        lag_seconds=rng.choice((0.01, 1.0, 20.0)),
        lose_request=some(0.5),
        busy=some(0.5),
        html=some(0.5),
        max_request_seconds=rng.choice((float("inf"), 1.0, 10.0)),
        no_waits=rng.random() < 0.2,
        too_many_waits=rng.random() < 0.2,
        away=(begin, begin + 60) if rng.random() < 0.3 else (0.0, 0.0),
    )
