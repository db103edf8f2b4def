-- What any provider knows of our buyers: customers, payment methods, subscriptions and their charges; what providers
-- have posted; and what they have been asked for. It takes the place of Braintree's own tables, which nothing wrote.

drop table braintree_transactions;
drop table braintree_subscriptions;
drop table braintree_payment_methods;
drop table braintree_buyers;

create table payment_customers (
    id bigint generated always as identity,
    buyer_id bigint not null,
    -- 1 bango, 2 reference, 3 paypal, 4 braintree, 5 stripe.
    provider smallint not null,
    -- The customer's id at the provider.
    provider_id text not null,
    active boolean not null default true,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint payment_customers_pkey primary key (id),
    -- It also is the index of the foreign key.
    constraint payment_customers_buyer_id_provider_key unique (buyer_id, provider),
    constraint payment_customers_provider_provider_id_key unique (provider, provider_id),
    -- What the payment methods refer to, so that none is of another provider than its customer.
    constraint payment_customers_id_provider_key unique (id, provider),
    constraint payment_customers_buyer_id_fkey foreign key (buyer_id) references buyers (id),
    constraint payment_customers_provider_check check (provider between 1 and 5),
    constraint payment_customers_provider_id_length_check check (char_length(provider_id) between 1 and 255),
    constraint payment_customers_counter_check check (counter >= 0)
);

create table payment_methods (
    id bigint generated always as identity,
    customer_id bigint not null,
    provider smallint not null,
    -- A Fernet token under database.encryption_key: whoever has the provider's token and its key can charge the payer.
    token text not null,
    -- HMAC-SHA256 of the provider's token, so that it can be looked up.
    token_hash bytea not null,
    -- 1 card, 2 account at PayPal, 3 anything else.
    type smallint not null,
    -- The card's brand in the provider's words.
    brand text,
    -- The last four digits; the card number itself never comes here.
    last4 text,
    expiry_month smallint,
    expiry_year smallint,
    active boolean not null default true,
    -- When the provider has forgotten it.
    deleted timestamptz,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint payment_methods_pkey primary key (id),
    constraint payment_methods_provider_token_hash_key unique (provider, token_hash),
    -- What the subscriptions refer to, so that none is of another provider than its payment method.
    constraint payment_methods_id_provider_key unique (id, provider),
    constraint payment_methods_customer_id_provider_fkey
        foreign key (customer_id, provider) references payment_customers (id, provider),
    constraint payment_methods_token_hash_length_check check (octet_length(token_hash) = 32),
    constraint payment_methods_type_check check (type between 1 and 3),
    constraint payment_methods_brand_length_check check (char_length(brand) <= 255),
    -- Too short for a card number.
    constraint payment_methods_last4_length_check check (char_length(last4) <= 4),
    constraint payment_methods_expiry_month_check check (expiry_month between 1 and 12),
    constraint payment_methods_expiry_year_check check (expiry_year between 1 and 9999),
    -- What the provider has forgotten cannot be charged.
    constraint payment_methods_deleted_check check (deleted is null or not active),
    constraint payment_methods_counter_check check (counter >= 0)
);

create index payment_methods_customer_id_idx on payment_methods (customer_id, id);

create table subscriptions (
    id bigint generated always as identity,
    payment_method_id bigint not null,
    provider smallint not null,
    -- The product that the plan stands for, where there is one.
    product_id bigint,
    -- The provider's id of the plan.
    plan text not null,
    -- The subscription's id at the provider.
    provider_id text not null,
    -- 0 pending, 1 active, 2 past due, 3 cancelled, 4 expired.
    status smallint not null,
    -- When the provider has said so in a webhook; webhooks come in any order.
    stated timestamptz,
    -- What is charged each time, where the provider says it.
    amount_minor bigint,
    currency text,
    active boolean not null default true,
    next_billing_date date,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint subscriptions_pkey primary key (id),
    constraint subscriptions_provider_provider_id_key unique (provider, provider_id),
    constraint subscriptions_payment_method_id_provider_fkey
        foreign key (payment_method_id, provider) references payment_methods (id, provider),
    constraint subscriptions_product_id_fkey foreign key (product_id) references products (id),
    constraint subscriptions_status_check check (status between 0 and 4),
    constraint subscriptions_amount_minor_check check (amount_minor between 0 and 999999999),
    constraint subscriptions_amount_currency_check check ((amount_minor is null) = (currency is null)),
    constraint subscriptions_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint subscriptions_plan_length_check check (char_length(plan) between 1 and 255),
    constraint subscriptions_provider_id_length_check check (char_length(provider_id) between 1 and 255),
    constraint subscriptions_counter_check check (counter >= 0)
);

