drop table idempotency_keys;
drop table refunds;
drop table payment_operations;
drop table payments;
