//! `/login`, and its tokens on the whole API.

use std::time::{Duration, Instant};

use actix_web::http::Method;
use diesel::RunQueryDsl as _;
use futures_util::future::join_all;
use integration_tests::{
    client::{Answer, Client},
    clock::ManualClock,
    in_process::{Server, start_db_server_by},
};
use serde_json::json;

use super::{
    api_clients::bearer,
    users::{PASSWORD, People},
};

/// Asks for a token.
pub async fn log_in(server: &Server, name: &str, password: &str) -> Answer {
    Client::unsigned(server.url()).post("/login", &json!({"username": name, "password": password})).await
}

/// A token.
pub async fn token(server: &Server, name: &str, password: &str) -> String {
    let answer = log_in(server, name, password).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["token"].as_str().unwrap().to_owned()
}

/// Asks who a token's holder is.
pub async fn whoami(server: &Server, token: &str) -> Answer {
    bearer(server.url(), Method::GET, "/services/whoami/", token).await
}

#[actix_web::test]
async fn a_right_password_gives_a_token_of_an_hour_and_says_whose_it_is() {
    let people = People::new("");
    let running = people.serve();
    people.add("WAL001", &["user", "read"]);
    for path in ["/login", "/login/"] {
        let body = json!({"username": "WAL001", "password": PASSWORD});
        let answer = Client::unsigned(running.url()).post(path, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let user = json!({"username": "WAL001", "role": "user", "roles": ["user", "read"]});
        assert_eq!(answer.json()["user"], user);
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        let part = |index: usize| {
            let part = token.split('.').nth(index).unwrap();
            let decoded = data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
            serde_json::from_slice::<serde_json::Value>(&decoded).unwrap()
        };
        assert_eq!(part(0)["alg"], "HS256");
        let claims = part(1);
        assert_eq!(claims["sub"], "WAL001");
        assert_eq!(claims["authorities"], json!(["ROLE_USER", "ROLE_READ"]));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
        assert!(claims["iss"].is_string() && claims["aud"].is_string() && claims["jti"].is_string());
    }
}

#[actix_web::test]
async fn a_token_opens_the_api_as_far_as_the_users_roles_go() {
    let people = People::new("");
    let running = people.serve();
    people.add("Alice", &["user", "read"]);
    let token = token(&running, "Alice", PASSWORD).await;
    let get = bearer(running.url(), Method::GET, "/services/request/", &token).await;
    assert_eq!((get.status, get.json()), (200, json!({"authenticated": "Alice"})));
    assert_eq!(bearer(running.url(), Method::POST, "/generic/seller/", &token).await.status, 403);
    let who = whoami(&running, &token).await.json();
    assert_eq!(who, json!({"name": "Alice", "roles": ["ROLE_USER", "ROLE_READ"]}));
    people.add("Bob", &["write"]);
    let token = super::login::token(&running, "Bob", PASSWORD).await;
    assert_eq!(bearer(running.url(), Method::POST, "/generic/seller/", &token).await.status, 201);
    assert_eq!(bearer(running.url(), Method::GET, "/services/request/", &token).await.status, 403);
}

#[actix_web::test]
async fn what_is_missing_is_400_and_what_is_wrong_is_401_whichever_it_is() {
    let people = People::new("");
    let running = people.serve();
    people.add("Alice", &["read"]);
    let client = Client::unsigned(running.url());
    for (body, fields) in [
        (json!({}), ["username", "password"].as_slice()),
        (json!({"username": "Alice"}), &["password"]),
        (json!({"username": "", "password": "x"}), &["username"]),
        (json!({"username": "Alice", "password": null}), &["password"]),
        (json!({"username": 5, "password": "x"}), &["username"]),
    ] {
        let answer = client.post("/login", &body).await;
        let json = answer.json();
        let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!((answer.status, names.len()), (400, fields.len()), "{answer:?}");
        assert!(fields.iter().all(|field| names.contains(field)), "{answer:?}");
    }
    let detail = json!({"detail": "Invalid username or password"});
    for (name, password) in [
        ("Alice", "dummy-wrong"),
        ("Nobody", PASSWORD),
        ("a name\0", "x"),
        ("dummy-client", "dummy-client-secret-0"),
    ] {
        // A control character is no name at all.
        let wanted = if name.contains('\0') { 400 } else { 401 };
        let answer = log_in(&running, name, password).await;
        assert_eq!(answer.status, wanted, "{answer:?}");
        assert!(wanted == 400 || answer.json() == detail, "{answer:?}");
    }
}

#[actix_web::test]
async fn an_expired_token_is_told_from_a_bad_one_and_nothing_else_is_told() {
    let people = People::new("");
    people.add("Alice", &["read"]);
    let clock = ManualClock::new();
    let running = start_db_server_by(people.table.clone(), clock.clock());
    let token = token(&running, "Alice", PASSWORD).await;
    let said = async |token: &str| {
        let answer = bearer(running.url(), Method::GET, "/generic/seller/", token).await;
        assert!([200, 401].contains(&answer.status), "{answer:?}");
        assert_eq!(answer.status == 401, answer.header("www-authenticate").is_some());
        answer.json()["detail"].as_str().map(ToOwned::to_owned)
    };
    assert_eq!(said(&token).await, None);
    let (message, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", "A".repeat(43));
    for bad in [forged.as_str(), "a.b.c", "eyJhbGciOiJub25lIn0.e30.AA"] {
        assert_eq!(said(bad).await.as_deref(), Some("Invalid token"), "{bad}");
    }
    for other in ["sk_test_x", "batch-0123456789ab.secret", "a.b", "a.b.c.d", ".."] {
        assert_eq!(
            said(other).await.as_deref(),
            Some("Authentication credentials were not accepted."),
            "{other}"
        );
    }
    clock.advance(3606);
    assert_eq!(said(&token).await.as_deref(), Some("Token has expired"));
    assert_eq!(said(&forged).await.as_deref(), Some("Invalid token"));
}

#[actix_web::test]
async fn misses_lock_a_user_out_for_a_while_and_it_is_not_told() {
    let people = People::new("");
    people.add("Alice", &["read"]);
    people.add("Bob", &["read"]);
    let clock = ManualClock::new();
    let running = start_db_server_by(people.table.clone(), clock.clock());
    let status = async |name: &str, password: &str| log_in(&running, name, password).await.status;
    for _ in 0..4 {
        assert_eq!(status("Alice", "dummy-wrong").await, 401);
    }
    assert_eq!(status("Alice", PASSWORD).await, 200, "a success takes the misses with it");
    for _ in 0..5 {
        assert_eq!(status("Alice", "dummy-wrong").await, 401);
    }
    let locked_out = log_in(&running, "Alice", PASSWORD).await;
    let wrong = log_in(&running, "Bob", "dummy-wrong").await;
    assert_eq!((locked_out.status, locked_out.json()), (wrong.status, wrong.json()));
    assert_eq!(status("Bob", PASSWORD).await, 200, "others are not locked out");
    clock.advance(299);
    assert_eq!(status("Alice", PASSWORD).await, 401);
    clock.advance(1);
    assert_eq!(status("Alice", PASSWORD).await, 200);
}

#[actix_web::test]
async fn however_many_guess_at_once_no_more_are_compared_than_may_be_made() {
    let people = People::new("[login]\nmax_failures = 3");
    people.add("Alice", &["read"]);
    let running = people.serve();
    let guesses = join_all((0..24).map(|number| {
        let guess = if number == 23 { PASSWORD.to_owned() } else { format!("dummy-guess-{number}") };
        let running = &running;
        async move { log_in(running, "Alice", &guess).await.status }
    }))
    .await;
    assert!(guesses.iter().all(|status| [200, 401].contains(status)), "{guesses:?}");
    #[derive(diesel::QueryableByName)]
    struct Failures {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        failures: i32,
    }
    let failures: Vec<Failures> =
        diesel::sql_query("SELECT failures FROM users").load(&mut people.connect()).unwrap();
    assert!(failures[0].failures <= 3, "{} were compared", failures[0].failures);
}

#[actix_web::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let people = People::new("[pin]\nmemory_kib = 19456\niterations = 12");
    people.add("Alice", &["read"]);
    let running = people.serve();
    let time = async |name: &str| {
        let start = Instant::now();
        assert_eq!(log_in(&running, name, "dummy-wrong").await.status, 401);
        start.elapsed()
    };
    let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
    // In turns, and no more of them than lock a user out, so that whatever else the machine does slows both.
    for _ in 0..4 {
        known = known.min(time("Alice").await);
        unknown = unknown.min(time("Nobody").await);
    }
    // Without its hash the answer to an unknown name would be there in a fiftieth of the time.
    assert!(unknown * 4 > known && known * 4 > unknown, "known {known:?}, unknown {unknown:?}");
}

#[actix_web::test]
async fn without_a_key_nobody_can_log_in_and_no_token_is_good() {
    let people = People::new("");
    people.add("Alice", &["read"]);
    let token = token(&people.serve(), "Alice", PASSWORD).await;
    let mut table = people.table.clone();
    table.remove("login");
    let without = integration_tests::in_process::start_db_server(table);
    let answer = log_in(&without, "Alice", PASSWORD).await;
    assert_eq!(answer.status, 501, "{answer:?}");
    let answer = whoami(&without, &token).await;
    assert_eq!((answer.status, &answer.json()["detail"]), (401, &json!("Invalid token")));
}

#[actix_web::test]
async fn a_user_is_counted_under_limits_like_any_client() {
    let people = People::new("[limits]\nper_client = '3/h'");
    people.add("Alice", &["read"]);
    let running = people.serve();
    // The log-in counts as well.
    let token = token(&running, "Alice", PASSWORD).await;
    assert_eq!(whoami(&running, &token).await.status, 200);
    assert_eq!(whoami(&running, &token).await.status, 200);
    let refused = whoami(&running, &token).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some());
}
