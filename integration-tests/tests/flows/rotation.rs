//! What a change of the keys needs of the store: encrypted values in pages, and a change only of what was read.

use db_server::{
    crypt::EncryptionKeys,
    lookup::LookupKeys,
    store::{
        buyer,
        id::{BuyerId, ProductId},
        product,
    },
};
use integration_tests::in_process::spawn_pair;
use secrecy::ExposeSecret;
use serde_json::json;

use super::shop::{Shop, created, text};

#[actix_web::test]
async fn addresses_come_in_pages_and_are_replaced_only_while_they_are_what_was_read() {
    let pair = spawn_pair().await;
    let client = pair.client();
    for (uuid, email) in [("b1", Some("one@a.test")), ("b2", None), ("b3", Some("three@a.test"))] {
        created(client.post("/generic/buyer/", &json!({"uuid": uuid, "email": email})).await);
    }
    let keys = EncryptionKeys::parse(&[pair.dummies.encryption_key.as_str().into()]).unwrap();
    let lookup = LookupKeys::new(&["dummy-new-lookup-key".into()]).unwrap();
    let mut connection = pair.database.as_ref().unwrap().connect();

    let first = buyer::encrypted_page(&mut connection, BuyerId(0), 1).unwrap();
    let second = buyer::encrypted_page(&mut connection, first[0].id, 10).unwrap();
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_eq!(keys.decrypt(&second[0].email).unwrap().expose_secret(), "three@a.test");

    let (new, hash) = (keys.encrypt("one@a.test"), lookup.hash("one@a.test"));
    let mut replace = |old| buyer::reencrypt(&mut connection, first[0].id, old, &new, &hash).unwrap();
    assert!(replace(&first[0].email));
    assert!(!replace(&first[0].email), "it is another by now");
    let after = buyer::encrypted_page(&mut connection, BuyerId(0), 1).unwrap();
    assert!(after[0].email == new && after[0].email_hash == hash);
    let shown = client.get("/generic/buyer/1/").await.json();
    assert_eq!((&shown["email"], &shown["counter"]), (&json!("one@a.test"), &json!(0)));
}

#[actix_web::test]
async fn secrets_of_products_are_replaced_only_while_they_are_what_was_read() {
    let pair = spawn_pair().await;
    let shop = Shop::open(&pair).await;
    let mut connection = pair.database.as_ref().unwrap().connect();
    assert!(product::encrypted_page(&mut connection, ProductId(0), 10).unwrap().is_empty());
    let changed = shop.client.patch(&shop.product, &json!({"secret": "dummy-secret"})).await;
    let modified = text(&changed.json(), "/modified");

    let page = product::encrypted_page(&mut connection, ProductId(0), 10).unwrap();
    let keys = EncryptionKeys::parse(&[pair.dummies.encryption_key.as_str().into()]).unwrap();
    let new = keys.encrypt("dummy-secret");
    let mut replace = || product::reencrypt(&mut connection, page[0].id, &page[0].secret, &new).unwrap();
    assert!(replace());
    assert!(!replace());
    let shown = shop.client.get(&shop.product).await.json();
    assert_eq!((&shown["secret"], &shown["modified"]), (&json!("dummy-secret"), &json!(modified)));
}
