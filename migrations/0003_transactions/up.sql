-- Payments, refunds and reversals, who changed their status, and which revenue has been reported.

create table transactions (
    id bigint generated always as identity,
    uuid text not null,
    -- In the currency's minor units (ISO 4217): 99 is 0.99 EUR or 99 JPY.
    amount_minor bigint,
    currency text,
    buyer_id bigint,
    seller_id bigint,
    product_id bigint,
    -- 1 bango, 2 reference, 3 paypal, 4 braintree, 5 stripe.
    provider smallint,
    region text,
    carrier text,
    source text,
    -- 0 payment, 1 refund, 2 reversal, 3 manual refund, 4 manual reversal.
    type smallint not null default 0,
    -- 0 pending, 1 completed, 2 checked, 3 received, 4 failed, 5 cancelled, 6 started, 7 errored.
    status smallint not null default 6,
    status_reason text,
    uid_pay text,
    uid_support text,
    pay_url text,
    -- The payment that a refund or reversal belongs to.
    related_id bigint,
    notes text,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint transactions_pkey primary key (id),
    constraint transactions_uuid_key unique (uuid),
    -- Unset ids and providers never collide: nulls are distinct.
    constraint transactions_uid_pay_provider_key unique (uid_pay, provider),
    constraint transactions_uid_support_provider_key unique (uid_support, provider),
    constraint transactions_buyer_id_fkey foreign key (buyer_id) references buyers (id),
    constraint transactions_seller_id_fkey foreign key (seller_id) references sellers (id),
    constraint transactions_product_id_fkey foreign key (product_id) references products (id),
    constraint transactions_related_id_fkey foreign key (related_id) references transactions (id),
    constraint transactions_related_id_check check (related_id <> id),
    -- Nine digits, as in the original's decimal(9, 2).
    constraint transactions_amount_minor_check check (amount_minor between 0 and 999999999),
    -- Minor units mean nothing without their currency.
    constraint transactions_amount_currency_check check ((amount_minor is null) = (currency is null)),
    constraint transactions_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint transactions_provider_check check (provider between 1 and 5),
    constraint transactions_type_check check (type between 0 and 4),
    constraint transactions_status_check check (status between 0 and 7),
    constraint transactions_uuid_length_check check (char_length(uuid) between 1 and 255),
    constraint transactions_region_length_check check (char_length(region) <= 255),
    constraint transactions_carrier_length_check check (char_length(carrier) <= 255),
    constraint transactions_source_length_check check (char_length(source) <= 255),
    constraint transactions_status_reason_length_check check (char_length(status_reason) <= 255),
    constraint transactions_uid_pay_length_check check (char_length(uid_pay) <= 255),
    constraint transactions_uid_support_length_check check (char_length(uid_support) <= 255),
    constraint transactions_pay_url_length_check check (char_length(pay_url) <= 255),
    constraint transactions_counter_check check (counter >= 0)
);

-- The foreign keys, and the filters of the list, which is ordered by id.
create index transactions_seller_id_idx on transactions (seller_id, id) where seller_id is not null;
create index transactions_product_id_idx on transactions (product_id, id) where product_id is not null;
create index transactions_buyer_id_idx on transactions (buyer_id, id) where buyer_id is not null;
create index transactions_related_id_idx on transactions (related_id, id) where related_id is not null;
create index transactions_provider_idx on transactions (provider, id) where provider is not null;
-- The latest failed transaction of each product.
create index transactions_failed_idx on transactions (product_id, id desc) where status = 4;
-- What can be reported as revenue: completed and checked.
create index transactions_revenue_idx on transactions (id) where status in (1, 2);

-- The audit trail; rows are only ever added.
create table transaction_events (
    id bigint generated always as identity,
    transaction_id bigint not null,
    -- The client's key, or `provider:NAME` when the provider said so.
    actor text not null,
    -- Null on the first event, the transaction's creation.
    old_status smallint,
    new_status smallint not null,
    status_reason text,
    created timestamptz not null default now(),
    constraint transaction_events_pkey primary key (id),
    constraint transaction_events_transaction_id_fkey foreign key (transaction_id) references transactions (id),
    constraint transaction_events_old_status_check check (old_status between 0 and 7),
    constraint transaction_events_new_status_check check (new_status between 0 and 7),
    -- An event that changes nothing is no event.
    constraint transaction_events_change_check check (old_status is distinct from new_status),
    constraint transaction_events_actor_length_check check (char_length(actor) between 1 and 255)
);

create index transaction_events_transaction_id_idx on transaction_events (transaction_id, id);

-- Which transaction has been written to which report, so that revenue is reported once for ever.
create table transaction_log (
    id bigint generated always as identity,
    transaction_id bigint not null,
    -- 1 revenue.
    type smallint not null,
    created timestamptz not null default now(),
    constraint transaction_log_pkey primary key (id),
    constraint transaction_log_transaction_id_type_key unique (transaction_id, type),
    constraint transaction_log_transaction_id_fkey foreign key (transaction_id) references transactions (id),
    constraint transaction_log_type_check check (type = 1)
);
