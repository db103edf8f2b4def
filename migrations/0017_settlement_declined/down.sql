-- Refused once a settlement was declined: the ledger keeps the entries of that.
alter table ledger_entries
    drop constraint ledger_entries_movement_check,
    add constraint ledger_entries_movement_check check (movement between 0 and 5);

alter table payment_operations
    drop constraint payment_operations_outcome_check,
    add constraint payment_operations_outcome_check
        check (
            outcome in (
                'succeeded', 'requires_action', 'pending', 'declined', 'rejected', 'unknown', 'not_sent'
            )
        );

alter table payments
    drop constraint payments_refunded_minor_check,
    add constraint payments_refunded_minor_check
        check (
            refunded_minor >= 0 and refunding_minor >= 0 and refunded_minor + refunding_minor <= captured_minor
        ),
    drop constraint payments_captured_minor_check,
    add constraint payments_captured_minor_check check (captured_minor between 0 and amount_minor),
    drop column settlement_declined_minor;
