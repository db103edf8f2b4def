//! The one table of what Braintree's words mean: HTTP statuses, statuses of transactions and subscriptions, codes of
//! processors, reasons of the gateway, codes of errors, and kinds of webhooks. `docs/providers/braintree.md` shows it.

use actix_web::http::StatusCode;
use wire::payment::{Advice, EventKind, SubscriptionStatus};

/// What an HTTP status says before anything is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Meaning {
    /// The body says what came of it, whichever of these statuses it has: so do the official SDKs read it.
    Body,
    /// Nothing was done.
    Refused,
    /// There is no such object.
    NotFound,
    /// It may have been done.
    Unknown,
}

/// The meaning of a 2xx or a 4xx; any other status is an unknown outcome before it comes here.
pub(super) fn meaning(status: StatusCode) -> Meaning {
    match status {
        StatusCode::UNPROCESSABLE_ENTITY => Meaning::Body,
        StatusCode::NOT_FOUND => Meaning::NotFound,
        StatusCode::REQUEST_TIMEOUT => Meaning::Unknown,
        status if status.is_success() => Meaning::Body,
        _ => Meaning::Refused,
    }
}

/// How a transaction stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// The bank is being asked.
    Asked,
    /// The bank has agreed; nothing has been taken.
    Authorized,
    /// Money moves, or has moved.
    Taken,
    /// Parts of it were taken as transactions of their own; without parts, the processor will say later.
    InParts,
    /// Given up by us or by time.
    GivenUp,
    /// The processor said no.
    ProcessorDeclined,
    /// The gateway's own rules said no.
    GatewayRejected,
    /// What was authorized was not settled.
    NotSettled,
}

/// Every status of a transaction.
pub(super) const STATUSES: [(&str, Standing); 14] = [
    ("authorizing", Standing::Asked),
    ("authorized", Standing::Authorized),
    ("authorization_expired", Standing::GivenUp),
    ("submitted_for_settlement", Standing::Taken),
    ("settling", Standing::Taken),
    ("settlement_confirmed", Standing::Taken),
    ("settled", Standing::Taken),
    ("settlement_pending", Standing::InParts),
    ("settlement_declined", Standing::NotSettled),
    ("settlement_failed", Standing::NotSettled),
    ("voided", Standing::GivenUp),
    ("processor_declined", Standing::ProcessorDeclined),
    ("gateway_rejected", Standing::GatewayRejected),
    ("failed", Standing::ProcessorDeclined),
];

/// Every status of a subscription.
pub(super) const SUBSCRIPTIONS: [(&str, SubscriptionStatus); 5] = [
    ("Active", SubscriptionStatus::Active),
    ("Canceled", SubscriptionStatus::Cancelled),
    ("Expired", SubscriptionStatus::Expired),
    ("Past Due", SubscriptionStatus::PastDue),
    ("Pending", SubscriptionStatus::Pending),
];

/// The reasons for which the gateway itself rejects.
pub(super) const REASONS: [(&str, Advice); 11] = [
    ("application_incomplete", Advice::Never),
    ("avs", Advice::OtherMethod),
    ("avs_and_cvv", Advice::OtherMethod),
    ("cvv", Advice::Retry),
    (DUPLICATE, Advice::Retry),
    ("excessive_retry", Advice::Never),
    ("fraud", Advice::Never),
    ("risk_threshold", Advice::OtherMethod),
    ("three_d_secure", Advice::Retry),
    ("token_issuance", Advice::Retry),
    ("manual_review", Advice::OtherMethod),
];

/// An equal sale was made shortly before: this one is no news about it.
pub(super) const DUPLICATE: &str = "duplicate";

/// What may help after the processor's code: `processor-response-type` decides, but for cards that are to be kept.
pub(super) fn advice(code: &str, response_type: Option<&str>) -> Advice {
    match (code, response_type) {
        // Lost, stolen, fraud, "pick up card", stopped by the payer.
        ("2012" | "2013" | "2014" | "2017" | "2018" | "2047" | "2053", _) => Advice::Never,
        (_, Some("soft_declined")) => Advice::Retry,
        (code, None) if code.starts_with('3') => Advice::Retry,
        _ => Advice::OtherMethod,
    }
}

/// What a code of a validation error means beyond that nothing was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Special {
    /// The same request may have been made before with the same attempt: what it made is looked up.
    PerhapsBefore,
    /// The request of the same key is under way.
    Unknown,
}

/// The codes that do not simply say that nothing was done.
pub(super) const SPECIAL: [(&str, Special); 10] = [
    // Transactions: void, submit for settlement, nonce consumed.
    (CANNOT_VOID, Special::PerhapsBefore),
    (CANNOT_SUBMIT, Special::PerhapsBefore),
    ("91564", Special::PerhapsBefore),
    // api_request_key: in flight, server error.
    ("915233", Special::Unknown),
    ("915235", Special::Unknown),
    // Customers: id taken. Payment methods: token taken, nonce consumed.
    ("91609", Special::PerhapsBefore),
    ("91719", Special::PerhapsBefore),
    ("93107", Special::PerhapsBefore),
    // Subscriptions: id taken, canceled before.
    ("81902", Special::PerhapsBefore),
    ("81905", Special::PerhapsBefore),
];

/// Only what is authorized or submitted for settlement is voided.
pub(super) const CANNOT_VOID: &str = "91504";
/// Only what is authorized is submitted for settlement.
pub(super) const CANNOT_SUBMIT: &str = "91507";

/// What a webhook's kind is about.
pub(super) fn event_kind(kind: &str) -> EventKind {
    match kind {
        "check" => EventKind::Check,
        "subscription_charged_successfully" => EventKind::SubscriptionCharged,
        "subscription_charged_unsuccessfully" => EventKind::SubscriptionChargeFailed,
        "subscription_canceled" => EventKind::SubscriptionCancelled,
        "transaction_settled"
        | "transaction_settlement_declined"
        | "transaction_disbursed"
        | "transaction_reviewed"
        | "transaction_retried" => EventKind::Payment,
        "refund_failed" => EventKind::Refund,
        kind if kind.starts_with("dispute_") => EventKind::Dispute,
        kind if kind.starts_with("subscription_") => EventKind::Subscription,
        _ => EventKind::Other,
    }
}

/// The entry of a word.
pub(super) fn find<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|&(_, entry)| entry)
}
