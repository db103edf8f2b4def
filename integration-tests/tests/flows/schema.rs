//! The schema itself: what the migrations make, and whether the code knows it.

use std::collections::BTreeMap;

use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Bool, Nullable, SmallInt, Text},
};
use integration_tests::database::TestDatabase;

/// One audit event.
#[derive(Debug, QueryableByName)]
pub struct Event {
    /// Who.
    #[diesel(sql_type = Text)]
    pub actor: String,
    /// The status before.
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub old: Option<i16>,
    /// The status after.
    #[diesel(sql_type = SmallInt)]
    pub new: i16,
}

/// All audit events, oldest first.
pub fn events(connection: &mut PgConnection) -> Vec<Event> {
    let query = "select actor, old_status as old, new_status as new from transaction_events order by id";
    sql_query(query).load(connection).unwrap()
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    data_type: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// `table -> [column type]`, as diesel writes it.
type Tables = BTreeMap<String, Vec<String>>;

#[test]
fn the_code_knows_exactly_the_tables_that_the_migrations_make() {
    let database = TestDatabase::new();
    assert_eq!(of_code(), of_database(&mut database.connect()));
}

fn of_database(connection: &mut PgConnection) -> Tables {
    let query = "select table_name::text, column_name::text, data_type::text, is_nullable = 'YES' as nullable \
                 from information_schema.columns where table_schema = 'public' \
                 and table_name <> '__diesel_schema_migrations' order by table_name, ordinal_position";
    let mut tables = Tables::new();
    for column in sql_query(query).load::<Column>(connection).unwrap() {
        let name = match column.data_type.as_str() {
            "bigint" => "BigInt",
            "integer" => "Integer",
            "smallint" => "SmallInt",
            "text" => "Text",
            "boolean" => "Bool",
            "bytea" => "Bytea",
            "timestamp with time zone" => "Timestamptz",
            "date" => "Date",
            "ARRAY" => "Array",
            "jsonb" => "Jsonb",
            "uuid" => "Uuid",
            other => panic!("{}.{}: {other} is new to this test", column.table_name, column.column_name),
        };
        let name = if column.nullable { format!("Nullable<{name}>") } else { name.to_owned() };
        tables.entry(column.table_name).or_default().push(format!("{} {name}", column.column_name));
    }
    tables
}

/// Reads `schema.rs` as text: diesel keeps no names at run time.
fn of_code() -> Tables {
    let text = include_str!("../../../crates/db-server/src/schema.rs");
    let mut tables = Tables::new();
    let mut current = None;
    let mut renamed = None;
    for line in text.lines().map(str::trim) {
        if let Some((table, _)) = line.strip_suffix(" {").and_then(|line| line.split_once(" (")) {
            current = Some(table.to_owned());
        } else if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            renamed = name.strip_suffix("\"]");
        } else if let (Some(table), Some((column, kind))) = (&current, line.split_once(" -> ")) {
            let kind = kind.trim_end_matches(',');
            let kind = if kind.starts_with("Array<") { "Array" } else { kind };
            let column = renamed.take().unwrap_or(column);
            tables.entry(table.clone()).or_default().push(format!("{column} {kind}"));
        } else if line == "}" {
            current = None;
        }
    }
    tables
}

#[test]
fn every_foreign_key_has_an_index_that_begins_with_it() {
    let database = TestDatabase::new();
    let query = "select conname::text as name from pg_constraint c where contype = 'f' and not exists ( \
                 select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])";
    assert_eq!(names(&mut database.connect(), query), Vec::<String>::new());
}

#[test]
fn every_constraint_is_named_after_its_table() {
    let database = TestDatabase::new();
    let query = "select conrelid::regclass || '.' || conname as name from pg_constraint c \
                 join pg_namespace n on n.oid = c.connamespace where n.nspname = 'public' \
                 and conrelid::regclass::text <> '__diesel_schema_migrations' \
                 and not starts_with(conname, conrelid::regclass || '_')";
    assert_eq!(names(&mut database.connect(), query), Vec::<String>::new());
}

#[test]
fn every_migration_can_be_taken_back() {
    let database = TestDatabase::new();
    let mut connection = database.connect();
    let mut folders: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    assert!(!folders.is_empty());
    for folder in folders.iter().rev() {
        let down = std::fs::read_to_string(folder.join("down.sql")).unwrap();
        diesel::connection::SimpleConnection::batch_execute(&mut connection, &down).unwrap();
    }
    let left = "select relname::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace \
                where n.nspname = 'public' and relname not like '\\_\\_diesel%'";
    assert_eq!(names(&mut connection, left), Vec::<String>::new());
}

fn names(connection: &mut PgConnection, query: &str) -> Vec<String> {
    sql_query(query).load::<Name>(connection).unwrap().into_iter().map(|row| row.name).collect()
}
