drop function post_ledger;
drop table ledger_balances;
drop table ledger_entries;
drop table ledger_chains;
drop function ledger_check;
drop function ledger_refuse;
