//! A transaction: a sale or a credit, with its status and how it came to it.

use chrono::{DateTime, Utc};

use super::amount::MerchantAccount;
use super::instrument::{Instrument, ThreeDSecure};
use super::processor;
use super::xml::Element;

/// A sale or a credit.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) status: Status,
    pub(super) account: &'static MerchantAccount,
    /// In minor units of the account's currency; of a sale that was submitted for less, that.
    pub(super) amount: i64,
    /// What of a sale was submitted in parts, in minor units.
    pub(super) settled_in_parts: i64,
    pub(super) order_id: Option<String>,
    pub(super) instrument: Option<Instrument>,
    pub(super) token: Option<String>,
    pub(super) customer_id: Option<String>,
    pub(super) three_d_secure: Option<ThreeDSecure>,
    pub(super) processor_code: Option<u32>,
    pub(super) additional_response: Option<String>,
    pub(super) settlement_code: Option<u32>,
    pub(super) rejection: Option<&'static str>,
    pub(super) links: Links,
    pub(super) created: DateTime<Utc>,
    pub(super) updated: DateTime<Utc>,
    pub(super) history: Vec<(DateTime<Utc>, Status, i64)>,
}

/// The other objects that a transaction belongs to.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    pub(super) refunds: Vec<String>,
    pub(super) refunded: Option<String>,
    pub(super) parts: Vec<String>,
    pub(super) authorized: Option<String>,
    /// No more parts are taken.
    pub(super) last_part_taken: bool,
    pub(super) subscription: Option<Period>,
    pub(super) plan: Option<String>,
}

/// The period of a subscription that a transaction pays for.
#[derive(Clone, Debug)]
pub(super) struct Period {
    pub(super) subscription: String,
    pub(super) start: chrono::NaiveDate,
    pub(super) end: chrono::NaiveDate,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Sale,
    Credit,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Status {
    Authorized,
    AuthorizationExpired,
    SubmittedForSettlement,
    Settling,
    Settled,
    SettlementConfirmed,
    SettlementPending,
    SettlementDeclined,
    Voided,
    ProcessorDeclined,
    GatewayRejected,
    Failed,
}

impl Status {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::AuthorizationExpired => "authorization_expired",
            Self::SubmittedForSettlement => "submitted_for_settlement",
            Self::Settling => "settling",
            Self::Settled => "settled",
            Self::SettlementConfirmed => "settlement_confirmed",
            Self::SettlementPending => "settlement_pending",
            Self::SettlementDeclined => "settlement_declined",
            Self::Voided => "voided",
            Self::ProcessorDeclined => "processor_declined",
            Self::GatewayRejected => "gateway_rejected",
            Self::Failed => "failed",
        }
    }
}

impl Transaction {
    /// A new transaction that has no status of its own yet.
    pub(super) fn new(id: String, kind: Kind, account: &'static MerchantAccount, amount: i64) -> Self {
        let now = Utc::now();
        Self {
            id,
            kind,
            status: Status::Authorized,
            account,
            amount,
            settled_in_parts: 0,
            order_id: None,
            instrument: None,
            token: None,
            customer_id: None,
            three_d_secure: None,
            processor_code: None,
            additional_response: None,
            settlement_code: None,
            rejection: None,
            links: Links::default(),
            created: now,
            updated: now,
            history: Vec::new(),
        }
    }

    /// Goes over to a status.
    pub(super) fn become_status(&mut self, status: Status) {
        let now = Utc::now();
        self.status = status;
        self.updated = now;
        self.history.push((now, status, self.amount));
    }

    /// Whether it counts as an earlier sale when duplicates are looked for.
    pub(super) fn is_successful(&self) -> bool {
        matches!(
            self.status,
            Status::Authorized
                | Status::SubmittedForSettlement
                | Status::Settling
                | Status::Settled
                | Status::SettlementPending
                | Status::Voided
        )
    }

    /// The merchant's own reference: the order id; of a subscription's charge the subscription's id.
    pub(super) fn reference(&self) -> String {
        let subscription = self.links.subscription.as_ref().map(|period| &period.subscription);
        self.order_id.as_ref().or(subscription).cloned().unwrap_or_default()
    }

    /// The whole transaction as XML.
    pub(super) fn show(&self) -> Element {
        let mut fields = self.own_fields();
        fields.extend(self.processor_fields());
        fields.extend(self.instrument_fields());
        fields.extend(self.link_fields());
        Element::node("transaction", fields)
    }

