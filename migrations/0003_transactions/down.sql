drop table transaction_log;
drop table transaction_events;
drop table transactions;
