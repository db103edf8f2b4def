-- The ledger: double entry, append-only, each entry with the hash of the one before it in its chain. docs/ledger.md says
-- what is posted and how it is hashed, docs/adr/0011 why there are sixteen chains.

-- The end of each chain. Who posts holds its row until the commit, and waits only for those of the same chain.
create table ledger_chains (
    chain smallint not null,
    -- That of the last entry; 0 without one.
    position bigint not null default 0,
    -- That of the last entry; zeros without one.
    hash bytea not null default decode(repeat('00', 32), 'hex'),
    constraint ledger_chains_pkey primary key (chain),
    constraint ledger_chains_chain_check check (chain between 0 and 15),
    constraint ledger_chains_position_check check (position >= 0),
    constraint ledger_chains_hash_length_check check (octet_length(hash) = 32)
)
-- A row is written anew at each post; this leaves room for that on its page, without an index to write.
with (fillfactor = 10);

insert into ledger_chains (chain) select generate_series(0, 15);

create table ledger_entries (
    chain smallint not null,
    -- From 1, without gaps.
    position bigint not null,
    -- The position of the first entry of its set. Of each currency a set adds up to nothing.
    set_position bigint not null,
    -- NAME:KEY, see docs/ledger.md.
    account text not null,
    -- 2 reference, 3 paypal, 4 braintree, 5 stripe.
    provider smallint not null,
    seller_id bigint not null,
    -- No foreign key, nor for the seller and the refund: the ledger is a witness of its own, and `db-server ledger
    -- check` compares.
    payment_id bigint not null,
    -- What a refund or its reversal is about; null for what is not about one.
    refund_id bigint,
    -- 0 hold, 1 release, 2 capture, 3 fee, 4 refund, 5 reversal.
    movement smallint not null,
    -- In the currency's minor units (ISO 4217): a debit above zero, a credit below.
    amount_minor bigint not null,
    currency text not null,
    -- The provider's id of what is posted once, such as a fee; null for what follows from the payment.
    reference text,
    created timestamptz not null,
    -- SHA-256.
    previous_hash bytea not null,
    hash bytea not null,
    constraint ledger_entries_pkey primary key (chain, position),
    constraint ledger_entries_position_check check (position >= 1 and set_position between 1 and position),
    -- No line feed gets into what is hashed, where it parts the fields.
    constraint ledger_entries_account_check check (account ~ '^[a-z]{1,32}:[a-z0-9_]{1,32}$'),
    constraint ledger_entries_provider_check check (provider between 2 and 5),
    constraint ledger_entries_movement_check check (movement between 0 and 5),
    constraint ledger_entries_amount_minor_check check (amount_minor <> 0),
    constraint ledger_entries_currency_check check (currency ~ '^[A-Z]{3}$'),
    constraint ledger_entries_reference_check check (reference ~ '^[[:graph:]]{1,255}$'),
    constraint ledger_entries_hash_length_check check (octet_length(hash) = 32 and octet_length(previous_hash) = 32)
);

create index ledger_entries_payment_id_idx on ledger_entries (payment_id);
-- A fee is posted once.
create unique index ledger_entries_provider_movement_reference_key on ledger_entries (provider, movement, reference)
    where reference is not null and position = set_position;

-- What the entries of a chain add up to, by account. It is written with them, under the same lock.
create table ledger_balances (
    chain smallint not null,
    account text not null,
    currency text not null,
    balance_minor bigint not null,
    constraint ledger_balances_pkey primary key (chain, account, currency)
)
with (fillfactor = 50);

-- What is in the ledger stays as it is. The triggers fire for a replica's session as well; only who owns the tables can
-- take them away, and the chains show what was done then.
create function ledger_refuse() returns trigger language plpgsql as $$
begin
    raise exception '% of % is refused: the ledger is append-only', tg_op, tg_table_name
        using errcode = 'restrict_violation', constraint = tg_table_name || '_append_only', table = tg_table_name;
end
$$;

create trigger ledger_entries_append_only before update or delete or truncate on ledger_entries
    for each statement execute function ledger_refuse();
create trigger ledger_chains_append_only before insert or delete or truncate on ledger_chains
    for each statement execute function ledger_refuse();
