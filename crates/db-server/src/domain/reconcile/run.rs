//! One comparison: goes through the provider's list, then through our rows, and asks about what only one of them has.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, SecondsFormat, Utc};
use wire::{
    Money,
    payment::{AttemptId, ListMovements, Movement, MovementKind, Provider, operations},
};

use super::{
    Ours, Range, ReconcileError, Report, Row, Verdict,
    compare::{self, Decision, Seen, in_books},
    evidence::{Evidence, Witness},
    fees::{self, Fee},
    window::hours,
};
use crate::{
    database::Database,
    proxy_client::ProxyClient,
    store::{
        StoreError, code,
        id::PaymentId,
        payment_code::RefundStanding,
        reconcile::{self, BookedPayment, BookedRefund, BookedTransaction},
    },
};

/// A comparison that is under way.
pub(super) struct Run<'a> {
    database: &'a Database,
    witness: Witness<'a>,
    now: DateTime<Utc>,
    report: Report,
    /// The movements of the provider that were looked at: a list that changes under its reader may repeat one.
    listed: HashSet<(MovementKind, String)>,
    /// What of ours the provider has listed.
    seen: HashSet<Seen>,
    /// The payments of ours of which charges were listed, by their keys.
    parts: BTreeMap<PaymentId, Parts>,
}

/// The charges that were listed of a payment of ours.
struct Parts {
    payment: BookedPayment,
    /// What they come to.
    sum: Money,
    /// What the provider has kept of them.
    fees: Vec<Fee>,
}

/// A row of ours that the provider has been asked about.
struct Booked {
    kind: MovementKind,
    reference: Option<String>,
    ours: Ours,
    amount: Option<Money>,
}

impl Booked {
    fn payment(payment: BookedPayment) -> Self {
        Self {
            kind: MovementKind::Charge,
            reference: payment.provider_reference,
            ours: Ours::Payment(payment.uuid.to_string()),
            amount: in_books(payment.captured_minor, &payment.currency),
        }
    }

    fn refund(refund: BookedRefund) -> Self {
        Self {
            kind: MovementKind::Refund,
            reference: refund.provider_reference,
            ours: Ours::Refund(refund.uuid.to_string()),
            amount: in_books(refund.amount_minor, &refund.currency),
        }
    }

