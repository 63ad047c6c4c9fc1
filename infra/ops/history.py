"""``python -m infra.ops.history [partitions [--keep MONTHS [--drop]] | rebuild [--after ID]] [--stage prod]``

``partitions`` adds the months that the events of the history lack, and lists the partitions with their sizes. With
``--keep`` it also says which of them are older than so many complete months, and with ``--drop`` it drops these.
Orders are never dropped.

``rebuild`` records the orders that the history lacks, from the orders table, beside the engine. Exit code 0: the
history has every order. 1: it could not record some, or contradicts them, as ``make doctor`` describes.
"""

import sys
import time
from argparse import ArgumentParser, Namespace
from contextlib import ExitStack, closing

import psycopg

from chalicelib.clock import utc_now
from chalicelib.history.address import with_certificates
from chalicelib.history.connection import InvalidAddressError
from chalicelib.history.migration_locks import MigrationError
from chalicelib.history.migration_session import turn
from chalicelib.history.partition_changes import MIN_MONTHS_KEPT, add_months, drop_months, events_of_dropped_months
from chalicelib.history.partitions import Partition, month_of, partitions_before, partitions_of
from chalicelib.history.postgres import PostgresHistory
from chalicelib.ports.history import HistoryUnavailableError
from infra.command import run
from infra.errors import InfraError
from infra.ops.deployment import ACCESS_ERRORS, Deployment, database_url_of, find_deployment, stage_parser
from infra.ops.evidence import EvidenceReader
from infra.ops.rebuild import WORKERS, Rebuild

_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 30
_SHOW_SECONDS = 10.0
_COLUMNS = ("partition", "from", "to", "events, about", "MB", "")


def maintain(database_url: str, keep: int | None, *, is_drop: bool) -> str:
    """Add the months that lack; with ``is_drop`` drop those older than ``keep`` complete months. Return a table.

    :raises InfraError: if the partitions cannot be read or changed.
    """
    try:
        with turn(database_url) as connection:
            if not partitions_of(connection):
                raise InfraError("The events have no partitions yet: run make migrate first.")
            now = utc_now()
            before = None if keep is None else month_of(now, -keep)
            dropped = drop_months(connection, before) if before and is_drop else []
            lines = [f"dropped {name}" for name in dropped]
            lines += [f"added {name}" for name in add_months(connection, now)]
            partitions, strays = partitions_of(connection), events_of_dropped_months(connection)
            going = partitions_before(partitions, before) if before else []
    except InvalidAddressError as error:
        raise InfraError(f"DATABASE_URL {error}.") from None
    except (MigrationError, HistoryUnavailableError, psycopg.Error) as error:
        raise InfraError(f"The partitions cannot be changed: {' '.join(str(error).split())}") from None
    lines += ["", *_table(partitions, going)] if lines else _table(partitions, going)
    if going or (before and strays):
        size = sum(partition.bytes for partition in going) / 1e6
        also = f" and {strays} events of months dropped before" if strays else ""
        lines += ["", f"--drop would drop {len(going)} partitions of {size:.1f} MB{also}. Orders stay."]
    return "\n".join(lines)


def rebuild(deployment: Deployment, after: str | None, orders_per_second: float) -> Rebuild:
    """Record the orders that the history of a deployment lacks, and return what was done.

    :raises InfraError: if a store does not answer; the message says where another run goes on.
    """
    done = Rebuild(after=after)
    began = shown = time.monotonic()

    def show(so_far: Rebuild) -> None:
        nonlocal shown
        if time.monotonic() - shown >= _SHOW_SECONDS:
            shown = time.monotonic()
            rate = so_far.read / (shown - began)
            print(f"{so_far.read} read, {so_far.recorded} recorded, {rate:.0f}/s, at {so_far.after}", file=sys.stderr)

    try:
        with ExitStack() as opened:
            reader = opened.enter_context(closing(EvidenceReader(deployment)))
            if reader.history_missing:
                raise InfraError(f"The history cannot be read: {reader.history_missing}.")
            address = with_certificates(deployment.database_url or "")
            recorders = [opened.enter_context(closing(_recorder(address))) for _ in range(WORKERS)]
            done.run(reader, recorders, orders_per_second, show)
    except ACCESS_ERRORS as error:
        more = f" Go on with --after {done.after}." if done.after else ""
        raise InfraError(f"{' '.join(str(error).split())}{more}") from None
    return done


def _recorder(address: str) -> PostgresHistory:
    return PostgresHistory(
        address, connect_timeout_seconds=_CONNECT_SECONDS, statement_timeout_seconds=_STATEMENT_SECONDS
    )


def _table(partitions: list[Partition], going: list[Partition]) -> list[str]:
    rows = [_COLUMNS, *(_row(partition, "goes" if partition in going else "") for partition in partitions)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _row(partition: Partition, note: str) -> tuple[str, ...]:
    start, end = (f"{time:%Y-%m}" if time else "-" for time in (partition.start, partition.end))
    return (partition.name, start, end, f"{partition.events:,}", f"{partition.bytes / 1e6:.1f}", note)


def _parser() -> ArgumentParser:
    parser = stage_parser(__doc__)
    parser.add_argument("command", nargs="?", choices=("partitions", "rebuild"), default="partitions")
    parser.add_argument("--keep", type=int, metavar="MONTHS", help="the complete months of events to keep")
    parser.add_argument("--drop", action="store_true", help="drop the older months")
    parser.add_argument("--after", metavar="ID", help="where an interrupted rebuild goes on")
    parser.add_argument("--rate", type=float, default=1000, help="orders that a rebuild reads a second, at most")
    return parser


def _checked(parser: ArgumentParser) -> Namespace:
    asked = parser.parse_args()
    if asked.drop and asked.keep is None:
        parser.error("--drop needs --keep: how many months stay")
    if asked.keep is not None and asked.keep < MIN_MONTHS_KEPT:
        parser.error(
            f"--keep takes {MIN_MONTHS_KEPT} months at least: an order may be open for one, and must be recorded"
        )
    if asked.rate <= 0:
        parser.error("--rate takes a positive number")
    return asked


def main() -> int:
    """Run the command and return the exit code."""
    asked = _checked(_parser())
    if asked.command == "partitions":
        print(maintain(database_url_of(asked.stage), asked.keep, is_drop=asked.drop))
        return 0
    try:
        deployment = find_deployment(asked.stage)
    except ACCESS_ERRORS as error:
        raise InfraError(str(error)) from None
    done = rebuild(deployment, asked.after, asked.rate)
    print(f"{done.read} orders read, {done.recorded} recorded, {len(done.doubtful)} left as they are")
    for order_id in done.doubtful[:20]:
        print(f"   {order_id} cannot be recorded, or the history contradicts it: make doctor says more")
    return 1 if done.doubtful else 0


if __name__ == "__main__":
    sys.exit(run(main))
