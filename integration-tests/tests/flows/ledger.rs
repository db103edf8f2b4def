//! The ledger: what payments post, its balances, and what the database refuses.

use std::thread;

use actix_web::http::Method;
use db_server::{
    domain::ledger::{check, post_fee, verify::verify},
    store::{
        StoreError,
        id::{PaymentId, SellerId},
        ledger::{self, MovementKind, PostedEntry, Posting},
        payment,
    },
};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::BigInt};
use futures_util::future::join_all;
use integration_tests::{client::Client, database::TestDatabase, in_process::spawn_pair};
use serde_json::{Value, json};
use wire::{Currency, Money};

use super::{
    shop::{created, text, unique},
    till::Till,
};

const BALANCES: &str = "/ledger/balances/";

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn number(connection: &mut PgConnection, expression: &str) -> i64 {
    sql_query(format!("select ({expression}) as number")).get_result::<Number>(connection).unwrap().number
}

/// The ledger is whole, balanced, and says what the payments say; gives how many payments and entries there are.
#[track_caller]
pub fn assert_sound(connection: &mut PgConnection) -> (u64, i64) {
    let ends = verify(connection, &[]).unwrap();
    let mut differences = Vec::new();
    let checked = check::check(connection, &mut |difference| differences.push(difference)).unwrap();
    assert_eq!(differences, []);
    (checked.payments, ends.iter().map(|end| end.position).sum())
}

fn connection(till: &Till) -> PgConnection {
    till.pair.database.as_ref().unwrap().connect()
}

