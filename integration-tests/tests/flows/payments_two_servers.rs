//! One `Idempotency-Key` at two db-servers over one database at the same time.

use futures_util::future::join_all;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Server, db_server_settings, start_db_server},
};
use serde_json::{Value, json};
use wire::payment::Provider;

use super::{
    payments_idempotency::{count, held, hold, release},
    shop::unique,
    till::{Till, line, post},
};

/// How many requests there are, half of them at either db-server.
const REQUESTS: usize = 20;

/// A till, and a second db-server over its database.
struct Two {
    till: Till,
    second: Server,
}

impl Two {
    async fn open() -> Self {
        let till = Till::open().await;
        let database = till.pair.database.as_ref().unwrap();
        let proxy = till.pair.provider_proxy.url();
        let table = db_server_settings(&database.socket_folder(), database.name(), proxy, &till.pair.dummies);
        Self { second: start_db_server(table), till }
    }

    fn clients(&self) -> [Client; 2] {
        let dummies = &self.till.pair.dummies;
        let second = Client::signed(self.second.url(), &dummies.client_key, &dummies.client_secret);
        [self.till.client.clone(), second]
    }

    /// Sends all requests at once; the answers are those of the two db-servers by turns.
    async fn ask(&self, key: &str, order: &Value) -> Vec<Answer> {
        let clients = self.clients();
        let posts = (0..REQUESTS).map(|number| post(&clients[number % 2], "/payments/", key, order));
        join_all(posts).await
    }

    /// The finished key is answered byte for byte at both, and refused with another body; there is one payment.
    async fn check(&self, key: &str, order: &Value, first: &Answer) {
        for client in self.clients() {
            let again = post(&client, "/payments/", key, order).await;
            assert_eq!((again.status, &again.body), (first.status, &first.body));
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
            assert_eq!(again.header("content-type"), first.header("content-type"));
            let mut other = order.clone();
            other["amount"] = json!("11.00");
            let other = post(&client, "/payments/", key, &other).await;
            assert_eq!((other.status, &other.json()["code"]), (422, &json!("idempotency_key")), "{other:?}");
        }
        assert_eq!(self.till.ledger(Provider::Stripe).await, [line("charge", "10.00")]);
        assert_eq!(self.till.arrived("POST /stripe/v1/payment_intents").await, 1);
        assert_eq!(count(&self.till, "select count(*) from payments"), 1);
    }
}

/// Whether it says that somebody is at work on the same, and when to ask again.
fn is_conflict(answer: &Answer) -> bool {
    answer.status == 409
        && answer.header("retry-after") == Some("1")
        && answer.json()["code"] == "idempotency_key"
}

#[actix_web::test]
async fn twenty_requests_with_one_key_at_two_db_servers_are_one_payment() {
    let two = Two::open().await;
    let (key, order) = (unique("key"), two.till.stripe_order(&json!({})));
    let answers = two.ask(&key, &order).await;
    let first = answers.iter().find(|answer| answer.status == 201).expect("one is carried out");
    for answer in &answers {
        let is_same = answer.status == 201 && answer.body == first.body;
        assert!(is_same || is_conflict(answer), "{answer:?}");
    }
    let carried_out = answers
        .iter()
        .filter(|answer| answer.status == 201 && answer.header("idempotent-replayed").is_none());
    assert_eq!(carried_out.count(), 1, "the others are replays");
    two.check(&key, &order, first).await;
}

#[actix_web::test]
async fn while_one_db_server_is_at_work_on_a_request_both_answer_409_to_the_same() {
    let two = Two::open().await;
    let (key, order) = (unique("key"), two.till.stripe_order(&json!({})));
    hold(&two.till).await;
    let [client, _] = two.clients();
    let at_work = async { post(&client, "/payments/", &key, &order).await };
    let others = async {
        held(&two.till).await;
        let answers = two.ask(&key, &order).await;
        release(&two.till).await;
        answers
    };
    let (first, others) = futures_util::future::join(at_work, others).await;
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(others.len(), REQUESTS);
    assert!(others.iter().all(is_conflict), "{others:?}");
    two.check(&key, &order, &first).await;
}
