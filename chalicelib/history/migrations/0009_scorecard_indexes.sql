-- migrate: outside a transaction

-- Statistics read one of these two alone: of all users' orders, or of one user's. They replace two indexes that begin
-- with the same columns, so that a record writes as many indexes as before.
create index concurrently if not exists orders_scored_by_time on orders (created_at, order_id)
    include (
        status, type, attempts, dex_used, fail_code, updated_at, started_at, slippage_pct, gain_pct,
        quoting_ms, building_ms, landing_ms, missed_triggers, retry_codes, slippage_used_pct, preview_gain_pct
    );
drop index concurrently if exists orders_by_time;

-- Lists need status, type and pair as keys: the scan judges a condition on an included column after it has read the row.
create index concurrently if not exists orders_scored_by_user
    on orders (user_id, created_at, order_id, status, type, pair)
    include (
        attempts, dex_used, fail_code, updated_at, started_at, slippage_pct, gain_pct,
        quoting_ms, building_ms, landing_ms, missed_triggers, retry_codes, slippage_used_pct, preview_gain_pct
    );
drop index concurrently if exists orders_of_user;
