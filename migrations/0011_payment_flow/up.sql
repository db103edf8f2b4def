-- Payments, what providers have been asked about them, their refunds, and the answers that clients may ask for again.

create table payments (
    id bigint generated always as identity,
    -- Of version 7: what clients know it by.
    uuid uuid not null,
    -- The same payment in the generic API.
    transaction_id bigint not null,
    -- 2 reference, 3 paypal, 4 braintree, 5 stripe.
    provider smallint not null,
    seller_id bigint not null,
    product_id bigint not null,
    buyer_id bigint,
    -- The stored method that is charged; null for a nonce or a checkout.
    payment_method_id bigint,
    -- In the currency's minor units (ISO 4217).
    amount_minor bigint not null,
    currency text not null,
    -- Whether the amount is taken as soon as it is authorized.
    capture boolean not null,
    description text,
    -- A JSON object of texts.
    metadata text,
    -- The strongest evidence: 0 created, 1 requires_action, 2 pending, 3 failed, 4 declined, 5 authorized, 6 cancelled,
    -- 7 captured.
    standing smallint not null default 0,
    -- What is shown: the standing, or 8, unknown, while the outcome of an operation is not known.
    status smallint not null default 0,
    captured_minor bigint not null default 0,
    -- By refunds that have succeeded.
    refunded_minor bigint not null default 0,
    -- By refunds that are under way, pending or unknown.
    refunding_minor bigint not null default 0,
    -- Whether nothing more can be captured: the last capture was made, or the rest was given up.
    closed boolean not null default false,
    -- The provider's id of the payment.
    provider_reference text,
    -- The provider's id of the checkout, for one that the payer goes to.
    checkout_reference text,
    -- The provider's ids of the captures, in their order.
    captures text[] not null default '{}',
    -- A Fernet token under database.encryption_key: what the payer must do, as JSON. It may let who has it go on.
    next_action text,
    -- Why it was declined or failed.
    refusal_code text,
    refusal_message text,
    -- retry, other_method or never, after a decline.
    decline_advice text,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint payments_pkey primary key (id),
    constraint payments_uuid_key unique (uuid),
    constraint payments_transaction_id_key unique (transaction_id),
    constraint payments_provider_provider_reference_key unique (provider, provider_reference),
    constraint payments_provider_checkout_reference_key unique (provider, checkout_reference),
    constraint payments_transaction_id_fkey foreign key (transaction_id) references transactions (id),
    constraint payments_seller_id_fkey foreign key (seller_id) references sellers (id),
    constraint payments_product_id_fkey foreign key (product_id) references products (id),
    constraint payments_buyer_id_fkey foreign key (buyer_id) references buyers (id),
    constraint payments_payment_method_id_fkey foreign key (payment_method_id) references payment_methods (id),
    constraint payments_provider_check check (provider between 2 and 5),
    constraint payments_amount_minor_check check (amount_minor between 1 and 999999999),
    constraint payments_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint payments_standing_check check (standing between 0 and 7),
    constraint payments_status_check check (status = standing or status = 8),
    constraint payments_captured_minor_check check (captured_minor between 0 and amount_minor),
    -- The refund rule: whatever runs at the same time, no more goes back than was taken.
    constraint payments_refunded_minor_check
        check (
            refunded_minor >= 0 and refunding_minor >= 0 and refunded_minor + refunding_minor <= captured_minor
        ),
    -- Only what was taken is captured.
    constraint payments_captured_standing_check check ((standing = 7) = (captured_minor > 0)),
    constraint payments_description_length_check check (char_length(description) <= 255),
    constraint payments_metadata_length_check check (char_length(metadata) <= 16384),
    constraint payments_provider_reference_length_check check (char_length(provider_reference) between 1 and 255),
    constraint payments_checkout_reference_length_check check (char_length(checkout_reference) between 1 and 255),
    constraint payments_decline_advice_check check (decline_advice in ('retry', 'other_method', 'never')),
    constraint payments_counter_check check (counter >= 0)
);

-- The foreign keys, and the filters of the list, which is ordered by id.
create index payments_seller_id_idx on payments (seller_id, id);
create index payments_product_id_idx on payments (product_id, id);
create index payments_buyer_id_idx on payments (buyer_id, id) where buyer_id is not null;
create index payments_payment_method_id_idx on payments (payment_method_id) where payment_method_id is not null;
create index payments_provider_idx on payments (provider, id);
create index payments_created_idx on payments (created, id);
-- Nearly all are captured; the others are what is looked for.
create index payments_status_idx on payments (status, id) where status <> 7;

