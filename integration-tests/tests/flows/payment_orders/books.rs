//! The books of one payment, in one database transaction that goes back to where it was.

use chrono::Utc;
use db_server::{
    crypt::EncryptionKeys,
    domain::payment::{Context, Fact, absorb, absorb::refund_transaction, machine::Known, told, told::Told},
    store::{
        code::{Provider, TransactionType},
        id::{PaymentId, ProductId, SellerId},
        payment::{self, NewPayment, PaymentChanges, PaymentRow},
        payment_code::{PaymentOperationKind, RefundStanding},
        payment_operation::{self, NewPaymentOperation, PaymentOperationRow},
        refund::{self, NewRefund},
        transaction::{self, NewTransaction},
    },
};
use diesel::{
    PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::Text,
};
use integration_tests::database::TestDatabase;
use secrecy::ExposeSecret;
use serde_json::Value;
use uuid::Uuid;
use wire::payment::Event;

use super::said::{AMOUNT, Asked};

/// The rows without what differs from run to run: keys, ids, times, counters.
const ROWS: &str = "\
select jsonb_build_object(
    'payment', (select jsonb_build_object(
        'standing', standing, 'shown', status, 'captured', captured_minor,
        'settlement_declined', settlement_declined_minor, 'refunded', refunded_minor,
        'refunding', refunding_minor, 'closed', closed, 'reference', provider_reference,
        'checkout', checkout_reference, 'captures', captures, 'refusal', refusal_code, 'message', refusal_message,
        'advice', decline_advice) from payments),
    'operations', (select coalesce(jsonb_agg(jsonb_build_object(
        'operation', operation, 'amount', amount_minor, 'before', before_minor, 'state', state, 'outcome', outcome,
        'reference', provider_reference, 'request', request is not null, 'looked_at', next_look is not null)
        order by id), '[]') from payment_operations),
    'refunds', (select coalesce(jsonb_agg(jsonb_build_object(
        'amount', amount_minor, 'standing', standing, 'reference', provider_reference, 'refusal', refusal_code,
        'asked', operation_id is not null) order by id), '[]') from refunds),
    'transactions', (select coalesce(jsonb_agg(jsonb_build_object(
        'type', type, 'status', status, 'reason', status_reason, 'support', uid_support, 'amount', amount_minor)
        order by id), '[]') from transactions)
)::text as text";
const ALARMS: &str = "\
select coalesce(jsonb_agg(payload -> 'other_reference' order by id), '[]')::text as text
from unordered_events where kind = 'payment.integrity'";
const BALANCES: &str = "\
select coalesce(jsonb_agg(jsonb_build_object('account', account, 'balance', balance) order by account), '[]')::text as text
from (
    select account, sum(balance_minor)::bigint as balance from ledger_balances group by account
    having sum(balance_minor) <> 0
) as balances";

/// The books.
pub struct Books {
    // Declared first, so that its session is over when the database goes.
    connection: PgConnection,
    keys: EncryptionKeys,
    payment: PaymentId,
    has_ledger: bool,
    _database: TestDatabase,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

impl Books {
    /// A database of its own, in which a payment is only just asked for.
    pub fn open() -> Self {
        let database = TestDatabase::new();
        let mut connection = database.connect();
        connection
            .batch_execute(
                "begin; insert into sellers (uuid) values ('seller');
                 insert into products (seller_id, external_id, public_id) select id, 'x', 'y' from sellers;",
            )
            .unwrap();
        let new = NewTransaction {
            uuid: "solitude:payment".to_owned(),
            amount_minor: Some(AMOUNT),
            currency: Some("EUR".to_owned()),
            provider: Some(Provider::Stripe),
            kind: TransactionType::Payment,
            ..NewTransaction::default()
        };
        let transaction = transaction::insert(&mut connection, &new, "client").unwrap();
        let new = NewPayment {
            uuid: Uuid::now_v7(),
            transaction_id: transaction.id,
            provider: Provider::Stripe,
            seller_id: SellerId(1),
            product_id: ProductId(1),
            buyer_id: None,
            payment_method_id: None,
            amount_minor: AMOUNT,
            currency: "EUR".to_owned(),
            capture: true,
            description: None,
            metadata: None,
        };
        let payment = payment::insert(&mut connection, &new).unwrap().id;
        let keys = EncryptionKeys::parse(&[EncryptionKeys::generate()]).unwrap();
        let exists = "select (to_regclass('ledger_balances') is not null)::text as text";
        let has_ledger = sql_query(exists).get_result::<Line>(&mut connection).unwrap().text == "true";
        Self { connection, keys, payment, has_ledger, _database: database }
    }