    fn transaction(transaction: BookedTransaction) -> Self {
        let is_refund = transaction.kind == code::TransactionType::Refund;
        Self {
            kind: if is_refund { MovementKind::Refund } else { MovementKind::Charge },
            reference: transaction.uid_support,
            ours: Ours::Transaction(transaction.uuid),
            amount: transaction
                .amount_minor
                .zip(transaction.currency)
                .and_then(|(minor_units, currency)| in_books(minor_units, &currency)),
        }
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        database: &'a Database,
        proxy: &'a ProxyClient,
        provider: Provider,
        range: Range,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            database,
            witness: Witness { proxy, provider },
            now,
            report: Report::new(provider, range),
            listed: HashSet::new(),
            seen: HashSet::new(),
            parts: BTreeMap::new(),
        }
    }

    pub(super) async fn finish(mut self) -> Result<Report, ReconcileError> {
        let hours = hours(self.report.range, self.now);
        for &(from, to) in &hours {
            self.theirs(from, to).await?;
        }
        for parts in std::mem::take(&mut self.parts).into_values() {
            self.parts_of(parts).await?;
        }
        for (from, to) in hours {
            self.ours(from, to).await?;
        }
        self.older().await?;
        Ok(self.report)
    }

    /// Goes through the provider's list of an hour.
    async fn theirs(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), ReconcileError> {
        let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut cursors = HashSet::new();
        let mut cursor = None;
        loop {
            let request = ListMovements {
                attempt: AttemptId::new(),
                from: written(from),
                to: written(to),
                cursor: cursor.clone(),
            };
            let page =
                self.witness.proxy.pay::<operations::ListMovements>(self.report.provider, &request).await?;
            self.page(page.movements).await?;
            cursor = page.next;
            match &cursor {
                None => return Ok(()),
                Some(next) if cursors.insert(next.clone()) => {}
                Some(_) => return Err(ReconcileError::Endless),
            }
        }
    }

    async fn page(&mut self, mut movements: Vec<Movement>) -> Result<(), ReconcileError> {
        movements.retain(|movement| self.listed.insert((movement.kind, movement.reference.clone())));
        if movements.is_empty() {
            return Ok(());
        }
        let asked = compare::asked(&movements);
        let provider = code::Provider::from(self.report.provider);
        let known = move |connection: &mut _| reconcile::known(connection, provider, &asked);
        let known = self.database.read::<_, StoreError, _>(known).await?;
        for movement in &movements {
            let (decision, seen) = compare::decide(movement, &known);
            self.seen.extend(seen);
            match decision {
                Decision::Agrees => self.agrees(movement, seen, provider).await?,
                Decision::Part(payment) => self.part(payment, movement),
                Decision::Differs(row) => self.report.add(row),
            }
        }
        Ok(())
    }

    async fn agrees(
        &mut self,
        movement: &Movement,
        seen: Option<Seen>,
        provider: code::Provider,
    ) -> Result<(), ReconcileError> {
        self.report.counts.agreed += 1;
        if let (Some(Seen::Refund(_)), Some(fee)) = (seen, Fee::of(movement)) {
            self.report.fees_posted += fees::post_of_refund(self.database, provider, fee).await?;
        }
        Ok(())
    }

    /// Adds a charge to what was listed of its payment; one in another currency makes the sum one that no amount of
    /// ours equals.
    fn part(&mut self, payment: BookedPayment, movement: &Movement) {
        let Money { minor_units, currency } = movement.amount;
        let nothing = Money { minor_units: 0, currency };
        let new = |payment| Parts { payment, sum: nothing, fees: Vec::new() };
        let parts = self.parts.entry(payment.id).or_insert_with(|| new(payment));
        parts.sum = Money { minor_units: parts.sum.minor_units.saturating_add(minor_units), currency };
        parts.fees.extend(Fee::of(movement));
    }

    /// A payment of which charges were listed. When they come to less than our books have, others may be of other
    /// days.
    async fn parts_of(&mut self, parts: Parts) -> Result<(), ReconcileError> {
        let Parts { payment, sum, fees } = parts;
        let id = payment.id;
        let booked = in_books(payment.captured_minor, &payment.currency);
        if booked == Some(sum) {
            self.report.counts.agreed += 1;
            self.report.fees_posted += fees::post_of_payment(self.database, id, fees).await?;
            return Ok(());
        }
        let may_be_elsewhere = sum.minor_units < payment.captured_minor;
        let evidence = match &payment.provider_reference {
            Some(reference) if may_be_elsewhere => self.witness.payment(reference).await?,
            _ => Evidence::Moved(sum),
        };
        let is_open = move |connection: &mut _| reconcile::is_unsettled(connection, id);
        let is_open = self.database.read::<_, StoreError, _>(is_open).await?;
        if self.weigh(Booked::payment(payment), evidence, is_open) {
            self.report.fees_posted += fees::post_of_payment(self.database, id, fees).await?;
        }
        Ok(())
    }

    /// Goes through what our books have of an hour and the provider has not listed.
    async fn ours(&mut self, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), ReconcileError> {
        let provider = code::Provider::from(self.report.provider);
        let read = move |connection: &mut _| {
            let (payments, unsettled) = reconcile::payments_between(connection, provider, from, to)?;
            Ok((payments, unsettled, reconcile::refunds_between(connection, provider, from, to)?))
        };
        let (payments, unsettled, refunds) = self.database.read::<_, StoreError, _>(read).await?;
        for payment in payments {
            let is_open = unsettled.contains(&payment.id);
            if (payment.captured_minor == 0 && !is_open) || !self.seen.insert(Seen::Payment(payment.id)) {
                continue;
            }
            let evidence = match &payment.provider_reference {
                _ if payment.captured_minor == 0 => Evidence::Later,
                Some(reference) => self.witness.payment(reference).await?,
                None => Evidence::Nothing,
            };
            self.weigh(Booked::payment(payment), evidence, is_open);
        }
        for refund in refunds {
            if self.seen.insert(Seen::Refund(refund.id)) {
                self.unlisted_refund(refund).await?;
            }
        }
        Ok(())
    }

    async fn unlisted_refund(&mut self, refund: BookedRefund) -> Result<(), ReconcileError> {
        let evidence = match &refund.provider_reference {
            _ if refund.standing != RefundStanding::Succeeded => Evidence::Later,
            Some(reference) => self.witness.refund(reference).await?,
            None => Evidence::Nothing,
        };
        self.weigh(Booked::refund(refund), evidence, false);
        Ok(())
    }

    /// Goes through the transactions of the older paths that the provider has not listed.
    async fn older(&mut self) -> Result<(), ReconcileError> {
        let (provider, range) = (code::Provider::from(self.report.provider), self.report.range);
        let read = move |connection: &mut _| {
            reconcile::transactions_between(connection, provider, range.begin(), range.end())
        };
        for transaction in self.database.read::<_, StoreError, _>(read).await? {
            if self.seen.insert(Seen::Transaction(transaction.id)) {
                self.unlisted_transaction(transaction).await?;
            }
        }
        Ok(())
    }

    async fn unlisted_transaction(&mut self, transaction: BookedTransaction) -> Result<(), ReconcileError> {
        let Some(reference) = &transaction.uid_support else { return Ok(()) };
        let evidence = if transaction.kind == code::TransactionType::Refund {
            self.witness.refund(reference).await?
        } else {
            self.witness.payment(reference).await?
        };
        self.weigh(Booked::transaction(transaction), evidence, false);
        Ok(())
    }

    /// Compares a row of ours with what the provider says of it. While the outcome of an operation on it is not known, a
    /// difference is none. True when they agree.
    fn weigh(&mut self, booked: Booked, evidence: Evidence, is_open: bool) -> bool {
        let (verdict, at_provider) = match evidence {
            Evidence::Moved(money) if booked.amount == Some(money) => {
                self.report.counts.agreed += 1;
                return true;
            }
            Evidence::Moved(money) => (Verdict::WrongAmount, Some(money)),
            Evidence::Nothing => (Verdict::Extra, None),
            Evidence::Later => (Verdict::Open, None),
        };
        self.report.add(Row {
            verdict: if is_open { Verdict::Open } else { verdict },
            kind: booked.kind,
            reference: booked.reference,
            ours: Some(booked.ours),
            at_provider,
            in_books: booked.amount,
            at: None,
        });
        false
    }
}
