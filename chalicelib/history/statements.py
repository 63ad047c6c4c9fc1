"""The SQL that writes orders, and the columns of their table."""

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
    "started_at",
    "quoting_ms",
    "building_ms",
    "landing_ms",
    "missed_triggers",
    "retry_codes",
    "slippage_pct",
    "slippage_used_pct",
    "gain_pct",
    "preview_gain_pct",
)


def _names(columns: Collection[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


#: Writes one order with its events in a single statement: one atomic round trip.
#: Its parameters are JSON texts with the names of the columns: ``order`` and ``events``.
RECORD = (
    sql.SQL(
        """
        with written_order as (
            insert into orders ({columns})
            select {columns} from jsonb_populate_record(null::orders, %(order)s::jsonb)
            on conflict (order_id) do update set {updates}, recorded_at = clock_timestamp()
            where excluded.seq > orders.seq
        )
        insert into order_events (order_id, seq, status, attempt, at, kind, meta)
        select (%(order)s::jsonb ->> 'order_id')::uuid, seq, status, attempt, at, kind, meta
        from jsonb_to_recordset(%(events)s::jsonb)
            as event (seq integer, status text, attempt integer, at timestamptz, kind text, meta jsonb)
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

#: The ids of ``order_ids`` that have a terminal status.
SETTLED = """
    select order_id::text from orders where order_id = any(%(order_ids)s::uuid[]) and status = any(%(terminal)s)
"""

#: How many open orders of each of ``types`` there are, counted up to ``limit`` in the index orders_by_type.
COUNT_OPEN = """
    select type, (
        select count(*) from (
            select from orders where orders.type = asked.type and status = 'open' limit %(limit)s
        ) as found
    ) as number
    from unnest(%(types)s::text[]) as asked (type)
"""