    pub fn save(&mut self, depth: usize) {
        self.connection.batch_execute(&format!("savepoint at_{depth}")).unwrap();
    }

    pub fn restore(&mut self, depth: usize) {
        self.connection.batch_execute(&format!("rollback to savepoint at_{depth}")).unwrap();
    }

    /// Writes down what is to be asked, as the API does.
    pub fn begin(&mut self, asked: &Asked) {
        let row = self.row();
        let new = NewPaymentOperation {
            attempt: asked.attempt().uuid(),
            payment_id: row.id,
            operation: asked.kind,
            amount_minor: asked.amount,
            before_minor: if asked.kind == PaymentOperationKind::Capture {
                Known::of(&row).taken()
            } else {
                0
            },
            last: asked.last,
            request: self.keys.encrypt("{}"),
            next_look: Utc::now(),
            actor: "client".to_owned(),
        };
        let operation = payment_operation::insert(&mut self.connection, &new).unwrap();
        if asked.kind == PaymentOperationKind::Refund {
            self.begin_refund(&row, &operation);
        }
    }

    fn begin_refund(&mut self, row: &PaymentRow, operation: &PaymentOperationRow) {
        let amount = operation.amount_minor.unwrap();
        let reserved = Known::of(row).reserving(amount).unwrap();
        let changes = PaymentChanges { refunding_minor: reserved.refunding, ..PaymentChanges::of(row) };
        payment::update(&mut self.connection, row.id, &changes).unwrap();
        let new = refund_transaction(row, amount);
        let transaction = transaction::insert(&mut self.connection, &new, "client").unwrap();
        let new = NewRefund {
            uuid: Uuid::now_v7(),
            payment_id: row.id,
            operation_id: Some(operation.id),
            transaction_id: transaction.id,
            provider: row.provider,
            amount_minor: amount,
            standing: RefundStanding::Created,
            provider_reference: None,
        };
        refund::insert(&mut self.connection, &new).unwrap();
    }

    pub fn operation(&mut self, asked: &Asked) -> PaymentOperationRow {
        payment_operation::by_attempt(&mut self.connection, asked.attempt().uuid()).unwrap().unwrap()
    }

    pub fn absorb(&mut self, fact: Fact) {
        let (context, row) = (self.context(), self.row());
        absorb(&mut self.connection, &context, row, fact).unwrap();
    }

    pub fn tell(&mut self, event: &Event) -> Told {
        let context = self.context();
        told::tell(&mut self.connection, &context, event).unwrap()
    }

    /// The rows as JSON.
    pub fn rows(&mut self) -> String {
        let row = self.row();
        let mut rows: Value = serde_json::from_str(&self.line(ROWS)).unwrap();
        rows["payment"]["status"] = row.status.name().into();
        let action = row.next_action.map(|action| self.keys.decrypt(&action).unwrap());
        rows["payment"]["next_action"] = action.map(|action| action.expose_secret().to_owned()).into();
        if self.has_ledger {
            rows["ledger"] = serde_json::from_str(&self.line(BALANCES)).unwrap();
        }
        rows.to_string()
    }

    /// Which other reference each event tells of that says that something is wrong.
    pub fn alarms(&mut self) -> Vec<Value> {
        let text = self.line(ALARMS);
        serde_json::from_str(&text).unwrap()
    }

    fn line(&mut self, query: &str) -> String {
        sql_query(query).get_result::<Line>(&mut self.connection).unwrap().text
    }

    fn row(&mut self) -> PaymentRow {
        payment::by_id_for_update(&mut self.connection, self.payment).unwrap().unwrap()
    }

    fn context(&self) -> Context {
        Context { keys: self.keys.clone(), now: Utc::now(), actor: "test".to_owned() }
    }
}
