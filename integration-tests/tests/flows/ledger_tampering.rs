//! A superuser who takes the triggers away: what `db-server ledger verify` and `ledger check` see of it.

use std::fs;

use db_server::{
    domain::ledger::verify::{Fault, VerifyError, verify},
    store::{ledger, ledger_walk::LedgerChainRow},
};
use diesel::{PgConnection, connection::SimpleConnection};
use integration_tests::{database::TestDatabase, in_process::db_server_settings, process::End};
use serde_json::{Value, json};
use tempfile::TempDir;
use toml::Table;

use super::{
    executables::server,
    ledger::{assert_sound, posting},
    till::Till,
};

/// A ledger with ten sets of two entries on its chain 3, and nothing on the others.
struct Tampered {
    connection: PgConnection,
    ends: Vec<LedgerChainRow>,
    _database: TestDatabase,
}

impl Tampered {
    fn open() -> Self {
        let database = TestDatabase::new();
        let mut connection = database.connect();
        for number in 0..10 {
            ledger::post(&mut connection, &posting(16 * number + 3, &[1000, -1000])).unwrap();
        }
        let ends = verify(&mut connection, &[]).unwrap();
        let lift = "alter table ledger_entries disable trigger all; alter table ledger_chains disable trigger all; \
                    alter table ledger_balances disable trigger all; \
                    alter table ledger_entries drop constraint ledger_entries_pkey, \
                    drop constraint ledger_entries_position_check; \
                    create table kept as select * from ledger_entries; \
                    create table kept_chains as select * from ledger_chains; \
                    create table kept_balances as select * from ledger_balances;";
        connection.batch_execute(lift).unwrap();
        Self { connection, ends, _database: database }
    }

    /// What is seen of a change, which is taken back.
    fn seen(&mut self, change: &str) -> (i64, Fault) {
        let noted = self.ends.clone();
        let seen = self.result(change, &noted);
        match seen {
            Err(VerifyError::Broken { chain: 3, position, fault }) => (position, fault),
            other => panic!("{change}: {other:?}"),
        }
    }

    fn result(&mut self, change: &str, noted: &[LedgerChainRow]) -> Result<Vec<LedgerChainRow>, VerifyError> {
        self.connection.batch_execute(change).unwrap_or_else(|error| panic!("{change}: {error}"));
        let result = verify(&mut self.connection, noted);
        let restore = "truncate ledger_entries; insert into ledger_entries select * from kept; \
                       truncate ledger_chains; insert into ledger_chains select * from kept_chains; \
                       truncate ledger_balances; insert into ledger_balances select * from kept_balances;";
        self.connection.batch_execute(restore).unwrap();
        assert_eq!(verify(&mut self.connection, &self.ends).unwrap(), self.ends, "restored after {change}");
        result
    }
}

#[test]
fn every_column_of_an_entry_that_is_changed_shows() {
    let mut tampered = Tampered::open();
    for (change, fault) in [
        ("set_position = 4", Fault::Changed),
        ("account = 'holds:paypal'", Fault::Changed),
        ("provider = 3", Fault::Changed),
        ("seller_id = 8", Fault::Changed),
        ("payment_id = payment_id + 16", Fault::Changed),
        ("refund_id = 1", Fault::Changed),
        ("movement = 1", Fault::Changed),
        ("amount_minor = 1001", Fault::Changed),
        ("currency = 'USD'", Fault::Changed),
        ("reference = 'x'", Fault::Changed),
        ("created = created + interval '1 us'", Fault::Changed),
        ("previous_hash = sha256('x')", Fault::Previous),
        ("hash = sha256('x')", Fault::Changed),
    ] {
        assert_eq!(
            tampered.seen(&format!("update ledger_entries set {change} where position = 5")),
            (5, fault),
            "{change}"
        );
    }
    // Gone from where it was, and without a beginning where it went.
    assert_eq!(tampered.seen("update ledger_entries set chain = 4 where position = 5"), (5, Fault::Missing));
    let end = Fault::End { said: 20 };
    assert_eq!(
        tampered.seen("update ledger_entries set position = 30 where position = 20"),
        (20, Fault::Missing)
    );
    assert_eq!(tampered.seen("update ledger_entries set chain = 4 where position = 20"), (19, end));
}

