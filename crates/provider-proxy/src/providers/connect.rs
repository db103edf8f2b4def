//! What a connector is: one method for each neutral operation, each of which it may leave out.

use chassis::crash;
use wire::{
    Reply,
    payment::{
        ChallengeAnswer, Event, Found, Healthy, Movements, OperationName, Outcome, PaymentOperation,
        PaymentRequest, Provider, operations,
    },
};

use super::{capability::Row, integrity};
use crate::{
    credentials::Withheld,
    error::ProxyError,
    policy::Gate,
    shape::{self, ShapeError},
};

/// What an operation is asked with.
type Request<O> = <O as PaymentOperation>::Request;

/// What comes of an operation: an error says that nothing was sent, unless its kind says otherwise.
type Performed<O> = Result<<O as PaymentOperation>::Answer, ProxyError>;

/// A neutral operation, performed by whichever connector.
pub(crate) trait Perform: PaymentOperation {
    /// Has the connector do it.
    async fn perform<C: Connect>(connector: &C, request: &Self::Request) -> Performed<Self>
    where
        Self: Sized;

    /// Whether the provider evidently did nothing.
    fn is_refused(answer: &Self::Answer) -> bool;

    /// Whether the answer is about the amount that was asked; gives that amount when it is not.
    fn check(request: &Self::Request, answer: &Self::Answer) -> integrity::Checked;
}

