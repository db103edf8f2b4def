-- Brings the tables to $ROWS payments, each with what a payment leaves behind that was taken at once. The hashes of the
-- ledger are made up: nobody verifies it here.
set statement_timeout = 0;
alter table ledger_entries disable trigger all;
alter table ledger_chains disable trigger all;
create temporary table base as select
    greatest($ROWS - (select coalesce(max(id), 0) from payments), 0) as more,
    (select coalesce(max(id), 0) from transactions) as transactions,
    (select coalesce(max(id), 0) from payments) as payments,
    (select coalesce(max(id), 0) from payment_operations) as operations,
    (select coalesce(max(id), 0) from idempotency_keys) as keys,
    (select last from event_heads) as events;
insert into transactions (id, uuid, amount_minor, currency, seller_id, product_id, provider, status, uid_support)
    overriding system value
    select transactions + n, 'solitude:' || gen_random_uuid(), 1999, 'EUR', 1 + n % 100, 1 + n % 100, 5, 2,
        'pi_' || gen_random_uuid()
    from base, generate_series(1, more) n;
insert into transaction_events (transaction_id, actor, old_status, new_status)
    select transactions + n, 'bench', case change when 2 then 6 end, case change when 1 then 6 else 2 end
    from base, generate_series(1, more) n, generate_series(1, 2) change;
insert into payments (id, uuid, transaction_id, provider, seller_id, product_id, amount_minor, currency, capture,
        description, standing, status, captured_minor, closed, provider_reference)
    overriding system value
    select payments + n, gen_random_uuid(), transactions + n, 5, 1 + n % 100, 1 + n % 100, 1999, 'EUR', true,
        'A year of the magazine', 7, 7, 1999, true, 'pi_' || gen_random_uuid()
    from base, generate_series(1, more) n;
insert into payment_operations (id, attempt, payment_id, operation, amount_minor, state, outcome, provider_reference, actor)
    overriding system value
    select operations + n, gen_random_uuid(), payments + n, 0, 1999, 3, 'succeeded', 'pi_' || gen_random_uuid(), 'bench'
    from base, generate_series(1, more) n;
insert into idempotency_keys (id, client, route, key, body_hash, operation_id, status, body)
    overriding system value
    select keys + n, 'bench', 'POST /payments', gen_random_uuid()::text, decode(repeat('00', 32), 'hex'), operations + n,
        201, repeat('x', 1000)
    from base, generate_series(1, more) n;
insert into payment_events (id, payment_id, kind, status, actor, payload, created)
    select events + 2 * n + change - 2, payments + n, 'payment.captured', 'captured', 'bench',
        '{"status": "captured", "amount": "19.99", "currency": "EUR", "provider": "stripe"}', now()
    from base, generate_series(1, more) n, generate_series(1, 2) change;
update event_heads set last = last + 2 * more from base;
insert into ledger_entries (chain, position, set_position, account, provider, seller_id, payment_id, movement,
        amount_minor, currency, created, previous_hash, hash)
    select c.chain, c.position + row_number() over (partition by c.chain order by n, entry),
        c.position + row_number() over (partition by c.chain order by n, entry) - (entry - 1) % 2, 'holds:stripe', 5,
        1 + n % 100, payments + n, entry / 3, case entry % 2 when 1 then 1999 else -1999 end, 'EUR', now(),
        sha256(int8send(n)), sha256(int8send(n + 1))
    from base, generate_series(1, more) n, generate_series(1, 6) entry, ledger_chains c
    where c.chain = (payments + n) % 16;
update ledger_chains c set position = e.position
    from (select chain, max(position) as position from ledger_entries group by chain) e where e.chain = c.chain;
select setval(pg_get_serial_sequence('transactions', 'id'), (select max(id) from transactions)),
    setval(pg_get_serial_sequence('payments', 'id'), (select max(id) from payments)),
    setval(pg_get_serial_sequence('payment_operations', 'id'), (select max(id) from payment_operations)),
    setval(pg_get_serial_sequence('idempotency_keys', 'id'), (select max(id) from idempotency_keys));
drop table base;
alter table ledger_entries enable trigger all;
alter table ledger_chains enable trigger all;
alter table ledger_entries enable always trigger ledger_entries_append_only;
alter table ledger_entries enable always trigger ledger_entries_check;
alter table ledger_chains enable always trigger ledger_chains_append_only;
alter table ledger_chains enable always trigger ledger_chains_forward;
