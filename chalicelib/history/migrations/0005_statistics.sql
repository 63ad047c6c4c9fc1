-- The start of the first attempt, and the advantage of the best quote over the worst in percent (confirmed orders):
-- statistics then read one index and neither events nor quotes.
alter table orders
    add column started_at  timestamptz(3),
    add column gain_pct    numeric;

-- Only vacuumed pages let an index alone answer; by default a fifth of the table must be new before they are vacuumed.
alter table orders set (
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 10000
);
