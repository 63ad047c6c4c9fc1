-- The history of orders, for lists, audits and analysis. The orders table in DynamoDB is the truth; this is its copy,
-- so nothing here judges what the engine did: no check on statuses, and a transaction hash may appear twice
-- (were that ever to happen, the copy must show it and not refuse it).

-- Amounts and prices are exact, in human units; *_base are integers in the token's base units (unsigned 64-bit on chain).
-- Prices are quote per base. Times have milliseconds.
create table orders (
    order_id         uuid            primary key,
    user_id          text            not null,
    client_order_id  text,
    type             text            not null,
    side             text            not null,
    pair             text            not null,  -- base/quote, as in SOL/USDC
    token_in         text            not null,
    token_out        text            not null,
    amount_in        numeric         not null,
    amount_in_base   numeric(20, 0)  not null,
    amount_out       numeric,
    amount_out_base  numeric(20, 0),
    min_amount_out   numeric,
    slippage_bps     integer         not null,
    priority         text            not null,
    status           text            not null,
    seq              integer         not null,
    attempts         integer         not null,
    dex_used         text,
    executed_price   numeric,
    limit_price      numeric,
    expires_at       timestamptz(3),
    tx_hash          text,
    fail_code        text,
    error_reason     text,
    quotes           jsonb,
    created_at       timestamptz(3)  not null,
    updated_at       timestamptz(3)  not null
);

-- Each list filter walks one of these backwards from the cursor: newest first, no sorting, no offset.
create index orders_newest on orders (created_at, order_id);
create index orders_by_user on orders (user_id, created_at, order_id);
create index orders_by_status on orders (status, created_at, order_id);
create index orders_by_pair on orders (pair, created_at, order_id);
create index orders_by_client_order_id on orders (client_order_id, created_at, order_id)
    where client_order_id is not null;
create index orders_by_tx_hash on orders (tx_hash) where tx_hash is not null;

create table order_events (
    order_id  uuid            not null references orders,
    seq       integer         not null,
    status    text            not null,
    attempt   integer         not null,
    at        timestamptz(3)  not null,
    meta      jsonb           not null,
    primary key (order_id, seq)
);

-- What each venue offered, by the routing event that brought it: one attempt may be quoted more than once
-- (a worker was lost, or a limit order went back to open), and only the last quotes were traded on.
create table order_quotes (
    order_id          uuid            not null,
    seq               integer         not null,
    venue             text            not null,
    attempt           integer         not null,
    price             numeric,
    amount_out        numeric,
    fee               numeric,
    fee_bps           numeric,
    price_impact_pct  numeric,
    liquidity         numeric,
    chosen            boolean         not null,
    at                timestamptz(3)  not null,
    primary key (order_id, seq, venue),
    foreign key (order_id, seq) references order_events
);
