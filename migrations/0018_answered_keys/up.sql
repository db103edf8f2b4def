-- When a key was answered: from then on the answer is kept for `payments.idempotency_hours`, however long it took. Null
-- until there is an answer, and of keys that were answered before this migration, which are kept from their creation on.
--
-- It has no index: keys are looked through in the order of their creation (`idempotency_keys_created_idx`), and the few that
-- were answered much later are passed over. An index would be written again with each answer.
alter table idempotency_keys add column answered timestamptz;
