//! `db-server plan`: what products cost, by the real executable.

use diesel::connection::SimpleConnection;
use integration_tests::{
    database::TestDatabase,
    in_process::{Dummies, db_server_settings},
    process::End,
};

use super::executables::server;

#[actix_web::test]
async fn plans_are_set_listed_and_removed() {
    let database = TestDatabase::new();
    database
        .connect()
        .batch_execute(
            "insert into sellers (uuid) values ('s'); \
             insert into products (seller_id, external_id, public_id) values (1, 'a', 'sword'), (1, 'b', 'shield');",
        )
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dummies = Dummies::default();
    let table =
        db_server_settings(&database.socket_folder(), database.name(), "http://127.0.0.1:1", &dummies);
    let run = async |arguments: &str| {
        let launch = server("db-server", folder.path(), &table).argument("plan");
        let process = launch.arguments(arguments.split_whitespace()).start().unwrap();
        (process.wait().await.unwrap(), process.lines())
    };
    let header = "PRODUCT\tAMOUNT\tCURRENCY\tRECURRING";
    assert_eq!(run("set sword --amount 10 --recurring").await, (End::Exited(0), vec!["set: sword".into()]));
    assert_eq!(run("set shield --currency EUR").await.0, End::Exited(0));
    let lines = run("list").await.1;
    assert_eq!(lines, [header, "shield\tany\tEUR\tfalse", "sword\t10.00\tUSD\ttrue"]);

    assert_eq!(run("set sword --amount 12.50 --currency EUR").await.0, End::Exited(0));
    assert_eq!(run("remove shield").await.0, End::Exited(0));
    assert_eq!(run("list").await.1, [header, "sword\t12.50\tEUR\tfalse"]);

    for wrong in [
        "set nothing",
        "remove shield",
        "remove nothing",
        "set sword --amount 0",
        "set sword --amount -1",
        "set sword --amount 1.001",
        "set sword --currency XXX",
        "set",
        "",
    ] {
        let (end, lines) = run(wrong).await;
        assert_eq!(end, End::Exited(64), "{wrong}: {lines:?}");
    }
    assert_eq!(run("list").await.1, [header, "sword\t12.50\tEUR\tfalse"]);
}
