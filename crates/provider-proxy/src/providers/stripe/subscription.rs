//! Payments that Stripe repeats.

use chrono::{DateTime, Utc};
use wire::{
    Money,
    payment::{
        CancelSubscription, ChangeSubscriptionPaymentMethod, Outcome, Payment, Subscribe, Subscription,
        SubscriptionStatus,
    },
};

use super::{
    Stripe, amount,
    client::{Call, id, invalid},
    messages::{self, ATTEMPT, Invoice, PaymentIntent, Price},
    payment::{outcome, unexpected},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Unintelligible, after_a_change},
    shape::ShapeError,
};

/// Stripe's words for how a subscription stands.
pub(super) const STATUSES: &[(&str, SubscriptionStatus)] = &[
    ("incomplete", SubscriptionStatus::Pending),
    ("paused", SubscriptionStatus::Pending),
    ("trialing", SubscriptionStatus::Active),
    ("active", SubscriptionStatus::Active),
    ("past_due", SubscriptionStatus::PastDue),
    ("unpaid", SubscriptionStatus::PastDue),
    ("canceled", SubscriptionStatus::Cancelled),
    ("incomplete_expired", SubscriptionStatus::Expired),
];

impl Stripe {
    /// `POST /v1/subscriptions`, and a look at the payment of its first invoice.
    pub(super) async fn start_subscription(
        &self,
        request: &Subscribe,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        let call = self.subscribe_call(request).await?;
        let map = |made: messages::Subscription| {
            let invoice = made.latest_invoice.as_ref().and_then(|invoice| invoice.object().cloned());
            Ok(Outcome::Succeeded { result: (to_wire(&made)?, invoice) })
        };
        match self.client.change(call, map, |_| Ok(None)).await? {
            Outcome::Succeeded { result: (made, invoice) } => {
                Ok(after_a_change(self.first_payment(made, invoice.as_ref()).await))
            }
            other => Ok(other.map(|(made, _)| made)),
        }
    }

    async fn subscribe_call(&self, request: &Subscribe) -> Result<Call, ProxyError> {
        let missing = || invalid(ShapeError::field("customer", "Stripe asks for the payer"));
        let customer = request.customer.as_deref().ok_or_else(missing)?;
        let call = Call::post("/v1/subscriptions", request.attempt)
            .with("customer", customer)
            .with_token("default_payment_method", &request.payment_method)
            .with("payment_behavior", "allow_incomplete")
            .with(&format!("metadata[{ATTEMPT}]"), &request.attempt.to_string())
            .with("expand[]", "latest_invoice.payments");
        match request.amount {
            None => Ok(call.with("items[0][price]", &request.plan)),
            Some(asked) => self.with_own_price(call, &request.plan, asked).await,
        }
    }

    /// The plan with another amount: its product and its interval stay.
    async fn with_own_price(&self, call: Call, plan: &str, asked: Money) -> Result<Call, ProxyError> {
        let path = format!("/v1/prices/{}", id("plan", plan)?);
        let price = self.client.read::<Price>(Call::get(path)).await?;
        let price = price.ok_or_else(|| invalid(ShapeError::field("plan", "Stripe has no such price")))?;
        let recurring = price.recurring.as_ref();
        let recurring =
            recurring.ok_or_else(|| invalid(ShapeError::field("plan", "not a price that recurs")))?;
        Ok(call
            .with("items[0][price_data][product]", &price.product)
            .with("items[0][price_data][currency]", &amount::currency_to_stripe(asked.currency))
            .with(
                "items[0][price_data][unit_amount]",
                &amount::to_stripe(asked).map_err(invalid)?.to_string(),
            )
            .with("items[0][price_data][recurring][interval]", &recurring.interval)
            .with("items[0][price_data][recurring][interval_count]", &recurring.interval_count.to_string()))
    }

    /// How a new subscription stands, by the payment of its first invoice.
    async fn first_payment(
        &self,
        mut result: Subscription,
        invoice: Option<&Invoice>,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        let Some(intent) = invoice.and_then(intent_of) else { return settled(result) };
        let call = Call::get(format!("/v1/payment_intents/{}", id("payment_intent", intent)?))
            .with("expand[]", "latest_charge")
            .with("expand[]", "payment_method");
        let intent = match self.client.read::<PaymentIntent>(call).await {
            Ok(intent) => intent,
            // It is paid; only how is not known.
            Err(error) if result.status == SubscriptionStatus::Active => {
                log::warn!("{}", crate::server::chain(&error));
                None
            }
            Err(error) => return Err(error),
        };
        let Some(intent) = intent else { return settled(result) };
        let payment = outcome(&intent).map_err(unexpected)?;
        result.first_payment = payment.result().cloned();
        if result.status == SubscriptionStatus::Active {
            return Ok(Outcome::Succeeded { result });
        }
        Ok(by_payment(payment, result, invoice))
    }

