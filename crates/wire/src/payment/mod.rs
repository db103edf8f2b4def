//! The provider-neutral operations: what `db-server` may ask of any provider, and what it can be told.
//!
//! Each is `POST /v1/{provider}/{operation}`. An answer that the provider gave is [`crate::Reply::Result`] with an
//! [`Outcome`] in it; [`crate::Reply::Error`] says that nothing was sent, unless
//! [`crate::ErrorKind::outcome_is_unknown`] of its kind says otherwise.

mod attempt;
mod capability;
mod charge;
mod checkout;
mod customer;
mod lookup;
mod movement;
mod operation;
mod outcome;
mod provider;
mod subscription;
mod token;
mod webhook;

pub use attempt::{AttemptError, AttemptId};
pub use capability::{Capability, ProviderList, ProviderState};
pub use charge::{Authorize, Capture, Captured, Payment, Refund, Refunded, Source, Void};
pub use checkout::{Checkout, CompleteCheckout, StartCheckout};
pub use customer::{
    ClientToken, ClientTokenRequest, CreateCustomer, Customer, DeletePaymentMethod, Deleted, PaymentMethod,
    PaymentMethodKind, StorePaymentMethod,
};
pub use lookup::{Found, Lookup, LookupBy};
pub use movement::{ListMovements, Movement, MovementKind, MovementStatus, Movements};
pub use operation::{
    HealthRequest, Healthy, OperationName, PaymentOperation, PaymentRequest, UnknownOperation, operations,
    payment_path,
};
pub use outcome::{Action, Advice, Decline, FieldError, Outcome, Rejection};
pub use provider::{Provider, UnknownProvider};
pub use subscription::{
    CancelSubscription, ChangeSubscriptionPaymentMethod, Subscribe, Subscription, SubscriptionStatus,
};
pub use token::Token;
pub use webhook::{ChallengeAnswer, Event, EventKind, Header, VerifyWebhook, WebhookChallenge};

#[cfg(test)]
mod tests;
