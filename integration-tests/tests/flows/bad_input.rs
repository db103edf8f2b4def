//! Bad input of every kind at every route that takes a body or a query: a 4xx that names the field, nothing stored,
//! nothing sent to a provider, never a 500.

use futures_util::future::join_all;
use integration_tests::{
    client::{Answer, Client},
    in_process::{Pair, PairOptions},
};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

use super::{
    bad_input_routes::{Route, routes},
    card_number::everything,
    shop::Shop,
};

struct Server {
    pair: Pair,
    client: Client,
    shop: Shop,
    routes: Vec<Route>,
    before: String,
}

impl Server {
    async fn start() -> Self {
        let pair = PairOptions::default().db_settings("[auth]\nrequire_oauth = false").spawn().await;
        let client = Client::unsigned(pair.db_server.url());
        let shop = Shop::open_at(client.clone(), pair.db_server.url(), pair.sandbox_client()).await;
        shop.transaction().await;
        let buyer = json!({"uuid": "b1", "email": "jo@example.test", "pin": "1234", "pin_confirmed": true});
        assert_eq!(client.post("/generic/buyer/", &buyer).await.status, 201);
        let before = everything(&mut pair.database.as_ref().unwrap().connect());
        Self { routes: routes(&shop), pair, client, shop, before }
    }

    async fn send(&self, route: &Route, body: &[u8], content_type: &str) -> Answer {
        let request = self.client.request(route.method.clone(), &route.path);
        // Where money moves; elsewhere it means nothing.
        request.header("Idempotency-Key", "bad-input").raw(body, content_type).answer().await
    }

    /// Sends each body as JSON to its route; each must be refused.
    async fn refuse(&self, cases: Vec<(Route, Vec<u8>, Option<String>)>) {
        for cases in cases.chunks(50) {
            let answers = cases.iter().map(|(route, body, _)| self.send(route, body, "application/json"));
            for ((route, body, field), answer) in cases.iter().zip(join_all(answers).await) {
                let sent = String::from_utf8_lossy(&body[..body.len().min(300)]);
                let told = format!("{} {} {sent}: {answer:?}", route.method, route.path);
                assert!((400..500).contains(&answer.status), "{told}");
                let named = field.as_ref().is_none_or(|field| answer.text().contains(field.as_str()));
                assert!(named, "{field:?} is not named: {told}");
            }
        }
        self.assert_unchanged();
    }

    #[track_caller]
    fn assert_unchanged(&self) {
        assert_eq!(everything(&mut self.pair.database.as_ref().unwrap().connect()), self.before);
    }
}

/// A value that no field of any resource takes.
fn never_right() -> impl Strategy<Value = Value> {
    prop_oneof![
        any_json(3).prop_map(|value| json!([value])),
        any_json(3).prop_map(|value| json!({"x": value})),
        (-1_000_000_000_000_i64..0).prop_map(|number| json!(number)),
        (0.001..0.999_f64).prop_map(|number| json!(number)),
        prop_oneof![Just(1e30), Just(-1e308), Just(f64::MIN_POSITIVE)].prop_map(|number| json!(number)),
        "[a-z]{0,20}\0[a-z]{0,20}".prop_map(Value::String),
        (65_537..66_000_usize).prop_map(|length| Value::String("x".repeat(length))),
        (300..400_usize).prop_map(|length| Value::String("é\0".repeat(length))),
    ]
}

