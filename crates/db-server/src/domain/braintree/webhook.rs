//! What Braintree posts: verified where its key is, kept in the inbox, and told to the client that has handed it on.

use diesel::PgConnection;
use url::form_urlencoded;
use wire::payment::{
    Event, EventKind, Header, Provider, Subscription, VerifyWebhook, WebhookChallenge, operations,
};

use super::{Method, PROVIDER};
use crate::{
    domain::{
        Domain, DomainError,
        buyer::{self, Buyer},
        inbox,
        product::{self, Product},
        transaction::Transaction,
    },
    error::ApiError,
    proxy_client::ProxyClient,
    store::{
        Page, payment_customer,
        payment_customer::PaymentCustomerRow,
        payment_method,
        payment_method::PaymentMethodRow,
        provider_charge::{self, ProviderChargeRow},
        subscription::{self, SubscriptionFilter, SubscriptionRow},
        transaction,
    },
};

/// What Braintree has posted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Posted {
    /// The field `bt_signature`.
    pub signature: String,
    /// The field `bt_payload`.
    pub payload: String,
}

/// All that a webhook about a subscription is about.
pub struct Told {
    /// Braintree's word for what happened.
    pub kind: String,
    /// The subscription as Braintree has it.
    pub said: Option<Subscription>,
    /// Who pays.
    pub buyer: Buyer,
    /// What is charged.
    pub method: Method,
    /// The subscription as we have it.
    pub subscription: SubscriptionRow,
    /// What is sold.
    pub product: Option<Product>,
    /// What was charged.
    pub charged: Option<(Transaction, ProviderChargeRow)>,
}

/// The rows of it.
struct Rows {
    subscription: SubscriptionRow,
    method: PaymentMethodRow,
    customer: PaymentCustomerRow,
    charged: Option<(Transaction, ProviderChargeRow)>,
}

/// Answers the question with which Braintree checks the address of its webhooks.
///
/// # Errors
/// Why provider-proxy does not answer it.
pub async fn challenge(proxy: &ProxyClient, challenge: String) -> Result<String, ApiError> {
    let asked = WebhookChallenge { challenge };
    let answer = proxy.pay::<operations::AnswerWebhookChallenge>(Provider::Braintree, &asked).await?;
    Ok(answer.verification)
}

/// Takes what Braintree has posted: once, however often it comes. Nothing when it is about nothing that is acted on.
///
/// # Errors
/// [`ApiError::NotGenuine`], [`DomainError::NotFound`] for a subscription that we do not have, why it could not be
/// verified, and what the database gives.
pub async fn receive(domain: &Domain, proxy: &ProxyClient, posted: Posted) -> Result<Option<Told>, ApiError> {
    let event = inbox::receive(domain, proxy, Provider::Braintree, &as_it_came(&posted)).await?.event;
    match event.kind {
        EventKind::SubscriptionCharged
        | EventKind::SubscriptionChargeFailed
        | EventKind::SubscriptionCancelled => tell(domain, event).await.map(Some),
        EventKind::Payment
        | EventKind::Refund
        | EventKind::Dispute
        | EventKind::Subscription
        | EventKind::Check
        | EventKind::Other => Ok(None),
    }
}

/// The form that Braintree has posted to whoever hands it on.
fn as_it_came(posted: &Posted) -> VerifyWebhook {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("bt_signature", &posted.signature)
        .append_pair("bt_payload", &posted.payload)
        .finish();
    let header =
        Header { name: "content-type".to_owned(), value: "application/x-www-form-urlencoded".to_owned() };
    VerifyWebhook { headers: vec![header], body: data_encoding::BASE64.encode(form.as_bytes()) }
}

async fn tell(domain: &Domain, event: Event) -> Result<Told, ApiError> {
    let Event { kind, provider_kind, subscription: said, payment, payment_reference, .. } = event;
    let id = said.as_ref().map(|said| said.reference.clone()).ok_or(DomainError::NotFound)?;
    let charged = payment.as_ref().and_then(|outcome| outcome.result());
    let charged = charged.map(|payment| payment.reference.clone()).or(payment_reference);
    let charged = charged.filter(|_| kind != EventKind::SubscriptionCancelled);
    let read = move |connection: &mut PgConnection| read(connection, id, charged.as_deref());
    let rows: Result<Rows, DomainError> = domain.database.read(read).await;
    let Rows { subscription, method, customer, charged } = rows?;
    let product = match subscription.product_id {
        Some(id) => Some(product::get(domain, id).await?),
        None => None,
    };
    Ok(Told {
        kind: provider_kind,
        said,
        buyer: buyer::get(domain, customer.buyer_id).await?,
        method: Method::of(domain, method)?,
        subscription,
        product,
        charged,
    })
}

fn read(connection: &mut PgConnection, id: String, charged: Option<&str>) -> Result<Rows, DomainError> {
    let filter = SubscriptionFilter {
        provider: Some(PROVIDER),
        provider_id: Some(id),
        ..SubscriptionFilter::default()
    };
    let found = subscription::list(connection, &filter, Page { limit: 1, offset: 0 })?;
    let subscription = found.rows.into_iter().next().ok_or(DomainError::NotFound)?;
    let method = payment_method::by_id(connection, subscription.payment_method_id)?;
    let method = method.ok_or(DomainError::NotFound)?;
    let customer = payment_customer::by_id(connection, method.customer_id)?.ok_or(DomainError::NotFound)?;
    let charged = match charged {
        Some(reference) => read_charged(connection, reference)?,
        None => None,
    };
    Ok(Rows { subscription, method, customer, charged })
}

fn read_charged(
    connection: &mut PgConnection,
    reference: &str,
) -> Result<Option<(Transaction, ProviderChargeRow)>, DomainError> {
    let Some(row) = transaction::by_uid_support(connection, PROVIDER, reference)? else { return Ok(None) };
    let Some(charge) = provider_charge::of_transaction(connection, row.id)? else { return Ok(None) };
    let relations = transaction::relations(connection, &[row.id])?.remove(&row.id).unwrap_or_default();
    Ok(Some((Transaction { row, relations }, charge)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_posted_is_handed_on_as_the_form_that_it_was() {
        let posted = Posted { signature: "key|ab".into(), payload: "PG4+Cg==\n".into() };
        let VerifyWebhook { headers, body } = as_it_came(&posted);
        assert_eq!((headers.len(), headers[0].name.as_str()), (1, "content-type"));
        let form = data_encoding::BASE64.decode(body.as_bytes()).unwrap();
        let fields: Vec<_> = form_urlencoded::parse(&form).into_owned().collect();
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(fields, [field("bt_signature", "key|ab"), field("bt_payload", "PG4+Cg==\n")]);
    }
}
