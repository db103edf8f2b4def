//! Storing a means of payment: the payer is made known at the provider first, when the provider does not know it.

use data_encoding::HEXLOWER;
use diesel::PgConnection;
use wire::payment::{OperationName, PaymentMethod, Provider, StorePaymentMethod, Token, operations};

use super::Paymethod;
use crate::{
    crypt::Ciphertext,
    domain::{
        Domain, DomainError,
        attempt::{self, Asked, Concluded},
        customer::{at_provider, open_buyer},
        error::field_with,
    },
    error::ApiError,
    field_errors::Code,
    lookup::LookupHash,
    proxy_client::ProxyClient,
    store::{
        id::BuyerId,
        payment_customer::PaymentCustomerRow,
        payment_method::{self, NewPaymentMethod, PaymentMethodChanges, PaymentMethodRow},
    },
};

/// A means of payment to be stored.
#[derive(Clone, Debug)]
pub struct NewPaymethod {
    /// Where.
    pub provider: Provider,
    /// Whose.
    pub buyer_id: BuyerId,
    /// What the provider's script on the payer's side gave for it; good once.
    pub nonce: Token,
}

/// Has the provider keep a means of payment, and records it.
///
/// # Errors
/// A buyer that does not exist or is closed, the provider's refusal, or why it could not be asked.
pub async fn store(
    domain: &Domain,
    proxy: &ProxyClient,
    new: NewPaymethod,
    actor: &str,
) -> Result<Concluded<Paymethod, PaymentMethod>, ApiError> {
    let NewPaymethod { provider, buyer_id, nonce } = new;
    let customer = at_provider(domain, proxy, provider, buyer_id, actor).await?.row;
    if !customer.active {
        let message = "The buyer is not active at the provider.";
        return Err(field_with("buyer", Code::Invalid, message).into());
    }
    let asked = asked(domain, &customer, provider, &nonce, actor);
    let begin = move |connection: &mut PgConnection| {
        open_buyer(connection, buyer_id)?;
        asked.begin(connection)
    };
    let begun = domain.database.write::<_, DomainError, _>(begin).await?;
    let request =
        StorePaymentMethod { attempt: begun.attempt, customer: customer.provider_id.clone(), nonce };
    let answer = proxy.pay::<operations::StorePaymentMethod>(provider, &request).await;
    let sealed = answer.as_ref().ok().and_then(|outcome| outcome.result());
    let sealed = sealed.map(|method| Sealed::new(domain, &method.token));
    attempt::conclude(
        domain,
        begun,
        answer,
        |_| None,
        move |connection, method, _| {
            let sealed = sealed.ok_or(DomainError::Integrity("There is no token."))?;
            let row = keep(connection, &customer, method, sealed)?;
            Ok(Paymethod { row, buyer_id })
        },
    )
    .await
}

/// A token as it is kept.
struct Sealed {
    token: Ciphertext,
    /// The one that is written comes first.
    hashes: Vec<LookupHash>,
}

impl Sealed {
    fn new(domain: &Domain, token: &Token) -> Self {
        Self { token: domain.keys.encrypt(token.expose()), hashes: domain.lookup.hashes(token.expose()) }
    }
}

/// What is asked for: of one nonce there is one means of payment.
fn asked(
    domain: &Domain,
    customer: &PaymentCustomerRow,
    provider: Provider,
    nonce: &Token,
    actor: &str,
) -> Asked {
    let hash = HEXLOWER.encode(domain.lookup.hash(nonce.expose()).as_bytes());
    let subject = format!("customer/{} nonce/{hash}", customer.id);
    let operation = OperationName::StorePaymentMethod;
    Asked::new(domain, provider, operation, customer.buyer_id, subject.clone(), &subject, actor)
}

/// Records what the provider keeps. A provider may give the same token for a card that it knows.
fn keep(
    connection: &mut PgConnection,
    customer: &PaymentCustomerRow,
    method: &PaymentMethod,
    sealed: Sealed,
) -> Result<PaymentMethodRow, DomainError> {
    let known = payment_method::by_token(connection, customer.provider, &sealed.hashes)?;
    if let Some(known) = known {
        if known.customer_id != customer.id {
            return Err(DomainError::Integrity("The provider gave another buyer's payment method."));
        }
        let again = PaymentMethodChanges { active: Some(true), deleted: Some(None) };
        return Ok(payment_method::update(connection, known.id, None, &again)?);
    }
    let hash = sealed.hashes.into_iter().next();
    let new = NewPaymentMethod {
        customer_id: customer.id,
        provider: customer.provider,
        token: sealed.token,
        token_hash: hash.ok_or(DomainError::Integrity("There is no look-up key."))?,
        kind: method.kind.into(),
        brand: method.brand.clone().map(shortened),
        last4: method.last4.clone().filter(|digits| digits.chars().count() <= 4),
        expiry_month: method.expiry_month.map(i16::from).filter(|month| (1..=12).contains(month)),
        expiry_year: method.expiry_year.and_then(|year| i16::try_from(year).ok()).filter(|year| *year > 0),
    };
    Ok(payment_method::insert(connection, &new)?)
}

fn shortened(text: String) -> String {
    text.chars().filter(|character| *character != '\0').take(255).collect()
}
