//! A new payment.

use std::collections::BTreeMap;

use diesel::PgConnection;
use uuid::Uuid;
use wire::{
    Money,
    payment::{AttemptId, Authorize, Provider, Source, StartCheckout, Token},
};

use super::{Operation, asking};
use crate::{
    domain::{
        Domain, DomainError,
        error::field_with,
        payment::{
            Context,
            answer::Answer,
            idempotency::Once,
            perform::{Flow, Step, perform},
            record::{payment_body, record},
        },
        paymethod::{Chargeable, PAYMETHOD, chargeable},
        plan::{self, Purchase},
    },
    error::ApiError,
    field_errors::Code,
    proxy_client::ProxyClient,
    store::{
        buyer,
        code::{TransactionStatus, TransactionType},
        id::{BuyerId, IdempotencyKeyId, PaymentMethodId, ProductId},
        payment::{self, NewPayment, PaymentRow},
        payment_code::PaymentOperationKind,
        payment_operation::PaymentOperationRow,
        product::{self, ProductRow},
        reference,
        transaction::{self, NewTransaction},
    },
    uri::DANGLING,
};

/// A payment to be made.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Through whom.
    pub provider: Provider,
    /// How much; more than nothing.
    pub amount: Money,
    /// What is sold.
    pub product_id: ProductId,
    /// Who buys, if the client says so.
    pub buyer_id: Option<BuyerId>,
    /// What is charged.
    pub source: WantedSource,
    /// Whether the amount is taken as soon as it is authorized.
    pub capture: bool,
    /// What the payer reads.
    pub description: Option<String>,
    /// The client's own texts by name.
    pub metadata: BTreeMap<String, String>,
    /// Where the payer comes back to after an action such as 3-D Secure.
    pub return_url: Option<String>,
}

/// What is charged.
#[derive(Clone, Debug)]
pub enum WantedSource {
    /// A stored means of payment.
    PaymentMethod(PaymentMethodId),
    /// What the provider's script on the payer's side gave; good once.
    Nonce(Token),
    /// Whatever the payer chooses on a page of the provider.
    Checkout {
        /// Where the payer comes back to.
        return_url: String,
        /// Where the payer comes back to without having agreed.
        cancel_url: String,
    },
}

/// Creates a payment and has it executed, unless the payer goes to a page first.
///
/// # Errors
/// The fields that are wrong, and what the database gives. What the provider says of it is an answer.
pub async fn create(
    domain: &Domain,
    proxy: &ProxyClient,
    once: Once,
    wanted: Wanted,
) -> Result<Answer, ApiError> {
    let begin = move |connection: &mut PgConnection, context: &Context, key: IdempotencyKeyId| {
        begin(connection, context, key, wanted)
    };
    perform(domain, proxy, once, Flow::Create, begin).await
}

fn begin(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    wanted: Wanted,
) -> Result<Step, DomainError> {
    let product = product::by_id(connection, wanted.product_id)?;
    let product = product.ok_or_else(|| field_with("seller_product", Code::DoesNotExist, DANGLING))?;
    let plan = plan::of_product(connection, product.id)?;
    plan::check(plan.as_ref(), Purchase::Sale, Some(wanted.amount), "seller_product")?;
    let charged = Charged::find(connection, context, &wanted)?;
    let (payment, operation) = start(connection, context, key, &wanted, &product, charged)?;
    Ok(asking(key, payment, operation))
}

/// Writes down a payment that is allowed, and what the provider will be asked for it.
pub(super) fn start(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    wanted: &Wanted,
    product: &ProductRow,
    charged: Charged,
) -> Result<(PaymentRow, PaymentOperationRow), DomainError> {
    let payment = write(connection, context, wanted, product, &charged)?;
    let operation = match charged.source {
        Some(source) => authorize(connection, context, key, &payment, wanted, source)?,
        None => start_checkout(connection, context, key, &payment, wanted)?,
    };
    record(connection, &payment, "payment.created", payment_body(&payment), &context.actor)?;
    Ok((payment, operation))
}

/// What is charged, once it is known to be good; no source for a checkout.
pub(super) struct Charged {
    pub source: Option<Source>,
    pub method: Option<PaymentMethodId>,
    pub buyer: Option<BuyerId>,
}

impl Charged {
    /// By what the provider's script gave.
    pub(super) fn once(nonce: Token, buyer: Option<BuyerId>) -> Self {
        Self { source: Some(Source::Nonce { nonce }), method: None, buyer }
    }

    /// By a stored means of payment, which says whose it is.
    pub(super) fn by(method: Chargeable) -> Self {
        let customer = Some(method.customer.provider_id);
        let source = Some(Source::PaymentMethod { token: method.token, customer });
        Self { source, method: Some(method.row.id), buyer: Some(method.customer.buyer_id) }
    }

