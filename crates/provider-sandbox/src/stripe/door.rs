//! What every request passes: the key, the version, the parameters, the idempotency key; then it is executed.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;
use data_encoding::BASE64;
use secrecy::ExposeSecret;
use uuid::Uuid;

use super::Stripe;
use super::books::{Call, Origin};
use super::control::Interference;
use super::error::Failure;
use super::form::Params;
use super::idempotency::{Admission, Asked, Kept};
use super::routes::{self, Operation};
use crate::injection;

/// The version of an account that names none in its requests.
pub(super) const ACCOUNT_VERSION: &str = "2026-10-28.endive";

/// A request that was understood.
struct Understood<'request> {
    operation: Operation,
    asked: Asked,
    /// None for a method that is idempotent by itself.
    key: Option<&'request str>,
    call: Call,
    expand: Vec<String>,
}

/// Answers every request to the API.
pub(super) async fn answer(stripe: Data<Stripe>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let request_id = format!("req_{}", &Uuid::new_v4().simple().to_string()[..14]);
    let key = text(request.headers(), "idempotency-key").map(ToOwned::to_owned);
    let kept = match understand(&stripe, &request, &body, &request_id) {
        Ok(understood) => perform(&stripe, understood).await,
        Err(failure) => Kept::refused(&failure, &request_id),
    };
    respond(&kept, &request_id, key.as_deref(), text(request.headers(), "stripe-version"))
}

impl Kept {
    fn refused(failure: &Failure, request_id: &str) -> Self {
        Self {
            status: failure.status(),
            body: failure.body(),
            request_id: request_id.to_owned(),
            should_retry: failure.should_retry(),
        }
    }
}

fn understand<'request>(
    stripe: &Stripe,
    request: &'request HttpRequest,
    body: &[u8],
    request_id: &str,
) -> Result<Understood<'request>, Failure> {
    authenticate(stripe, request.headers())?;
    let version = version(request.headers())?;
    let (method, path) = (request.method().as_str(), request.path());
    let path = path.strip_prefix("/stripe").unwrap_or(path);
    let found = routes::find(method, path);
    let (operation, id) = found.ok_or_else(|| Failure::no_such_path(method, path))?;
    let is_post = method == "POST";
    let mut params = Params::parse(if is_post { body } else { request.query_string().as_bytes() })?;
    if is_post && !request.query_string().is_empty() {
        return Err(Failure::invalid("Parameters of a POST belong in its body.", "query"));
    }
    let asked = Asked { path: path.to_owned(), params: params.canonical() };
    let expand = params.texts("expand")?;
    let host = request.connection_info().host().to_owned();
    let key = if is_post { text(request.headers(), "idempotency-key") } else { None };
    let origin = Origin {
        now: Utc::now(),
        request_id: Some(request_id.to_owned()),
        idempotency_key: key.map(ToOwned::to_owned),
        version,
        pages: format!("http://{host}/stripe/pages"),
    };
    Ok(Understood { operation, asked, key, call: Call { origin, id: id.to_owned(), params }, expand })
}

/// Bearer, or Basic with the key as the user and a blank password.
fn authenticate(stripe: &Stripe, headers: &HeaderMap) -> Result<(), Failure> {
    let Some(header) = text(headers, AUTHORIZATION.as_str()) else {
        return Err(Failure::unauthorized(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using \
             Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        ));
    };
    let given = match header.split_once(' ') {
        Some(("Bearer", key)) => Some(key.to_owned()),
        Some(("Basic", pair)) => BASE64
            .decode(pair.as_bytes())
            .ok()
            .and_then(|pair| String::from_utf8(pair).ok())
            .and_then(|pair| pair.strip_suffix(':').map(ToOwned::to_owned)),
        _ => None,
    };
    if given.as_deref() == Some(stripe.account.secret_key.expose_secret()) {
        return Ok(());
    }
    // The provider shows the end of a wrong key; here nothing of it is.
    Err(Failure::unauthorized("Invalid API Key provided: ****"))
}

/// `Stripe-Version`: a date, and since late 2024 the name of a release.
fn version(headers: &HeaderMap) -> Result<String, Failure> {
    let Some(version) = text(headers, "stripe-version") else { return Ok(ACCOUNT_VERSION.to_owned()) };
    let (date, name) = version.split_once('.').unwrap_or((version, "release"));
    let is_date = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok() && date.len() == 10;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_date && is_name {
        return Ok(version.to_owned());
    }
    Err(Failure::invalid(format!("Invalid Stripe API version: {version}"), "Stripe-Version"))
}

async fn perform(stripe: &Stripe, understood: Understood<'_>) -> Kept {
    let Understood { operation, asked, key, mut call, expand } = understood;
    let request_id = call.origin.request_id.clone().unwrap_or_default();
    let Some(key) = key else {
        // Reading changes nothing, asking for a deletion twice neither, and who sends no key takes the risk.
        let result = stripe.execute(operation, &mut call, &expand);
        return kept(result, &request_id).0;
    };
    match stripe.keys().begin(key, &asked) {
        Ok(Admission::Begin) => {}
        Ok(Admission::Replay(kept)) => return kept,
        Err(failure) => return Kept::refused(&failure, &request_id),
    }
    let in_flight = InFlight { stripe, key, asked: &asked, kept: None };
    injection::linger().await;
    let interference = stripe.control.take().await;
    let result = match interference {
        Some(Interference::FailBefore) => Err(Failure::internal()),
        Some(Interference::FailAfter) => {
            drop(stripe.execute(operation, &mut call, &expand));
            Err(Failure::internal())
        }
        None => stripe.execute(operation, &mut call, &expand),
    };
    let (kept, keeps) = kept(result, &request_id);
    in_flight.finish(keeps.then(|| kept.clone()));
    kept
}

/// What is answered, and whether an idempotency key keeps it.
fn kept(result: Result<serde_json::Value, Failure>, request_id: &str) -> (Kept, bool) {
    match result {
        Ok(body) => {
            let request_id = request_id.to_owned();
            (Kept { status: StatusCode::OK, body, request_id, should_retry: None }, true)
        }
        Err(failure) => (Kept::refused(&failure, request_id), failure.has_begun()),
    }
}

/// A key that is being worked on; free again when the work is given up.
struct InFlight<'work> {
    stripe: &'work Stripe,
    key: &'work str,
    asked: &'work Asked,
    kept: Option<Kept>,
}

impl InFlight<'_> {
    fn finish(mut self, kept: Option<Kept>) {
        self.kept = kept;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.stripe.keys().finish(self.key, self.asked, self.kept.take());
    }
}

fn respond(kept: &Kept, request_id: &str, key: Option<&str>, version: Option<&str>) -> HttpResponse {
    let mut response = HttpResponse::build(kept.status);
    response.insert_header(("Request-Id", request_id));
    response.insert_header(("Stripe-Version", version.unwrap_or(ACCOUNT_VERSION)));
    if let Some(key) = key {
        response.insert_header(("Idempotency-Key", key));
        if kept.request_id != request_id {
            response.insert_header(("Idempotent-Replayed", "true"));
            response.insert_header(("Original-Request", kept.request_id.as_str()));
        }
    }
    if let Some(should_retry) = kept.should_retry {
        response.insert_header(("Stripe-Should-Retry", should_retry.to_string()));
    }
    response.json(&kept.body)
}

/// A header that is there exactly once.
fn text<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    let mut values = headers.get_all(name);
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() { None } else { Some(value) }
}
