//! The page at `/`, as a browser without script uses it.

use serde_json::json;

use crate::callback::{self, Posted};
use crate::consumer::Consumer;

struct Page {
    consumer: Consumer,
    client: awc::Client,
}

impl Page {
    fn of(consumer: Consumer) -> Self {
        Self { consumer, client: awc::Client::builder().disable_redirects().finish() }
    }

    async fn html(&self) -> String {
        let mut answer = self.client.get(self.consumer.url("/")).send().await.unwrap();
        let kind = answer.headers().get("content-type").unwrap();
        assert_eq!((answer.status().as_u16(), kind.to_str().unwrap()), (200, "text/html; charset=utf-8"));
        String::from_utf8(answer.body().await.unwrap().to_vec()).unwrap()
    }

    /// Presses a button: the status, the Location and the text of the answer.
    async fn press(&self, provider: &str, id: &str, decision: &str) -> (u16, Option<String>, String) {
        let form = [("provider", provider), ("id", id), ("decision", decision)];
        let mut answer = self.client.post(self.consumer.url("/")).send_form(&form).await.unwrap();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        let text = String::from_utf8(answer.body().await.unwrap().to_vec()).unwrap();
        (answer.status().as_u16(), location, text)
    }
}

/// A page with one purchase that waits, and the provider's id of it.
async fn with_a_purchase() -> (Page, String, Posted) {
    let consumer = Consumer::start();
    consumer.stock().await;
    let (url, posted) = callback::start(200);
    let started = consumer.start_purchase(&url).await;
    (Page::of(consumer), started["resource_pk"].as_str().unwrap().to_owned(), posted)
}

#[actix_web::test]
async fn a_payment_that_waits_is_shown_with_its_buttons_and_approved() {
    let (page, id, posted) = with_a_purchase().await;
    let html = page.html().await;
    assert!(html.contains("Payment of solitude:1 &amp;é") && html.contains("0.99 EUR"), "{html}");
    assert!(html.contains(&format!("name=\"id\" value=\"{id}\"")), "{html}");
    assert!(html.contains(">Approve<") && html.contains(">Decline<"), "{html}");
    assert!(html.contains("Nothing was charged yet"), "{html}");
    assert_eq!(page.press("reference", &id, "approve").await, (303, Some("/".into()), String::new()));
    assert_eq!(posted.all()[0].0, "/success");
    let html = page.html().await;
    assert!(!html.contains("<form"), "{html}");
    assert!(
        html.contains(&format!("<td class=\"key\">{id}</td>")) && html.contains("<td>charge</td>"),
        "{html}"
    );
}

#[actix_web::test]
async fn a_payment_is_declined_and_leaves_nothing_in_the_ledger() {
    let (page, id, posted) = with_a_purchase().await;
    assert_eq!(page.press("reference", &id, "decline").await.0, 303);
    assert_eq!(posted.all()[0].0, "/error");
    assert!(page.html().await.contains("Nothing was charged yet"));
}

#[actix_web::test]
async fn a_button_of_an_old_page_says_that_nothing_waits() {
    let (page, id, posted) = with_a_purchase().await;
    page.press("reference", &id, "approve").await;
    let (status, location, text) = page.press("reference", &id, "decline").await;
    assert_eq!((status, location, posted.all().len()), (404, None, 1));
    assert!(text.contains("nothing of this id waits"), "{text}");
    assert_eq!(page.press("nobody", &id, "approve").await.0, 400);
}

#[actix_web::test]
async fn what_a_merchant_wrote_is_shown_as_text() {
    let consumer = Consumer::start();
    consumer.stock().await;
    let mut purchase = crate::consumer::purchase("http://127.0.0.1:1");
    purchase["ext_transaction_id"] = json!("<script>\"&");
    consumer.create("/transactions", purchase).await;
    let html = Page::of(consumer).html().await;
    assert!(html.contains("&lt;script&gt;&quot;&amp;") && !html.contains("<script"), "{html}");
}

#[actix_web::test]
async fn the_page_is_the_sandboxs_own_and_meets_no_fault() {
    let consumer = Consumer::start();
    consumer.ask_for(json!([{"fault": {"status": 503}}])).await;
    let page = Page::of(consumer);
    page.html().await;
    assert_eq!(page.consumer.get("/sellers").await.0, 503);
}
