//! Deliveries against an endpoint of the test's own.

use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, test};
use serde_json::{Value, json};

use super::*;
use crate::control;
use crate::shared::Shared;

/// The bodies that arrived, in their order.
type Arrived = Arc<Mutex<Vec<String>>>;

/// Starts an endpoint that answers with `status`.
fn endpoint(status: u16) -> (String, Arrived) {
    let arrived = Arrived::default();
    let (data, status) = (Data::new(arrived.clone()), StatusCode::from_u16(status).unwrap());
    let server = HttpServer::new(move || {
        let take = move |request: HttpRequest, arrived: Data<Arrived>, body: String| async move {
            let signature = request.headers().get("signature").unwrap().to_str().unwrap();
            arrived.lock().unwrap().push(format!("{body} {signature}"));
            HttpResponse::build(status).finish()
        };
        App::new().app_data(data.clone()).default_service(web::post().to(take))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", server.addrs()[0]);
    drop(rt::spawn(server.run()));
    (url, arrived)
}

fn event(id: &str) -> Announcement {
    let body = id.to_owned();
    Announcement {
        provider: Provider::Stripe,
        event_id: id.to_owned(),
        event: "charge.succeeded".to_owned(),
        make: Box::new(move |at| Message {
            headers: vec![("signature".to_owned(), format!("t={}", at.timestamp() > 0))],
            body: body.clone(),
        }),
    }
}

/// The sandbox's own side over shared state, without a socket.
async fn ask(shared: &Data<Shared>, method: &str, path: &str, body: Value) -> (u16, Value) {
    let app = App::new().app_data(shared.clone()).service(web::scope("").configure(control::routes));
    let app = test::init_service(app).await;
    let method = actix_web::http::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = test::TestRequest::default().method(method).uri(&format!("/_sandbox{path}"));
    if body != Value::Null {
        request = request.set_json(body);
    }
    let answer = test::call_service(&app, request.to_request()).await;
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&test::read_body(answer).await).unwrap_or_default())
}

async fn register(shared: &Data<Shared>, url: &str) {
    let endpoint = json!({"provider": "stripe", "url": url});
    assert_eq!(ask(shared, "POST", "/webhooks", endpoint.clone()).await, (201, endpoint));
}

async fn settled(shared: &Data<Shared>) -> Value {
    let (status, shown) = ask(shared, "GET", "/webhooks?wait=true", Value::Null).await;
    assert_eq!((status, &shown["under_way"]), (200, &json!(0)));
    shown
}

fn taken(arrived: &Arrived) -> Vec<String> {
    std::mem::take(&mut *arrived.lock().unwrap())
}

