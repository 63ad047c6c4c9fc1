"""Streams through random faults of every kind at once: always each update once and in order, and the counters say so.

``STREAM_SEEDS`` sets how many random worlds each test tries.
"""

import os
import random
from collections import defaultdict
from collections.abc import Iterable

import pytest

from orderengine import Client, errors
from orderengine.core.streams import memory
from orderengine.models.orders import Update
from tests.client.streams.faults import random_faults
from tests.client.streams.lives import USER, Life, lives, random_life, text_of
from tests.client.streams.model import Model
from tests.client.streams.transports import ModelTransport

SEEDS = int(os.environ.get("STREAM_SEEDS", "60"))
#: Seconds of virtual time in which every update arrives, whatever the network does.
PATIENCE_SECONDS = 5000.0


@pytest.fixture(autouse=True)
def quick_forgetting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a feed forget the first orders that have ended, as one with hundreds of orders does."""
    monkeypatch.setattr(memory, "_FIRST_PRUNE", 2)


def client_of(model: Model) -> Client:
    """A client that never takes a failure at the start for a wrong address."""
    return Client("http://model", transport=ModelTransport(model), retries=100, timeout=1e6)


def random_lives(rng: random.Random) -> list[Life]:
    begins = (-500.0, -50.0, -1.0, 5.0, 60.0, 200.0)
    return [
        random_life(rng, number, rng.choice(begins) + rng.random(), ends=rng.random() < 0.8)
        for number in range(1, rng.randint(2, 12))
    ]


class Ledger:
    """What a consumer has been given of each order, and whether it is all that it must have."""

    def __init__(self, found: Iterable[Life], since: float) -> None:
        self.given: dict[str, list[int]] = defaultdict(list)
        self._lives = {one.order_id: one for one in found}
        self._missing = {(one.order_id, seq) for one in self._lives.values() for seq in _needed(one, since)}

    def take(self, update: Update) -> None:
        given = self.given[update.order_id]
        assert not given or update.seq == given[-1] + 1, f"{update.order_id}: {update.seq} after {given}"
        assert update.user_id == USER
        given.append(update.seq)
        self._missing.discard((update.order_id, update.seq))

    @property
    def is_complete(self) -> bool:
        return not self._missing

    def check(self) -> None:
        assert self.is_complete, (self._missing, dict(self.given))


def _needed(found: Life, since: float) -> list[int]:
    recent = [one.seq for one in found.events if one.at >= since]
    past = found.until(0.0)
    is_open = past and not past[-1].is_terminal
    return recent or ([past[-1].seq] if is_open else [])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_watch_gives_every_update_once_and_in_order(seed: int) -> None:
    rng = random.Random(seed)
    random.seed(seed)
    order = random_life(rng, 1, -rng.random() * 30)
    model = Model(lives(order), random_faults(rng, in_sequence=False), rng=rng)
    client = client_of(model)
    after = rng.choice((0, 0, 1))
    given = [one.seq for one in client.watch(order.order_id, after=after)]
    assert given == list(range(after + 1, len(order.events) + 1))
    assert client.counters.gaps == client.counters.gaps_filled
    assert all(one.is_closed for one in model.sockets)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_follow_gives_every_update_of_every_order_once_and_in_order(seed: int) -> None:
    rng = random.Random(seed)
    random.seed(seed)
    orders = random_lives(rng)
    model = Model(lives(*orders), random_faults(rng, in_sequence=True), rng=rng)
    client = client_of(model)
    since = rng.choice((None, -100.0))
    ledger = Ledger(orders, 0.0 if since is None else since)
    feed = client.follow(USER, since=None if since is None else text_of(since), timeout=PATIENCE_SECONDS)
    # Some streams go on when all is given, to see that nothing comes twice.
    goes_on = rng.random() < 0.05
    try:
        with feed:
            for update in feed:
                ledger.take(update)
                if ledger.is_complete and not goes_on:
                    break
    except errors.DeadlineExceeded:
        pass
    ledger.check()
    assert client.counters.gaps - client.counters.gaps_filled in ((0,) if goes_on else (0, 1))
    assert all(one.is_closed for one in model.sockets)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_consumer_that_dies_again_and_again_goes_on_from_its_cursor(seed: int) -> None:
    rng = random.Random(seed)
    random.seed(seed)
    orders = random_lives(rng)
    faults = random_faults(rng, in_sequence=True)
    faults.drop = 0.0  # the cursor is a time, before which the engine promises to have sent everything
    model = Model(lives(*orders), faults, rng=rng)
    ledger = Ledger(orders, 0.0)
    cursor = None
    in_hand: set[tuple[str, int]] = set()
    while not ledger.is_complete and model.now < PATIENCE_SECONDS:
        feed = client_of(model).follow(USER, cursor=cursor, timeout=PATIENCE_SECONDS)
        with feed:
            for update in feed:
                if (update.order_id, update.seq) in in_hand:
                    in_hand.remove((update.order_id, update.seq))
                else:
                    ledger.take(update)
                cursor = feed.cursor
                if ledger.is_complete or rng.random() < 0.15:
                    # The consumer dies amid its work on this update, which comes once more.
                    in_hand.add((update.order_id, update.seq))
                    model.now += rng.choice((0.0, 1.0, 100.0))
                    break
    ledger.check()
