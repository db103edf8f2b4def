//! Subscriptions. The id of one is the attempt that made it.

use wire::payment::{CancelSubscription, ChangeSubscriptionPaymentMethod, Outcome, Subscribe, Subscription};

use super::{
    Braintree,
    client::{self, Call},
    error::{self, Refused},
    messages::{self, Parts},
    table::Special,
    vault,
    xml::{Element, Written},
};
use crate::{
    error::ProxyError,
    providers::exchange::{Received, Unintelligible, after_a_change},
};

pub(super) async fn subscribe(
    braintree: &Braintree,
    request: &Subscribe,
) -> Result<Outcome<Subscription>, ProxyError> {
    let attempt = request.attempt.to_string();
    let mut body = Written::new("subscription")
        .text("id", &attempt)
        .text("payment_method_token", request.payment_method.expose())
        .text("plan_id", &request.plan);
    if let Some(amount) = request.amount {
        let account = braintree.accounts.of(amount.currency).map_err(client::invalid)?;
        body = body.text("price", &amount.decimal()).text("merchant_account_id", account);
    }
    let map = |received: &Received, document: &Element| braintree.subscribed(received, document, &attempt);
    let outcome = braintree.client.change(Call::post("subscriptions"), Some(body), map).await?;
    if error::special(&outcome) != Some(Special::PerhapsBefore) {
        return Ok(outcome);
    }
    Ok(after_a_change(braintree.existing(&attempt, outcome).await))
}

pub(super) async fn change_payment_method(
    braintree: &Braintree,
    request: &ChangeSubscriptionPaymentMethod,
) -> Result<Outcome<Subscription>, ProxyError> {
    let id = client::segment("subscription", &request.subscription)?;
    let body = Written::new("subscription").text("payment_method_token", request.payment_method.expose());
    let map = |received: &Received, document: &Element| braintree.subscribed(received, document, id);
    braintree.client.change(Call::put(format!("subscriptions/{id}")), Some(body), map).await
}

pub(super) async fn cancel(
    braintree: &Braintree,
    request: &CancelSubscription,
) -> Result<Outcome<Subscription>, ProxyError> {
    let id = client::segment("subscription", &request.subscription)?;
    let call = Call::put(format!("subscriptions/{id}/cancel"));
    let map = |received: &Received, document: &Element| braintree.subscribed(received, document, id);
    let outcome = braintree.client.change(call, None, map).await?;
    if error::special(&outcome) != Some(Special::PerhapsBefore) {
        return Ok(outcome);
    }
    Ok(after_a_change(braintree.existing(id, outcome).await))
}

impl Braintree {
    /// A subscription, or why there is none: its first charge may have been declined.
    fn subscribed(
        &self,
        received: &Received,
        document: &Element,
        id: &str,
    ) -> Result<Outcome<Subscription>, Unintelligible> {
        let Some(refused) = Refused::read(document) else {
            let (subscription, _) = messages::subscription(document, &self.accounts)?;
            return if subscription.reference == id {
                Ok(Outcome::Succeeded { result: subscription })
            } else {
                Err(Unintelligible::field("id", "another subscription"))
            };
        };
        let Some(charge) = refused.made("transaction") else { return Ok(refused.rejected(received)) };
        match messages::payment(charge, Parts::default())? {
            Outcome::Declined { decline, .. } => Ok(Outcome::Declined { decline, result: None }),
            _ => Err(Unintelligible::field("transaction.status", "an error with a charge that is none")),
        }
    }

    /// The subscription as it is; the refusal when there is none.
    async fn existing(
        &self,
        id: &str,
        refused: Outcome<Subscription>,
    ) -> Result<Outcome<Subscription>, ProxyError> {
        let read =
            |document: &Element| messages::subscription(document, &self.accounts).map(|(made, _)| made);
        vault::made_before(self, Call::get(format!("subscriptions/{id}")), refused, read).await
    }
}
