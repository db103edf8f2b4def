-- What a product costs where the operator has said so, and under which attempt a charge was asked for.

create table product_plans (
    product_id bigint not null,
    -- Null when any amount may be paid.
    amount_minor bigint,
    -- Of every charge for this product.
    currency text not null,
    -- Whether it is charged again and again, so that it needs a subscription.
    recurring boolean not null default false,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint product_plans_pkey primary key (product_id),
    constraint product_plans_product_id_fkey foreign key (product_id) references products (id),
    constraint product_plans_amount_minor_check check (amount_minor between 1 and 999999999),
    constraint product_plans_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint product_plans_counter_check check (counter >= 0)
);

-- The provider's idempotency key or merchant reference: a UUID of version 7. Null for what the provider began itself.
alter table provider_charges add column attempt uuid;
alter table provider_charges add constraint provider_charges_attempt_key unique (attempt);
