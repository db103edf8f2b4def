-- Who pays.

create table buyers (
    id bigint generated always as identity,
    uuid text not null,
    -- A Fernet token under database.encryption_key; null once the buyer is closed.
    email text,
    -- HMAC-SHA256 of the address, so that it can be looked up.
    email_hash bytea,
    locale text,
    active boolean not null default true,
    authenticated boolean not null default true,
    -- Slow salted hashes (PHC strings), never the digits.
    pin text,
    new_pin text,
    needs_pin_reset boolean not null default false,
    pin_confirmed boolean not null default false,
    pin_failures integer not null default 0,
    pin_locked_out_at timestamptz,
    pin_was_locked_out boolean not null default false,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint buyers_pkey primary key (id),
    constraint buyers_uuid_key unique (uuid),
    constraint buyers_uuid_length_check check (char_length(uuid) between 1 and 255),
    constraint buyers_locale_length_check check (char_length(locale) <= 255),
    -- An address that cannot be found, or a hash of an erased address, is a defect.
    constraint buyers_email_hash_check check ((email is null) = (email_hash is null)),
    constraint buyers_email_hash_length_check check (octet_length(email_hash) = 32),
    constraint buyers_pin_failures_check check (pin_failures >= 0),
    constraint buyers_counter_check check (counter >= 0)
);

create index buyers_email_hash_idx on buyers (email_hash) where email_hash is not null;
