//! Whether what the providers say was moved, what our tables say, and what the clients were told, is the same.

mod rows;

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::Method;
use diesel::{PgConnection, RunQueryDsl, sql_query};
use uuid::Uuid;
use wire::{Currency, Money};

pub use self::rows::{Line, Operation, Payment, Refund, open};
use self::rows::{OPERATIONS, PAYMENTS, REFUNDS};
use super::{CrashError, Differences, asking::Asked, rig::Rig};

/// The number of captures among the operations, as the column has it.
const CAPTURE: i16 = 3;

/// All that is compared.
#[derive(Clone, Debug)]
pub struct Books {
    /// What the providers moved.
    pub lines: Vec<Line>,
    /// Our payments.
    pub payments: Vec<Payment>,
    /// What was asked about them.
    pub operations: Vec<Operation>,
    /// Their refunds.
    pub refunds: Vec<Refund>,
}

/// What one payment moved, of each kind: amounts in minor units, sorted.
type Moved = BTreeMap<(i64, String), Vec<i64>>;

impl Books {
    /// Reads both sides.
    ///
    /// # Errors
    /// [`CrashError`].
    pub async fn read(rig: &Rig) -> Result<Self, CrashError> {
        let answer = rig.sandbox().request(Method::GET, "/_sandbox/ledger").send().await?;
        let lines = serde_json::from_slice(&answer.body)
            .map_err(|_| CrashError::Answer { what: "the sandbox's ledger".to_owned(), answer })?;
        let load = |connection: &mut PgConnection| {
            Ok(Self {
                lines: Vec::new(),
                payments: sql_query(PAYMENTS).load(connection)?,
                operations: sql_query(OPERATIONS).load(connection)?,
                refunds: sql_query(REFUNDS).load(connection)?,
            })
        };
        Ok(Self { lines, ..rig.database.with(load).await? })
    }

    /// Compares the two sides row for row.
    #[must_use]
    pub fn compare(&self) -> Differences {
        let mut found = Differences::default();
        let theirs = self.theirs(&mut found);
        let ours = self.ours(&mut found);
        let keys: BTreeSet<_> = theirs.keys().chain(ours.keys()).collect();
        for key in keys {
            let of = |moved: &Moved| moved.get(key).cloned().unwrap_or_default();
            let (there, here) = (of(&theirs), of(&ours));
            found.unless(there == here, || {
                let (payment, kind) = key;
                format!("{}: the provider's {kind}s are {there:?}, ours {here:?}", self.describe(*payment))
            });
        }
        self.unsettled(&mut found);
        found
    }

    /// What the providers moved; what was moved twice or for nobody is told.
    fn theirs(&self, found: &mut Differences) -> Moved {
        let by_attempt: BTreeMap<&str, &Operation> =
            self.operations.iter().map(|operation| (operation.attempt.as_str(), operation)).collect();
        let (mut moved, mut seen) = (Moved::new(), BTreeSet::new());
        for line in &self.lines {
            found.unless(seen.insert((&line.provider, &line.kind, &line.reference)), || {
                format!("done twice for one attempt: {line:?}")
            });
            let operation =
                attempt_in(&line.reference).and_then(|attempt| by_attempt.get(attempt.as_str()).copied());
            let payment = operation.and_then(|operation| {
                self.payments.iter().find(|payment| payment.id == operation.payment_id)
            });
            let Some(payment) = payment else {
                found.add(format!("the provider has what we have not: {line:?}"));
                continue;
            };
            found.unless(payment.provider == line.provider && payment.currency == line.currency, || {
                format!("{}: the provider has {line:?}", self.describe(payment.id))
            });
            match minor_units(&line.amount, &line.currency) {
                Some(amount) => moved.entry((payment.id, line.kind.clone())).or_default().push(amount),
                None => found.add(format!("no amount: {line:?}")),
            }
        }
        moved.values_mut().for_each(|amounts| amounts.sort_unstable());
        moved
    }

    /// What our tables say was moved.
    fn ours(&self, found: &mut Differences) -> Moved {
        let mut moved = Moved::new();
        for payment in &self.payments {
            let captures: Vec<i64> = self
                .operations
                .iter()
                .filter(|of| of.payment_id == payment.id && of.operation == CAPTURE)
                .filter(|of| of.outcome.as_deref() == Some("succeeded"))
                .filter_map(|of| of.amount_minor)
                .collect();
            let taken = if captures.is_empty() && payment.captured_minor > 0 {
                vec![payment.captured_minor]
            } else {
                captures
            };
            found.unless(taken.iter().sum::<i64>() == payment.captured_minor, || {
                format!("{}: its captures are {taken:?}", self.describe(payment.id))
            });
            let refunds =
                self.refunds.iter().filter(|of| of.payment_id == payment.id && of.status == "succeeded");
            let refunds: Vec<i64> = refunds.map(|of| of.amount_minor).collect();
            found.unless(refunds.iter().sum::<i64>() == payment.refunded_minor, || {
                format!("{}: its refunds are {refunds:?}", self.describe(payment.id))
            });
            let given_up =
                if payment.status == "cancelled" { vec![payment.amount_minor] } else { Vec::new() };
            for (kind, mut amounts) in [("charge", taken), ("refund", refunds), ("void", given_up)] {
                if !amounts.is_empty() {
                    amounts.sort_unstable();
                    moved.insert((payment.id, kind.to_owned()), amounts);
                }
            }
        }
        moved
    }