create index subscriptions_payment_method_id_idx on subscriptions (payment_method_id, id);
create index subscriptions_product_id_idx on subscriptions (product_id, id) where product_id is not null;
-- A payer who asks twice does not pay twice.
create unique index subscriptions_payment_method_id_plan_key on subscriptions (payment_method_id, plan) where active;

-- What a provider says about a transaction beyond what every transaction has.
create table provider_charges (
    id bigint generated always as identity,
    transaction_id bigint not null,
    provider smallint not null,
    payment_method_id bigint,
    subscription_id bigint,
    -- The provider's word for what happened, such as `subscription_charged_successfully`.
    kind text not null,
    billing_period_start_date date,
    billing_period_end_date date,
    next_billing_date date,
    -- In the minor units of the transaction's currency.
    next_billing_period_amount_minor bigint,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint provider_charges_pkey primary key (id),
    constraint provider_charges_transaction_id_key unique (transaction_id),
    constraint provider_charges_transaction_id_fkey foreign key (transaction_id) references transactions (id),
    constraint provider_charges_payment_method_id_fkey
        foreign key (payment_method_id) references payment_methods (id),
    constraint provider_charges_subscription_id_fkey foreign key (subscription_id) references subscriptions (id),
    constraint provider_charges_provider_check check (provider between 1 and 5),
    constraint provider_charges_kind_length_check check (char_length(kind) between 1 and 255),
    constraint provider_charges_next_billing_period_amount_check
        check (next_billing_period_amount_minor between 0 and 999999999),
    constraint provider_charges_counter_check check (counter >= 0)
);

create index provider_charges_payment_method_id_idx
    on provider_charges (payment_method_id) where payment_method_id is not null;
create index provider_charges_subscription_id_idx
    on provider_charges (subscription_id) where subscription_id is not null;

-- The inbox: what providers have posted, verified, each event once however often it is delivered.
create table webhook_events (
    id bigint generated always as identity,
    provider smallint not null,
    -- Unique for the provider.
    event_id text not null,
    -- What it is about, in our terms.
    kind text not null,
    -- The provider's word for it.
    provider_kind text not null,
    -- A Fernet token under database.encryption_key: the event in the words of wire, as JSON. It may hold tokens of
    -- payment methods and what is personal.
    payload text not null,
    received timestamptz not null default now(),
    -- Null until what it says has been done.
    applied timestamptz,
    constraint webhook_events_pkey primary key (id),
    constraint webhook_events_provider_event_id_key unique (provider, event_id),
    constraint webhook_events_provider_check check (provider between 1 and 5),
    constraint webhook_events_event_id_length_check check (char_length(event_id) between 1 and 255),
    constraint webhook_events_kind_length_check check (char_length(kind) between 1 and 255),
    constraint webhook_events_provider_kind_length_check check (char_length(provider_kind) <= 255)
);

create index webhook_events_open_idx on webhook_events (id) where applied is null;

-- What a provider is asked to change, written down before it is asked, so that a crash in between is seen and what is
-- asked again is asked under the same id.
create table payment_attempts (
    id bigint generated always as identity,
    -- The provider's idempotency key or merchant reference: a UUID of version 7.
    attempt uuid not null,
    buyer_id bigint not null,
    provider smallint not null,
    -- In the words of wire, such as `subscribe`.
    operation text not null,
    -- What must not be done twice at the same time.
    subject text not null,
    -- HMAC-SHA256 of all that is asked for: what is asked again under the same id must be the same.
    request_hash bytea not null,
    -- The client's key.
    actor text not null,
    -- In the words of wire, or `not_sent`; null while the provider is being asked, and after a crash.
    outcome text,
    -- The provider's id of what it made.
    provider_id text,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint payment_attempts_pkey primary key (id),
    constraint payment_attempts_attempt_key unique (attempt),
    constraint payment_attempts_buyer_id_fkey foreign key (buyer_id) references buyers (id),
    constraint payment_attempts_provider_check check (provider between 1 and 5),
    constraint payment_attempts_operation_length_check check (char_length(operation) between 1 and 255),
    constraint payment_attempts_subject_length_check check (char_length(subject) between 1 and 1024),
    constraint payment_attempts_request_hash_length_check check (octet_length(request_hash) = 32),
    constraint payment_attempts_actor_length_check check (char_length(actor) between 1 and 255),
    constraint payment_attempts_outcome_check
        check (
            outcome in (
                'succeeded', 'requires_action', 'pending', 'declined', 'rejected', 'unknown', 'not_sent'
            )
        ),
    constraint payment_attempts_provider_id_length_check check (char_length(provider_id) between 1 and 255),
    constraint payment_attempts_counter_check check (counter >= 0)
);

create index payment_attempts_buyer_id_idx on payment_attempts (buyer_id, id);
-- Of one thing there is at most one attempt whose outcome is not known.
create unique index payment_attempts_open_key on payment_attempts (provider, operation, subject)
    where outcome is null or outcome = 'unknown';
