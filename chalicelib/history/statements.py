"""The SQL that writes and lists orders."""

from collections.abc import Collection

from psycopg import sql

#: Columns of ``orders`` and the keys of the public record that they hold.
RECORD_KEYS = {
    "order_id": "orderId",
    "user_id": "userId",
    "client_order_id": "clientOrderId",
    "type": "type",
    "side": "side",
    "token_in": "tokenIn",
    "token_out": "tokenOut",
    "amount_in": "amountIn",
    "amount_in_base": "amountInBase",
    "amount_out": "amountOut",
    "amount_out_base": "amountOutBase",
    "min_amount_out": "minAmountOut",
    "status": "status",
    "seq": "seq",
    "attempts": "attempts",
    "dex_used": "dexUsed",
    "executed_price": "executedPrice",
    "limit_price": "limitPrice",
    "time_in_force": "timeInForce",
    "expires_at": "expiresAt",
    "launch": "launch",
    "wait_reason": "waitReason",
    "tx_hash": "txHash",
    "fail_code": "failCode",
    "error_reason": "failReason",
    "quotes": "quotes",
    "created_at": "createdAt",
    "updated_at": "updatedAt",
}
_ALL_COLUMNS = (*RECORD_KEYS, "pair", "slippage_bps", "priority")
#: Read as text: ids and base units are text in the record, and JSON must not be parsed to floats.
_READ_AS_TEXT = frozenset({"order_id", "amount_in_base", "amount_out_base", "quotes", "launch"})


def _names(columns: Collection[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


#: Writes one order with its events and quotes: a single statement, so one round trip, and all or nothing.
#: Its parameters are JSON texts: ``order`` by column name, ``events`` by wire name.
RECORD = (
    sql.SQL(
        """
        with event as materialized (
            select (%(order)s::jsonb ->> 'order_id')::uuid as order_id, e.*
            from jsonb_to_recordset(%(events)s::jsonb)
                as e (seq integer, status text, attempt integer, at timestamptz, meta jsonb)
        ), written_order as (
            insert into orders ({columns})
            select {columns} from jsonb_populate_record(null::orders, %(order)s::jsonb)
            on conflict (order_id) do update set {updates}
            where excluded.seq > orders.seq
        ), written_events as (
            insert into order_events (order_id, seq, status, attempt, at, meta)
            select order_id, seq, status, attempt, at, meta from event
            on conflict do nothing
        )
        insert into order_quotes (
            order_id, seq, venue, attempt, price, amount_out, fee, fee_bps, price_impact_pct, liquidity, chosen, at
        )
        select
            order_id, seq, venue.name, attempt, quote.price, quote."amountOut", quote.fee, quote."feeBps",
            quote."priceImpactPct", quote.liquidity, venue.name = meta ->> 'chosen', at
        from event
        cross join (values ('raydium', 'rQuote'), ('meteora', 'mQuote')) as venue (name, key)
        cross join jsonb_to_record(meta -> venue.key) as quote (
            price numeric, "amountOut" numeric, fee numeric, "feeBps" numeric,
            "priceImpactPct" numeric, liquidity numeric
        )
        where jsonb_typeof(meta -> venue.key) = 'object'
        on conflict do nothing
        """
    )
    .format(
        columns=_names(_ALL_COLUMNS),
        updates=sql.SQL(", ").join(
            sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column)) for column in _ALL_COLUMNS
        ),
    )
    .as_string()
)

#: What an ``OrderFilter`` field, and ``after`` for the cursor, ask of an order.
_CONDITIONS = {
    "user_id": sql.SQL("user_id = %(user_id)s"),
    "status": sql.SQL("status = %(status)s"),
    "type": sql.SQL("type = %(type)s"),
    "pair": sql.SQL("pair = %(pair)s"),
    "client_order_id": sql.SQL("client_order_id = %(client_order_id)s"),
    "since": sql.SQL("created_at >= %(since)s"),
    "until": sql.SQL("created_at < %(until)s"),
    "after_id": sql.SQL("(created_at, order_id) < (%(after_time)s, %(after_id)s)"),
}


def _read(column: str) -> sql.Composed:
    return sql.SQL("{}::text" if column in _READ_AS_TEXT else "{}").format(sql.Identifier(column))


def page(asked: Collection[str]) -> sql.Composed:
    """Lists orders by ``RECORD_KEYS``, newest first, under the conditions of these names."""
    conditions = [condition for name, condition in _CONDITIONS.items() if name in asked] or [sql.SQL("true")]
    # A bare order_id would be the text that is read, which no index has and a locale may sort otherwise.
    return sql.SQL(
        """
        select {columns} from orders where {conditions}
        order by orders.created_at desc, orders.order_id desc limit %(limit)s
        """
    ).format(columns=sql.SQL(", ").join(map(_read, RECORD_KEYS)), conditions=sql.SQL(" and ").join(conditions))
