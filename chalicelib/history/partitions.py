"""The partitions of ``order_events``: a table for each month of events, so that old months go without a delete.

``order_events_first`` has all events before the first month. A partition exists months before its first event
(``partition_changes``). Events of other months are in ``order_events_default``. Months are those of UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg.rows import TupleRow, class_row

Connection = psycopg.Connection[TupleRow]

_EVENTS_SINCE = r"""
    select case when not bool_or(bound like '%MINVALUE%') then
        min(substring(bound from $$FROM \('(.+)'\) TO$$)::timestamptz)
    end
    from pg_inherits
    join pg_class as partition on partition.oid = inhrelid, pg_get_expr(relpartbound, partition.oid) as bound
    where inhparent = to_regclass('order_events') and bound <> 'DEFAULT'
"""
_PARTITIONS = r"""
    select
        partition.relname as name,
        substring(bound from $$FROM \('(.+)'\) TO$$)::timestamptz as start,
        substring(bound from $$TO \('(.+)'\)$$)::timestamptz as end,
        greatest(partition.reltuples, 0)::bigint as events,
        pg_total_relation_size(partition.oid) as bytes
    from pg_inherits
    join pg_class as partition on partition.oid = inhrelid, pg_get_expr(relpartbound, partition.oid) as bound
    where inhparent = to_regclass('order_events')
    order by 3 nulls last
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of ``order_events`` with its bounds, its events as last estimated, and its size with indexes.

    The first partition has no ``start``; the default partition has neither bound.
    """

    name: str
    start: datetime | None
    end: datetime | None
    events: int
    bytes: int


def partitions_of(connection: Connection) -> list[Partition]:
    """The partitions by their time, and the default partition last; none on the schema of release 0.2.0."""
    with connection.cursor(row_factory=class_row(Partition)) as cursor:
        return cursor.execute(_PARTITIONS).fetchall()


def events_since(connection: Connection) -> datetime | None:
    """The time from which on the history has events; ``None`` if it has dropped none."""
    row = connection.execute(_EVENTS_SINCE).fetchone()
    return row[0] if row else None


def dated(partitions: Sequence[Partition]) -> list[Partition]:
    """All but the default partition."""
    return [partition for partition in partitions if partition.end is not None]


def end_of(partitions: Sequence[Partition]) -> datetime:
    """The end of the last month that has a partition. There must be one."""
    return max(partition.end for partition in partitions if partition.end)


def partitions_before(partitions: Sequence[Partition], time: datetime) -> list[Partition]:
    """The partitions whose events are all earlier than ``time``.

    The last partition is never one of them: the coming months begin at its end.
    """
    return [partition for partition in dated(partitions)[:-1] if partition.end and partition.end <= time]


def month_of(time: datetime, later: int = 0) -> datetime:
    """The start of the month of an aware time, or of the month so many months later (earlier if negative)."""
    in_utc = time.astimezone(UTC)
    number = in_utc.year * 12 + in_utc.month - 1 + later
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
