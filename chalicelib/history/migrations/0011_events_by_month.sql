-- The events of a month become a table of their own, so that old months go without a delete (history/partitions.py).
-- The time of an event is stored with the order and never changes: an event that is recorded again finds its row. The
-- previous version records as before. Nothing is copied or scanned: all that is there becomes the first partition.

-- Writers pass this lock. An autovacuum ends for it, and does not begin again.
set local lock_timeout = '10s';
lock table orders, order_events, order_quotes in share update exclusive mode;

-- Writers lock the same tables in any order. A wait that ends before PostgreSQL looks for deadlocks fails no record.
set local lock_timeout = '500ms';
lock table orders, order_events, order_quotes in access exclusive mode;

-- Without these keys a change of partitions locks the events alone. One statement writes an order with its events, so
-- neither row is ever there without the other.
-- compatible: no statement of the running version depends on a foreign key.
alter table order_quotes drop constraint order_quotes_order_id_seq_fkey;
-- compatible: as above.
alter table order_events drop constraint order_events_order_id_fkey;

-- compatible: a table of the same name and columns takes its place in this transaction.
alter table order_events rename to order_events_first;
-- compatible: the index of the next statement has the same first columns, and the running version names no target for
-- its conflicts.
alter table order_events_first drop constraint order_events_pkey;
-- compatible: the key before had fewer columns.
alter table order_events_first add constraint order_events_first_pkey primary key using index order_events_by_time;

create table order_events (like order_events_first, primary key (order_id, seq, at)) partition by range (at);

do $$
declare
    bound  constant timestamptz := (
        select substring(pg_get_constraintdef(oid) from '''(.+)''')::timestamptz from pg_constraint
        where conrelid = 'order_events_first'::regclass and conname = 'order_events_first_bound'
    );
begin
    execute format(
        'alter table order_events attach partition order_events_first for values from (minvalue) to (%L)', bound
    );
end $$;

-- compatible: the bound of the partition says the same.
alter table order_events_first drop constraint order_events_first_bound;

-- An event of a month without a partition is kept here: no record fails for the lack of a partition.
create table order_events_default partition of order_events default;

-- Who may use the events, by the whole table or by columns, may use the table that takes their place. The migrating
-- role is not always the one that owns or records them.
do $$
declare
    old  constant oid := 'order_events_first'::regclass;
    granted  record;
begin
    execute (select format('alter table order_events owner to %I', pg_get_userbyid(relowner)) from pg_class where oid = old);
    execute (
        select format('alter table order_events_default owner to %I', pg_get_userbyid(relowner)) from pg_class where oid = old
    );
    for granted in
        select format(
            'grant %s%s on order_events to %s%s',
            entry.privilege_type,
            ' (' || quote_ident(attname) || ')',
            case entry.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(entry.grantee)) end,
            case when entry.is_grantable then ' with grant option' end
        ) as statement
        from (
            select null as attname, relacl as acl from pg_class where oid = old
            union all
            select attname, attacl from pg_attribute where attrelid = old
        ) as rights, aclexplode(acl) as entry
    loop
        execute granted.statement;
    end loop;
end $$;