#[test]
fn an_entry_that_is_taken_out_added_or_moved_shows() {
    let mut tampered = Tampered::open();
    let added = |position| {
        format!(
            "insert into ledger_entries select chain, {position}, set_position, account, provider, seller_id, \
             payment_id, refund_id, movement, amount_minor, currency, reference, created, previous_hash, hash \
             from kept where position = 5;"
        )
    };
    let behind = "update ledger_entries set position = position - 1 where position > 5;";
    let ahead = "update ledger_entries set position = position + 1 where position >= 5;";
    let swap = "update ledger_entries set position = 11 - position where position in (5, 6)";
    for (change, expected) in [
        ("delete from ledger_entries where position = 5".to_owned(), (5, Fault::Missing)),
        ("delete from ledger_entries where position = 1".to_owned(), (1, Fault::Missing)),
        (format!("delete from ledger_entries where position = 5; {behind}"), (5, Fault::Previous)),
        (format!("{ahead} {}", added(5)), (6, Fault::Previous)),
        (added(21), (21, Fault::Previous)),
        (swap.to_owned(), (5, Fault::Previous)),
        (
            "update ledger_entries set position = case position when 5 then 15 else 5 end \
          where position in (5, 15)"
                .to_owned(),
            (5, Fault::Previous),
        ),
    ] {
        assert_eq!(tampered.seen(&change), expected, "{change}");
    }
}

#[test]
fn an_end_that_is_cut_off_shows_and_so_does_one_that_is_hidden() {
    let mut tampered = Tampered::open();
    let cut = "delete from ledger_entries where position > 18;";
    assert_eq!(tampered.seen(cut), (18, Fault::End { said: 20 }));
    assert_eq!(tampered.seen("delete from ledger_entries"), (0, Fault::End { said: 20 }));
    assert_eq!(tampered.seen("delete from ledger_chains where chain = 3"), (20, Fault::End { said: 0 }));
    let other = "update ledger_chains set hash = sha256('x') where chain = 3";
    assert_eq!(tampered.seen(other), (20, Fault::End { said: 20 }));

    // Whoever cuts everything else to fit is found out by the end that was noted down, and by nothing else.
    let hidden = format!(
        "{cut} update ledger_chains set position = 18, hash = (select hash from kept where position = 18) where chain = 3; \
         update ledger_balances set balance_minor = balance_minor / 10 * 9"
    );
    assert_eq!(tampered.seen(&hidden), (20, Fault::Noted));
    assert!(tampered.result(&hidden, &[]).is_ok());
    let earlier = LedgerChainRow { chain: 3, position: 7, hash: vec![7; 32] };
    let result = tampered.result("select 1", &[earlier]);
    assert!(
        matches!(result, Err(VerifyError::Broken { chain: 3, position: 7, fault: Fault::Noted })),
        "{result:?}"
    );
}

#[test]
fn a_balance_that_is_not_the_sum_of_its_entries_shows() {
    let mut tampered = Tampered::open();
    let (position, fault) =
        tampered.seen("update ledger_balances set balance_minor = 1 where account = 'holds:stripe'");
    let account = "holds:stripe".to_owned();
    let expected = Fault::Balance { account, currency: "EUR".into(), kept: 1, sum: 10_000 };
    assert_eq!((position, fault), (20, expected));
    assert!(matches!(tampered.seen("delete from ledger_balances"), (20, Fault::Balance { kept: 0, .. })));
}

#[test]
fn a_set_that_was_posted_unbalanced_shows_although_the_chain_is_whole() {
    let mut tampered = Tampered::open();
    // The function hashes whatever it is given when the triggers that look at it are gone.
    let post = |set: &str| {
        format!(
            "alter table ledger_entries add primary key (chain, position); \
             select post_ledger(3, 5::smallint, 7, null, null, 'EUR', '{set}', '{{0,0}}', \
             '{{holds:stripe,authorizations:7}}', '{{5,-4}}'); \
             alter table ledger_entries drop constraint ledger_entries_pkey"
        )
    };
    assert_eq!(tampered.seen(&post("{1,1}")), (21, Fault::Unbalanced));
    assert_eq!(tampered.seen(&post("{1,2}")), (21, Fault::Unbalanced));
}

/// A till with payments, and the command.
struct Auditor {
    till: Till,
    folder: TempDir,
    settings: Table,
}

impl Auditor {
    async fn open() -> Self {
        let till = Till::open().await;
        let paid = till.stripe(&json!({})).await;
        assert_eq!(till.change(&paid, "refunds", &json!({"amount": "3.00"})).await.status, 201);
        let database = till.pair.database.as_ref().unwrap();
        let settings = db_server_settings(
            &database.socket_folder(),
            database.name(),
            "http://127.0.0.1:1",
            &till.pair.dummies,
        );
        Self { till, folder: tempfile::tempdir().unwrap(), settings }
    }

    async fn run(&self, arguments: &[&str], code: i32) -> Vec<String> {
        let launch = server("db-server", self.folder.path(), &self.settings).argument("ledger");
        let process = launch.arguments(arguments.iter().copied()).start().unwrap();
        assert_eq!(process.wait().await.unwrap(), End::Exited(code), "{:?}", process.lines());
        process.lines()
    }