    /// What is still open, and what stands otherwise in the generic API.
    fn unsettled(&self, found: &mut Differences) {
        for payment in &self.payments {
            found.unless(payment.status != "unknown" && payment.status != "created", || {
                format!("{}: nobody knows what became of it", self.describe(payment.id))
            });
            found.unless(payment.refunding_minor == 0, || {
                format!("{}: {} are still going back", self.describe(payment.id), payment.refunding_minor)
            });
            let expected = match payment.status.as_str() {
                "captured" => 2,
                "cancelled" => 5,
                "declined" => 4,
                "failed" => 7,
                _ => 0,
            };
            found.unless(payment.transaction == expected, || {
                format!("{}: its transaction has status {}", self.describe(payment.id), payment.transaction)
            });
        }
        for operation in self.operations.iter().filter(|operation| operation.state < 2) {
            found.add(format!("{}: still open: {operation:?}", self.describe(operation.payment_id)));
        }
    }

    /// Compares what clients were told with what is so.
    #[must_use]
    pub fn compare_answers(&self, asked: &[Asked]) -> Differences {
        let mut found = Differences::default();
        for asked in asked {
            if let Err(reason) = self.agrees(asked) {
                let (status, body) = &asked.answer;
                let body = String::from_utf8_lossy(body);
                found.add(format!("{} under {} was told {status} {body}: {reason}", asked.path, asked.key));
            }
        }
        found
    }

    /// Whether one final answer agrees with the rows; says why not.
    fn agrees(&self, asked: &Asked) -> Result<(), String> {
        let (status, told) = (asked.answer.0, asked.json());
        let Some(uuid) = told["uuid"].as_str() else { return self.was_not_begun(asked) };
        let said = told["status"].as_str().unwrap_or_default();
        let is = match self.refunds.iter().find(|refund| refund.uuid == uuid) {
            Some(refund) => refund.status.as_str(),
            None => {
                let payment = self.payments.iter().find(|payment| payment.uuid == uuid);
                let payment = payment.ok_or("there is no such payment or refund")?;
                let captured =
                    minor_units(told["captured_amount"].as_str().unwrap_or("0.00"), &payment.currency);
                if captured.is_none_or(|captured| captured > payment.captured_minor) {
                    return Err(format!("{} is captured", payment.captured_minor));
                }
                payment.status.as_str()
            }
        };
        // A final word is the last one. Any other says how it stood then.
        let is_final = ["captured", "cancelled", "declined", "failed", "succeeded"].contains(&said);
        if is_final && said != is {
            return Err(format!("it is {is}"));
        }
        match status {
            200 | 201 if ["declined", "failed", "unknown"].contains(&said) => {
                Err(format!("{said} is no success"))
            }
            200..=202 => Ok(()),
            402 | 403 | 404 | 422 | 500..=504 => Ok(()),
            _ => Err("no such answer is promised".to_owned()),
        }
    }

    /// Nothing is begun of a refund of more than is left, as when one of several captures was not made. Then 422 names
    /// the field and no payment; says why not.
    fn was_not_begun(&self, asked: &Asked) -> Result<(), String> {
        let id = asked.path.strip_prefix("/payments/").and_then(|rest| rest.strip_suffix("/refunds/"));
        let id = id.and_then(|id| id.parse().ok());
        let payment = self.payments.iter().find(|payment| Some(payment.id) == id);
        let payment = payment.ok_or("it names no payment and no refund")?;
        let refunds = self.refunds.iter().filter(|refund| refund.payment_id == payment.id);
        let others: i64 = refunds.map(|refund| refund.amount_minor).sum();
        let wanted = minor_units(asked.body["amount"].as_str().unwrap_or_default(), &payment.currency);
        match wanted {
            Some(wanted) if asked.answer.0 == 422 && others + wanted > payment.captured_minor => Ok(()),
            _ => Err("it names no payment and no refund".to_owned()),
        }
    }

    /// A payment and all that was asked about it, for a person.
    fn describe(&self, id: i64) -> String {
        let payment = self.payments.iter().find(|payment| payment.id == id);
        let Some(payment) = payment else { return format!("payment {id}, which is not there") };
        let Payment { uuid, provider, status, amount_minor, captured_minor, refunded_minor, .. } = payment;
        let operations = self.operations.iter().filter(|operation| operation.payment_id == id);
        let operations: Vec<String> = operations
            .map(|of| {
                let outcome = of.outcome.as_deref().unwrap_or("open");
                format!("{} {outcome} {}", operation_name(of.operation), of.attempt)
            })
            .collect();
        format!(
            "payment {id} ({uuid}, {provider}, {status}, {amount_minor}, captured {captured_minor}, refunded \
             {refunded_minor}; {})",
            operations.join(", ")
        )
    }
}

fn operation_name(code: i16) -> &'static str {
    let names = ["authorize", "start_checkout", "complete_checkout", "capture", "void", "refund"];
    usize::try_from(code).ok().and_then(|code| names.get(code)).copied().unwrap_or("?")
}

/// The attempt in a merchant's reference, which some providers want with something around it.
fn attempt_in(reference: &str) -> Option<String> {
    const LENGTH: usize = 36;
    let last = reference.len().checked_sub(LENGTH)?;
    let found = (0..=last).filter_map(|start| reference.get(start..start + LENGTH));
    found.filter_map(|text| Uuid::try_parse(text).ok()).next().map(|uuid| uuid.to_string())
}

fn minor_units(amount: &str, currency: &str) -> Option<i64> {
    Some(Money::parse(amount, Currency::parse(currency).ok()?).ok()?.minor_units)
}

#[cfg(test)]
mod tests;
