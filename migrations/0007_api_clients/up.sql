-- Who may call db-server, besides the clients in its settings.

create table api_clients (
    id bigint generated always as identity,
    -- The OAuth consumer key; it is what the log and the audit trail name.
    key text not null,
    name text not null,
    -- A Fernet token: OAuth 1.0a needs the secret itself to check a signature.
    secret text,
    -- SHA-256 of the bearer key of a client that does not speak OAuth 1.0a. The key is random, so no slow hash.
    bearer_hash bytea,
    roles text[] not null,
    active boolean not null default true,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint api_clients_pkey primary key (id),
    constraint api_clients_key_key unique (key),
    constraint api_clients_bearer_hash_key unique (bearer_hash),
    constraint api_clients_key_length_check check (char_length(key) between 1 and 255),
    constraint api_clients_name_length_check check (char_length(name) between 1 and 255),
    constraint api_clients_bearer_hash_length_check check (octet_length(bearer_hash) = 32),
    -- A client without either could never be told from an impostor.
    constraint api_clients_credential_check check (secret is not null or bearer_hash is not null),
    constraint api_clients_roles_check
        check (
            roles <@ array['read', 'write', 'refund', 'admin']
            and cardinality(roles) > 0
            and array_position(roles, null) is null
        ),
    constraint api_clients_counter_check check (counter >= 0)
);
