"""Adds and drops the partitions of ``order_events`` while orders are recorded.

No event is moved, and no statement keeps writers waiting (``migration_locks``). Callers take turns with migrations.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from chalicelib.history.migration_locks import MigrationError, repeat_until_locked
from chalicelib.history.partitions import Connection, dated, end_of, month_of, partitions_before, partitions_of

#: Partitions exist for this many months after the present one. Every deployment adds months, and so does the command.
MONTHS_AHEAD = 12
#: The fewest complete months that are kept. An order is open for 30 days at most, so its events are in two months; a
#: third leaves room for an outage.
MIN_MONTHS_KEPT = 3
#: The clocks of workers, of Postgres and of this machine may differ by as much.
_CLOCK_DIFFERENCE = timedelta(days=1)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
#: What the default partition has: events before the first partition, and events of the months that are to be added.
_STRAYS = """
    select
        count(*) filter (where at < %(since)s) as earlier,
        max(at) filter (where at >= %(until)s and at < %(ahead)s) as newest
    from order_events_default
"""
_ATTACH: LiteralString = "alter table order_events attach partition {partition} for values from ({start}) to ({end})"


class PartitionError(MigrationError):
    """The partitions cannot be changed. The message says what an operator can do."""


def add_months(connection: Connection, now: datetime) -> list[str]:
    """Add the partitions that the coming months lack; returns their names.

    :raises PartitionError: if the default partition has events of other months than those that lack a partition.
    :raises psycopg.errors.LockNotAvailable: if a statement, such as that of a dump, keeps a lock for too long.
    """
    partitions = dated(partitions_of(connection))
    if not partitions:
        return []
    added = []
    start, ahead = end_of(partitions), month_of(now, MONTHS_AHEAD + 1)
    newest = _strays(connection, ahead)[1]
    if newest or start <= now + _CLOCK_DIFFERENCE:
        end = month_of(max(now, newest or now), 2)
        added.append(_turn_default_into_partition(connection, start, end))
        start = end
    while start < ahead:
        end = month_of(start, 1)
        added.append(_add_month(connection, start, end))
        start = end
    return added


def drop_months(connection: Connection, before: datetime) -> list[str]:
    """Drop the partitions whose events are all earlier than ``before``; returns their names.

    Also deletes what the default partition has of dropped months.
    """
    dropped = []
    for partition in partitions_before(partitions_of(connection), before):
        _execute(connection, "drop table {partition}", partition=partition.name)
        dropped.append(partition.name)
    if since := dated(partitions_of(connection))[0].start:
        connection.execute("delete from order_events_default where at < %s", [since])
    return dropped


def events_of_dropped_months(connection: Connection) -> int:
    """How many events the default partition has of months that are dropped: their orders were recorded again."""
    return _strays(connection, _EARLIEST)[0]


def _strays(connection: Connection, ahead: datetime) -> tuple[int, datetime | None]:
    partitions = dated(partitions_of(connection))
    bounds = {"since": partitions[0].start or _EARLIEST, "until": end_of(partitions), "ahead": ahead}
    earlier, newest = connection.execute(_STRAYS, bounds).fetchone() or (0, None)
    return earlier, newest


def _add_month(connection: Connection, start: datetime, end: datetime) -> str:
    """Add an empty partition. Only the default partition, to which no record writes, is locked meanwhile."""
    name = f"order_events_{start:%Y_%m}"
    create: LiteralString = "create table {partition} (like order_events including all)"
    _execute(connection, create, _ATTACH, partition=name, start=start, end=end)
    return name


def _turn_default_into_partition(connection: Connection, start: datetime, end: datetime) -> str:
    """Make the default partition that of the time from ``start`` to ``end``, and begin an empty one.

    A validated check spares the attachment a scan under a lock.
    """
    name = f"order_events_to_{end:%Y_%m}"
    undo: LiteralString = "alter table order_events_default drop constraint if exists order_events_overflow"
    check: LiteralString = (
        "alter table order_events_default add constraint order_events_overflow"
        " check (at >= {start} and at < {end}) not valid"
    )
    _execute(connection, undo, check, start=start, end=end)
    try:
        _execute(connection, "alter table order_events_default validate constraint order_events_overflow")
    except psycopg.errors.CheckViolation:
        _execute(connection, undo)
        raise PartitionError(
            f"order_events_default has events before {start:%Y-%m-%d}, which a drop of old months deletes, or from "
            f"{end:%Y-%m-%d} on, which a wrong clock has dated: delete these from order_events_default"
        ) from None
    _execute(
        connection,
        "alter table order_events detach partition order_events_default",
        "alter table order_events_default rename to {partition}",
        "alter index order_events_default_pkey rename to {key}",
        _ATTACH,
        "alter table {partition} drop constraint order_events_overflow",
        "create table order_events_default partition of order_events default",
        partition=name,
        start=start,
        end=end,
    )
    return name


def _execute(connection: Connection, *statements: LiteralString, partition: str = "", **values: Any) -> None:
    """Execute statements in one transaction, and again until it gets its locks."""
    names: dict[str, sql.Composable] = {
        "partition": sql.Identifier(partition),
        "key": sql.Identifier(f"{partition}_pkey"),
    }
    names |= {name: sql.Literal(value) for name, value in values.items()}
    texts = [sql.SQL(statement).format(**names) for statement in statements]

    def execute() -> None:
        with connection.transaction():
            for text in texts:
                connection.execute(text)

    repeat_until_locked(connection, execute, writers_wait=True)
