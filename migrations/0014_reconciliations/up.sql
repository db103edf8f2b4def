-- What the nightly comparison of our books with the providers' lists came to.

create table reconciliations (
    id bigint generated always as identity,
    -- 2 reference, 3 paypal, 4 braintree, 5 stripe.
    provider smallint not null,
    -- The day (UTC).
    day date not null,
    -- 0 running, 1 agrees, 2 differs, 3 failed.
    state smallint not null default 0,
    -- Until when whoever runs it is taken to be alive, or when a failed one may be tried again; null when it is done.
    held_until timestamptz,
    -- How often it was begun.
    tries integer not null default 1,
    -- How many movements agree, and how many rows there are of each kind.
    agreed bigint not null default 0,
    missing bigint not null default 0,
    extra bigint not null default 0,
    wrong_amount bigint not null default 0,
    open bigint not null default 0,
    -- The rows as JSON, the first thousand of them; null until it is done.
    rows text,
    -- Why the last try failed.
    failure text,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    constraint reconciliations_pkey primary key (id),
    constraint reconciliations_provider_day_key unique (provider, day),
    constraint reconciliations_provider_check check (provider between 2 and 5),
    constraint reconciliations_state_check check (state between 0 and 3),
    constraint reconciliations_held_until_check check ((state in (0, 3)) = (held_until is not null)),
    constraint reconciliations_tries_check check (tries > 0),
    constraint reconciliations_rows_check check ((state in (1, 2)) = (rows is not null)),
    constraint reconciliations_counts_check
        check (agreed >= 0 and missing >= 0 and extra >= 0 and wrong_amount >= 0 and open >= 0)
);
