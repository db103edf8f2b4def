//! What became of an operation that nobody has settled: the provider is looked into, or asked again under the same
//! attempt where [`rules`] say that this cannot move the money twice. Only evidence closes an operation.

mod evidence;

use chrono::{DateTime, Utc};
use diesel::PgConnection;
use thiserror::Error;
use wire::payment::{
    AttemptId, Found, Lookup, LookupBy, Outcome, Payment, PaymentOperation as _, Provider, operations,
};

use self::evidence::is_evidence;
use super::{
    Fact, Refused, execute,
    parts::{self, Shown},
    rules::{self, By, Rule},
};
use crate::{
    crypt::EncryptionKeys,
    domain::DomainError,
    error::chain,
    proxy_client::{ProxyClient, ProxyError},
    store::{
        payment::{self, PaymentRow},
        payment_code::{
            OperationState,
            PaymentOperationKind::{Authorize, Capture, CompleteCheckout, Refund, StartCheckout, Void},
        },
        payment_operation::{self, PaymentOperationRow},
        refund::{self, RefundRow},
    },
};

/// The code of what the provider knows nothing of.
const NOT_FOUND: &str = "not_found";

/// What is looked at.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The payment.
    pub payment: PaymentRow,
    /// What was asked about it.
    pub operation: PaymentOperationRow,
    /// The refund that was asked for, if it was one.
    pub refund: Option<RefundRow>,
    /// All that was asked about the payment.
    pub operations: Vec<PaymentOperationRow>,
}

/// Why nothing can be said now.
#[derive(Debug, Error)]
pub enum LookError {
    /// The provider could not be asked, or its answer says nothing.
    #[error("the look-up: {0}")]
    Proxy(#[from] ProxyError),
    /// What we hold about it cannot be used.
    #[error(transparent)]
    Domain(#[from] DomainError),
}

/// Asks the provider what became of an operation, and gives what that means for the payment, in the order in which it
/// is to be absorbed. Nothing when there is no evidence. No database transaction may be open meanwhile.
///
/// # Errors
/// [`LookError`]; whatever it is, it is no evidence.
pub async fn look(
    keys: &EncryptionKeys,
    proxy: &ProxyClient,
    now: DateTime<Utc>,
    subject: &Subject,
) -> Result<Vec<Fact>, LookError> {
    let operation = &subject.operation;
    if operation.state == OperationState::Settled {
        return Ok(Vec::new());
    }
    let provider = subject.payment.provider.neutral();
    let provider = provider.ok_or(DomainError::Integrity("The provider has no payments."))?;
    let Some(rule) = rules::rule(provider, operation.operation) else {
        log::error!("{provider} cannot have been asked for {}", operation.operation.name());
        return Ok(Vec::new());
    };
    let looking = Looking { keys, proxy, now, provider, rule, subject };
    match rule.by {
        _ if rule.pays_on_page && operation.state == OperationState::Watching => looking.page().await,
        By::Nothing => looking.ask_again_or_give_up().await,
        By::Attempt if operation.operation == Refund => looking.refund().await,
        By::Attempt => looking.authorize().await,
        By::Checkout => looking.checkout().await,
        By::Payment => looking.payment().await,
    }
}

/// What there is to look at about an operation.
///
/// # Errors
/// What the database gives.
pub fn subject(
    connection: &mut PgConnection,
    operation: PaymentOperationRow,
) -> Result<Subject, DomainError> {
    let payment = payment::by_id(connection, operation.payment_id)?.ok_or(DomainError::NotFound)?;
    let refund = match operation.operation {
        Refund => refund::of_operation(connection, operation.id)?,
        _ => None,
    };
    let operations = payment_operation::of_payment(connection, payment.id)?;
    Ok(Subject { payment, operation, refund, operations })
}

/// One look.
struct Looking<'a> {
    keys: &'a EncryptionKeys,
    proxy: &'a ProxyClient,
    now: DateTime<Utc>,
    provider: Provider,
    rule: &'static Rule,
    subject: &'a Subject,
}

impl Looking<'_> {
    async fn authorize(&self) -> Result<Vec<Fact>, LookError> {
        let by = match &self.subject.payment.provider_reference {
            Some(reference) => LookupBy::Payment { reference: reference.clone() },
            None if self.rule.may_look(self.age()) => LookupBy::PaymentAttempt { of: self.attempt()? },
            None => return Ok(Vec::new()),
        };
        match self.find_or_leave(by).await? {
            None => self.ask_again().await,
            Some(Found::Payment { outcome }) => Ok(vec![self.is(outcome)]),
            Some(Found::Refund { .. }) => Ok(Vec::new()),
            Some(Found::Nothing) => self.ask_again_or_give_up().await,
        }
    }

