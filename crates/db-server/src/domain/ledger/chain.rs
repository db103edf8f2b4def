//! What the hash of an entry is made of, see docs/ledger.md. The function `post_ledger` of the database does the same.

use sha2::{Digest, Sha256};

use crate::store::ledger::LedgerEntryRow;

/// What stands before the first entry of a chain.
pub const GENESIS: [u8; 32] = [0; 32];

/// The first line of what is hashed: a later form has another.
const FORM: &str = "ledger-1";

/// What the hash of this entry is to be: SHA-256 of the previous hash and the entry's text.
#[must_use]
pub fn hash(entry: &LedgerEntryRow) -> [u8; 32] {
    Sha256::new().chain_update(&entry.previous_hash).chain_update(text(entry)).finalize().into()
}

/// The entry as text: a line for each field, none of which has a line feed in it; an empty one for null.
fn text(entry: &LedgerEntryRow) -> String {
    [
        FORM,
        &entry.chain.to_string(),
        &entry.position.to_string(),
        &entry.set_position.to_string(),
        &entry.account,
        &entry.provider.code().to_string(),
        &entry.seller_id.to_string(),
        &entry.payment_id.to_string(),
        &entry.refund_id.map(|refund| refund.to_string()).unwrap_or_default(),
        &entry.movement.code().to_string(),
        &entry.amount_minor.to_string(),
        &entry.currency,
        entry.reference.as_deref().unwrap_or_default(),
        &entry.created.timestamp_micros().to_string(),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::store::{
        code::Provider,
        id::{PaymentId, RefundId, SellerId},
        ledger::MovementKind,
    };

    fn entry() -> LedgerEntryRow {
        LedgerEntryRow {
            chain: 1,
            position: 8,
            set_position: 7,
            account: "receivable:stripe".into(),
            provider: Provider::Stripe,
            seller_id: SellerId(7),
            payment_id: PaymentId(17),
            refund_id: None,
            movement: MovementKind::Fee,
            amount_minor: -30,
            currency: "EUR".into(),
            reference: Some("txn_1".into()),
            created: DateTime::from_timestamp_micros(1_767_225_600_000_001).unwrap(),
            previous_hash: GENESIS.to_vec(),
            hash: Vec::new(),
        }
    }

    #[test]
    fn the_text_has_a_line_for_each_field() {
        let expected =
            "ledger-1\n1\n8\n7\nreceivable:stripe\n5\n7\n17\n\n3\n-30\nEUR\ntxn_1\n1767225600000001";
        assert_eq!(text(&entry()), expected);
        // printf of the text behind 32 zero bytes, through sha256sum.
        let known = "0d73e6aa636deea18beb089ee15f212fb59692ac2b68ee76eda36fdd8bb31dbf";
        assert_eq!(data_encoding::HEXLOWER.encode(&hash(&entry())), known);
    }

    #[test]
    fn every_field_is_hashed() {
        let changes: [fn(&mut LedgerEntryRow); 14] = [
            |entry| entry.chain = 2,
            |entry| entry.position = 9,
            |entry| entry.set_position = 8,
            |entry| entry.account = "receivable:paypal".into(),
            |entry| entry.provider = Provider::Paypal,
            |entry| entry.seller_id = SellerId(8),
            |entry| entry.payment_id = PaymentId(18),
            |entry| entry.refund_id = Some(RefundId(1)),
            |entry| entry.movement = MovementKind::Refund,
            |entry| entry.amount_minor = 30,
            |entry| entry.currency = "USD".into(),
            |entry| entry.reference = None,
            |entry| entry.created += chrono::TimeDelta::microseconds(1),
            |entry| entry.previous_hash = vec![1; 32],
        ];
        let mut hashes: Vec<_> = changes
            .iter()
            .map(|change| {
                let mut entry = entry();
                change(&mut entry);
                hash(&entry)
            })
            .chain([hash(&entry())])
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), changes.len() + 1);
    }
}
