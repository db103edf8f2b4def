-- People who log in with a name and a password, and where the door leads.

create table users (
    id bigint generated always as identity,
    -- What the user types; it is what the log and the audit trail name.
    name text not null,
    -- A PHC string: argon2id over the password and the pepper that is not in the database.
    password text not null,
    -- Roles of ours (read, write, refund, admin), and words that only a target of the door knows.
    roles text[] not null,
    active boolean not null default true,
    -- Misses since the last success; the last one that was allowed locks the user out.
    failures integer not null default 0,
    locked_out_at timestamptz,
    -- Grows with each new password and each disabling: a token of an older generation is no longer good.
    generation bigint not null default 0,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint users_pkey primary key (id),
    constraint users_name_key unique (name),
    constraint users_name_length_check check (char_length(name) between 1 and 255),
    constraint users_roles_check check (cardinality(roles) > 0 and array_position(roles, null) is null),
    constraint users_failures_check check (failures >= 0),
    constraint users_generation_check check (generation >= 0),
    constraint users_counter_check check (counter >= 0)
);

-- Where the door leads since an administrator has switched it; without a row, where the settings say.
create table door (
    id smallint not null default 1,
    -- Null: switched off.
    url text,
    -- Who has switched it.
    actor text not null,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint door_pkey primary key (id),
    constraint door_id_check check (id = 1),
    constraint door_url_length_check check (char_length(url) between 1 and 255),
    constraint door_counter_check check (counter >= 0)
);
