"""Fills a history with orders: 1,000 users, some of them heavy, over 90 days whose days grow.

The rows are those of real orders; what lists and statistics select by is drawn. Only every tenth order has events,
which neither of them reads.
"""

from datetime import UTC, datetime

import psycopg
from psycopg import sql

from chalicelib.codec.exact_json import dumps
from chalicelib.history.migrate import migrate
from chalicelib.history.rows import event_row, order_row
from chalicelib.history.statements import ORDER_COLUMNS
from tests.support.order_builders import confirmed, pending

#: The end of the 90 days.
END = datetime(2026, 11, 1, tzinfo=UTC)
#: No sniper order fails, and of this pair no order expires.
QUIET_PAIR = "JUP/USDC"

_INDEXES = """
    select indexname, indexdef from pg_indexes
    where schemaname = 'public' and tablename = 'orders' and indexname <> 'orders_pkey'
"""
#: The number of an order determines all of its row. The newest has the number of all orders.
_ORDERS = """
    with template as (
        select * from jsonb_populate_record(null::orders, %(order)s::jsonb)
    ), drawn as materialized (
        select
            number, md5(number::text)::uuid as order_id, random() as type_draw, random() as status_draw,
            'user-' || floor(1000 * random() ^ 3)::integer as user_id,
            (array['SOL/USDC', 'SOL/USDT', 'BONK/SOL', 'JUP/USDC', 'RAY/USDC'])[1 + floor(5 * random() ^ 3)::integer]
                as pair,
            %(end)s::timestamptz - interval '90 days' * (1 - sqrt(number::float8 / %(orders)s)) as created_at
        from generate_series(1, %(orders)s) as number
    ), typed as (
        select
            *,
            case when type_draw < 0.9 then 'market' when type_draw < 0.982 then 'limit' else 'sniper' end as type
        from drawn
    ), judged as (
        select *, case
            when type = 'market' then case when status_draw < 0.95 then 'confirmed' else 'failed' end
            when status_draw < 0.5 or pair = %(quiet)s then 'confirmed'
            when status_draw < 0.8 then 'cancelled'
            when status_draw < 0.98 then 'expired'
            else 'open'
        end as status
        from typed
    )
    insert into orders ({columns}, recorded_at)
    select {values}, judged.created_at + interval '3 seconds' from judged, template
"""
_DRAWN = {
    "order_id": "judged.order_id",
    "user_id": "judged.user_id",
    "type": "judged.type",
    "pair": "case when judged.type = 'sniper' then 'mint-' || mod(number, 500) || '/SOL' else judged.pair end",
    "status": "judged.status",
    "tx_hash": "case when judged.status = 'confirmed' then 'tx-' || judged.order_id end",
    "dex_used": "case when judged.status = 'confirmed' then (array['raydium', 'meteora'])[1 + mod(number, 2)] end",
    "fail_code": "case when judged.status = 'failed' then 'SLIPPAGE_EXCEEDED' end",
    "slippage_pct": "case when judged.status = 'confirmed' then round(status_draw::numeric, 4) end",
    "gain_pct": "case when judged.status = 'confirmed' then round(type_draw::numeric * 5, 8) end",
    "slippage_used_pct": "case when judged.status = 'confirmed' then round(100 * type_draw::numeric, 4) end",
    "preview_gain_pct": "case when judged.status = 'confirmed' then round(status_draw::numeric - 0.5, 4) end",
    "quoting_ms": "case when judged.status = 'confirmed' then 150 + (100 * type_draw)::integer end",
    "building_ms": "case when judged.status = 'confirmed' then (20 * status_draw)::integer end",
    "landing_ms": "case when judged.status = 'confirmed' then 2000 + (1000 * type_draw)::integer end",
    "missed_triggers": "case when judged.type = 'limit' and mod(number, 10) = 0 then 1 + mod(number, 3) end",
    "retry_codes": "case when mod(number, 20) = 0 then array['STALE_QUOTE'] end",
    "created_at": "judged.created_at",
    "started_at": "judged.created_at + interval '40 ms' * (1 + status_draw)",
    "updated_at": "judged.created_at + interval '2 seconds' * (1 + status_draw)",
}
_EVENTS = """
    insert into order_events (order_id, seq, status, attempt, at, kind, meta)
    select orders.order_id, event.seq, event.status, event.attempt, orders.created_at, event.kind, event.meta
    from orders, jsonb_to_recordset(%(events)s::jsonb)
        as event (seq integer, status text, attempt integer, kind text, meta jsonb)
    where orders.order_id < '19999999-9999-9999-9999-999999999999'
"""


def fill(url: str, orders: int) -> None:
    """Migrate an empty database to the newest schema and fill it; indexes are built when the rows are there."""
    migrate(url)
    order = confirmed(pending())
    columns = sql.SQL(", ").join(map(sql.Identifier, ORDER_COLUMNS))
    values = sql.SQL(", ").join(
        sql.SQL(_DRAWN[column]) if column in _DRAWN else sql.Identifier("template", column)
        for column in ORDER_COLUMNS
    )
    with psycopg.connect(url, autocommit=True) as connection:
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("drop index {}").format(sql.Identifier(name)))
        # Every event belongs to an order, so the checks of foreign keys would only cost time.
        connection.execute("set session_replication_role = replica")
        connection.execute("select setseed(0.5)")
        connection.execute(
            sql.SQL(_ORDERS).format(columns=columns, values=values),
            {"order": dumps(order_row(order)), "orders": orders, "end": END, "quiet": QUIET_PAIR},
        )
        connection.execute(_EVENTS, {"events": f"[{','.join(map(event_row, order.events))}]"})
        for _, definition in indexes:
            connection.execute(definition.encode())
        connection.execute("vacuum (analyze)")