fn any_json(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|number| json!(number)),
        any::<f64>().prop_map(|number| json!(number)),
        // No digits: a card number would be named before anything else.
        "[^0-9\\p{Nd}]{0,40}".prop_map(Value::String),
    ];
    leaf.prop_recursive(depth, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map("[a-z_]{1,10}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn some<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

#[actix_web::test]
async fn a_field_with_a_value_that_it_cannot_have_is_named_and_nothing_is_stored() {
    let server = Server::start().await;
    let (mut runner, wrong) = (TestRunner::default(), never_right());
    let mut cases = Vec::new();
    for route in &server.routes {
        for field in route.good.as_object().unwrap().keys() {
            for _ in 0..4 {
                let mut body = route.good.clone();
                body[field] = some(&mut runner, &wrong);
                cases.push((route.clone(), body.to_string().into_bytes(), Some(field.clone())));
            }
        }
    }
    server.refuse(cases).await;
}

#[actix_web::test]
async fn an_unknown_field_is_named_whatever_it_holds_and_nothing_is_stored() {
    let server = Server::start().await;
    let (mut runner, value, name) = (TestRunner::default(), any_json(4), "x_[a-z]{1,12}");
    let mut cases = Vec::new();
    for route in &server.routes {
        for _ in 0..8 {
            let mut body = route.good.clone();
            let name = some(&mut runner, &name);
            body[&name] = some(&mut runner, &value);
            cases.push((route.clone(), body.to_string().into_bytes(), Some(name)));
        }
    }
    server.refuse(cases).await;
}

#[actix_web::test]
async fn a_body_that_is_no_json_object_is_refused_whatever_it_is() {
    let server = Server::start().await;
    let mut runner = TestRunner::default();
    let bytes = vec(any::<u8>(), 1..60);
    let json = any_json(4).prop_filter("an object", |value| !value.is_object());
    let mut cases = Vec::new();
    for route in &server.routes {
        let good = route.good.to_string().into_bytes();
        let deep = format!("{{\"uuid\": {}{}}}", "[".repeat(50_000), "]".repeat(50_000));
        let mut bodies = vec![
            b"{\"uuid\": \"\xff\xfe\"}".to_vec(),
            b"{\"uuid\": \"\\ud800\"}".to_vec(),
            b"{\"uuid\": 1e999}".to_vec(),
            b"\xef\xbb\xbf{}".to_vec(),
            deep.into_bytes(),
        ];
        for cut in 1..=3 {
            bodies.push(good[..good.len() - cut.min(good.len() - 1)].to_vec());
        }
        for _ in 0..6 {
            bodies.push(some(&mut runner, &bytes));
            bodies.push(some(&mut runner, &json).to_string().into_bytes());
        }
        bodies.retain(|body| !serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object()));
        cases.extend(bodies.into_iter().map(|body| (route.clone(), body, None)));
    }
    server.refuse(cases).await;
}

#[actix_web::test]
async fn a_key_that_occurs_twice_is_named_and_nothing_is_stored() {
    let server = Server::start().await;
    let mut cases = Vec::new();
    for route in &server.routes {
        for (field, value) in route.good.as_object().unwrap() {
            let good = route.good.to_string();
            let body = format!("{},\"{field}\":{value}}}", good.trim_end_matches('}'));
            cases.push((route.clone(), body.into_bytes(), Some(field.clone())));
        }
    }
    server.refuse(cases).await;
}

#[actix_web::test]
async fn a_uri_that_leads_nowhere_is_named_and_nothing_is_stored() {
    let server = Server::start().await;
    let arrived = server.shop.arrived("POST /products").await;
    let mut cases = Vec::new();
    let uris = [
        "/generic/seller/999/",
        "/generic/nothing/1/",
        "http://127.0.0.1:1/generic/seller/1/",
        "1",
        "//",
        "/",
    ];
    for route in server.routes.iter().filter(|route| !route.path.ends_with("sellers/1/")) {
        let names =
            ["seller", "buyer", "seller_product", "seller_reference", "related", "paymethod", "subscription"];
        for field in names {
            if route.good.get(field).is_none() {
                continue;
            }
            for uri in uris {
                let mut body = route.good.clone();
                body[field] = json!(uri);
                cases.push((route.clone(), body.to_string().into_bytes(), Some(field.to_owned())));
            }
        }
    }
    server.refuse(cases).await;
    assert_eq!(server.shop.arrived("POST /products").await, arrived, "nothing was sent to the provider");
}

#[actix_web::test]
async fn an_amount_that_is_none_is_named_and_nothing_is_stored() {
    let server = Server::start().await;
    let mut cases = Vec::new();
    for route in &server.routes {
        for field in ["amount", "price"].into_iter().filter(|field| route.good.get(field).is_some()) {
            for amount in [
                json!("-1"),
                json!("-0.01"),
                json!(-1),
                json!(0.99),
                json!("0.999"),
                json!("1e3"),
                json!("NaN"),
                json!("Infinity"),
                json!("1,00"),
                json!(" 1"),
                json!("+1"),
                json!("9999999999"),
                json!(u64::MAX),
                json!("9".repeat(250)),
            ] {
                let mut body = route.good.clone();
                body[field] = amount;
                cases.push((route.clone(), body.to_string().into_bytes(), Some(field.to_owned())));
            }
        }
    }
    server.refuse(cases).await;
}

#[actix_web::test]
async fn a_body_of_another_type_is_415_and_one_that_is_too_large_413() {
    let server = Server::start().await;
    let large = format!("{{\"uuid\": \"{}\"}}", "x".repeat(1 << 20));
    for route in &server.routes {
        let good = route.good.to_string();
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
            "application/jsonp",
            "nonsense",
        ] {
            let answer = server.send(route, good.as_bytes(), content_type).await;
            assert_eq!(answer.status, 415, "{route:?} {content_type}: {answer:?}");
        }
        let answer = server.send(route, large.as_bytes(), "application/json").await;
        assert_eq!(answer.status, 413, "{route:?}: {answer:?}");
    }
    server.assert_unchanged();
}

