drop table payment_attempts;
drop table webhook_events;
drop table provider_charges;
drop table subscriptions;
drop table payment_methods;
drop table payment_customers;

-- Braintree's own tables again, as 0006 has made them.

create table braintree_buyers (
    id bigint generated always as identity,
    buyer_id bigint not null,
    -- The customer's id at Braintree.
    braintree_id text not null,
    active boolean not null default true,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint braintree_buyers_pkey primary key (id),
    constraint braintree_buyers_buyer_id_key unique (buyer_id),
    constraint braintree_buyers_braintree_id_key unique (braintree_id),
    constraint braintree_buyers_buyer_id_fkey foreign key (buyer_id) references buyers (id),
    constraint braintree_buyers_braintree_id_length_check check (char_length(braintree_id) between 1 and 255),
    constraint braintree_buyers_counter_check check (counter >= 0)
);

create table braintree_payment_methods (
    id bigint generated always as identity,
    braintree_buyer_id bigint not null,
    -- The payment method's token at Braintree.
    provider_id text not null,
    -- 1 credit card.
    type smallint not null,
    -- The card's brand.
    type_name text not null,
    -- The last four digits; the card number itself never comes here.
    truncated_id text not null,
    active boolean not null default true,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint braintree_payment_methods_pkey primary key (id),
    constraint braintree_payment_methods_provider_id_key unique (provider_id),
    constraint braintree_payment_methods_braintree_buyer_id_fkey
        foreign key (braintree_buyer_id) references braintree_buyers (id),
    constraint braintree_payment_methods_type_check check (type = 1),
    constraint braintree_payment_methods_provider_id_length_check
        check (char_length(provider_id) between 1 and 255),
    constraint braintree_payment_methods_type_name_length_check check (char_length(type_name) <= 255),
    -- Too short for a card number.
    constraint braintree_payment_methods_truncated_id_length_check check (char_length(truncated_id) <= 4),
    constraint braintree_payment_methods_counter_check check (counter >= 0)
);

create index braintree_payment_methods_braintree_buyer_id_idx
    on braintree_payment_methods (braintree_buyer_id, id);

create table braintree_subscriptions (
    id bigint generated always as identity,
    payment_method_id bigint not null,
    product_id bigint not null,
    -- The subscription's id at Braintree.
    provider_id text not null,
    -- Null when the plan's own price is charged.
    amount_minor bigint,
    currency text,
    active boolean not null default true,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint braintree_subscriptions_pkey primary key (id),
    constraint braintree_subscriptions_provider_id_key unique (provider_id),
    -- It also is the index of the first foreign key.
    constraint braintree_subscriptions_payment_method_id_product_id_key unique (payment_method_id, product_id),
    constraint braintree_subscriptions_payment_method_id_fkey
        foreign key (payment_method_id) references braintree_payment_methods (id),
    constraint braintree_subscriptions_product_id_fkey foreign key (product_id) references products (id),
    constraint braintree_subscriptions_amount_minor_check check (amount_minor between 0 and 999999999),
    constraint braintree_subscriptions_amount_currency_check
        check ((amount_minor is null) = (currency is null)),
    constraint braintree_subscriptions_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint braintree_subscriptions_provider_id_length_check
        check (char_length(provider_id) between 1 and 255),
    constraint braintree_subscriptions_counter_check check (counter >= 0)
);

create index braintree_subscriptions_product_id_idx on braintree_subscriptions (product_id, id);

create table braintree_transactions (
    id bigint generated always as identity,
    transaction_id bigint not null,
    payment_method_id bigint,
    subscription_id bigint,
    -- Braintree's word for what happened, such as `subscription_charged_successfully`.
    kind text not null,
    billing_period_start_date timestamptz,
    billing_period_end_date timestamptz,
    next_billing_date timestamptz,
    -- In the minor units of the transaction's currency.
    next_billing_period_amount_minor bigint,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint braintree_transactions_pkey primary key (id),
    constraint braintree_transactions_transaction_id_key unique (transaction_id),
    constraint braintree_transactions_transaction_id_fkey
        foreign key (transaction_id) references transactions (id),
    constraint braintree_transactions_payment_method_id_fkey
        foreign key (payment_method_id) references braintree_payment_methods (id),
    constraint braintree_transactions_subscription_id_fkey
        foreign key (subscription_id) references braintree_subscriptions (id),
    constraint braintree_transactions_kind_length_check check (char_length(kind) between 1 and 255),
    constraint braintree_transactions_next_billing_period_amount_check
        check (next_billing_period_amount_minor between 0 and 999999999),
    constraint braintree_transactions_counter_check check (counter >= 0)
);

create index braintree_transactions_payment_method_id_idx
    on braintree_transactions (payment_method_id) where payment_method_id is not null;
create index braintree_transactions_subscription_id_idx
    on braintree_transactions (subscription_id) where subscription_id is not null;