    fn change(&self, statements: &str) {
        let mut connection = self.till.pair.database.as_ref().unwrap().connect();
        connection.batch_execute(statements).unwrap();
    }
}

#[actix_web::test]
async fn ledger_verify_prints_the_ends_to_be_noted_and_ends_with_65_at_the_first_wrong_entry() {
    let auditor = Auditor::open().await;
    let lines = auditor.run(&["verify"], 0).await;
    assert!(lines.iter().any(|line| line == "8 entries in 16 chains, unbroken and balanced"), "{lines:?}");
    let ends: Vec<_> = lines.into_iter().filter(|line| line.contains('\t')).collect();
    assert_eq!((ends.len(), ends[0].as_str()), (17, "CHAIN\tENTRIES\tHASH"));
    assert!(ends[2].starts_with("1\t8\t"), "{ends:?}");
    let file = auditor.folder.path().join("ends");
    let noted = ["verify", "--noted", file.to_str().unwrap()];
    fs::write(&file, ends.join("\n")).unwrap();

    auditor.till.stripe(&json!({})).await;
    auditor.run(&noted, 0).await;
    fs::write(&file, ends.join("\n").replace("1\t8\t", "1\t7\t")).unwrap();
    let lines = auditor.run(&noted, 65).await;
    assert_eq!(lines, ["chain 1, entry 7: is not the one that was noted down"]);
    fs::write(&file, "1\t8").unwrap();
    auditor.run(&noted, 64).await;
    fs::remove_file(&file).unwrap();
    auditor.run(&noted, 64).await;
    auditor.run(&[], 64).await;

    auditor.change(
        "alter table ledger_entries disable trigger all; \
         update ledger_entries set amount_minor = 1 where chain = 1 and position = 3",
    );
    let lines = auditor.run(&["verify"], 65).await;
    assert_eq!(lines, ["chain 1, entry 3: was changed: its hash is another"]);
}

#[actix_web::test]
async fn ledger_check_ends_with_65_and_names_what_differs_on_either_side() {
    let auditor = Auditor::open().await;
    assert_eq!(auditor.run(&["check"], 0).await, ["1 payments, 0 differences"]);
    auditor.change("update payments set captured_minor = 999, amount_minor = 999");
    let table = auditor.run(&["check"], 65).await;
    let header = "PAYMENT\tSUBJECT\tCURRENCY\tROWS\tENTRIES";
    let table: Vec<_> = table.into_iter().filter(|line| line.contains('\t')).collect();
    assert_eq!(table, [header, "1\tcaptured\tEUR\t9.99\t10.00"]);
    auditor.change("update payments set captured_minor = 1000, amount_minor = 1000");

    auditor.change("update refunds set standing = 1");
    let lines = auditor.run(&["check", "--format", "json"], 65).await;
    let objects: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let expected = json!({
        "payment": 1, "subject": "refund:1", "currency": "EUR", "rows": "0.00", "entries": "3.00"
    });
    assert_eq!(objects, [expected]);
    auditor.change("update refunds set standing = 2");

    let mut connection = auditor.till.pair.database.as_ref().unwrap().connect();
    assert_sound(&mut connection);
    for payment in [2, 1000] {
        ledger::post(&mut connection, &posting(payment, &[500, -500])).unwrap();
    }
    let lines = auditor.run(&["check"], 65).await;
    for line in ["2\tpayment\tEUR\t-\t0.00", "1000\tpayment\tEUR\t-\t0.00", "3 payments, 2 differences"] {
        assert!(lines.iter().any(|printed| printed == line), "{line}: {lines:?}");
    }
}

#[actix_web::test]
async fn payments_that_posted_nothing_are_found() {
    let auditor = Auditor::open().await;
    auditor.till.stripe(&json!({"capture": false})).await;
    auditor.change(
        "alter table ledger_entries disable trigger all; alter table ledger_chains disable trigger all; \
         alter table ledger_balances disable trigger all; truncate ledger_entries, ledger_balances; \
         update ledger_chains set position = 0, hash = decode(repeat('00', 32), 'hex')",
    );
    // As whole as one that never was used: only the payments tell.
    auditor.run(&["verify"], 0).await;
    let lines = auditor.run(&["check"], 65).await;
    for line in [
        "1\tcaptured\tEUR\t10.00\t0.00",
        "1\trefunded\tEUR\t3.00\t0.00",
        "1\trefund:1\tEUR\t3.00\t0.00",
        "2\theld\tEUR\t10.00\t0.00",
    ] {
        assert!(lines.iter().any(|printed| printed == line), "{line}: {lines:?}");
    }
}
