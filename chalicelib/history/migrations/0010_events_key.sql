-- migrate: outside a transaction

-- Prepares the events for 0011, which makes them the first partition of a table that is partitioned by month. The key
-- of a partition contains the time of the event.
-- compatible: the order and the seq alone are unique already.
create unique index concurrently if not exists order_events_by_time on order_events (order_id, seq, at);

-- A validated check saves the attachment a scan under a lock. Records go on: the bound lies at least a month ahead,
-- and after the last event of a worker whose clock was wrong. A run that is repeated moves the bound.
do $$
declare
    latest  constant timestamptz := greatest(now() + interval '1 month', (select max(at) from order_events));
    bound   constant timestamptz :=
        (date_trunc('month', latest at time zone 'UTC') + interval '1 month') at time zone 'UTC';
begin
    -- compatible: an earlier run of this migration made the constraint.
    alter table order_events drop constraint if exists order_events_first_bound;
    -- compatible: no event is later than the bound.
    execute format('alter table order_events add constraint order_events_first_bound check (at < %L) not valid', bound);
    commit;
end $$;

alter table order_events validate constraint order_events_first_bound;