    fn own_fields(&self) -> Vec<Element> {
        let history = self.history.iter().map(|&(at, status, amount)| {
            Element::node(
                "status-event",
                vec![
                    Element::datetime("timestamp", at),
                    Element::text("status", status.name()),
                    Element::text("amount", self.account.show(amount)),
                    Element::nil("user"),
                    Element::text("transaction-source", "api"),
                ],
            )
        });
        vec![
            Element::text("id", self.id.as_str()),
            Element::text("status", self.status.name()),
            Element::text("type", if self.kind == Kind::Sale { "sale" } else { "credit" }),
            Element::text("currency-iso-code", self.account.currency),
            Element::text("amount", self.account.show(self.amount)),
            Element::text("merchant-account-id", self.account.id),
            Element::nil("sub-merchant-account-id"),
            Element::nil("master-merchant-account-id"),
            Element::optional("order-id", self.order_id.as_deref()),
            Element::datetime("created-at", self.created),
            Element::datetime("updated-at", self.updated),
            Element::node("customer", vec![Element::optional("id", self.customer_id.as_deref())]),
            Element::array("status-history", history.collect()),
            Element::nil("tax-amount"),
            Element::boolean("tax-exempt", false),
            Element::nil("purchase-order-number"),
            Element::nil("channel"),
            Element::node("custom-fields", vec![]),
            Element::text("global-id", format!("dHJhbnNhY3Rpb25f{}", self.id)),
        ]
    }

    fn processor_fields(&self) -> Vec<Element> {
        let code = |code: Option<u32>| code.map(|code| code.to_string());
        let text = |code: Option<u32>| code.map(processor::text);
        let cvv = match &self.instrument {
            Some(Instrument::Card(card)) if card.cvv.as_deref() == Some("200") => "N",
            Some(Instrument::Card(card)) if card.cvv.as_deref() == Some("201") => "U",
            Some(Instrument::Card(card)) if card.cvv.is_some() => "M",
            _ => "I",
        };
        vec![
            Element::nil("avs-error-response-code"),
            Element::text("avs-postal-code-response-code", "I"),
            Element::text("avs-street-address-response-code", "I"),
            Element::text("cvv-response-code", cvv),
            Element::optional("gateway-rejection-reason", self.rejection),
            Element::optional("processor-authorization-code", self.processor_code.map(|_| "SANDBX")),
            Element::optional("processor-response-code", code(self.processor_code)),
            Element::optional("processor-response-text", text(self.processor_code)),
            Element::optional("processor-response-type", self.processor_code.map(processor::response_type)),
            Element::optional("additional-processor-response", self.additional_response.as_deref()),
            Element::optional("processor-settlement-response-code", code(self.settlement_code)),
            Element::optional("processor-settlement-response-text", text(self.settlement_code)),
            Element::nil("voice-referral-number"),
            Element::text("network-response-code", "XX"),
            Element::text("network-response-text", "sample network response text"),
            Element::nil("settlement-batch-id"),
            self.three_d_secure.map_or_else(|| Element::nil("three-d-secure-info"), ThreeDSecure::show),
        ]
    }

    fn instrument_fields(&self) -> Vec<Element> {
        let Some(instrument) = &self.instrument else { return Vec::new() };
        let token = self.token.as_deref();
        let details = match instrument {
            Instrument::Card(card) => Element::node("credit-card", card.show(token)),
            Instrument::Paypal { email } => Element::node(
                "paypal",
                vec![Element::optional("token", token), Element::text("payer-email", email.as_str())],
            ),
        };
        vec![details, Element::text("payment-instrument-type", instrument.kind())]
    }

    fn link_fields(&self) -> Vec<Element> {
        let period = self.links.subscription.as_ref();
        let day = |name: &str, day: Option<chrono::NaiveDate>| {
            day.map_or_else(|| Element::nil(name), |day| Element::date(name, day))
        };
        vec![
            Element::optional("refund-id", self.links.refunds.last().map(String::as_str)),
            Element::items("refund-ids", &self.links.refunds),
            Element::optional("refunded-transaction-id", self.links.refunded.as_deref()),
            Element::items("partial-settlement-transaction-ids", &self.links.parts),
            Element::optional("authorized-transaction-id", self.links.authorized.as_deref()),
            Element::optional("plan-id", self.links.plan.as_deref()),
            Element::optional("subscription-id", period.map(|period| period.subscription.as_str())),
            Element::node(
                "subscription",
                vec![
                    day("billing-period-start-date", period.map(|period| period.start)),
                    day("billing-period-end-date", period.map(|period| period.end)),
                ],
            ),
            Element::boolean("recurring", period.is_some()),
            Element::array("add-ons", vec![]),
            Element::array("discounts", vec![]),
            Element::array("disputes", vec![]),
            Element::array("authorization-adjustments", vec![]),
            Element::node("disbursement-details", vec![Element::nil("disbursement-date")]),
            Element::node(
                "descriptor",
                vec![Element::nil("name"), Element::nil("phone"), Element::nil("url")],
            ),
        ]
    }
}
