-- Which of our sellers and products the reference provider knows, and under which of its keys.

create table reference_sellers (
    id bigint generated always as identity,
    seller_id bigint not null,
    reference_id text not null,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint reference_sellers_pkey primary key (id),
    constraint reference_sellers_seller_id_key unique (seller_id),
    -- Two of our sellers that were one there could not be told apart in its notices.
    constraint reference_sellers_reference_id_key unique (reference_id),
    constraint reference_sellers_seller_id_fkey foreign key (seller_id) references sellers (id),
    constraint reference_sellers_reference_id_length_check check (char_length(reference_id) between 1 and 255),
    constraint reference_sellers_counter_check check (counter >= 0)
);

create table reference_products (
    id bigint generated always as identity,
    product_id bigint not null,
    reference_seller_id bigint not null,
    reference_id text not null,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint reference_products_pkey primary key (id),
    constraint reference_products_product_id_key unique (product_id),
    constraint reference_products_reference_id_key unique (reference_id),
    constraint reference_products_product_id_fkey foreign key (product_id) references products (id),
    constraint reference_products_reference_seller_id_fkey
        foreign key (reference_seller_id) references reference_sellers (id),
    constraint reference_products_reference_id_length_check check (char_length(reference_id) between 1 and 255),
    constraint reference_products_counter_check check (counter >= 0)
);

create index reference_products_reference_seller_id_idx on reference_products (reference_seller_id);
