-- migrate: outside a transaction

-- No list and no statistic reads it; the rows of the backfill need not enter it.
drop index concurrently if exists orders_by_tx_hash;

-- Fills the columns of 0005, oldest orders first, up to those that are recorded meanwhile. Each batch commits, so a
-- record of an order waits for one batch at most. Orders that the previous version records after this have no
-- value: statistics leave them out.
do $$
declare
    batch_size   constant integer := 1000;
    after_time   timestamptz := '-infinity';
    after_id     uuid := '00000000-0000-0000-0000-000000000000';
    batch        uuid[];
begin
    loop
        select array_agg(order_id order by created_at, order_id) into batch
        from (
            select order_id, created_at from orders
            where (created_at, order_id) > (after_time, after_id)
            order by created_at, order_id limit batch_size
        ) as next;
        exit when batch is null;
        update orders set started_at = found.started_at, gain_pct = found.gain_pct
        from (
            select
                filled.order_id,
                (
                    select min(event.at) from order_events as event
                    where event.order_id = filled.order_id and event.status = 'routing'
                ) as started_at,
                (
                    select round((max(quote.amount_out) / min(quote.amount_out) - 1) * 100, 8)
                    from order_quotes as quote
                    where filled.status = 'confirmed'
                        and quote.order_id = filled.order_id
                        and quote.seq = (select max(seq) from order_quotes where order_id = filled.order_id)
                    having count(*) > 1 and min(quote.amount_out) > 0
                ) as gain_pct
            from orders as filled
            where filled.order_id = any(batch) and filled.started_at is null
        ) as found
        where orders.order_id = found.order_id and found.started_at is not null;
        select created_at, order_id into after_time, after_id
        from orders where order_id = batch[cardinality(batch)];
        commit;
    end loop;
end $$;

-- The backfill leaves a dead row for each order.
vacuum (analyze) orders;
