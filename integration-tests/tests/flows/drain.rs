//! SIGTERM and SIGINT: what is in flight is answered, then the process ends with 0.

use integration_tests::{in_process::Dummies, process::End};
use rustix::process::Signal;
use serde_json::json;

use super::{
    executables::Executables,
    shop::{Shop, text},
};

#[actix_web::test]
async fn requests_in_flight_are_answered_before_either_server_ends() {
    for (signal, of_proxy) in [(Signal::TERM, false), (Signal::INT, false), (Signal::TERM, true)] {
        let running = Executables::start("", "", Dummies::default()).await;
        let client = running.client();
        let sandbox = integration_tests::client::Client::unsigned(&running.sandbox.url);
        let shop = Shop::open_at(client, &running.db_server.url, sandbox).await;
        let transaction = shop.transaction().await;
        let uuid = text(&transaction, "/uuid");
        shop.fault("/transactions", json!({"delay_ms": 1000, "after": true})).await;

        let stopping = if of_proxy { &running.provider_proxy } else { &running.db_server };
        let end = async {
            // In flight: the provider has it and has not answered.
            while shop.arrived("POST /transactions").await == 0 {
                actix_web::rt::task::yield_now().await;
            }
            stopping.process.signal(signal);
            stopping.process.wait().await.unwrap()
        };
        let (answer, end) = futures_util::future::join(shop.start(&uuid), end).await;
        assert_eq!(answer.status, 201, "{signal:?}: {answer:?}");
        assert_eq!(end, End::Exited(0), "{signal:?}");
        let refused = awc_connects(&stopping.url).await;
        assert!(!refused, "it still listens");
    }
}

async fn awc_connects(url: &str) -> bool {
    awc::Client::new().get(url).send().await.is_ok()
}

#[actix_web::test]
async fn an_idle_server_ends_at_once_with_0() {
    let running = Executables::start("", "", Dummies::default()).await;
    for server in [&running.db_server, &running.provider_proxy, &running.sandbox] {
        server.process.signal(Signal::TERM);
        assert_eq!(server.process.wait().await.unwrap(), End::Exited(0), "{}", server.process.name());
    }
}
