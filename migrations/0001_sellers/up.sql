-- Who sells, and what. The columns `counter` and `modified` are set by every UPDATE statement; there are no triggers.

create table sellers (
    id bigint generated always as identity,
    uuid text not null,
    active boolean not null default true,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint sellers_pkey primary key (id),
    constraint sellers_uuid_key unique (uuid),
    constraint sellers_uuid_length_check check (char_length(uuid) between 1 and 255),
    constraint sellers_counter_check check (counter >= 0)
);

create table products (
    id bigint generated always as identity,
    seller_id bigint not null,
    external_id text not null,
    public_id text not null,
    -- A Fernet token under database.encryption_key, never the secret itself.
    secret text,
    -- 1 purchase, 2 simulate only.
    access smallint not null default 1,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint products_pkey primary key (id),
    constraint products_public_id_key unique (public_id),
    -- It also is the index of the foreign key.
    constraint products_seller_id_external_id_key unique (seller_id, external_id),
    constraint products_seller_id_fkey foreign key (seller_id) references sellers (id),
    constraint products_external_id_length_check check (char_length(external_id) between 1 and 255),
    constraint products_public_id_length_check check (char_length(public_id) between 1 and 255),
    constraint products_access_check check (access between 1 and 2),
    constraint products_counter_check check (counter >= 0)
);

create index products_external_id_idx on products (external_id);