-- What a provider is asked about a payment, written down before it is asked.
create table payment_operations (
    id bigint generated always as identity,
    -- Of version 7: the provider's idempotency key or merchant reference, the same however often it is asked.
    attempt uuid not null,
    payment_id bigint not null,
    -- 0 authorize, 1 start_checkout, 2 complete_checkout, 3 capture, 4 void, 5 refund.
    operation smallint not null,
    -- In the minor units of the payment's currency; null for one that names no amount.
    amount_minor bigint,
    -- What was captured before this capture.
    before_minor bigint not null default 0,
    -- Whether this is the last capture.
    last boolean not null default false,
    -- 0 open: under way, or a crash came between; 1 unknown; 2 watching: the provider will say more; 3 settled.
    state smallint not null default 0,
    -- In the words of wire, or not_sent; null while it is open.
    outcome text,
    -- The provider's id of what it made.
    provider_reference text,
    -- A Fernet token under database.encryption_key: the whole request, as JSON, until it is settled.
    request text,
    -- When a janitor looks at it; null when nobody needs to.
    next_look timestamptz,
    -- How often one has looked.
    looks integer not null default 0,
    -- The client's key.
    actor text not null,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint payment_operations_pkey primary key (id),
    constraint payment_operations_attempt_key unique (attempt),
    constraint payment_operations_payment_id_fkey foreign key (payment_id) references payments (id),
    constraint payment_operations_operation_check check (operation between 0 and 5),
    constraint payment_operations_amount_minor_check check (amount_minor between 1 and 999999999),
    constraint payment_operations_before_minor_check check (before_minor >= 0),
    constraint payment_operations_state_check check (state between 0 and 3),
    -- What is not settled can be asked again and is looked at; what is settled keeps nothing secret.
    constraint payment_operations_settled_check check (state <> 3 or (request is null and next_look is null)),
    constraint payment_operations_open_check check (state = 3 or request is not null),
    constraint payment_operations_outcome_check
        check (
            outcome in (
                'succeeded', 'requires_action', 'pending', 'declined', 'rejected', 'unknown', 'not_sent'
            )
        ),
    constraint payment_operations_provider_reference_length_check
        check (char_length(provider_reference) between 1 and 255),
    constraint payment_operations_looks_check check (looks >= 0),
    constraint payment_operations_actor_length_check check (char_length(actor) between 1 and 255),
    constraint payment_operations_counter_check check (counter >= 0)
);

create index payment_operations_payment_id_idx on payment_operations (payment_id, id);
-- The janitor's queue: only what is not settled is in it.
create index payment_operations_next_look_idx on payment_operations (next_look) where next_look is not null;
-- Of one payment nothing is asked while the outcome of something else is open; refunds have a rule of their own.
create unique index payment_operations_open_key on payment_operations (payment_id)
    where state < 2 and operation <> 5;

create table refunds (
    id bigint generated always as identity,
    -- Of version 7.
    uuid uuid not null,
    payment_id bigint not null,
    -- Null for one that was made at the provider.
    operation_id bigint,
    -- The same refund in the generic API.
    transaction_id bigint not null,
    provider smallint not null,
    amount_minor bigint not null,
    -- 0 created, 1 pending, 2 succeeded, 3 failed.
    standing smallint not null default 0,
    provider_reference text,
    refusal_code text,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint refunds_pkey primary key (id),
    constraint refunds_uuid_key unique (uuid),
    constraint refunds_operation_id_key unique (operation_id),
    constraint refunds_transaction_id_key unique (transaction_id),
    constraint refunds_provider_provider_reference_key unique (provider, provider_reference),
    constraint refunds_payment_id_fkey foreign key (payment_id) references payments (id),
    constraint refunds_operation_id_fkey foreign key (operation_id) references payment_operations (id),
    constraint refunds_transaction_id_fkey foreign key (transaction_id) references transactions (id),
    constraint refunds_provider_check check (provider between 2 and 5),
    constraint refunds_amount_minor_check check (amount_minor between 1 and 999999999),
    constraint refunds_standing_check check (standing between 0 and 3),
    constraint refunds_provider_reference_length_check check (char_length(provider_reference) between 1 and 255),
    constraint refunds_counter_check check (counter >= 0)
);

create index refunds_payment_id_idx on refunds (payment_id, id);

-- What clients have asked for under a key of theirs, and what they were answered.
create table idempotency_keys (
    id bigint generated always as identity,
    -- The client's key.
    client text not null,
    -- Method and path.
    route text not null,
    key text not null,
    -- SHA-256 of the body.
    body_hash bytea not null,
    -- What it began; null for a moment in the transaction that begins it.
    operation_id bigint,
    -- Until when whoever works on it is taken to be alive; null once it is answered.
    leased_until timestamptz,
    -- The HTTP status of the answer; null until there is one.
    status smallint,
    -- A Fernet token under database.encryption_key: the body of the answer, byte for byte.
    body text,
    created timestamptz not null default now(),
    constraint idempotency_keys_pkey primary key (id),
    constraint idempotency_keys_client_route_key_key unique (client, route, key),
    constraint idempotency_keys_operation_id_fkey foreign key (operation_id) references payment_operations (id),
    constraint idempotency_keys_client_length_check check (char_length(client) between 1 and 255),
    constraint idempotency_keys_route_length_check check (char_length(route) between 1 and 255),
    constraint idempotency_keys_key_length_check check (char_length(key) between 1 and 255),
    constraint idempotency_keys_body_hash_length_check check (octet_length(body_hash) = 32),
    constraint idempotency_keys_status_check check (status between 200 and 599),
    constraint idempotency_keys_answer_check
        check ((status is null) = (body is null) and (status is null) <> (leased_until is null))
);

create index idempotency_keys_operation_id_idx on idempotency_keys (operation_id) where operation_id is not null;
-- What may be forgotten.
create index idempotency_keys_created_idx on idempotency_keys (created);
