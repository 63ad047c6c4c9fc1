"""The SQL that writes and lists orders."""

from collections.abc import Collection

from psycopg import sql

#: The columns of ``orders``, as ``rows.order_row`` writes them.
ORDER_COLUMNS = (
    "order_id",
    "user_id",
    "client_order_id",
    "type",
    "side",
    "pair",
    "token_in",
    "token_out",
    "amount_in",
    "amount_in_base",
    "amount_out",
    "amount_out_base",
    "min_amount_out",
    "slippage_bps",
    "priority",
    "status",
    "seq",
    "attempts",
    "dex_used",
    "executed_price",
    "slippage_pct",
    "limit_price",
    "time_in_force",
    "expires_at",
    "launch",
    "wait_reason",
    "tx_hash",
    "fail_code",
    "error_reason",
    "quotes",
    "created_at",
    "updated_at",
)
#: Read as text: ids are text in the read model, and the JSON parser must not make floats.
_READ_AS_TEXT = frozenset({"order_id", "quotes", "launch"})


def _names(columns: Collection[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


#: Writes one order with its events and quotes in a single statement: one atomic round trip.
#: Its parameters are JSON texts with the names of the columns: ``order``, ``events`` and ``quotes``.
RECORD = (
    sql.SQL(
        """
        with event as materialized (
            select (%(order)s::jsonb ->> 'order_id')::uuid as order_id, e.*
            from jsonb_to_recordset(%(events)s::jsonb)
                as e (seq integer, status text, attempt integer, at timestamptz, kind text, meta jsonb)
        ), written_order as (
            insert into orders ({columns})
            select {columns} from jsonb_populate_record(null::orders, %(order)s::jsonb)
            on conflict (order_id) do update set {updates}, recorded_at = clock_timestamp()
            where excluded.seq > orders.seq
        ), written_events as (
            insert into order_events (order_id, seq, status, attempt, at, kind, meta)
            select order_id, seq, status, attempt, at, kind, meta from event
            on conflict do nothing
        )
        insert into order_quotes (
            order_id, seq, venue, attempt, price, amount_out, fee, fee_bps, price_impact_pct, liquidity, chosen, at
        )
        select
            event.order_id, quote.seq, venue, quote.attempt, price, amount_out, fee, fee_bps,
            price_impact_pct, liquidity, chosen, quote.at
        from jsonb_to_recordset(%(quotes)s::jsonb) as quote (
            seq integer, venue text, attempt integer, price numeric, amount_out numeric, fee numeric,
            fee_bps numeric, price_impact_pct numeric, liquidity numeric, chosen boolean, at timestamptz
        )
        join event on event.seq = quote.seq
        on conflict do nothing
        """
    )
    .format(
        columns=_names(ORDER_COLUMNS),
        updates=sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in ORDER_COLUMNS
        ),
    )
    .as_string()
)

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

#: The ids of ``order_ids`` that have a terminal status.
SETTLED = """
    select order_id::text from orders where order_id = any(%(order_ids)s::uuid[]) and status = any(%(terminal)s)
"""


def _read(column: str) -> sql.Composed:
    return sql.SQL("{}::text" if column in _READ_AS_TEXT else "{}").format(sql.Identifier(column))


def page(parameters: Collection[str]) -> sql.Composed:
    """Lists orders by ``ORDER_COLUMNS``, newest first, under the conditions of these parameters."""
    conditions = [condition for name, condition in _CONDITIONS.items() if name in parameters] or [sql.SQL("true")]
    # A bare order_id would mean the text column, which has no index and whose order depends on the locale.
    return sql.SQL(
        """
        select {columns} from orders where {conditions}
        order by orders.created_at desc, orders.order_id desc limit %(limit)s
        """
    ).format(columns=sql.SQL(", ").join(map(_read, ORDER_COLUMNS)), conditions=sql.SQL(" and ").join(conditions))
