-- When a row was last written, by the clock of Postgres. A client that polls the list for changes thus also receives an
-- order that was recorded long after its last event.
alter table orders add column recorded_at  timestamptz;
update orders set recorded_at = updated_at;
alter table orders
    alter column recorded_at set default clock_timestamp(),
    alter column recorded_at set not null;

create index orders_by_record on orders (recorded_at);
create index orders_of_user_by_record on orders (user_id, recorded_at);
