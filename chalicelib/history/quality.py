"""The SQL that sums up how well orders were executed."""

from datetime import datetime
from typing import Any

from chalicelib.ports.history import ExecutionQuality, Percentiles

#: Orders that one call sums up: more than the default rate limit lets start in a day.
MAX_ORDERS = 200_000

#: A single row about the newest ``limit`` orders accepted since ``since``; ``covered_since`` is the oldest of them if
#: there may be more. Percentiles are values that occurred; latencies are of confirmed market orders in whole
#: milliseconds from acceptance; averages have four places. The index orders_by_time has every column that this reads;
#: reading it twice costs less than a temporary file of the rows.
QUALITY = """
with recent as not materialized (
    select
        created_at, status, attempts, dex_used, fail_code, slippage_pct, gain_pct,
        round(extract(epoch from started_at - created_at) * 1000)::bigint as to_start,
        round(extract(epoch from updated_at - created_at) * 1000)::bigint as to_end,
        type = 'market' and status = 'confirmed' as is_timed
    from orders where created_at >= %(since)s
    order by created_at desc, orders.order_id desc limit %(limit)s
), counted as (
    select
        status, fail_code, dex_used, count(*) as number, count(*) filter (where attempts > 1) as retried,
        min(created_at) as oldest,
        sum(slippage_pct) as slippage, count(slippage_pct) as slipped, max(slippage_pct) as worst_slippage,
        sum(gain_pct) as gain, count(gain_pct) as compared
    from recent group by status, fail_code, dex_used
), timed as (
    select
        percentile_disc(array[0.5, 0.95, 0.99]) within group (order by to_start) as to_start,
        percentile_disc(array[0.5, 0.95, 0.99]) within group (order by to_end) as to_end
    from recent where is_timed
)
select
    (
        select coalesce(jsonb_object_agg(status, number), '{}')
        from (select status, sum(number) as number from counted group by status) as by_status
    ) as orders,
    (
        select coalesce(jsonb_object_agg(fail_code, number), '{}')
        from (
            select fail_code, sum(number) as number from counted where fail_code is not null group by fail_code
        ) as by_code
    ) as failures,
    (
        select coalesce(jsonb_object_agg(dex_used, number), '{}')
        from (
            select dex_used, sum(number) as number from counted where status = 'confirmed' group by dex_used
        ) as by_venue
    ) as venues,
    coalesce(sum(retried), 0)::integer as retried,
    (select to_start from timed) as to_start,
    (select to_end from timed) as to_end,
    round(sum(slippage) / nullif(sum(slipped), 0), 4) as average_slippage,
    max(worst_slippage) as worst_slippage,
    round(sum(gain) / nullif(sum(compared), 0), 4) as average_routing_gain,
    case when sum(number) = %(limit)s then min(oldest) end as covered_since
from counted
"""


def parameters_of(since: datetime) -> dict[str, Any]:
    return {"since": since, "limit": MAX_ORDERS}


def quality_of(row: dict[str, Any]) -> ExecutionQuality:
    """The result of ``QUALITY``, whose columns have the names of the fields."""
    percentiles = {name: Percentiles(*(row[name] or ())) for name in ("to_start", "to_end")}
    return ExecutionQuality(**{**row, **percentiles})
