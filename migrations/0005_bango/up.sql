-- Which of our sellers and products Bango knows: its packages, numbers and their checks.

create table bango_sellers (
    id bigint generated always as identity,
    seller_id bigint not null,
    package_id bigint not null,
    admin_person_id bigint not null,
    support_person_id bigint not null,
    finance_person_id bigint not null,
    -- When the seller's agreement to the self-billing terms ends.
    sbi_expires timestamptz,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint bango_sellers_pkey primary key (id),
    constraint bango_sellers_seller_id_key unique (seller_id),
    constraint bango_sellers_package_id_key unique (package_id),
    constraint bango_sellers_seller_id_fkey foreign key (seller_id) references sellers (id),
    constraint bango_sellers_counter_check check (counter >= 0)
);

create table bango_products (
    id bigint generated always as identity,
    product_id bigint not null,
    bango_seller_id bigint not null,
    -- Bango's number of the product.
    bango_id text not null,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint bango_products_pkey primary key (id),
    constraint bango_products_product_id_key unique (product_id),
    constraint bango_products_product_id_fkey foreign key (product_id) references products (id),
    constraint bango_products_bango_seller_id_fkey foreign key (bango_seller_id) references bango_sellers (id),
    constraint bango_products_bango_id_length_check check (char_length(bango_id) between 1 and 50),
    constraint bango_products_counter_check check (counter >= 0)
);

create index bango_products_bango_seller_id_idx on bango_products (bango_seller_id);

create table bango_statuses (
    id bigint generated always as identity,
    bango_product_id bigint not null,
    -- 0 unknown, 1 good, 2 bad.
    status smallint not null default 0,
    errors text not null default '',
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint bango_statuses_pkey primary key (id),
    constraint bango_statuses_bango_product_id_fkey
        foreign key (bango_product_id) references bango_products (id),
    constraint bango_statuses_status_check check (status between 0 and 2),
    constraint bango_statuses_counter_check check (counter >= 0)
);

create index bango_statuses_bango_product_id_idx on bango_statuses (bango_product_id, id);