#[actix_web::test]
async fn an_event_is_posted_to_the_endpoints_of_its_provider_alone() {
    let shared = Data::new(Shared::default());
    let ((url, arrived), (other, nothing)) = (endpoint(200), endpoint(200));
    register(&shared, &url).await;
    register(&shared, &url).await;
    assert_eq!(ask(&shared, "POST", "/webhooks", json!({"provider": "paypal", "url": other})).await.0, 201);
    shared.deliveries.announce(event("evt_1"));
    let shown = settled(&shared).await;
    assert_eq!((taken(&arrived), taken(&nothing)), (vec!["evt_1 t=true".to_owned()], Vec::new()));
    let delivery = &shown["deliveries"][0];
    assert_eq!((&delivery["event_id"], &delivery["status"]), (&json!("evt_1"), &json!(200)));
    assert_eq!((&delivery["event"], &delivery["url"]), (&json!("charge.succeeded"), &json!(url)));
    assert_eq!(shown["deliveries"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn what_the_endpoint_refuses_or_does_not_answer_is_shown() {
    let shared = Data::new(Shared::default());
    // Bound and dropped again: nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    register(&shared, &endpoint(503).0).await;
    register(&shared, &format!("http://{nobody}/")).await;
    shared.deliveries.announce(event("evt_1"));
    let shown = settled(&shared).await;
    let statuses: Vec<&Value> =
        shown["deliveries"].as_array().unwrap().iter().map(|delivery| &delivery["status"]).collect();
    assert_eq!(statuses, [&json!(503), &Value::Null]);
}

#[actix_web::test]
async fn an_endpoint_on_another_host_is_refused() {
    let shared = Data::new(Shared::default());
    let (status, answer) =
        ask(&shared, "POST", "/webhooks", json!({"provider": "stripe", "url": "http://hook.example/"})).await;
    assert_eq!(status, 400);
    assert!(answer["detail"].as_str().unwrap().contains("loopback"), "{answer}");
    assert_eq!(settled(&shared).await["endpoints"], json!([]));
}

#[actix_web::test]
async fn held_events_are_released_in_the_order_that_is_asked_for() {
    let shared = Data::new(Shared::default());
    let (url, arrived) = endpoint(200);
    register(&shared, &url).await;
    assert_eq!(ask(&shared, "PUT", "/webhooks/handling", json!({"hold": true})).await.0, 200);
    for id in ["evt_1", "evt_2", "evt_3", "evt_4"] {
        shared.deliveries.announce(event(id));
    }
    assert_eq!(settled(&shared).await["held"].as_array().unwrap().len(), 4);
    assert_eq!(taken(&arrived), Vec::<String>::new());
    let unknown = ask(&shared, "POST", "/webhooks/release", json!({"order": ["evt_9"]})).await;
    assert_eq!(unknown.0, 404);
    let (status, released) =
        ask(&shared, "POST", "/webhooks/release", json!({"order": ["evt_3", "evt_1", "evt_3"]})).await;
    assert_eq!((status, released["deliveries"].as_array().unwrap().len()), (200, 5));
    let order = ["evt_3", "evt_1", "evt_3", "evt_2", "evt_4"].map(|id| format!("{id} t=true"));
    assert_eq!(taken(&arrived), order);
    shared.deliveries.announce(event("evt_5"));
    assert_eq!(settled(&shared).await["held"], json!([]));
    assert_eq!(taken(&arrived), ["evt_5 t=true"], "nothing is kept back any more");
}

#[actix_web::test]
async fn copies_and_delays_are_as_asked_for() {
    let shared = Data::new(Shared::default());
    let (url, arrived) = endpoint(200);
    register(&shared, &url).await;
    let handling = json!({"copies": 3, "delay_ms": 200});
    assert_eq!(ask(&shared, "PUT", "/webhooks/handling", handling).await.0, 200);
    let begin = std::time::Instant::now();
    shared.deliveries.announce(event("evt_1"));
    assert_eq!(settled(&shared).await["deliveries"].as_array().unwrap().len(), 3);
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(taken(&arrived).len(), 3);
    assert_eq!(ask(&shared, "PUT", "/webhooks/handling", json!({"copy": 1})).await.0, 400);
}

#[actix_web::test]
async fn an_event_can_be_seen_and_sent_again() {
    let shared = Data::new(Shared::default());
    shared.deliveries.announce(event("evt_1"));
    let (url, arrived) = endpoint(200);
    register(&shared, &url).await;
    let (status, message) = ask(&shared, "GET", "/webhooks/events/evt_1", Value::Null).await;
    assert_eq!((status, &message["body"]), (200, &json!("evt_1")));
    assert_eq!(message["headers"], json!([["signature", "t=true"]]));
    assert_eq!(taken(&arrived), Vec::<String>::new(), "nobody had registered when it was announced");
    assert_eq!(ask(&shared, "POST", "/webhooks/events/evt_1/send", Value::Null).await.0, 200);
    assert_eq!(taken(&arrived), ["evt_1 t=true"]);
    assert_eq!(ask(&shared, "GET", "/webhooks/events/evt_2", Value::Null).await.0, 404);
    assert_eq!(ask(&shared, "DELETE", "/webhooks", Value::Null).await.0, 204);
    assert_eq!(ask(&shared, "POST", "/webhooks/events/evt_1/send", Value::Null).await.0, 404);
}

#[actix_web::test]
async fn a_call_that_meets_duplicate_webhook_sends_each_event_twice() {
    let shared = Data::new(Shared::default());
    let (url, arrived) = endpoint(200);
    register(&shared, &url).await;
    let faults = crate::faults::FaultQueue::default();
    faults.append(serde_json::from_value(json!([{"fault": "duplicate_webhook"}])).unwrap());
    let announce = async |shared: Data<Shared>, id: web::Path<String>| {
        shared.deliveries.announce(event(&id));
        HttpResponse::Ok().finish()
    };
    let app = App::new()
        .app_data(shared.clone())
        .app_data(Data::new(faults))
        .app_data(Data::new(crate::requests::Arrivals::default()))
        .wrap(actix_web::middleware::from_fn(injection::arrive))
        .route("/{id}", web::post().to(announce));
    let app = test::init_service(app).await;
    for path in ["/evt_1", "/evt_2"] {
        test::call_service(&app, test::TestRequest::post().uri(path).to_request()).await;
        settled(&shared).await;
    }
    assert_eq!(taken(&arrived), ["evt_1 t=true", "evt_1 t=true", "evt_2 t=true"]);
}