create trigger ledger_chains_forward before update on ledger_chains
    for each row when (new.chain <> old.chain or new.position <= old.position) execute function ledger_refuse();
create trigger ledger_balances_append_only before delete or truncate on ledger_balances
    for each statement execute function ledger_refuse();

-- Sets come whole, balanced, and in their place at the end of their chain.
create function ledger_check() returns trigger language plpgsql as $$
begin
    if exists (
        select from inserted group by chain, set_position, currency having sum(amount_minor) <> 0
    ) then
        raise exception 'a set of ledger entries does not add up to zero'
            using errcode = 'check_violation', constraint = 'ledger_entries_balanced', table = 'ledger_entries';
    end if;
    if exists (
        select from inserted i join ledger_chains c on c.chain = i.chain
        group by c.chain having max(i.position) <> c.position
    ) then
        raise exception 'ledger entries that do not end their chain'
            using errcode = 'check_violation', constraint = 'ledger_entries_chained', table = 'ledger_entries';
    end if;
    return null;
end
$$;

create trigger ledger_entries_check after insert on ledger_entries
    referencing new table as inserted for each statement execute function ledger_check();

alter table ledger_entries enable always trigger ledger_entries_append_only;
alter table ledger_entries enable always trigger ledger_entries_check;
alter table ledger_chains enable always trigger ledger_chains_append_only;
alter table ledger_chains enable always trigger ledger_chains_forward;
alter table ledger_balances enable always trigger ledger_balances_append_only;

-- Posts movements of one payment in one step: the entries, which come set after set, the end of their chain, and the
-- balances. False, and nothing is posted, when that was posted with this reference before.
create function post_ledger(
    of_payment bigint,
    of_provider smallint,
    of_seller bigint,
    of_refund bigint,
    with_reference text,
    in_currency text,
    -- One of each for each entry. The first set is 1.
    sets smallint[],
    movements smallint[],
    accounts text[],
    amounts bigint[]
) returns boolean language plpgsql as $$
declare
    of_chain constant smallint := of_payment % 16;
    size constant integer := cardinality(sets);
    last_position bigint;
    last_hash bytea;
    set_positions bigint[] := '{}';
    hashes bytea[];
    moment timestamptz;
begin
    select c.position, c.hash into strict last_position, last_hash
        from ledger_chains c where c.chain = of_chain for update;
    -- After the lock: nobody else posts of this payment, and time goes on along the chain.
    if with_reference is not null and exists (
        select from ledger_entries e
        where e.provider = of_provider and e.movement = movements[1] and e.reference = with_reference
            and e.position = e.set_position and e.payment_id = of_payment
    ) then
        return false;
    end if;
    moment := clock_timestamp();
    hashes := array[last_hash];
    for i in 1 .. size loop
        set_positions := set_positions || case
            when i > 1 and sets[i] = sets[i - 1] then set_positions[i - 1] else last_position + i
        end;
        last_hash := sha256(last_hash || convert_to(concat_ws(
            e'\n', 'ledger-1', of_chain, last_position + i, set_positions[i], accounts[i], of_provider, of_seller,
            of_payment, coalesce(of_refund::text, ''), movements[i], amounts[i], in_currency,
            coalesce(with_reference, ''), (extract(epoch from moment) * 1000000)::bigint
        ), 'UTF8'));
        hashes := hashes || last_hash;
    end loop;
    update ledger_chains c set position = last_position + size, hash = last_hash where c.chain = of_chain;
    insert into ledger_entries (
        chain, position, set_position, account, provider, seller_id, payment_id, refund_id, movement, amount_minor,
        currency, reference, created, previous_hash, hash
    )
    select of_chain, last_position + i, set_positions[i], accounts[i], of_provider, of_seller, of_payment, of_refund,
        movements[i], amounts[i], in_currency, with_reference, moment, hashes[i], hashes[i + 1]
    from generate_series(1, size) i;
    insert into ledger_balances as b (chain, account, currency, balance_minor)
    select of_chain, e.account, in_currency, sum(e.amount)
    from unnest(accounts, amounts) e (account, amount) group by e.account
    on conflict (chain, account, currency)
        do update set balance_minor = b.balance_minor + excluded.balance_minor;
    return true;
end
$$;
