//! Other implementations of the reference provider's API, through the pass-through: the sandbox under another name.

use integration_tests::{
    in_process::{Pair, PairOptions},
    settings::REALM,
};
use serde_json::json;

use super::shop::unique;

/// A pair whose provider-proxy has the sandbox as the target `boku`; it is started once the sandbox's URL is known.
async fn pair(sandbox: &Pair) -> Pair {
    let dummies = &sandbox.dummies;
    let target = format!(
        "[passthrough]\nenabled = true\n[targets.boku]\nurl = '{}'\nprivate = true\nrequire = ['ROLE_READ']\n\
         allow = ['* /sellers', '* /sellers/*', '* /products', '* /products/*']\n\
         credential = {{ kind = 'oauth1', method = 'HMAC-SHA1', realm = '{REALM}', consumer_key = '{}', \
         consumer_secret = '{}' }}\n",
        sandbox.sandbox.url(),
        dummies.consumer_key,
        dummies.consumer_secret,
    );
    let names = "[proxy]\nimplementations = ['boku', 'absent']";
    PairOptions::default().proxy_settings(&target).db_settings(names).spawn().await
}

#[actix_web::test]
async fn another_implementation_is_read_and_changed_under_our_own_paths() {
    let other = integration_tests::in_process::spawn_pair().await;
    let pair = pair(&other).await;
    let client = pair.client();
    let uuid = unique("seller");
    let seller = json!({"uuid": uuid, "name": "Jack", "email": "jack@example.test", "status": "ACTIVE"});
    let made = client.post("/provider/boku/sellers/", &seller).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/provider/boku/sellers/{uuid}/");
    assert_eq!((&made.json()["id"], &made.json()["resource_uri"]), (&json!(uuid), &json!(path)), "{made:?}");

    let read = client.get(&path).await;
    assert_eq!((read.status, &read.json()["name"]), (200, &json!("Jack")), "{read:?}");
    let slashless = client.get(path.trim_end_matches('/')).await;
    assert_eq!((slashless.status, slashless.json()), (200, read.json()));
    let change = json!({"name": "John", "email": "jack@example.test", "status": "ACTIVE"});
    let changed = client.put(&path, &change).await;
    assert_eq!((changed.status, &changed.json()["name"]), (200, &json!("John")), "{changed:?}");
    assert_eq!(changed.json()["resource_uri"], json!(path));
}

#[actix_web::test]
async fn what_an_implementation_refuses_has_its_status_and_message() {
    let other = integration_tests::in_process::spawn_pair().await;
    let pair = pair(&other).await;
    let client = pair.client();
    let missing = client.get("/provider/boku/sellers/nobody/").await;
    assert_eq!(missing.status, 404, "{missing:?}");
    assert!(missing.json().get("error_message").is_some(), "{missing:?}");
    let wrong = client.post("/provider/boku/sellers/", &json!({"uuid": "x"})).await;
    assert!((400..500).contains(&wrong.status) && wrong.json().get("error_message").is_some(), "{wrong:?}");
    let deleted = client.delete("/provider/boku/sellers/nobody/").await;
    assert!(deleted.status >= 400 && deleted.json().get("error_message").is_some(), "{deleted:?}");
}

#[actix_web::test]
async fn an_implementation_that_is_not_there_is_404_and_one_that_is_not_reached_says_so() {
    let other = integration_tests::in_process::spawn_pair().await;
    let pair = pair(&other).await;
    let client = pair.client();
    for path in [
        "/provider/nobody/sellers/",
        "/provider/stripe/v1/",
        "/provider/reference/unheard/",
        "/provider/boku/..%2Fadmin/",
        "/provider/boku/sellers/..%2f..%2fadmin/",
    ] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (404, true), "{path}: {answer:?}");
    }
    let absent = client.get("/provider/absent/sellers/").await;
    assert_eq!(
        (absent.status, &absent.json()["proxy_error"]["kind"]),
        (502, &json!("not_configured")),
        "{absent:?}"
    );
    let unlisted = client.get("/provider/boku/terms/").await;
    assert_eq!(
        (unlisted.status, &unlisted.json()["proxy_error"]["outcome"]),
        (502, &json!("not_sent")),
        "{unlisted:?}"
    );
}

#[actix_web::test]
async fn a_card_number_is_not_passed_on() {
    let other = integration_tests::in_process::spawn_pair().await;
    let pair = pair(&other).await;
    let client = pair.client();
    let seller = json!({"uuid": "4111111111111111", "name": "Jack"});
    let refused = client.post("/provider/boku/sellers/", &seller).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let refused = client.get("/provider/boku/sellers/?uuid=4111111111111111").await;
    assert_eq!(refused.status, 422, "{refused:?}");
}