#[actix_web::test]
async fn no_query_and_no_path_makes_the_server_fail() {
    let server = Server::start().await;
    let mut runner = TestRunner::default();
    let lists = [
        ("/generic/buyer/", &["uuid", "active", "email"][..]),
        ("/generic/seller/", &["uuid", "active"]),
        ("/generic/product/", &["external_id", "public_id", "seller", "seller__uuid", "seller__active"]),
        ("/generic/transaction/", &["uuid", "seller", "provider"]),
        ("/provider/reference/sellers/", &["seller__uuid"]),
        ("/provider/reference/products/", &["seller_product__seller", "seller_product__external_id"]),
        ("/braintree/mozilla/buyer/", &["buyer", "active"]),
        ("/braintree/mozilla/paymethod/", &["braintree_buyer", "braintree_buyer__buyer__uuid", "active"]),
        ("/braintree/mozilla/subscription/", &["paymethod", "provider_id", "seller_product", "active"]),
        ("/braintree/mozilla/transaction/", &["transaction__buyer__uuid"]),
    ];
    let encoded = vec(any::<u8>(), 0..40)
        .prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect::<String>());
    for (path, filters) in lists {
        let mut requests = Vec::new();
        for name in filters.iter().chain(&["limit", "page", "order_by"]) {
            for _ in 0..6 {
                requests.push(format!("{path}?{name}={}", some(&mut runner, &encoded)));
            }
            requests.push(format!("{path}?{name}={}", "x".repeat(5_000)));
            requests.push(format!("{path}?{name}=%zz%"));
            requests.push(format!("{path}?{name}"));
        }
        for _ in 0..6 {
            requests.push(format!("{path}{}/", some(&mut runner, &encoded)));
        }
        let answers = join_all(requests.iter().map(|request| server.client.get(request))).await;
        for (request, answer) in requests.iter().zip(answers) {
            let status = answer.status;
            assert!(status == 200 || (400..500).contains(&status), "{request}: {answer:?}");
        }
        for (query, status) in [
            ("limit=1&page=1", 200),
            ("limit=500", 200),
            ("limit=0", 400),
            ("limit=501", 400),
            ("limit=-1", 400),
            ("limit=1.5", 400),
            ("limit=99999999999999999999", 400),
            ("page=0", 400),
            ("page=-1", 400),
            ("page=4294967295&limit=500", 404),
            ("page=4294967296", 400),
            ("page=1&page=2", 400),
        ] {
            let answer = server.client.get(&format!("{path}?{query}")).await;
            // The newer resources answer wrong values with 422.
            let is_newer = path.ends_with("buyer/") || path.starts_with("/braintree/");
            let status = if status == 400 && is_newer { 422 } else { status };
            assert_eq!(answer.status, status, "{path}?{query}: {answer:?}");
        }
    }
    server.assert_unchanged();
}
