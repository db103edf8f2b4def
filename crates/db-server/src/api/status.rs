//! `/services/status/`: whether this server can do its work.

use actix_web::{HttpResponse, http::StatusCode, web::Data};
use wire::status::ServiceStatus;

use crate::{domain::Domain, error::chain, proxy_client::ProxyClient};

/// `GET`: 200 when everything answers, else 500. Anyone may ask.
pub async fn status(domain: Data<Domain>, proxy: Data<ProxyClient>) -> HttpResponse {
    let (cache, db, proxies) =
        futures_util::future::join3(cache(&domain), database(&domain), reach(&proxy)).await;
    let settings = domain.keys.round_trip();
    let status = ServiceStatus { cache, db, proxies, settings };
    HttpResponse::build(code(status)).json(status)
}

fn code(status: ServiceStatus) -> StatusCode {
    let ServiceStatus { cache, db, proxies, settings } = status;
    if cache && db && proxies && settings { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR }
}

async fn cache(domain: &Domain) -> bool {
    let ping = domain.cache.cache().ping().await;
    ping.inspect_err(|error| log::error!("status: {}", chain(error))).is_ok()
}

async fn database(domain: &Domain) -> bool {
    domain.database.ping().await.inspect_err(|error| log::error!("status: {}", chain(error))).is_ok()
}

async fn reach(proxy: &ProxyClient) -> bool {
    proxy.check().await.inspect_err(|error| log::error!("status: {}", chain(error))).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_whose_every_part_answers_is_sound() {
        let sound = ServiceStatus { cache: true, db: true, proxies: true, settings: true };
        assert_eq!(code(sound), StatusCode::OK);
        for broken in [
            ServiceStatus { cache: false, ..sound },
            ServiceStatus { db: false, ..sound },
            ServiceStatus { proxies: false, ..sound },
            ServiceStatus { settings: false, ..sound },
        ] {
            assert_eq!(code(broken), StatusCode::INTERNAL_SERVER_ERROR);
        }
    }
}
