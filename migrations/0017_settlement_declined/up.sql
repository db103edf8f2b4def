-- What a provider took and did not come in after all, because its settlement was declined: docs/adr/0014 says how it is
-- kept.

alter table payments
    -- How much, in all. What was ever taken is captured_minor and this.
    add column settlement_declined_minor bigint not null default 0,
    drop constraint payments_captured_minor_check,
    add constraint payments_captured_minor_check
        check (
            captured_minor >= 0 and settlement_declined_minor >= 0
            and captured_minor + settlement_declined_minor <= amount_minor
        ),
    drop constraint payments_refunded_minor_check,
    -- The refund rule: whatever runs at the same time, no more goes back than was ever taken. A refund that was made
    -- before the settlement was declined has gone out all the same.
    add constraint payments_refunded_minor_check
        check (
            refunded_minor >= 0 and refunding_minor >= 0
            and refunded_minor + refunding_minor <= captured_minor + settlement_declined_minor
        );

alter table payment_operations
    drop constraint payment_operations_outcome_check,
    -- settlement_declined: a capture that succeeded, and whose money did not come in.
    add constraint payment_operations_outcome_check
        check (
            outcome in (
                'succeeded', 'requires_action', 'pending', 'declined', 'rejected', 'unknown', 'not_sent',
                'settlement_declined'
            )
        );

alter table ledger_entries
    drop constraint ledger_entries_movement_check,
    -- 0 hold, 1 release, 2 capture, 3 fee, 4 refund, 5 reversal, 6 settlement_decline.
    add constraint ledger_entries_movement_check check (movement between 0 and 6);
