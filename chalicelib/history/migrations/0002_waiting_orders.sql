-- What limit and sniper orders wait for. A launch is as the record shows it: mint, venue, minLiquidity, maxPrice.
alter table orders
    add column time_in_force  text,
    add column launch         jsonb,
    add column wait_reason    text;