async fn balances(till: &Till, query: &str) -> Value {
    let answer = till.client.get(&format!("{BALANCES}{query}")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// `(account, balance)` of a page.
fn shown(page: &Value) -> Vec<(String, String)> {
    let objects = page["objects"].as_array().unwrap();
    objects.iter().map(|object| (text(object, "/account"), text(object, "/balance"))).collect()
}

/// One payment captured and refunded in part, one captured in part and given up, one held, one cancelled: 10.00 EUR each.
async fn trade(till: &Till) -> String {
    let paid = till.stripe(&json!({})).await;
    let refund = till.change(&paid, "refunds", &json!({"amount": "3.00"})).await;
    assert_eq!(refund.status, 201, "{refund:?}");
    let parts = till.stripe(&json!({"capture": false})).await;
    for body in [json!({"amount": "3.00"}), json!({"amount": "5.00", "last": true})] {
        assert_eq!(till.change(&parts, "capture", &body).await.status, 200);
    }
    till.stripe(&json!({"capture": false})).await;
    let cancelled = till.stripe(&json!({"capture": false})).await;
    assert_eq!(till.change(&cancelled, "cancel", &json!({})).await.status, 200);
    till.shop.seller.split('/').nth(3).unwrap().to_owned()
}

#[actix_web::test]
async fn what_is_held_taken_given_up_and_given_back_is_on_balanced_accounts() {
    let till = Till::open().await;
    assert_eq!(balances(&till, "").await["totals"], json!([]));
    let seller = trade(&till).await;
    // 6 and 2; 2, 4, 4 and 2; 2; 2 and 2.
    assert_eq!(assert_sound(&mut connection(&till)), (4, 26));

    let all = balances(&till, "").await;
    let of_seller = |name: &str| format!("{name}:{seller}");
    let line = |account: String, balance: &str| (account, balance.to_owned());
    let expected = [
        line(of_seller("authorizations"), "-10.00"),
        line("holds:stripe".into(), "10.00"),
        line(of_seller("payable"), "-15.00"),
        line("receivable:stripe".into(), "15.00"),
    ];
    assert_eq!(shown(&all), expected);
    assert_eq!(all["objects"][0]["currency"], "EUR");
    assert_eq!(all["totals"], json!([{"currency": "EUR", "total": "0.00"}]));
    assert_eq!(all["meta"]["total_count"], 4);

    for (query, positions) in [
        ("?account=payable", &[2][..]),
        ("?account=receivable:stripe", &[3]),
        ("?account=receivable:stripes", &[]),
        ("?provider=stripe", &[1, 3]),
        ("?provider=paypal", &[]),
        ("?currency=EUR&limit=500", &[0, 1, 2, 3]),
        ("?currency=USD", &[]),
        ("?limit=2&page=2", &[2, 3]),
    ] {
        let page = balances(&till, query).await;
        let expected: Vec<_> = positions.iter().map(|&position| expected[position].clone()).collect();
        assert_eq!(shown(&page), expected, "{query}");
        assert_eq!(page["totals"], all["totals"], "{query}");
    }
}

#[actix_web::test]
async fn balances_are_a_list_like_others_and_need_the_role_to_read() {
    let till = Till::open().await;
    trade(&till).await;
    for (query, status) in [
        ("?typo=1", 400),
        ("?provider=5", 422),
        ("?limit=0", 422),
        ("?page=2", 404),
        ("?account=a&account=b", 422),
    ] {
        let answer = till.client.get(&format!("{BALANCES}{query}")).await;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
    }
    assert_eq!(till.client.post(BALANCES, &json!({})).await.status, 405);
    let stranger = Client::unsigned(till.pair.db_server.url()).get(BALANCES).await;
    assert_eq!(stranger.status, 401, "{stranger:?}");

    let version = till.client.get(BALANCES).await.header("etag").unwrap().to_owned();
    let again = |version: String| {
        let request = till.client.request(Method::GET, BALANCES).header("If-None-Match", &version);
        async { request.answer().await.status }
    };
    assert_eq!(again(version.clone()).await, 304);
    till.stripe(&json!({})).await;
    assert_eq!(again(version).await, 200);
}

#[actix_web::test]
async fn fifty_settlements_at_once_keep_the_chains_whole() {
    let till = Till::open().await;
    let orders: Vec<_> = (0..50).map(|_| till.stripe_order(&json!({}))).collect();
    let answers = join_all(orders.iter().map(|order| till.ask(order))).await;
    for answer in answers {
        created(answer);
    }
    assert_eq!(assert_sound(&mut connection(&till)), (50, 300));
    let page = balances(&till, "?provider=stripe").await;
    let expected = [("holds:stripe", "0.00"), ("receivable:stripe", "500.00")];
    assert_eq!(shown(&page), expected.map(|(account, balance)| (account.to_owned(), balance.to_owned())));
}

#[test]
fn those_who_post_to_one_chain_at_once_leave_no_gap_and_a_rollback_neither() {
    let database = TestDatabase::new();
    thread::scope(|scope| {
        for poster in 0..8_i64 {
            let mut connection = database.connect();
            scope.spawn(move || {
                for round in 0..10 {
                    // All on the chain 3.
                    let posting = posting(16 * (poster * 10 + round + 1) + 3, &[1000, -1000]);
                    let given_up = connection.transaction(|connection| {
                        ledger::post(connection, &posting)?;
                        if round % 3 == 0 { Err(StoreError::Interrupted) } else { Ok(()) }
                    });
                    assert_eq!(given_up.is_err(), round % 3 == 0);
                }
            });
        }
    });
    let ends = verify(&mut database.connect(), &[]).unwrap();
    let used: Vec<_> = ends.iter().filter(|end| end.position > 0).collect();
    assert_eq!((used.len(), used[0].chain, used[0].position), (1, 3, 8 * 6 * 2));
}

/// A set of entries of a payment that need not be there.
pub fn posting(payment: i64, amounts: &[i64]) -> Posting {
    let accounts = ["holds:stripe", "authorizations:7", "holds:paypal", "fees:paypal"];
    let entries = accounts.iter().zip(amounts).map(|(account, &amount_minor)| PostedEntry {
        set: 1,
        movement: MovementKind::Hold,
        account: (*account).to_owned(),
        amount_minor,
    });
    Posting {
        payment_id: PaymentId(payment),
        provider: db_server::store::code::Provider::Stripe,
        seller_id: SellerId(7),
        refund_id: None,
        reference: None,
        currency: "EUR".into(),
        entries: entries.collect(),
    }
}

#[test]
fn the_database_refuses_to_change_the_ledger_even_to_a_superuser() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    ledger::post(&mut connection, &posting(3, &[1000, -1000])).unwrap();
    let before = verify(&mut connection, &[]).unwrap();
    for role in ["origin", "replica"] {
        sql_query(format!("set session_replication_role = {role}")).execute(&mut connection).unwrap();
        for statement in [
            "update ledger_entries set amount_minor = 1",
            "update ledger_entries set account = account where false",
            "delete from ledger_entries",
            "truncate ledger_entries",
            "insert into ledger_entries select chain, position + 2, set_position + 2, account, provider, seller_id, \
             payment_id, refund_id, movement, amount_minor, currency, reference, created, previous_hash, hash \
             from ledger_entries",
            "insert into ledger_chains (chain) values (15)",
            "update ledger_chains set position = 1 where position = 2",
            "update ledger_chains set hash = decode(repeat('01', 32), 'hex') where position = 2",
            "update ledger_chains set chain = 1 where position = 2",
            "delete from ledger_chains",
            "truncate ledger_chains",
            "delete from ledger_balances",
            "truncate ledger_balances",
        ] {
            let error = sql_query(statement).execute(&mut connection).unwrap_err().to_string();
            let refused = error.contains("append-only") || error.contains("do not end their chain");
            assert!(refused, "{role}: {statement}: {error}");
        }
    }
    assert_eq!(verify(&mut connection, &[]).unwrap(), before);
}

#[test]
fn the_database_refuses_a_set_that_does_not_balance() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    for amounts in [&[1000, -999][..], &[1000], &[i64::MAX, -1]] {
        let error = ledger::post(&mut connection, &posting(3, amounts)).unwrap_err();
        assert_eq!(error.constraint(), Some("ledger_entries_balanced"), "{amounts:?}");
    }
    // Two that balance together are not two sets that do.
    let mut two = posting(3, &[1000, -999, 1, -2]);
    two.entries[2].set = 2;
    two.entries[3].set = 2;
    let error = ledger::post(&mut connection, &two).unwrap_err();
    assert_eq!(error.constraint(), Some("ledger_entries_balanced"));
    for wrong in ["no colon", "Holds:stripe", "holds:a\nb"] {
        let mut posting = posting(3, &[1000, -1000]);
        posting.entries[0].account = wrong.to_owned();
        let error = ledger::post(&mut connection, &posting).unwrap_err();
        assert_eq!(error.constraint(), Some("ledger_entries_account_check"), "{wrong}");
    }
    assert_eq!(number(&mut connection, "select count(*) from ledger_entries"), 0);
    assert_eq!(number(&mut connection, "select count(*) from ledger_balances"), 0);
    verify(&mut connection, &[]).unwrap();
}

