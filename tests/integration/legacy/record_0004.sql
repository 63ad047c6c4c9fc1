-- The statement that records an order, of the version before migration 0005.
with event as materialized (
    select (%(order)s::jsonb ->> 'order_id')::uuid as order_id, e.*
    from jsonb_to_recordset(%(events)s::jsonb)
        as e (seq integer, status text, attempt integer, at timestamptz, kind text, meta jsonb)
), written_order as (
    insert into orders ("order_id", "user_id", "client_order_id", "type", "side", "pair", "token_in", "token_out", "amount_in", "amount_in_base", "amount_out", "amount_out_base", "min_amount_out", "slippage_bps", "priority", "status", "seq", "attempts", "dex_used", "executed_price", "slippage_pct", "limit_price", "time_in_force", "expires_at", "launch", "wait_reason", "tx_hash", "fail_code", "error_reason", "quotes", "created_at", "updated_at")
    select "order_id", "user_id", "client_order_id", "type", "side", "pair", "token_in", "token_out", "amount_in", "amount_in_base", "amount_out", "amount_out_base", "min_amount_out", "slippage_bps", "priority", "status", "seq", "attempts", "dex_used", "executed_price", "slippage_pct", "limit_price", "time_in_force", "expires_at", "launch", "wait_reason", "tx_hash", "fail_code", "error_reason", "quotes", "created_at", "updated_at" from jsonb_populate_record(null::orders, %(order)s::jsonb)
    on conflict (order_id) do update set "order_id" = excluded."order_id", "user_id" = excluded."user_id", "client_order_id" = excluded."client_order_id", "type" = excluded."type", "side" = excluded."side", "pair" = excluded."pair", "token_in" = excluded."token_in", "token_out" = excluded."token_out", "amount_in" = excluded."amount_in", "amount_in_base" = excluded."amount_in_base", "amount_out" = excluded."amount_out", "amount_out_base" = excluded."amount_out_base", "min_amount_out" = excluded."min_amount_out", "slippage_bps" = excluded."slippage_bps", "priority" = excluded."priority", "status" = excluded."status", "seq" = excluded."seq", "attempts" = excluded."attempts", "dex_used" = excluded."dex_used", "executed_price" = excluded."executed_price", "slippage_pct" = excluded."slippage_pct", "limit_price" = excluded."limit_price", "time_in_force" = excluded."time_in_force", "expires_at" = excluded."expires_at", "launch" = excluded."launch", "wait_reason" = excluded."wait_reason", "tx_hash" = excluded."tx_hash", "fail_code" = excluded."fail_code", "error_reason" = excluded."error_reason", "quotes" = excluded."quotes", "created_at" = excluded."created_at", "updated_at" = excluded."updated_at", recorded_at = clock_timestamp()
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
