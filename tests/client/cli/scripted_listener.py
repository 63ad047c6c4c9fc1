"""``oe`` in a process of its own, whose feed has the events from 1 to the last; its cursor is one behind them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from orderengine import Client, Update
from orderengine.cli import clock
from orderengine.cli.root import oe
from orderengine.core.exact_json import loads

LAST = int(os.environ["LAST_EVENT"])


class NumberedFeed:
    def __init__(self, after: int) -> None:
        self._after = after

    @property
    def cursor(self) -> str:
        return str(self._after)

    def __iter__(self) -> Iterator[Update]:
        for seq in range(self._after + 1, LAST + 1):
            status, phase = ("confirmed", "completed") if seq == LAST else ("routing", "processing")
            text = f'{{"seq":{seq},"status":"{status}","phase":"{phase}","attempt":1,"meta":{{"n":1.10}}'
            yield Update.read(loads(text + ',"at":"2026-12-01T12:00:00.000Z"}'))
            self._after = seq


@contextmanager
def follow(self: Client, *, since: str | None = None, cursor: str | None = None, **_: Any) -> Iterator[NumberedFeed]:
    yield NumberedFeed(int(cursor or 0))


def noon(client: Client) -> datetime:
    return datetime(2026, 12, 1, 12, tzinfo=UTC)


if __name__ == "__main__":
    Client.follow = follow  # type: ignore[method-assign, assignment]
    clock.now = noon
    oe(prog_name="oe")
