//! Begin, ask, settle: what each change of a payment goes through. What is begun is committed before the provider is
//! asked, and no database transaction is open while it is.

use chassis::crash;
use diesel::PgConnection;

use super::{
    Context, Fact, absorb,
    answer::{Answer, Heard, Rows, ShowSale, Told},
    execute,
    idempotency::{self, Claim, Once},
    look::{self, LookError},
    schedule,
};
use crate::{
    domain::{Domain, DomainError},
    error::{ApiError, chain},
    proxy_client::ProxyClient,
    store::{
        id::{IdempotencyKeyId, PaymentOperationId},
        idempotency_key,
        payment::{self, PaymentRow},
        payment_code::OperationState,
        payment_operation::{self, PaymentOperationRow},
        refund,
    },
};

/// What a client asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flow {
    Create,
    /// A payment as well, that is answered in the words of the Solitude API.
    Sale(ShowSale),
    Capture,
    Cancel,
    Refund,
    Complete,
}

impl Flow {
    /// The HTTP status when it is done.
    pub(super) const fn done(self) -> u16 {
        match self {
            Self::Create | Self::Refund => 201,
            Self::Sale(_) | Self::Capture | Self::Cancel | Self::Complete => 200,
        }
    }

    /// The points at which a test lets the process die: begun and not asked, answered and not written, written and the
    /// client not answered.
    const fn points(self) -> [&'static str; 3] {
        match self {
            Self::Create | Self::Sale(_) => ["create.begun", "create.answered", "create.settled"],
            Self::Capture => ["capture.begun", "capture.answered", "capture.settled"],
            Self::Cancel => ["cancel.begun", "cancel.answered", "cancel.settled"],
            Self::Refund => ["refund.begun", "refund.answered", "refund.settled"],
            Self::Complete => ["complete.begun", "complete.answered", "complete.settled"],
        }
    }
}

/// What is to be done after the database transaction that began it.
pub(super) enum Step {
    /// The provider is asked for this operation.
    Ask(Box<Begun>),
    /// The provider is asked again for this operation, of which it has said before that the payer is not through.
    Repeat(Box<Begun>),
    /// Somebody else has asked the provider for this operation, or was about to: what became of it is looked up, or it is
    /// asked again where that cannot move the money twice.
    AskAgain(Box<Begun>),
    /// The provider is asked how the payment of this operation stands.
    Look(Box<Begun>),
    /// Nothing is asked; the client is told how it stands.
    Tell(Box<Begun>),
    /// There is an answer.
    Answered(Answer),
}

/// What has been begun.
pub(super) struct Begun {
    pub key: IdempotencyKeyId,
    pub payment: PaymentRow,
    pub operation: PaymentOperationRow,
}

/// Carries out a request once. `begin` writes down what is to be asked, in the database transaction that claims the
/// key; what it refuses leaves the key unused.
pub(super) async fn perform<B>(
    domain: &Domain,
    proxy: &ProxyClient,
    once: Once,
    flow: Flow,
    begin: B,
) -> Result<Answer, ApiError>
where
    B: FnOnce(&mut PgConnection, &Context, IdempotencyKeyId) -> Result<Step, DomainError> + Send + 'static,
{
    let [is_begun, is_answered, is_settled] = flow.points();
    let actor = once.client().to_owned();
    let step = start(domain, once, flow, begin).await?;
    crash::point(is_begun);
    let (begun, facts) = match step {
        Step::Answered(answer) => return Ok(answer),
        Step::Tell(begun) => (begun, Vec::new()),
        Step::Ask(begun) => {
            let provider = provider_of(&begun.payment)?;
            let fact = execute::ask(&domain.keys, proxy, provider, &begun.operation).await?;
            (begun, vec![fact])
        }
        Step::Repeat(begun) => {
            let provider = provider_of(&begun.payment)?;
            let fact = execute::ask_again(&domain.keys, proxy, provider, &begun.operation).await?;
            (begun, vec![fact])
        }
        Step::AskAgain(begun) => {
            let facts = ask_again(domain, proxy, &begun).await?;
            (begun, facts)
        }
        Step::Look(begun) => {
            let fact = stands(domain, proxy, &begun).await?;
            (begun, fact.into_iter().collect())
        }
    };
    crash::point(is_answered);
    let settling = Settling { context: Context::of(domain, &actor), flow, begun, facts };
    let answer = domain.database.write(move |connection| settling.settle(connection)).await;
    crash::point(is_settled);
    domain.waiting.payment_is_here();
    answer.map_err(|error: DomainError| ApiError::Unwritten(Box::new(error)))
}

