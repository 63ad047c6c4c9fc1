-- How well an order was executed, written with the order (history/scores.py). Percentages and whole milliseconds are
-- those of confirmed orders. retry_codes has a failure code for each retry; null is none, as in missed_triggers.
alter table orders
    add column quoting_ms         integer,
    add column building_ms        integer,
    add column landing_ms         integer,
    add column missed_triggers    integer,
    add column retry_codes        text[],
    add column slippage_used_pct  numeric,
    add column preview_gain_pct   numeric;