    fn find(connection: &mut PgConnection, context: &Context, wanted: &Wanted) -> Result<Self, DomainError> {
        if let Some(id) = wanted.buyer_id {
            let buyer = buyer::by_id(connection, id)?;
            let buyer = buyer.ok_or_else(|| field_with("buyer", Code::DoesNotExist, DANGLING))?;
            if !buyer.active {
                return Err(field_with("buyer", Code::Invalid, "The buyer is not active."));
            }
        }
        let buyer = wanted.buyer_id;
        match &wanted.source {
            WantedSource::PaymentMethod(id) => Self::stored(connection, context, wanted, *id),
            WantedSource::Nonce(nonce) => Ok(Self::once(nonce.clone(), buyer)),
            WantedSource::Checkout { .. } => Ok(Self { source: None, method: None, buyer }),
        }
    }

    fn stored(
        connection: &mut PgConnection,
        context: &Context,
        wanted: &Wanted,
        id: PaymentMethodId,
    ) -> Result<Self, DomainError> {
        let method = chargeable(connection, &context.keys, id).map_err(|error| match error {
            DomainError::Fields(errors) => DomainError::Fields(errors.renamed(PAYMETHOD, METHOD)),
            error => error,
        })?;
        if method.provider != wanted.provider {
            return Err(field_with(METHOD, Code::Invalid, "The payment method is at another provider."));
        }
        if wanted.buyer_id.is_some_and(|buyer| buyer != method.customer.buyer_id) {
            return Err(field_with(METHOD, Code::Invalid, "The payment method is another buyer's."));
        }
        Ok(Self::by(method))
    }
}

/// Names the means of payment in a request, and so in the errors about it.
const METHOD: &str = "payment_method";

fn write(
    connection: &mut PgConnection,
    context: &Context,
    wanted: &Wanted,
    product: &ProductRow,
    charged: &Charged,
) -> Result<PaymentRow, DomainError> {
    let (uuid, provider) = (Uuid::now_v7(), wanted.provider.into());
    let transaction = NewTransaction {
        uuid: format!("solitude:{uuid}"),
        amount_minor: Some(wanted.amount.minor_units),
        currency: Some(wanted.amount.currency.code().to_owned()),
        buyer_id: charged.buyer,
        seller_id: Some(product.seller_id),
        product_id: Some(product.id),
        provider: Some(provider),
        kind: TransactionType::Payment,
        status: TransactionStatus::Started,
        ..NewTransaction::default()
    };
    let transaction = transaction::insert(connection, &transaction, &context.actor)?;
    let metadata = (!wanted.metadata.is_empty()).then(|| serde_json::to_string(&wanted.metadata));
    let new = NewPayment {
        uuid,
        transaction_id: transaction.id,
        provider,
        seller_id: product.seller_id,
        product_id: product.id,
        buyer_id: charged.buyer,
        payment_method_id: charged.method,
        amount_minor: wanted.amount.minor_units,
        currency: wanted.amount.currency.code().to_owned(),
        capture: wanted.capture,
        description: wanted.description.clone(),
        metadata: metadata.and_then(Result::ok),
    };
    Ok(payment::insert(connection, &new)?)
}

fn authorize(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    payment: &PaymentRow,
    wanted: &Wanted,
    source: Source,
) -> Result<PaymentOperationRow, DomainError> {
    let attempt = AttemptId::new();
    let request = Authorize {
        attempt,
        amount: wanted.amount,
        source,
        capture: wanted.capture,
        description: wanted.description.clone(),
        return_url: wanted.return_url.clone(),
        metadata: wanted.metadata.clone(),
    };
    let amount = Some(wanted.amount.minor_units);
    let operation = Operation::new(PaymentOperationKind::Authorize, attempt, amount);
    operation.begin(connection, context, key, payment, &request)
}

fn start_checkout(
    connection: &mut PgConnection,
    context: &Context,
    key: IdempotencyKeyId,
    payment: &PaymentRow,
    wanted: &Wanted,
) -> Result<PaymentOperationRow, DomainError> {
    let WantedSource::Checkout { return_url, cancel_url } = &wanted.source else {
        return Err(field_with("checkout", Code::Required, "This field is required."));
    };
    let product = match wanted.provider {
        Provider::Reference => Some(set_up(connection, wanted.product_id)?),
        _ => None,
    };
    let attempt = AttemptId::new();
    let request = StartCheckout {
        attempt,
        amount: wanted.amount,
        capture: wanted.capture,
        return_url: return_url.clone(),
        cancel_url: cancel_url.clone(),
        description: wanted.description.clone(),
        product,
    };
    let amount = Some(wanted.amount.minor_units);
    let operation = Operation::new(PaymentOperationKind::StartCheckout, attempt, amount);
    operation.begin(connection, context, key, payment, &request)
}

/// The reference provider's own id of a product.
fn set_up(connection: &mut PgConnection, product: ProductId) -> Result<String, DomainError> {
    let known = reference::product_by_product(connection, product)?;
    let known = known.map(|known| known.reference_id);
    known.ok_or_else(|| {
        field_with("seller_product", Code::Invalid, "The product is not set up at the reference provider.")
    })
}