    async fn checkout(&self) -> Result<Vec<Fact>, LookError> {
        let Some(reference) = self.subject.payment.checkout_reference.clone() else { return Ok(Vec::new()) };
        match self.find(LookupBy::Payment { reference }).await? {
            // The payer has agreed, and it may be that it was not executed.
            Found::Payment { outcome: Outcome::Pending { .. } } if self.may_ask_again() => {
                self.ask_again().await
            }
            Found::Payment { outcome } => Ok(vec![self.is(outcome)]),
            Found::Refund { .. } => Ok(Vec::new()),
            Found::Nothing => Ok(self.given_up()),
        }
    }

    /// The page on which the payer pays. As long as nobody has, it is still what the payer is to be sent to.
    async fn page(&self) -> Result<Vec<Fact>, LookError> {
        let Some(reference) = self.subject.payment.checkout_reference.clone() else { return Ok(Vec::new()) };
        Ok(match self.find(LookupBy::Payment { reference }).await? {
            Found::Payment { outcome: outcome @ (Outcome::Succeeded { .. } | Outcome::Declined { .. }) } => {
                vec![of_payment(outcome)]
            }
            Found::Payment { .. } | Found::Refund { .. } | Found::Nothing => Vec::new(),
        })
    }

    async fn refund(&self) -> Result<Vec<Fact>, LookError> {
        let known = self.subject.refund.as_ref().and_then(|refund| refund.provider_reference.clone());
        let by = match (known, &self.subject.payment.provider_reference) {
            (Some(reference), _) => LookupBy::Refund { reference },
            (None, Some(payment)) => {
                LookupBy::RefundAttempt { of: self.attempt()?, payment: payment.clone() }
            }
            (None, None) => return Ok(Vec::new()),
        };
        match self.find_or_leave(by).await? {
            None => self.ask_again().await,
            Some(Found::Refund { outcome }) => {
                let operation = Some(self.subject.operation.clone());
                Ok(vec![Fact::Refund { operation, outcome }])
            }
            Some(Found::Payment { .. }) => Ok(Vec::new()),
            Some(Found::Nothing) => self.ask_again_or_give_up().await,
        }
    }

    /// A capture or a void: the payment shows what has become of it.
    async fn payment(&self) -> Result<Vec<Fact>, LookError> {
        let Some(reference) = self.subject.payment.provider_reference.clone() else { return Ok(Vec::new()) };
        let Found::Payment { outcome } = self.find(LookupBy::Payment { reference }).await? else {
            return Ok(Vec::new());
        };
        let Outcome::Succeeded { result } = &outcome else { return Ok(vec![of_payment(outcome)]) };
        let shown = self.shown(result);
        let mut facts = vec![of_payment(outcome)];
        match shown {
            Shown::Done | Shown::Unclear => {}
            Shown::NotDone => facts.extend(self.ask_again_or_give_up().await?),
            Shown::Some if self.may_ask_again() => facts.extend(self.ask_again().await?),
            Shown::Some => {}
        }
        Ok(facts)
    }

    fn shown(&self, payment: &Payment) -> Shown {
        let operation = &self.subject.operation;
        match operation.operation {
            Capture => parts::shown(&self.subject.operations, operation, payment.taken()),
            Void if payment.voided => Shown::Done,
            // A void after a capture would give up something else than was meant.
            Void if payment.taken() == 0 => Shown::NotDone,
            _ => Shown::Unclear,
        }
    }

