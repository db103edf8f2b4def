//! Payments that the provider repeats.

use serde::{Deserialize, Serialize};

use super::{AttemptId, Payment, Token};
use crate::Money;

/// Starts a subscription.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the payer, where the provider asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// What stands for the means of payment at the provider.
    pub payment_method: Token,
    /// The provider's id of the plan.
    pub plan: String,
    /// What is charged each time instead of the plan's own price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// A subscription as the provider has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Subscription {
    /// The provider's id.
    pub reference: String,
    /// How it stands.
    pub status: SubscriptionStatus,
    /// The provider's own word for that.
    pub provider_status: String,
    /// What is charged each time, as the provider says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// The first day of the period that is paid for, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_start: Option<String>,
    /// Its last day, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period_end: Option<String>,
    /// When it is charged next, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_billing: Option<String>,
    /// The first charge, where it was made at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_payment: Option<Payment>,
}

/// How a subscription stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionStatus {
    /// Has not begun yet, or its first charge is not through.
    Pending,
    /// Is charged.
    Active,
    /// A charge has failed and is tried again.
    PastDue,
    /// Has been ended.
    Cancelled,
    /// Has come to its end.
    Expired,
}

/// Has the coming charges made to another means of payment.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSubscriptionPaymentMethod {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the subscription.
    pub subscription: String,
    /// What stands for the means of payment at the provider.
    pub payment_method: Token,
}

/// Ends a subscription at once. One that has ended before is as good.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CancelSubscription {
    /// Our id of this attempt.
    pub attempt: AttemptId,
    /// The provider's id of the subscription.
    pub subscription: String,
}
