//! What every request passes first: it is counted, and meets a fault when one waits for it.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpResponse, rt};
use serde_json::json;

use crate::broken_body::BrokenBody;
use crate::control;
use crate::faults::{Action, FaultQueue};
use crate::requests::Arrivals;

tokio::task_local! {
    /// What the request that is served has met, for those who serve it.
    static MET: Met;
}

#[derive(Clone, Copy, Default)]
struct Met {
    duplicates_webhooks: bool,
    linger: Duration,
}

/// Whether each webhook that the request brings about is to be sent twice.
pub(crate) fn duplicates_webhooks() -> bool {
    MET.try_with(|met| met.duplicates_webhooks).unwrap_or_default()
}

/// To be awaited by a call with an idempotency key when its work has begun, with nothing locked: a request that met
/// `{"delay_ms": N, "during": true}` stays here for so long, and all others pass at once.
pub(crate) async fn linger() {
    let time = MET.try_with(|met| met.linger).unwrap_or_default();
    if !time.is_zero() {
        rt::time::sleep(time).await;
    }
}

/// The middleware. The sandbox's own side is neither counted nor faulted.
pub(crate) async fn arrive<B: MessageBody + 'static>(
    faults: Data<FaultQueue>,
    arrivals: Data<Arrivals>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if control::owns(request.path()) {
        return next.call(request).await.map(ServiceResponse::map_into_boxed_body);
    }
    let (method, path) = (request.method().to_string(), request.path().to_owned());
    arrivals.add(&method, &path);
    let fault = faults.take(&method, &path);
    let faulty = fault.is_some();
    let response = inject(fault, request, next).await?;
    log::info!(
        "{method} {path} -> {}{}",
        response.status().as_u16(),
        if faulty { ", with a fault" } else { "" }
    );
    Ok(response)
}

async fn inject<B: MessageBody + 'static>(
    fault: Option<Action>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match fault {
        None => {}
        Some(Action::Delay { delay, after: false }) => rt::time::sleep(delay).await,
        Some(Action::Delay { delay, after: true }) => {
            let response = next.call(request).await;
            rt::time::sleep(delay).await;
            return response.map(ServiceResponse::map_into_boxed_body);
        }
        Some(Action::DuplicateWebhook) => {
            let met = Met { duplicates_webhooks: true, ..Met::default() };
            return MET.scope(met, next.call(request)).await.map(ServiceResponse::map_into_boxed_body);
        }
        Some(Action::Linger { delay }) => {
            let met = Met { linger: delay, ..Met::default() };
            return MET.scope(met, next.call(request)).await.map(ServiceResponse::map_into_boxed_body);
        }
        Some(Action::DropBefore) => {
            read_whole(&mut request).await;
            let silent = HttpResponse::with_body(StatusCode::OK, BoxBody::new(BrokenBody::silent()));
            return Ok(request.into_response(silent));
        }
        Some(Action::DropAfter) => {
            let response = next.call(request).await?;
            return Ok(response.map_body(|_, _| BoxBody::new(BrokenBody::silent())));
        }
        Some(Action::Truncate) => return halve(next.call(request).await?).await,
        Some(Action::Answer { status, headers, body }) => {
            read_whole(&mut request).await;
            return Ok(request.into_response(answer(status, headers, body)));
        }
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

/// Closing a socket with unread data in it resets the connection, which could destroy what was written before.
async fn read_whole(request: &mut ServiceRequest) {
    // A body that cannot be read is of no interest: nothing is done with it.
    drop(request.extract::<Bytes>().await);
}

async fn halve<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let (request, response) = response.into_parts();
    let (head, body) = response.into_parts();
    let body = actix_web::body::to_bytes(body).await.map_err(|error| {
        log::error!("the answer to truncate could not be read");
        actix_web::error::ErrorInternalServerError(error.into())
    })?;
    Ok(ServiceResponse::new(request, head.set_body(BoxBody::new(BrokenBody::halved(body)))))
}

fn answer(status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>, body: Option<String>) -> HttpResponse {
    let body = body.unwrap_or_else(|| {
        json!({"code": "InjectedFault", "message": format!("This answer was asked for: {status}.")})
            .to_string()
    });
    let mut response = HttpResponse::build(status);
    response.content_type("application/json");
    for (name, value) in headers {
        if name == CONTENT_TYPE {
            response.content_type(value);
        } else {
            response.append_header((name, value));
        }
    }
    response.body(body)
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::{App, test, web};
    use serde_json::Value;

    use super::*;
    use crate::faults::Fault;

    /// What a call of a provider finds out about itself.
    async fn call() -> HttpResponse {
        linger().await;
        HttpResponse::Ok().json(duplicates_webhooks())
    }

    /// Calls once, with these faults waiting.
    async fn called(faults: Value) -> Value {
        let queue = FaultQueue::default();
        queue.append(serde_json::from_value::<Vec<Fault>>(faults).unwrap());
        let app = App::new()
            .app_data(Data::new(queue))
            .app_data(Data::new(Arrivals::default()))
            .wrap(from_fn(arrive))
            .default_service(web::to(call));
        let app = test::init_service(app).await;
        test::call_and_read_body_json(&app, test::TestRequest::with_uri("/transactions").to_request()).await
    }

    #[actix_web::test]
    async fn only_the_call_that_meets_the_fault_duplicates_its_webhooks() {
        assert_eq!(called(json!([])).await, false);
        assert_eq!(called(json!([{"fault": "duplicate_webhook"}])).await, true);
        assert!(!duplicates_webhooks());
    }

    #[actix_web::test]
    async fn only_the_call_that_meets_the_fault_lingers() {
        assert_eq!(called(json!([])).await, false);
        let begin = std::time::Instant::now();
        assert_eq!(called(json!([{"fault": {"delay_ms": 150, "during": true}}])).await, false);
        assert!(begin.elapsed() >= Duration::from_millis(150));
    }
}