    /// `POST /v1/subscriptions/{id}`.
    pub(super) async fn change_method(
        &self,
        request: &ChangeSubscriptionPaymentMethod,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        let path = format!("/v1/subscriptions/{}", id("subscription", &request.subscription)?);
        let call =
            Call::post(path, request.attempt).with_token("default_payment_method", &request.payment_method);
        let map = |changed: messages::Subscription| {
            same(&changed, &request.subscription)?;
            Ok(Outcome::Succeeded { result: to_wire(&changed)? })
        };
        self.client.change(call, map, |_| Ok(None)).await
    }

    /// `DELETE /v1/subscriptions/{id}`. One that has ended before is as good.
    pub(super) async fn end_subscription(
        &self,
        request: &CancelSubscription,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        let path = format!("/v1/subscriptions/{}", id("subscription", &request.subscription)?);
        let map = |ended: messages::Subscription| {
            same(&ended, &request.subscription)?;
            match to_wire(&ended)? {
                result if has_ended(&result) => Ok(Outcome::Succeeded { result }),
                _ => Err(Unintelligible::field("status", "expected one of an ended subscription")),
            }
        };
        let outcome = self.client.change(Call::delete(path.as_str()), map, |_| Ok(None)).await?;
        if !matches!(&outcome, Outcome::Rejected { rejection } if rejection.status == 404) {
            return Ok(outcome);
        }
        // Stripe does not find one that has ended. Evidence is asked for; without it the rejection stands.
        match self.client.read::<messages::Subscription>(Call::get(path)).await {
            Ok(Some(now)) => {
                let result = to_wire(&now).map_err(unexpected)?;
                Ok(if has_ended(&result) { Outcome::Succeeded { result } } else { outcome })
            }
            _ => Ok(outcome),
        }
    }
}

fn has_ended(subscription: &Subscription) -> bool {
    matches!(subscription.status, SubscriptionStatus::Cancelled | SubscriptionStatus::Expired)
}

/// The intent that pays an invoice.
fn intent_of(invoice: &Invoice) -> Option<&String> {
    invoice.payments.as_ref()?.data.first()?.payment.payment_intent.as_ref()
}

/// How a subscription stands that no payment tells more about.
fn settled(result: Subscription) -> Result<Outcome<Subscription>, ProxyError> {
    Ok(match result.status {
        SubscriptionStatus::Active => Outcome::Succeeded { result },
        _ => Outcome::Pending { result },
    })
}

/// How a subscription stands whose first invoice is not paid.
fn by_payment(
    payment: Outcome<Payment>,
    result: Subscription,
    invoice: Option<&Invoice>,
) -> Outcome<Subscription> {
    match payment {
        Outcome::RequiresAction { mut action, .. } => {
            // The page of the invoice has the payer do whatever the bank asks for.
            action.url = action.url.or_else(|| invoice?.hosted_invoice_url.clone());
            Outcome::RequiresAction { action, result }
        }
        Outcome::Declined { decline, .. } => Outcome::Declined { decline, result: Some(result) },
        _ => Outcome::Pending { result },
    }
}

fn same(answered: &messages::Subscription, asked: &str) -> Result<(), Unintelligible> {
    if answered.id == asked {
        return Ok(());
    }
    Err(Unintelligible::field("id", "not the subscription that was asked for"))
}

/// A subscription in our words.
pub(super) fn to_wire(subscription: &messages::Subscription) -> Result<Subscription, Unintelligible> {
    let status = STATUSES.iter().find(|(word, _)| *word == subscription.status);
    let status = status.map(|(_, status)| *status);
    let status = status.ok_or_else(|| Unintelligible::field("status", "not a status we know"))?;
    let item = subscription.items.data.first();
    let item = item.ok_or_else(|| Unintelligible::field("items", "expected one"))?;
    let each = item.price.unit_amount.and_then(|each| each.checked_mul(item.quantity.unwrap_or(1)));
    let amount = each.map(|all| amount::from_stripe(all, &item.price.currency)).transpose()?;
    let goes_on = status == SubscriptionStatus::Active && !subscription.cancel_at_period_end;
    Ok(Subscription {
        reference: subscription.id.clone(),
        status,
        provider_status: subscription.status.clone(),
        amount,
        period_start: item.current_period_start.and_then(day),
        // The period ends at that moment, so the day before it is its last one.
        period_end: item.current_period_end.and_then(|end| day(end.saturating_sub(1))),
        next_billing: item.current_period_end.filter(|_| goes_on).and_then(day),
        first_payment: None,
    })
}

/// The day of a time in UTC, as `YYYY-MM-DD`.
pub(super) fn day(seconds: i64) -> Option<String> {
    DateTime::<Utc>::from_timestamp(seconds, 0).map(|time| time.format("%Y-%m-%d").to_string())
}
