"""The SQL that sums up how well orders were executed."""

from typing import Any

from chalicelib.ports.history import ExecutionQuality, Percentiles

#: A single row about the orders accepted since ``since``. Percentiles are values that occurred; latencies are of
#: confirmed market orders in whole milliseconds from acceptance; averages have four places. The routing gain compares
#: the best quote with the worst, where at least two venues had one.
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
), compared as (
    select max(quote.amount_out) as best, min(quote.amount_out) as worst
    from recent
    join order_quotes as quote on quote.order_id = recent.order_id
    where recent.status = 'confirmed'
        and quote.seq = (select max(seq) from order_quotes as last where last.order_id = recent.order_id)
    group by recent.order_id
    having count(*) > 1 and min(quote.amount_out) > 0
)
select
    (
        select coalesce(jsonb_object_agg(status, number), '{}')
        from (select status, count(*) as number from recent group by status) as counted
    ) as orders,
    (
        select coalesce(jsonb_object_agg(fail_code, number), '{}')
        from (
            select fail_code, count(*) as number from recent where fail_code is not null group by fail_code
        ) as counted
    ) as failures,
    (
        select coalesce(jsonb_object_agg(dex_used, number), '{}')
        from (select dex_used, count(*) as number from recent where status = 'confirmed' group by dex_used) as counted
    ) as venues,
    (select count(*) from recent where attempts > 1) as retried,
    (
        select array[
            percentile_disc(0.5) within group (order by to_start),
            percentile_disc(0.95) within group (order by to_start),
            percentile_disc(0.99) within group (order by to_start)
        ] from timed
    ) as to_start,
    (
        select array[
            percentile_disc(0.5) within group (order by to_end),
            percentile_disc(0.95) within group (order by to_end),
            percentile_disc(0.99) within group (order by to_end)
        ] from timed
    ) as to_end,
    (select round(avg(slippage_pct), 4) from recent where status = 'confirmed') as average_slippage,
    (select max(slippage_pct) from recent where status = 'confirmed') as worst_slippage,
    (select round(avg((best / worst - 1) * 100), 4) from compared) as average_routing_gain
"""


def quality_of(row: dict[str, Any]) -> ExecutionQuality:
    """The result of ``QUALITY``, whose columns have the names of the fields."""
    return ExecutionQuality(
        **{**row, "to_start": Percentiles(*row["to_start"]), "to_end": Percentiles(*row["to_end"])}
    )
