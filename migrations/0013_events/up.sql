-- What has happened to payments, in one order for all readers; and who is told of it by webhooks.

-- Events that have been written and have no position yet. Their writers lock nothing that others wait for.
create table unordered_events (
    -- Of one payment, in the order in which they were written: each writer has locked the payment.
    id bigint generated always as identity,
    payment_id bigint not null,
    -- What has happened, such as `payment.captured`.
    kind text not null,
    -- The payment's status since, or the refund's.
    status text not null,
    -- The client's key, `provider:NAME`, `janitor`, or `operator:NAME`.
    actor text not null,
    -- What readers are shown. It holds no secret and no token.
    payload jsonb not null,
    -- Of the statement and not of the transaction's beginning.
    created timestamptz not null default clock_timestamp(),
    constraint unordered_events_pkey primary key (id),
    constraint unordered_events_kind_check check (kind ~ '^[a-z_]+(\.[a-z_]+)+$' and char_length(kind) <= 64),
    constraint unordered_events_status_length_check check (char_length(status) between 1 and 64),
    constraint unordered_events_actor_length_check check (char_length(actor) between 1 and 255),
    constraint unordered_events_payload_check check (jsonb_typeof(payload) = 'object')
);

-- The position of the newest event that has one. Whoever gives positions holds this row until the commit, so that they
-- become visible in their order and a reader who has seen one has seen all before it.
create table event_heads (
    id smallint not null default 1,
    last bigint not null default 0,
    constraint event_heads_pkey primary key (id),
    constraint event_heads_id_check check (id = 1),
    constraint event_heads_last_check check (last >= 0)
)
-- Room on the page for the next version of the one row.
with (fillfactor = 10);

insert into event_heads default values;

create table payment_events (
    -- The position, counted on from event_heads. The rest is as in unordered_events.
    id bigint not null,
    payment_id bigint not null,
    kind text not null,
    status text not null,
    actor text not null,
    payload jsonb not null,
    created timestamptz not null,
    constraint payment_events_pkey primary key (id),
    constraint payment_events_payment_id_fkey foreign key (payment_id) references payments (id),
    constraint payment_events_id_check check (id > 0)
);

create index payment_events_payment_id_idx on payment_events (payment_id, id);

create function payment_events_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'payment_events is append-only'
        using errcode = 'restrict_violation', table = 'payment_events', constraint = 'payment_events_append_only';
end
$$;

create trigger payment_events_append_only before update or delete on payment_events
    for each row execute function payment_events_refuse_change();
create trigger payment_events_append_only_truncate before truncate on payment_events
    for each statement execute function payment_events_refuse_change();

-- Gives a position to all events that are committed and have none, and gives the newest one. All of it happens or nothing.
create function order_events() returns bigint language plpgsql as $$
declare
    newest bigint;
    ordered bigint;
begin
    if not exists (select from unordered_events) then
        select last into newest from event_heads where id = 1;
        return newest;
    end if;
    -- What follows sees what whoever held the row before has done: each statement here sees what is committed by then.
    select last into newest from event_heads where id = 1 for update;
    with taken as (delete from unordered_events returning *),
    written as (
        insert into payment_events (id, payment_id, kind, status, actor, payload, created)
        select newest + row_number() over (order by id), payment_id, kind, status, actor, payload, created
        from taken
        returning id
    )
    select count(*) into ordered from written;
    if ordered > 0 then
        update event_heads set last = newest + ordered where id = 1;
    end if;
    return newest + ordered;
end
$$;

-- Who is told of events. Where they are and how what they are told is signed, provider-proxy knows by their names.
create table webhook_endpoints (
    id bigint generated always as identity,
    -- That of the target in provider-proxy's settings.
    name text not null,
    enabled boolean not null default true,
    -- Which kinds of events; none for all.
    kinds text[] not null default '{}',
    -- Up to which event it has been told all that it is to be told.
    position bigint not null,
    -- Who has registered it: the client's key.
    actor text not null,
    -- How often the next delivery has failed.
    failures integer not null default 0,
    -- When it failed first.
    failing_since timestamptz,
    -- Not before this is it tried again.
    next_attempt timestamptz,
    -- Why the last attempt failed.
    last_error text,
    -- Why the server itself has disabled it.
    disabled_reason text,
    -- Which attempt is under way, and until when nobody else makes one.
    lease uuid,
    leased_until timestamptz,
    created timestamptz not null default now(),
    modified timestamptz not null default now(),
    counter bigint not null default 0,
    constraint webhook_endpoints_pkey primary key (id),
    constraint webhook_endpoints_name_key unique (name),
    constraint webhook_endpoints_name_check check (name ~ '^[A-Za-z0-9_-]{1,64}$'),
    constraint webhook_endpoints_position_check check (position >= 0),
    constraint webhook_endpoints_actor_length_check check (char_length(actor) between 1 and 255),
    constraint webhook_endpoints_failures_check check (failures >= 0),
    constraint webhook_endpoints_failing_since_check check ((failures > 0) = (failing_since is not null)),
    constraint webhook_endpoints_last_error_length_check check (char_length(last_error) <= 255),
    constraint webhook_endpoints_disabled_reason_check
        check (disabled_reason is null or (not enabled and char_length(disabled_reason) between 1 and 255)),
    constraint webhook_endpoints_lease_check check ((lease is null) = (leased_until is null)),
    constraint webhook_endpoints_counter_check check (counter >= 0)
);

-- Events that an endpoint is to be told again, out of their turn, in the order in which they were asked for.
create table webhook_replays (
    id bigint generated always as identity,
    endpoint_id bigint not null,
    event_id bigint not null,
    created timestamptz not null default now(),
    constraint webhook_replays_pkey primary key (id),
    constraint webhook_replays_endpoint_id_event_id_key unique (endpoint_id, event_id),
    constraint webhook_replays_endpoint_id_fkey
        foreign key (endpoint_id) references webhook_endpoints (id) on delete cascade,
    constraint webhook_replays_event_id_fkey foreign key (event_id) references payment_events (id)
);

create index webhook_replays_event_id_idx on webhook_replays (event_id);
