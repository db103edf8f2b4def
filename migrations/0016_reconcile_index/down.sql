drop index transactions_created_idx;
