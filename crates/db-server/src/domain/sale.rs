//! Selling a product once through a provider: begin, which is committed; call; settle.
//!
//! What `begin` commits is a started transaction with the attempt beside it, so that after a crash the provider can be
//! asked what became of it.

mod begin;
mod settle;

use wire::payment::{AttemptId, Authorize, Outcome, Payment, Provider, Source, Token, operations};

use super::Domain;
use crate::{
    error::ApiError,
    provider_errors::ProviderErrors,
    proxy_client::{ProxyClient, ProxyError},
    store::{id::PaymentMethodId, provider_charge::ProviderChargeRow, transaction::TransactionRow},
};

/// What a client wants to sell.
#[derive(Clone, Debug)]
pub struct NewSale {
    /// Through whom.
    pub provider: Provider,
    /// The provider's word for what is done, as the view on the charge shows it.
    pub kind: &'static str,
    /// How much, as the client wrote it; its currency is that of the product.
    pub amount: String,
    /// The public id of the product.
    pub product_id: String,
    /// What is charged.
    pub source: SaleSource,
}

/// What is charged.
#[derive(Clone, Debug)]
pub enum SaleSource {
    /// What the provider's script on the payer's side gave; good once.
    Nonce(Token),
    /// A stored payment method.
    PaymentMethod(PaymentMethodId),
}

/// A sale that the provider has accepted, or has not decided yet.
#[derive(Debug)]
pub struct Sale {
    /// The transaction.
    pub transaction: TransactionRow,
    /// What the provider's own view has beside it.
    pub charge: ProviderChargeRow,
}

/// What has been begun, and what the provider is to be asked for.
struct Begun {
    sale: Sale,
    request: Authorize,
}

/// Sells a product.
///
/// # Errors
/// What forbids it; the provider's refusal, with the transaction failed; why the provider could not be asked, with the
/// transaction errored; [`ApiError::Unsettled`] when nobody knows, with the transaction pending.
pub async fn sell(
    domain: &Domain,
    proxy: &ProxyClient,
    new: NewSale,
    actor: String,
) -> Result<Sale, ApiError> {
    let provider = new.provider;
    let Begun { sale, request } = begin::begin(domain, new, actor.clone()).await?;
    let transaction = sale.transaction.id;
    let answer = proxy.pay::<operations::Authorize>(provider, &request).await;
    let settled = settle::settle(domain, sale, &answer, actor).await?;
    match answer {
        Ok(Outcome::Succeeded { .. } | Outcome::Pending { .. } | Outcome::RequiresAction { .. }) => {
            Ok(settled)
        }
        Ok(Outcome::Declined { decline, .. }) => {
            Err(ApiError::Provider(ProviderErrors::of_decline(provider, &decline)))
        }
        Ok(Outcome::Rejected { rejection }) => {
            Err(ApiError::Provider(ProviderErrors::of_rejection(provider, &rejection)))
        }
        Ok(Outcome::Unknown { reason }) => {
            let cause = ProxyError::Unknown { target: provider.name(), reason };
            Err(ApiError::Unsettled { transaction, cause })
        }
        Err(cause) if cause.outcome_is_unknown() => Err(ApiError::Unsettled { transaction, cause }),
        Err(error) => Err(error.into()),
    }
}

/// What came of asking.
type Answer = Result<Outcome<Payment>, ProxyError>;

fn request(attempt: AttemptId, amount: wire::Money, source: Source) -> Authorize {
    Authorize {
        attempt,
        amount,
        source,
        capture: true,
        description: None,
        return_url: None,
        metadata: std::collections::BTreeMap::new(),
    }
}
