-- migrate: outside a transaction

-- Statistics read this index alone. It also serves the list without a filter, in place of orders_newest.
create index concurrently if not exists orders_by_time on orders (created_at, order_id)
    include (status, type, attempts, dex_used, fail_code, updated_at, started_at, slippage_pct, gain_pct);
drop index concurrently if exists orders_newest;

-- The entries of one user hold the other filters, so that a list reads no row that it does not show.
create index concurrently if not exists orders_of_user
    on orders (user_id, created_at, order_id, status, type, pair);
drop index concurrently if exists orders_by_user;

-- Lists of all users by type, status, pair and any of them together (history/lists.py). The previous version needs
-- orders_by_status and orders_by_pair, and writes order_quotes: a migration of the next release drops all three.
create index concurrently if not exists orders_by_type on orders (type, status, created_at, order_id);
create index concurrently if not exists orders_by_market on orders (pair, type, status, created_at, order_id);
