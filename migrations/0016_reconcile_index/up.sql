-- The comparison with the providers' lists (`db-server reconcile`) reads the transactions of a day that belong to no
-- payment of `payments`; without this it reads all that there have ever been, once a night for each provider.
--
-- A block range index: rows come in the order of their time, so that a few bytes for each 32 pages tell where a day is. An
-- ordinary index would be written at each insert and each change of status of every payment, for a query that comes
-- once a night; a partial one, at each settlement. Nothing else looks for transactions by time. The new pages are
-- summarized by autovacuum; until then they are read as well.
create index transactions_created_idx on transactions using brin (created) with (pages_per_range = 32, autosummarize = on);
