"""The SQL that sums up how well orders were executed."""

#: One row with one JSON text: what became of the orders accepted since ``since``. Percentiles are of values that
#: occurred; latencies are of market orders, in whole milliseconds from acceptance; averages have four places.
QUALITY = """
with recent as materialized (
    select * from orders where created_at >= %(since)s
), timed as (
    select
        round(extract(epoch from started.at - recent.created_at) * 1000)::bigint as to_start,
        round(extract(epoch from recent.updated_at - recent.created_at) * 1000)::bigint as to_end
    from recent
    join order_events as started on started.order_id = recent.order_id and started.seq = 2
    where recent.type = 'market' and recent.status = 'confirmed'
), filled as (
    select (ended.meta ->> 'slippagePct')::numeric as slippage
    from recent
    join order_events as ended on ended.order_id = recent.order_id and ended.seq = recent.seq
    where recent.status = 'confirmed'
), compared as (
    select r as raydium, m as meteora
    from recent
    cross join lateral (
        select (quotes #>> '{rQuote,amountOut}')::numeric as r, (quotes #>> '{mQuote,amountOut}')::numeric as m
    ) as offered
    where status = 'confirmed' and least(r, m) > 0 and r is not null and m is not null
)
select jsonb_build_object(
    'orders', (
        select coalesce(jsonb_object_agg(status, number), '{}')
        from (select status, count(*) as number from recent group by status) as counted
    ),
    'failures', (
        select coalesce(jsonb_object_agg(fail_code, number), '{}')
        from (
            select fail_code, count(*) as number from recent where fail_code is not null group by fail_code
        ) as counted
    ),
    'venues', (
        select coalesce(jsonb_object_agg(dex_used, number), '{}')
        from (select dex_used, count(*) as number from recent where status = 'confirmed' group by dex_used) as counted
    ),
    'retried', (select count(*) from recent where attempts > 1),
    'latencyMs', (
        select jsonb_build_object(
            'toStart', jsonb_build_object(
                'p50', percentile_disc(0.5) within group (order by to_start),
                'p95', percentile_disc(0.95) within group (order by to_start),
                'p99', percentile_disc(0.99) within group (order by to_start)
            ),
            'toEnd', jsonb_build_object(
                'p50', percentile_disc(0.5) within group (order by to_end),
                'p95', percentile_disc(0.95) within group (order by to_end),
                'p99', percentile_disc(0.99) within group (order by to_end)
            )
        ) from timed
    ),
    'slippagePct', (
        select jsonb_build_object('average', round(avg(slippage), 4), 'worst', max(slippage)) from filled
    ),
    'routingGainPct', (
        select jsonb_build_object(
            'average', round(avg((greatest(raydium, meteora) / least(raydium, meteora) - 1) * 100), 4)
        ) from compared
    )
)::text
"""
