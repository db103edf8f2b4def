//! The closed list of neutral operations, each with its request and its answer.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    AttemptId, Authorize, CancelSubscription, Capture, Captured, ChallengeAnswer,
    ChangeSubscriptionPaymentMethod, Checkout, ClientToken, ClientTokenRequest, CompleteCheckout,
    CreateCustomer, Customer, DeletePaymentMethod, Deleted, Event, Found, ListMovements, Lookup, Movements,
    Outcome, Payment, PaymentMethod, Provider, Refund, Refunded, StartCheckout, StorePaymentMethod,
    Subscribe, Subscription, VerifyWebhook, Void, WebhookChallenge,
};
use crate::Money;

/// One neutral operation: `POST /v1/{provider}/{NAME}` with a `Request`, answered by a [`crate::Reply`] of `Answer`.
pub trait PaymentOperation {
    /// Which one it is.
    const NAME: OperationName;
    /// What is asked.
    type Request: PaymentRequest;
    /// What the provider's answer becomes.
    type Answer: Serialize + DeserializeOwned;
}

/// What every request can be asked, for policies and logs.
pub trait PaymentRequest: Serialize + DeserializeOwned {
    /// Our id of the attempt; none for what only verifies.
    fn attempt(&self) -> Option<AttemptId>;

    /// How much money it is about; none for what moves none.
    fn amount(&self) -> Option<Money> {
        None
    }
}

/// The path of a neutral operation on `provider-proxy`.
#[must_use]
pub fn payment_path<O: PaymentOperation>(provider: Provider) -> String {
    format!("/v1/{provider}/{}", O::NAME)
}

/// Asks whether the provider answers and takes our credentials.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HealthRequest {
    /// Our id of this attempt.
    pub attempt: AttemptId,
}

/// The provider answers and takes our credentials.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Healthy {}

/// Declares the operations: their names, and a type for each in [`operations`].
macro_rules! operations {
    ($($(#[$documentation:meta])* $name:ident, $text:literal, $request:ty => $answer:ty;)+) => {
        /// The name of a neutral operation.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum OperationName {
            $($(#[$documentation])* $name,)+
        }

        impl OperationName {
            /// Every operation.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$name),+];

            /// The name in paths and settings.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }

        /// The operations as types.
        pub mod operations {
            use super::{OperationName, PaymentOperation};

            $(
                $(#[$documentation])*
                #[derive(Clone, Copy, Debug)]
                pub struct $name;

                impl PaymentOperation for $name {
                    const NAME: OperationName = OperationName::$name;
                    type Request = $request;
                    type Answer = $answer;
                }
            )+
        }
    };
}

operations! {
    /// What the provider's script on the payer's side starts with.
    ClientToken, "client_token", super::ClientTokenRequest => super::Outcome<super::ClientToken>;
    /// Makes a payer known at the provider.
    CreateCustomer, "create_customer", super::CreateCustomer => super::Outcome<super::Customer>;
    /// Keeps a means of payment for later, and verifies it where the provider can.
    StorePaymentMethod, "store_payment_method", super::StorePaymentMethod => super::Outcome<super::PaymentMethod>;
    /// Makes the provider forget a stored means of payment.
    DeletePaymentMethod, "delete_payment_method", super::DeletePaymentMethod => super::Outcome<super::Deleted>;
    /// Asks the payer's bank for an amount.
    Authorize, "authorize", super::Authorize => super::Outcome<super::Payment>;
    /// Takes an authorized amount or a part of it.
    Capture, "capture", super::Capture => super::Outcome<super::Captured>;
    /// Gives up an authorization.
    Void, "void", super::Void => super::Outcome<super::Payment>;
    /// Gives money back.
    Refund, "refund", super::Refund => super::Outcome<super::Refunded>;
    /// Asks what became of something.
    Lookup, "lookup", super::Lookup => super::Found;
    /// Lists what was taken and given back in a time.
    ListMovements, "list_movements", super::ListMovements => super::Movements;
    /// Prepares a page of the provider on which the payer agrees.
    StartCheckout, "start_checkout", super::StartCheckout => super::Outcome<super::Checkout>;
    /// Executes what the payer has agreed to.
    CompleteCheckout, "complete_checkout", super::CompleteCheckout => super::Outcome<super::Payment>;
    /// Starts a subscription.
    Subscribe, "subscribe", super::Subscribe => super::Outcome<super::Subscription>;
    /// Has the coming charges of a subscription made to another means of payment.
    ChangeSubscriptionPaymentMethod, "change_subscription_payment_method",
        super::ChangeSubscriptionPaymentMethod => super::Outcome<super::Subscription>;
    /// Ends a subscription.
    CancelSubscription, "cancel_subscription", super::CancelSubscription => super::Outcome<super::Subscription>;
    /// Verifies what a provider posted.
    VerifyWebhook, "verify_webhook", super::VerifyWebhook => super::Event;
    /// Answers the question with which a provider checks the address of its webhooks.
    AnswerWebhookChallenge, "answer_webhook_challenge", super::WebhookChallenge => super::ChallengeAnswer;
    /// Asks whether the provider answers and takes our credentials.
    Health, "health", super::HealthRequest => super::Healthy;
}

impl fmt::Display for OperationName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// No operation has this name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an operation")]
pub struct UnknownOperation;

impl FromStr for OperationName {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.into_iter().find(|operation| operation.name() == name).ok_or(UnknownOperation)
    }
}

/// Requests that carry an attempt, and those of them that carry an amount.
macro_rules! requests {
    (attempt: $($plain:ty),+; amount: $($money:ty),+; optional_amount: $($optional:ty),+; none: $($none:ty),+;) => {
        $(impl PaymentRequest for $plain {
            fn attempt(&self) -> Option<AttemptId> {
                Some(self.attempt)
            }
        })+
        $(impl PaymentRequest for $money {
            fn attempt(&self) -> Option<AttemptId> {
                Some(self.attempt)
            }

            fn amount(&self) -> Option<Money> {
                Some(self.amount)
            }
        })+
        $(impl PaymentRequest for $optional {
            fn attempt(&self) -> Option<AttemptId> {
                Some(self.attempt)
            }

            fn amount(&self) -> Option<Money> {
                self.amount
            }
        })+
        $(impl PaymentRequest for $none {
            fn attempt(&self) -> Option<AttemptId> {
                None
            }
        })+
    };
}

requests! {
    attempt: ClientTokenRequest, CreateCustomer, StorePaymentMethod, DeletePaymentMethod, Void, Lookup,
        ListMovements, ChangeSubscriptionPaymentMethod, CancelSubscription, HealthRequest;
    amount: Authorize, Capture, Refund, StartCheckout, CompleteCheckout;
    optional_amount: Subscribe;
    none: VerifyWebhook, WebhookChallenge;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_named_as_in_its_json_and_path() {
        for operation in OperationName::ALL {
            assert_eq!(serde_json::to_value(operation).unwrap(), operation.name());
            assert_eq!(operation.name().parse(), Ok(operation));
        }
        assert_eq!("charge".parse::<OperationName>(), Err(UnknownOperation));
        assert_eq!(payment_path::<operations::Refund>(Provider::Paypal), "/v1/paypal/refund");
    }
}
