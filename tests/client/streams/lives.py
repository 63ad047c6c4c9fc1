"""The lives of orders in the model: their events, past and to come."""

import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
USER = "bot-1"
ACTIVE = ("pending", "open", "triggered", "routing", "building", "submitted")
PHASES = {"pending": "queued", "open": "queued", "confirmed": "completed", "failed": "failed"}


def text_of(seconds: float) -> str:
    at = START + timedelta(seconds=seconds)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    return (datetime.fromisoformat(text) - START).total_seconds()


@dataclass(frozen=True)
class Event:
    seq: int
    at: float
    status: str

    def body(self) -> dict[str, Any]:
        phase = PHASES.get(self.status, "processing")
        return {
            "seq": self.seq,
            "status": self.status,
            "phase": phase,
            "attempt": 1,
            "at": text_of(self.at),
            "meta": {"n": self.seq},
        }

    @property
    def is_terminal(self) -> bool:
        return self.status not in ACTIVE


@dataclass(frozen=True)
class Life:
    """An order and all its events, past and to come."""

    order_id: str
    events: tuple[Event, ...]

    def until(self, now: float) -> list[Event]:
        return [one for one in self.events if one.at <= now]

    def frame(self, event: Event) -> str:
        return json.dumps({"type": "ORDER_UPDATE", "orderId": self.order_id, "userId": USER, **event.body()})

    def record(self, now: float) -> dict[str, Any]:
        past = self.until(now)
        nothing = dict.fromkeys(
            ("clientOrderId", "amountOut", "amountOutBase", "minAmountOut", "dexUsed", "executedPrice", "limitPrice")
        )
        nothing |= dict.fromkeys(
            ("timeInForce", "expiresAt", "launch", "waitReason", "txHash", "failCode", "failReason", "quotes")
        )
        latest = past[-1]
        return {
            **nothing,
            "orderId": self.order_id,
            "userId": USER,
            "type": "market",
            "side": "sell",
            "tokenIn": "SOL",
            "tokenOut": "USDC",
            "amountIn": 1,
            "amountInBase": "1000000000",
            "status": latest.status,
            "phase": latest.body()["phase"],
            "seq": latest.seq,
            "attempts": 1,
            "createdAt": text_of(past[0].at),
            "updatedAt": text_of(latest.at),
        }


def life(number: int, times: Iterable[float], *, ends: bool = True) -> Life:
    """An order with events at these times."""
    at = [round(one, 3) for one in times]
    last = len(at)
    statuses = ["pending", *("routing" for _ in at[1:])]
    if ends:
        statuses[-1] = "confirmed"
    events = tuple(Event(seq, at[seq - 1], statuses[seq - 1]) for seq in range(1, last + 1))
    return Life(str(UUID(int=number)), events)


def without(found: Life, *seqs: int) -> Life:
    """An order of which the engine lacks some events."""
    return Life(found.order_id, tuple(one for one in found.events if one.seq not in seqs))


def lives(*found: Life) -> dict[str, Life]:
    return {one.order_id: one for one in found}


def random_life(rng: random.Random, number: int, begin: float, *, ends: bool = True) -> Life:
    """An order whose events come quickly, with silences of minutes among them."""
    at, times = begin, []
    for _ in range(rng.randint(1 if not ends else 2, 9)):
        times.append(at)
        at += rng.choice((0.001, 0.05, 0.5, 3.0, 30.0, 200.0)) * (0.5 + rng.random())
    return life(number, times, ends=ends)