    async fn ask_again_or_give_up(&self) -> Result<Vec<Fact>, LookError> {
        if self.may_ask_again() { self.ask_again().await } else { Ok(self.given_up()) }
    }

    fn may_ask_again(&self) -> bool {
        let is_pending = self.subject.operation.state == OperationState::Watching;
        (!is_pending || self.rule.again_while_pending) && self.rule.may_ask_again(self.age())
    }

    async fn ask_again(&self) -> Result<Vec<Fact>, LookError> {
        let operation = &self.subject.operation;
        log::info!("asking {} again: {} {}", self.provider, operation.operation.name(), operation.attempt);
        let fact = execute::ask(self.keys, self.proxy, self.provider, operation).await?;
        Ok(if is_evidence(&fact) { vec![fact] } else { Vec::new() })
    }

    /// That there is nothing, if that is evidence by now. What the provider has taken up is not gone.
    fn given_up(&self) -> Vec<Fact> {
        let operation = &self.subject.operation;
        let quiet = self.now - operation.modified;
        let is_pending = operation.state == OperationState::Watching;
        if is_pending || !self.rule.nothing_is_evidence(quiet) {
            return Vec::new();
        }
        let message = match operation.operation {
            Authorize | Refund => "The provider knows of no such request.",
            StartCheckout => "The provider has given no page for the payer.",
            CompleteCheckout | Capture | Void => "The provider has not done it.",
        };
        let refusal = Refused { code: NOT_FOUND.to_owned(), message: message.to_owned() };
        vec![Fact::NotDone { operation: operation.clone(), refusal, why: None }]
    }

    fn is(&self, outcome: Outcome<Payment>) -> Fact {
        Fact::Payment { operation: Some(self.subject.operation.clone()), outcome }
    }

    fn age(&self) -> chrono::TimeDelta {
        self.now - self.subject.operation.created
    }

    fn attempt(&self) -> Result<AttemptId, DomainError> {
        let attempt = AttemptId::try_from(self.subject.operation.attempt);
        attempt.map_err(|_| DomainError::Integrity("The attempt's id is none."))
    }

    async fn find(&self, by: LookupBy) -> Result<Found, ProxyError> {
        find(self.proxy, self.provider, by).await
    }

    /// What is found. None where the provider cannot be looked into, as where it has more payments than can be gone
    /// through, and may be asked again: that is as safe as after it has found nothing, and says as much.
    async fn find_or_leave(&self, by: LookupBy) -> Result<Option<Found>, ProxyError> {
        match self.find(by).await {
            Err(error @ (ProxyError::Failure { .. } | ProxyError::Refused(_))) if self.may_ask_again() => {
                log::warn!("{} is asked again without a look-up: {}", self.provider, chain(&error));
                Ok(None)
            }
            found => found.map(Some),
        }
    }
}

/// Asks a provider how a payment stands that it knows by this id, of its own or of its checkout.
///
/// # Errors
/// [`ProxyError`]; the provider has changed nothing.
pub async fn at_payment(
    proxy: &ProxyClient,
    provider: Provider,
    reference: String,
) -> Result<Option<Fact>, ProxyError> {
    match find(proxy, provider, LookupBy::Payment { reference }).await? {
        Found::Payment { outcome } => Ok(Some(of_payment(outcome))),
        Found::Refund { .. } | Found::Nothing => Ok(None),
    }
}

async fn find(proxy: &ProxyClient, provider: Provider, by: LookupBy) -> Result<Found, ProxyError> {
    let lookup = Lookup { attempt: AttemptId::new(), by };
    log::debug!("{}: {provider}", operations::Lookup::NAME);
    proxy.pay::<operations::Lookup>(provider, &lookup).await
}

const fn of_payment(outcome: Outcome<Payment>) -> Fact {
    Fact::Payment { operation: None, outcome }
}
