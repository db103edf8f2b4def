//! The admin listener: metrics, whether the process is alive, and whether it should get requests.

mod settings;

use std::{
    fs::File,
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_web::{
    HttpResponse,
    http::header::CONTENT_TYPE,
    web::{self, Data, ServiceConfig},
};
use chassis::server::{Bound, ServerError, ServerSettings, bind, resource};
use serde_json::json;

pub use settings::AdminSettings;

use crate::{metrics, services::Services};

/// Tells when the certificate that is served ends.
pub type CertificateExpiry = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The key of the settings that names the served certificate.
const CERTIFICATE: &str = "server.tls.certificate";

/// Answers take no time: a scrape that has begun is finished.
const DRAIN: Duration = Duration::from_secs(1);

/// Takes the address of the admin listener, if there is to be one.
///
/// # Errors
/// [`ServerError`] when the address cannot be had.
pub fn listen(
    services: &Services,
    certificate_expiry: Option<CertificateExpiry>,
) -> Result<Option<Bound>, ServerError> {
    let settings = services.current.load().settings.admin.clone();
    let Some(listen) = settings.listen else { return Ok(None) };
    let server = ServerSettings {
        listen,
        workers: 1,
        max_request_body: 0,
        drain: DRAIN,
        address_file: None,
        tls: None,
    };
    let admin = Data::new(Admin {
        services: services.clone(),
        warning: settings.certificate_warning,
        certificate_expiry,
    });
    bind(&server, move |config: &mut ServiceConfig| {
        config
            .app_data(admin.clone())
            .service(resource("/metrics").route(web::get().to(show_metrics)))
            .service(resource("/healthz").route(web::get().to(show_health)))
            .service(resource("/readyz").route(web::get().to(show_readiness)));
    })
    .map(|bound| Some(bound.named("admin")))
}

struct Admin {
    services: Services,
    warning: Duration,
    certificate_expiry: Option<CertificateExpiry>,
}

impl Admin {
    fn reasons(&self) -> Vec<String> {
        let mut reasons = self.services.readiness.reasons();
        if !self.services.audit.is_writable() {
            reasons.push("audit: no line can be written".to_owned());
        }
        let snapshot = self.services.current.get();
        for path in snapshot.settings.origin.files.keys() {
            if let Err(error) = File::open(path) {
                reasons.push(format!("{}: {error}", path.display()));
            }
        }
        reasons.extend(self.certificate_expiry.as_ref().and_then(|expiry| self.certificate(expiry())));
        reasons
    }

    fn certificate(&self, end: SystemTime) -> Option<String> {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        match left.as_secs() {
            0 => Some(format!("{CERTIFICATE}: expired")),
            _ if left > self.warning => None,
            seconds => Some(format!("{CERTIFICATE}: expires in {} h", seconds / 3600)),
        }
    }
}

async fn show_metrics(admin: Data<Admin>) -> HttpResponse {
    let Services { metrics, bulkheads, .. } = &admin.services;
    if let Some(expiry) = &admin.certificate_expiry {
        metrics.certificate_expires(CERTIFICATE, expiry());
    }
    match metrics.render(bulkheads) {
        Ok(text) => HttpResponse::Ok().insert_header((CONTENT_TYPE, metrics::CONTENT_TYPE)).body(text),
        Err(error) => {
            log::error!("{error}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// That it answers is the answer.
async fn show_health() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "alive": true }))
}

async fn show_readiness(admin: Data<Admin>) -> HttpResponse {
    // This listener has a thread of its own, so that opening files holds up nobody.
    let reasons = admin.reasons();
    let mut response =
        if reasons.is_empty() { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(json!({ "ready": reasons.is_empty(), "reasons": reasons }))
}

#[cfg(test)]
mod tests;
