"""The SQL that sums up how well orders were executed."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from psycopg import sql

from chalicelib.ports.history import ExecutionQuality, Percentiles

#: Orders that one call sums up: more than the default rate limit lets start in a day.
MAX_ORDERS = 200_000

_CONDITIONS = {
    "user_id": sql.SQL("user_id = %(user_id)s"),
    "since": sql.SQL("created_at >= %(since)s"),
    "until": sql.SQL("created_at < %(until)s"),
}
#: A single row about the newest ``limit`` orders under the conditions; ``covered_since`` is the oldest of them if
#: there may be more. Percentiles are values that occurred, in whole milliseconds; averages have four places. The
#: indexes orders_scored_by_time and orders_scored_by_user each have every column that this reads; reading one twice
#: costs less than a temporary file of the rows.
_QUALITY = sql.SQL(
    """
with recent as not materialized (
    select
        created_at, status, attempts, dex_used, fail_code, missed_triggers, retry_codes,
        slippage_pct, slippage_used_pct, gain_pct, preview_gain_pct, quoting_ms, building_ms, landing_ms,
        (1000 * date_part('epoch', started_at - created_at))::bigint as to_start,
        (1000 * date_part('epoch', updated_at - created_at))::bigint as to_end,
        type = 'market' as starts_at_once
    from orders where {conditions}
    order by created_at desc, orders.order_id desc limit %(limit)s
), counted as (
    select
        status, fail_code, dex_used, retry_codes,
        count(*) as number, count(*) filter (where attempts > 1) as retried, min(created_at) as oldest,
        sum(missed_triggers) as missed_triggers, count(missed_triggers) as missed_orders,
        sum(slippage_pct) as slippage, count(slippage_pct) as slipped, max(slippage_pct) as worst_slippage,
        sum(slippage_used_pct) as used, count(slippage_used_pct) as bounded, max(slippage_used_pct) as worst_used,
        sum(gain_pct) as gain, count(gain_pct) as compared,
        sum(preview_gain_pct) as excess, count(preview_gain_pct) as previewed, min(preview_gain_pct) as worst_excess
    from recent group by status, fail_code, dex_used, retry_codes
), timed as (
    select
        percentile_disc(array[0.5, 0.95, 0.99]) within group (order by to_start)
            filter (where starts_at_once) as to_start,
        percentile_disc(array[0.5, 0.95, 0.99]) within group (order by quoting_ms) as quoting,
        percentile_disc(array[0.5, 0.95, 0.99]) within group (order by building_ms) as building,
        percentile_disc(array[0.5, 0.95, 0.99]) within group (order by landing_ms) as landing,
        percentile_disc(array[0.5, 0.95, 0.99]) within group (order by to_end)
            filter (where starts_at_once) as to_end
    from recent where status = 'confirmed'
)
select
    (
        select coalesce(jsonb_object_agg(status, number), '{{}}')
        from (select status, sum(number) as number from counted group by status) as by_status
    ) as orders,
    (
        select coalesce(jsonb_object_agg(fail_code, number), '{{}}')
        from (
            select fail_code, sum(number) as number from counted where fail_code is not null group by fail_code
        ) as by_code
    ) as failures,
    (
        select coalesce(jsonb_object_agg(dex_used, number), '{{}}')
        from (
            select dex_used, sum(number) as number from counted where status = 'confirmed' group by dex_used
        ) as by_venue
    ) as venues,
    (
        select coalesce(jsonb_object_agg(code, number), '{{}}')
        from (select code, sum(number) as number from counted, unnest(retry_codes) as code group by code) as by_retry
    ) as retries,
    coalesce(sum(retried), 0)::integer as retried,
    coalesce(sum(missed_orders), 0)::integer as missed_orders,
    coalesce(sum(missed_triggers), 0)::integer as missed_triggers,
    (select to_start from timed) as to_start,
    (select quoting from timed) as quoting,
    (select building from timed) as building,
    (select landing from timed) as landing,
    (select to_end from timed) as to_end,
    round(sum(slippage) / nullif(sum(slipped), 0), 4) as average_slippage,
    max(worst_slippage) as worst_slippage,
    round(sum(used) / nullif(sum(bounded), 0), 4) as average_slippage_used,
    max(worst_used) as worst_slippage_used,
    round(sum(gain) / nullif(sum(compared), 0), 4) as average_routing_gain,
    round(sum(excess) / nullif(sum(previewed), 0), 4) as average_preview_gain,
    min(worst_excess) as worst_preview_gain,
    case when sum(number) = %(limit)s then min(oldest) end as covered_since
from counted
"""
)
_PERCENTILES = [field.name for field in fields(ExecutionQuality) if field.type is Percentiles]


def summary(parameters: Mapping[str, Any]) -> sql.Composed:
    """Sums up the orders under the conditions of these parameters."""
    conditions = [condition for name, condition in _CONDITIONS.items() if name in parameters]
    return _QUALITY.format(conditions=sql.SQL(" and ").join(conditions))


def parameters_of(since: datetime, until: datetime | None = None, user_id: str | None = None) -> dict[str, Any]:
    """The parameters of ``summary``; a condition that is ``None`` has none."""
    asked = {"since": since, "until": until, "user_id": user_id, "limit": MAX_ORDERS}
    return {name: value for name, value in asked.items() if value is not None}


def quality_of(row: Mapping[str, Any]) -> ExecutionQuality:
    """The result of ``summary``, whose columns have the names of the fields."""
    percentiles = {name: Percentiles(*(row[name] or ())) for name in _PERCENTILES}
    return ExecutionQuality(**{**row, **percentiles})
