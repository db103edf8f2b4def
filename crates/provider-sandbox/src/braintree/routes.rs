//! The paths of Braintree's API.

use actix_web::web::{self, Bytes, Data, Json, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use super::answer::{Answer, Handled};
use super::books::Books;
use super::client_api::{LookUp, Tokenize};
use super::refusal::Refusal;
use super::request_keys::{self, Seen};
use super::settlement::Wanted;
use super::xml::Node;
use super::{
    Braintree, auth, changes, client_api, customers, payment_methods, plans, sale, search, settlement,
    subscriptions,
};
use crate::injection;

/// The provider's own paths, under `/braintree`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    let merchant = web::scope("/merchants/{merchant_id}")
        .configure(client)
        .route("/transactions", web::post().to(keyed))
        .route("/transactions/advanced_search_ids", web::post().to(read))
        .route("/transactions/advanced_search", web::post().to(read))
        .route("/transactions/{id}", web::get().to(read))
        .route("/transactions/{id}/{action}", web::put().to(keyed))
        .route("/transactions/{id}/{action}", web::post().to(keyed))
        .default_service(web::to(read));
    config
        .service(merchant)
        .route("/three_d_secure/{id}", web::get().to(page))
        .default_service(web::to(HttpResponse::NotFound));
}

fn client(config: &mut ServiceConfig) {
    for path in
        ["/client_api/v1/payment_methods/credit_cards", "/client_api/v1/payment_methods/credit_cards.json"]
    {
        config.route(path, web::post().to(tokenize));
    }
    config.route("/client_api/v1/payment_methods/{nonce}/three_d_secure/lookup", web::post().to(look_up));
}

async fn tokenize(braintree: Data<Braintree>, asked: Json<Tokenize>) -> HttpResponse {
    client_api::tokenize(&braintree, asked.into_inner())
}

async fn look_up(
    request: HttpRequest,
    braintree: Data<Braintree>,
    path: Path<(String, String)>,
    asked: Json<LookUp>,
) -> HttpResponse {
    client_api::look_up(&braintree, &client_api::base(&request), &path.1, asked.into_inner())
}

async fn page(braintree: Data<Braintree>, id: Path<String>) -> HttpResponse {
    client_api::page(&braintree.books(), &id)
}

/// What is asked of the API: the path below the merchant, and the body.
struct Asked {
    method: String,
    path: String,
    body: Node,
}

impl Asked {
    fn read(request: &HttpRequest, braintree: &Braintree, body: &Bytes) -> Result<Self, Refusal> {
        auth::check(request, &braintree.account)?;
        let body = Node::parse(body).ok_or(Refusal::BadRequest)?;
        let prefix = format!("/braintree/merchants/{}/", braintree.account.merchant_id);
        let path = request.path().strip_prefix(&prefix).ok_or(Refusal::NotFound)?;
        Ok(Self { method: request.method().to_string(), path: path.trim_end_matches('/').to_owned(), body })
    }
}

/// Everything without a key of its own.
async fn read(request: HttpRequest, braintree: Data<Braintree>, body: Bytes) -> Answer {
    let asked = match Asked::read(&request, &braintree, &body) {
        Ok(asked) => asked,
        Err(refusal) => return Answer::refused(&refusal, None),
    };
    let base = client_api::base(&request);
    let done = braintree.perform(|books| dispatch(&braintree, books, &asked, &base));
    done.unwrap_or_else(|refusal| Answer::refused(&refusal, Some(&asked.body)))
}

fn dispatch(braintree: &Braintree, books: &mut Books, asked: &Asked, base: &str) -> Handled {
    let body = &asked.body;
    let path: Vec<&str> = asked.path.split('/').collect();
    match (asked.method.as_str(), path.as_slice()) {
        ("POST", ["transactions", "advanced_search_ids"]) => search::ids(books, body),
        ("POST", ["transactions", "advanced_search"]) => search::page(books, body),
        ("GET", ["transactions", id]) => {
            let found = books.transaction(id).map(|transaction| Answer::shown(transaction.show()));
            found.ok_or(Refusal::NotFound)
        }
        ("POST", ["customers"]) => customers::create(books, body),
        ("GET", ["customers", id]) => customers::find(books, id),
        ("DELETE", ["customers", id]) => customers::delete(books, id),
        ("POST", ["payment_methods"]) => payment_methods::create(books, body),
        ("GET", ["payment_methods", "any", token]) => payment_methods::find(books, token),
        ("DELETE", ["payment_methods", "any", token]) => payment_methods::delete(books, token),
        ("POST", ["plans"]) => plans::create(books, body),
        ("GET", ["plans"]) => plans::list(books),
        ("GET", ["plans", id]) => plans::find(books, id),
        ("POST", ["subscriptions"]) => subscriptions::create(books, body),
        ("GET", ["subscriptions", id]) => subscriptions::find(books, id),
        ("PUT", ["subscriptions", id]) => subscriptions::update(books, id, body),
        ("PUT", ["subscriptions", id, "cancel"]) => subscriptions::cancel(books, id),
        ("POST", ["client_token"]) => client_api::token(braintree, books, base, body),
        _ => Err(Refusal::NotFound),
    }
}

/// What moves money, and may carry an `api_request_key`.
async fn keyed(request: HttpRequest, braintree: Data<Braintree>, body: Bytes) -> Answer {
    let asked = match Asked::read(&request, &braintree, &body) {
        Ok(asked) => asked,
        Err(refusal) => return Answer::refused(&refusal, None),
    };
    let done = once(&braintree, &asked).await;
    done.unwrap_or_else(|refusal| Answer::refused(&refusal, Some(&asked.body)))
}

async fn once(braintree: &Braintree, asked: &Asked) -> Handled {
    let seen = request_keys::begin(&mut braintree.books(), &asked.path, &asked.body)?;
    if let Seen::Before(id) = seen {
        let books = braintree.books();
        let transaction = books.transaction(&id).ok_or(Refusal::NotFound)?;
        return Ok(Answer::shown(transaction.show()));
    }
    injection::linger().await;
    braintree.perform(|books| {
        let before = books.transactions.len();
        let done = change(books, asked);
        let made = books.transactions.get(before..).and_then(|made| made.last());
        let named = asked.path.split('/').nth(1);
        let subject = made.map(|made| made.id.clone()).or(named.map(str::to_owned));
        request_keys::end(books, &asked.body, subject.filter(|_| done.is_ok()));
        done
    })
}

fn change(books: &mut Books, asked: &Asked) -> Handled {
    let body = &asked.body;
    let path: Vec<&str> = asked.path.split('/').collect();
    match (asked.method.as_str(), path.as_slice()) {
        ("POST", ["transactions"]) => sale::create(books, body),
        ("PUT", [_, id, "submit_for_settlement"]) => changes::submit(books, id, body),
        ("POST", [_, id, "submit_for_partial_settlement"]) => changes::submit_part(books, id, body),
        ("PUT", [_, id, "void"]) => changes::void(books, id),
        ("POST", [_, id, "refund"]) => changes::refund(books, id, body),
        ("PUT", [_, id, action]) => {
            settlement::settle(books, id, Wanted::named(action).ok_or(Refusal::NotFound)?)
        }
        _ => Err(Refusal::NotFound),
    }
}
