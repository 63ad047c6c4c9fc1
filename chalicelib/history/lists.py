"""The SQL that lists orders, newest first.

A list of all users reads the same part of an index however many orders there are and however few match. Its index
begins with pair, type and status. A list that leaves one of these open reads the newest entries of each of its
values, and merges them.

One user's orders come from the index of users, whose entries hold status, type and pair. A list with a filter that
few of the user's orders meet reads all entries of the user, about 50 a block. Its cost grows with the orders of that
user alone: 100,000 take about 20 ms. Indexes that begin with the user and the filters would make it flat, but every
order would write them.
"""

from collections.abc import Collection

from psycopg import sql

from chalicelib.domain.status import OrderType, Status
from chalicelib.history.statements import ORDER_COLUMNS

#: Read as text: ids are text in the read model, and the JSON parser must not make floats.
_READ_AS_TEXT = frozenset({"order_id", "quotes", "launch"})

#: The condition of each ``OrderFilter`` field, and of ``after_id`` for the cursor.
_CONDITIONS = {
    "user_id": sql.SQL("user_id = %(user_id)s"),
    "status": sql.SQL("status = %(status)s"),
    "type": sql.SQL("type = %(type)s"),
    "pair": sql.SQL("pair = %(pair)s"),
    "client_order_id": sql.SQL("client_order_id = %(client_order_id)s"),
    "since": sql.SQL("created_at >= %(since)s"),
    "until": sql.SQL("created_at < %(until)s"),
    # No order is recorded before it changes, so the time of the record also covers an order that was recorded late.
    "updated_since": sql.SQL("recorded_at >= %(updated_since)s"),
    "after_id": sql.SQL("(created_at, order_id) < (%(after_time)s, %(after_id)s)"),
}
#: The filters that an index of all users' orders begins with. Few orders meet one of the filters in ``_SELECTIVE``.
_MERGED = {"pair", "type", "status"}
_SELECTIVE = {"user_id", "client_order_id", "updated_since"}


def page(parameters: Collection[str]) -> sql.Composed:
    """Lists orders by ``ORDER_COLUMNS``, newest first, under the conditions of these parameters."""
    is_merged = _MERGED.intersection(parameters) and not _SELECTIVE.intersection(parameters)
    return _merged(parameters) if is_merged else _plain(parameters)


def _plain(parameters: Collection[str]) -> sql.Composed:
    # A bare order_id would mean the text column, which has no index and whose order depends on the locale.
    return sql.SQL(
        """
        select {columns} from orders where {conditions}
        order by orders.created_at desc, orders.order_id desc limit %(limit)s
        """
    ).format(columns=_columns(), conditions=_all_of(parameters))


def _merged(parameters: Collection[str]) -> sql.Composed:
    """The newest orders of each type and status, merged. The entries of the index suffice for it."""
    return sql.SQL(
        """
        select {columns} from (
            select newest.order_id
            from unnest({types}) as wanted_type, unnest({statuses}) as wanted_status, lateral (
                select created_at, order_id from orders
                where type = wanted_type and status = wanted_status and {conditions}
                order by created_at desc, order_id desc limit %(limit)s
            ) as newest
            order by newest.created_at desc, newest.order_id desc limit %(limit)s
        ) as listed
        join orders using (order_id)
        order by orders.created_at desc, orders.order_id desc
        """
    ).format(
        columns=_columns(),
        types=_wanted("type", list(OrderType), parameters),
        statuses=_wanted("status", list(Status), parameters),
        conditions=_all_of(set(parameters) - {"type", "status"}),
    )


def _columns() -> sql.Composed:
    read = (
        sql.SQL("orders.{}::text" if column in _READ_AS_TEXT else "{}").format(sql.Identifier(column))
        for column in ORDER_COLUMNS
    )
    return sql.SQL(", ").join(read)


def _all_of(parameters: Collection[str]) -> sql.Composable:
    conditions = [condition for name, condition in _CONDITIONS.items() if name in parameters]
    return sql.SQL(" and ").join(conditions) if conditions else sql.SQL("true")


def _wanted(column: str, values: Collection[str], parameters: Collection[str]) -> sql.Composed:
    """The values of a column that the list covers: the one in the parameters, or all."""
    wanted = [sql.Placeholder(column)] if column in parameters else [sql.Literal(str(value)) for value in values]
    return sql.SQL("array[{}]::text[]").format(sql.SQL(", ").join(wanted))