#[actix_web::test]
async fn a_fee_is_posted_once_and_may_be_of_another_currency() {
    let till = Till::open().await;
    let paid = [till.stripe(&json!({})).await, till.stripe(&json!({})).await];
    let mut connection = connection(&till);
    let rows = paid.map(|payment| {
        let id = PaymentId(payment["resource_pk"].as_i64().unwrap());
        payment::by_id(&mut connection, id).unwrap().unwrap()
    });
    let of = |minor_units, code| Money { minor_units, currency: Currency::parse(code).unwrap() };
    let reference = unique("txn");
    let mut fee =
        |row: usize, money, reference: &str| post_fee(&mut connection, &rows[row], money, reference);
    assert!(fee(0, of(59, "EUR"), &reference).unwrap());
    assert!(!fee(0, of(59, "EUR"), &reference).unwrap(), "it was there");
    assert!(!fee(0, of(0, "EUR"), "nothing").unwrap());
    assert!(fee(0, of(61, "USD"), "txn_other").unwrap());
    assert!(fee(0, of(-9, "EUR"), "txn_back").unwrap());
    let taken = fee(1, of(59, "EUR"), &reference).unwrap_err();
    assert!(taken.to_string().contains("ledger_entries_provider_movement_reference_key"), "{taken}");
    assert!(fee(1, of(59, "EUR"), "two words").is_err());
    assert_eq!(assert_sound(&mut connection), (2, 18));

    let page = balances(&till, "?account=fees").await;
    let shown: Vec<_> = page["objects"].as_array().unwrap().clone();
    let expected = [("EUR", "0.50"), ("USD", "0.61")].map(
        |(currency, balance)| json!({"account": "fees:stripe", "currency": currency, "balance": balance}),
    );
    assert_eq!(shown, expected);
    assert_eq!(page["totals"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_refund_is_named_by_its_entries() {
    let till = Till::open().await;
    let paid = till.stripe(&json!({})).await;
    for amount in ["1.00", "2.50"] {
        assert_eq!(till.change(&paid, "refunds", &json!({"amount": amount})).await.status, 201);
    }
    let mut connection = connection(&till);
    let named = "select count(*) from ledger_entries e join refunds r on r.id = e.refund_id \
                 where e.movement = 4 and e.payment_id = r.payment_id and abs(e.amount_minor) = r.amount_minor";
    assert_eq!(number(&mut connection, named), 4);
    assert_eq!(number(&mut connection, "select count(*) from ledger_entries where refund_id is null"), 6);
    assert_sound(&mut connection);
}

#[actix_web::test]
async fn one_payment_is_found_in_the_ledger_by_an_index() {
    let pair = spawn_pair().await;
    let mut connection = pair.database.as_ref().unwrap().connect();
    sql_query("set enable_seqscan = off").execute(&mut connection).unwrap();
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
        line: String,
    }
    for (query, index) in [
        (
            "select 1 from ledger_entries where payment_id > 5 and payment_id <= 9",
            "ledger_entries_payment_id_idx",
        ),
        (
            "select 1 from ledger_entries where provider = 5 and movement = 3 and reference = 'a' \
             and position = set_position and payment_id = 1",
            "ledger_entries_provider_movement_reference_key",
        ),
    ] {
        let plan: Vec<Line> = sql_query(format!("explain {query}")).load(&mut connection).unwrap();
        let plan: Vec<_> = plan.into_iter().map(|line| line.line).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{plan:?}");
    }
}
