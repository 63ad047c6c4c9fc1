-- Events carry their kind, and their data in the engine's own form; events without a kind are of the first form.
alter table order_events
    add column kind  text;

-- Slippage of the fill in percent, so that statistics need not look into the data of events.
alter table orders
    add column slippage_pct  numeric;

update orders set slippage_pct = (ended.meta ->> 'slippagePct')::numeric
from order_events as ended
where ended.order_id = orders.order_id and ended.seq = orders.seq and orders.status = 'confirmed';