/// Declares the trait of connectors, with a method for each operation, and performs an operation by its name.
macro_rules! operations {
    ($($(#[$documentation:meta])* $method:ident, $operation:ident, $check:path;)+) => {
        /// The connector of one provider.
        ///
        /// A method is called only if its row of [`Connect::CAPABILITIES`] says so, and the amount of its answer is
        /// compared with the one that was asked afterwards.
        pub(crate) trait Connect {
            /// Whose connector it is.
            const PROVIDER: Provider;
            /// Every operation, once each, in the order of [`OperationName::ALL`].
            const CAPABILITIES: &'static [Row];

            /// Whether the same refund, asked for twice at the same time, is one refund at the provider.
            const REFUNDS_ARE_IDEMPOTENT: bool = true;

            /// What no answer may hold, whatever the provider says.
            fn withheld(&self) -> &Withheld;

            $(
                $(#[$documentation])*
                ///
                /// # Errors
                /// [`ProxyError`] when there is nothing to say about an outcome.
                async fn $method(
                    &self,
                    _request: &Request<operations::$operation>,
                ) -> Performed<operations::$operation> {
                    Err(unsupported::<Self>(OperationName::$operation))
                }
            )+
        }

        $(
            impl Perform for operations::$operation {
                async fn perform<C: Connect>(connector: &C, request: &Self::Request) -> Performed<Self> {
                    connector.$method(request).await
                }

                fn is_refused(answer: &Self::Answer) -> bool {
                    answer.is_refused()
                }

                fn check(request: &Self::Request, answer: &Self::Answer) -> integrity::Checked {
                    $check(request, answer)
                }
            }
        )+

        /// Performs a neutral operation with the request's JSON body, and gives the [`Reply`] as JSON.
        ///
        /// # Errors
        /// [`ProxyError`].
        pub(super) async fn perform<C: Connect>(
            connector: &C,
            operation: OperationName,
            body: &[u8],
            gate: &Gate<'_>,
        ) -> Result<Vec<u8>, ProxyError> {
            if !supports(C::CAPABILITIES, operation) {
                return Err(unsupported::<C>(operation));
            }
            match operation {
                $(OperationName::$operation => run::<operations::$operation, C>(connector, body, gate).await,)+
            }
        }
    };
}

operations! {
    /// What the provider's script on the payer's side starts with.
    client_token, ClientToken, integrity::no_amount;
    /// Makes a payer known at the provider.
    create_customer, CreateCustomer, integrity::no_amount;
    /// Keeps a means of payment for later.
    store_payment_method, StorePaymentMethod, integrity::no_amount;
    /// Makes the provider forget a stored means of payment.
    delete_payment_method, DeletePaymentMethod, integrity::no_amount;
    /// Asks the payer's bank for an amount. On a success with `capture`, all of it is captured.
    authorize, Authorize, integrity::authorized;
    /// Takes an authorized amount or a part of it.
    capture, Capture, integrity::captured;
    /// Gives up an authorization.
    void, Void, integrity::no_amount;
    /// Gives money back.
    refund, Refund, integrity::refunded;
    /// Asks what became of something.
    lookup, Lookup, integrity::no_amount;
    /// Lists what was taken and given back in a time.
    list_movements, ListMovements, integrity::no_amount;
    /// Prepares a page of the provider on which the payer agrees.
    start_checkout, StartCheckout, integrity::no_amount;
    /// Executes what the payer has agreed to. On a success with `capture`, all of it is captured.
    complete_checkout, CompleteCheckout, integrity::completed;
    /// Starts a subscription. The answer says its amount, if one was asked for.
    subscribe, Subscribe, integrity::subscribed;
    /// Has the coming charges of a subscription made to another means of payment.
    change_subscription_payment_method, ChangeSubscriptionPaymentMethod, integrity::no_amount;
    /// Ends a subscription.
    cancel_subscription, CancelSubscription, integrity::no_amount;
    /// Verifies what a provider posted.
    verify_webhook, VerifyWebhook, integrity::no_amount;
    /// Answers the question with which a provider checks the address of its webhooks.
    answer_webhook_challenge, AnswerWebhookChallenge, integrity::no_amount;
    /// Asks whether the provider answers and takes our credentials.
    health, Health, integrity::no_amount;
}

fn supports(table: &[Row], operation: OperationName) -> bool {
    table.iter().any(|row| row.operation == operation && row.supported)
}

fn unsupported<C: Connect + ?Sized>(operation: OperationName) -> ProxyError {
    ProxyError::Unsupported { target: C::PROVIDER.name(), operation }
}

async fn run<O: Perform, C: Connect>(
    connector: &C,
    body: &[u8],
    gate: &Gate<'_>,
) -> Result<Vec<u8>, ProxyError> {
    let target = C::PROVIDER.name();
    let request: O::Request =
        shape::from_slice(body).map_err(|source| ProxyError::InvalidRequest { target, source })?;
    integrity::valid(&request).map_err(|source| ProxyError::InvalidRequest { target, source })?;
    gate.amount(C::PROVIDER, O::NAME, request.amount())?;
    crash_point::<O>(&request, "proxy.received");
    let answer = within_limits::<O, C>(connector, &request, gate).await?;
    crash_point::<O>(&request, "proxy.answered");
    O::check(&request, &answer).map_err(|asked| ProxyError::AmountMismatch { target, asked })?;
    // The provider has acted by now, so a failure here is never one before anything was sent.
    let unexpected = |_| ProxyError::UnexpectedAnswer {
        target,
        source: ShapeError::field(".", "cannot be passed on as JSON"),
    };
    let text = serde_json::to_string(&Reply::Result(answer)).map_err(unexpected)?;
    Ok(connector.withheld().clean(text).into_bytes())
}

/// Where a test lets the process die on both sides of an operation that changes something at a provider.
fn crash_point<O: Perform>(request: &O::Request, name: &str) {
    let only_reads = matches!(O::NAME, OperationName::Lookup | OperationName::Health);
    if request.attempt().is_some() && !only_reads {
        crash::point(name);
    }
}

/// Performs an operation; a refund takes its place in the windows first, and gives it back when nothing was moved.
async fn within_limits<O: Perform, C: Connect>(
    connector: &C,
    request: &O::Request,
    gate: &Gate<'_>,
) -> Performed<O> {
    let (OperationName::Refund, Some(amount)) = (O::NAME, request.amount()) else {
        return O::perform(connector, request).await;
    };
    let Some(reservation) = gate.refund(C::PROVIDER, amount, C::REFUNDS_ARE_IDEMPOTENT, request).await?
    else {
        return O::perform(connector, request).await;
    };
    let answer = O::perform(connector, request).await;
    let moved_nothing = match &answer {
        Ok(answer) => O::is_refused(answer),
        Err(error) => !error.failure().kind.outcome_is_unknown(),
    };
    if moved_nothing {
        reservation.give_back().await;
    }
    answer
}

/// What an answer says about whether anything was done.
trait Refusable {
    fn is_refused(&self) -> bool {
        false
    }
}

impl<T> Refusable for Outcome<T> {
    fn is_refused(&self) -> bool {
        matches!(self, Self::Declined { .. } | Self::Rejected { .. })
    }
}

impl Refusable for Found {}
impl Refusable for Movements {}
impl Refusable for Event {}
impl Refusable for ChallengeAnswer {}
impl Refusable for Healthy {}

#[cfg(test)]
mod tests;