/// How the payment stands at the provider. When that cannot be told the key is good for another try: nothing was
/// changed anywhere.
async fn stands(domain: &Domain, proxy: &ProxyClient, begun: &Begun) -> Result<Option<Fact>, ApiError> {
    let key = begun.key;
    match execute::look(proxy, provider_of(&begun.payment)?, &begun.payment).await {
        Ok(fact) => Ok(fact),
        Err(error) => {
            domain.database.write_one(move |connection| idempotency_key::release(connection, key)).await?;
            Err(error.into())
        }
    }
}

/// What became of what somebody else has asked for. Without evidence nobody knows, and a janitor looks again.
async fn ask_again(domain: &Domain, proxy: &ProxyClient, begun: &Begun) -> Result<Vec<Fact>, ApiError> {
    let (operation, now) = (begun.operation.clone(), domain.clock.now());
    // It is looked up, and asked again.
    let until = schedule::until(now, schedule::lease(2, domain.payments.longest_call));
    let subject = move |connection: &mut PgConnection| {
        // For whoever counts the time since the provider was asked the last time.
        payment_operation::touch(connection, operation.id, until)?;
        look::subject(connection, operation)
    };
    let subject = domain.database.write(subject).await?;
    let facts = match look::look(&domain.keys, proxy, now, &subject).await {
        Ok(facts) => facts,
        Err(LookError::Domain(error)) => return Err(error.into()),
        Err(error @ LookError::Proxy(_)) => {
            log::warn!("nothing can be said of {}: {}", begun.operation.attempt, chain(&error));
            Vec::new()
        }
    };
    Ok(if facts.is_empty() { vec![Fact::Unknown { operation: subject.operation, why: None }] } else { facts })
}

/// The database transaction that claims the key.
async fn start<B>(domain: &Domain, once: Once, flow: Flow, begin: B) -> Result<Step, DomainError>
where
    B: FnOnce(&mut PgConnection, &Context, IdempotencyKeyId) -> Result<Step, DomainError> + Send + 'static,
{
    let context = Context::of(domain, once.client());
    let lease = domain.payments.idempotency_lease;
    let start = move |connection: &mut PgConnection| match idempotency::claim(
        connection,
        &context.keys,
        &once,
        context.now,
        lease,
    )? {
        Claim::New(key) => begin(connection, &context, key),
        Claim::Resumed(key, operation) => resume(connection, flow, key, operation),
        Claim::Answered(answer) => Ok(Step::Answered(answer)),
    };
    domain.database.write(start).await
}

/// Goes on with what somebody else has begun. What has an outcome is told; of anything else it is asked what became of
/// it.
fn resume(
    connection: &mut PgConnection,
    flow: Flow,
    key: IdempotencyKeyId,
    operation: PaymentOperationId,
) -> Result<Step, DomainError> {
    let operation = payment_operation::by_id(connection, operation)?.ok_or(DomainError::NotFound)?;
    // Its row is not locked: whoever settles locks it before that of the key.
    let payment = payment::by_id(connection, operation.payment_id)?.ok_or(DomainError::NotFound)?;
    let state = operation.state;
    let begun = Box::new(Begun { key, payment, operation });
    Ok(match state {
        OperationState::Open | OperationState::Unknown => Step::AskAgain(begun),
        OperationState::Watching if matches!(flow, Flow::Complete) => Step::Look(begun),
        OperationState::Watching | OperationState::Settled => Step::Tell(begun),
    })
}

fn provider_of(payment: &PaymentRow) -> Result<wire::payment::Provider, DomainError> {
    payment.provider.neutral().ok_or(DomainError::Integrity("The provider has no payments."))
}

/// The database transaction that ends it.
struct Settling {
    context: Context,
    flow: Flow,
    begun: Box<Begun>,
    facts: Vec<Fact>,
}

impl Settling {
    fn settle(self, connection: &mut PgConnection) -> Result<Answer, DomainError> {
        let Self { context, flow, begun, facts } = self;
        let payment = payment::by_id_for_update(connection, begun.payment.id)?;
        let mut payment = payment.ok_or(DomainError::NotFound)?;
        let told = facts.last().and_then(Told::of);
        let heard = facts.last().map(Heard::of).unwrap_or_default();
        for fact in facts {
            payment = absorb(connection, &context, payment, fact)?.payment;
        }
        let operation = payment_operation::by_id(connection, begun.operation.id)?;
        let refund = match &operation {
            Some(operation) if matches!(flow, Flow::Refund) => {
                refund::of_operation(connection, operation.id)?
            }
            _ => None,
        };
        let rows = Rows {
            flow,
            payment: &payment,
            operation: operation.as_ref(),
            refund: refund.as_ref(),
            told: told.as_ref(),
        };
        let answer = match flow {
            Flow::Sale(show) => rows.sale_answer(connection, &heard, show)?,
            _ => rows.answer(&context.keys)?,
        };
        idempotency::keep(connection, &context.keys, begun.key, answer)
    }
}
