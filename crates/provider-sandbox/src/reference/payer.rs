//! The payer, whom a test plays: confirms a transaction, upon which the provider posts its signed notice.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path, ServiceConfig};
use awc::Client;
use chrono::Utc;
use serde::Deserialize;
use serde_json::json;

use super::error::Refusal;
use super::notices::{Content, Notice};
use super::state::Reference;
use super::transactions::{Status, Transaction};
use crate::ledger::{Entry, Kind};
use crate::loopback::is_loopback;
use crate::provider::Provider;
use crate::waiting::{Decision, Payers, Undecided, Waiting};

/// How long a callback may take to answer.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(10);

/// What the payer does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payment {
    /// `success`, or the code of the failure such as `CC_ERROR`.
    outcome: String,
    /// What the notice says was charged, instead of what was asked.
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    currency: Option<String>,
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .route("/reference/transactions/{token}/pay", web::post().to(pay))
        .route("/reference/transactions/{token}/notify", web::post().to(notify));
}

async fn pay(
    reference: Data<Reference>,
    token: Path<String>,
    payment: Json<Payment>,
) -> Result<HttpResponse, Refusal> {
    let transaction = confirm(&reference, &token, &payment)?;
    deliver(&transaction).await
}

async fn notify(reference: Data<Reference>, token: Path<String>) -> Result<HttpResponse, Refusal> {
    let transaction = find(&reference, &token)?;
    deliver(&transaction).await
}

fn find(reference: &Reference, token: &str) -> Result<Transaction, Refusal> {
    let books = reference.books();
    let uuid = books.tokens.get(token).ok_or_else(unknown_token)?;
    books.transactions.get(uuid).cloned().ok_or_else(unknown_token)
}

/// Settles the transaction, or refuses and leaves it as it is.
fn confirm(reference: &Reference, token: &str, payment: &Payment) -> Result<Transaction, Refusal> {
    let mut books = reference.books();
    let uuid = books.tokens.get(token).cloned().ok_or_else(unknown_token)?;
    let transaction = books.transactions.get_mut(&uuid).ok_or_else(unknown_token)?;
    if transaction.status != Status::Started {
        return Err(Refusal::field("status", "The transaction was paid or has failed before."));
    }
    let outcome = payment.outcome.as_str();
    if outcome.is_empty() || outcome.len() > 64 || !outcome.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::field("outcome", "must be success or a code such as CC_ERROR"));
    }
    let (status, field, url, error) = if outcome == "success" {
        (Status::Completed, "callback_success_url", &transaction.callback_success_url, None)
    } else {
        (Status::Failed, "callback_error_url", &transaction.callback_error_url, Some(outcome))
    };
    if !is_loopback(url) {
        let problem = "The sandbox posts notices to a loopback address only; nothing was paid.";
        return Err(Refusal::field(field, problem));
    }
    let signed = reference.notice_key.sign(&Content {
        ext_transaction_id: &transaction.ext_transaction_id,
        error,
        price: payment.price.as_deref().unwrap_or(&transaction.price),
        currency: payment.currency.as_deref().unwrap_or(&transaction.currency),
    });
    transaction.notice = Some(Notice { url: url.clone(), signed });
    transaction.status = status;
    if status == Status::Completed {
        reference.shared.ledger.record(Entry {
            provider: Provider::Reference,
            kind: Kind::Charge,
            id: transaction.uuid.clone(),
            amount: transaction.price.clone(),
            currency: transaction.currency.clone(),
            reference: transaction.ext_transaction_id.clone(),
            at: Utc::now(),
        });
    }
    Ok(transaction.clone())
}

impl Payers for Reference {
    fn waiting(&self) -> Vec<Waiting> {
        let books = self.books();
        let started = books.transactions.values().filter(|transaction| transaction.status == Status::Started);
        let waiting = started.map(|transaction| Waiting {
            provider: Provider::Reference,
            id: transaction.uuid.clone(),
            text: format!("Payment of {}", transaction.ext_transaction_id),
            amount: transaction.price.clone(),
            currency: transaction.currency.clone(),
        });
        waiting.collect()
    }

    async fn decide(&self, id: &str, decision: Decision) -> Result<(), Undecided> {
        let token = {
            let books = self.books();
            let started = books.transactions.get(id).filter(|found| found.status == Status::Started);
            started.map(|transaction| transaction.token.clone()).ok_or(Undecided::NotWaiting)?
        };
        let outcome = match decision {
            Decision::Approve => "success",
            Decision::Decline => "USER_CANCELLED",
        };
        let payment = Payment { outcome: outcome.to_owned(), price: None, currency: None };
        let refused = |refusal: Refusal| Undecided::Refused(refusal.explain());
        let transaction = confirm(self, &token, &payment).map_err(refused)?;
        deliver(&transaction).await.map_err(refused)?;
        Ok(())
    }
}

/// Posts the notice and says how the callback took it.
async fn deliver(transaction: &Transaction) -> Result<HttpResponse, Refusal> {
    let Some(notice) = &transaction.notice else {
        return Err(Refusal::field("status", "The transaction is neither paid nor failed yet."));
    };
    let client = Client::builder().disable_redirects().timeout(CALLBACK_TIMEOUT).finish();
    let answer = client.post(&notice.url).send_form(&[("signed_notice", &notice.signed)]).await;
    let status = match answer {
        Ok(answer) => Some(answer.status().as_u16()),
        Err(error) => {
            log::warn!("the callback did not answer: {error}");
            None
        }
    };
    Ok(HttpResponse::Ok().json(json!({
        "transaction": transaction.show()?,
        "notice": {"url": notice.url, "signed_notice": notice.signed, "status": status},
    })))
}

fn unknown_token() -> Refusal {
    Refusal::NotFound("No transaction has this token.".into())
}
