//! Books with payments at one provider, as db-server keeps them, and the provider at the sandbox.

use std::{fmt::Debug, sync::Arc};

use chassis::environment::Environment;
use chrono::{NaiveDate, Utc};
use db_server::{
    database::Database,
    domain::{
        Clock,
        payment::{Context, Fact, absorb},
        reconcile::{Range, ReconcileError, Report, reconcile},
    },
    identity::Signer,
    proxy_client::ProxyClient,
    settings::Settings,
    store::{
        StoreError, code,
        id::{ProductId, SellerId, TransactionId},
        payment::{self, NewPayment, PaymentRow},
        payment_code::PaymentOperationKind,
        payment_operation::{self, NewPaymentOperation, PaymentOperationRow},
    },
};
use diesel::{
    PgConnection, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use integration_tests::{
    client::Client,
    database::TestDatabase,
    in_process::{
        Dummies, Server, db_server_settings, provider_proxy_settings, start_provider_proxy, start_sandbox,
    },
};
use serde_json::{Value, json};
use toml::Table;
use uuid::Uuid;
use wire::{
    Currency, Money,
    payment::{
        AttemptId, Authorize, Capture, ClientTokenRequest, CreateCustomer, Outcome, PaymentOperation,
        Provider, Refund, Source, StorePaymentMethod, Token, operations,
    },
};

/// A shop whose payments all go through one provider.
pub struct Shop {
    pub provider: Provider,
    pub books: TestDatabase,
    pub settings: Table,
    pub database: Database,
    pub proxy: ProxyClient,
    pub sandbox: Server,
    source: Source,
    context: Context,
    _provider_proxy: Server,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    text: String,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// An amount in euros' cents.
pub fn euro(minor_units: i64) -> Money {
    Money { minor_units, currency: Currency::parse("EUR").unwrap() }
}

/// What came of an operation that must have come to something.
fn done<T: Debug + Clone>(outcome: &Outcome<T>) -> T {
    match outcome {
        Outcome::Succeeded { result } | Outcome::Pending { result } => result.clone(),
        other => panic!("{other:?}"),
    }
}

impl Shop {
    pub async fn open(provider: Provider) -> Self {
        let (books, dummies) = (TestDatabase::new(), Dummies::default());
        let sandbox = start_sandbox(&dummies);
        let provider_proxy = start_provider_proxy(provider_proxy_settings(sandbox.url(), &dummies));
        let settings =
            db_server_settings(&books.socket_folder(), books.name(), provider_proxy.url(), &dummies);
        let read: Settings = db_server::settings::read(settings.clone(), Environment::default()).unwrap();
        let signer = Signer::new(read.proxy.identity.clone().unwrap(), Clock::system());
        let proxy = ProxyClient::new(&read.proxy, Some(Arc::new(signer)));
        let context =
            Context { keys: read.database.keys.clone(), now: Utc::now(), actor: "client".to_owned() };
        let setup = "insert into sellers (uuid) values ('s'); \
                     insert into products (seller_id, external_id, public_id) values (1, 'x', 'p');";
        books.connect().batch_execute(setup).unwrap();
        let source = Source::Nonce { nonce: Token::from("unused") };
        let database = Database::new(read.database.connect);
        let mut shop = Self {
            provider,
            books,
            settings,
            database,
            proxy,
            sandbox,
            source,
            context,
            _provider_proxy: provider_proxy,
        };
        shop.source = shop.payer().await;
        shop
    }

    /// What the payer pays with.
    async fn payer(&self) -> Source {
        match self.provider {
            Provider::Stripe => Source::Nonce { nonce: "pm_card_visa".into() },
            Provider::Braintree => Source::Nonce { nonce: "fake-valid-nonce".into() },
            _ => {
                let attempt = AttemptId::new;
                let customer =
                    CreateCustomer { attempt: attempt(), reference: Some("b".into()), email: None };
                let customer = done(&self.ask::<operations::CreateCustomer>(&customer).await).reference;
                let request = ClientTokenRequest { attempt: attempt(), customer: Some(customer.clone()) };
                let nonce = done(&self.ask::<operations::ClientToken>(&request).await).token;
                let card = json!({"number": "4111111111111111", "expiry": "2031-12"});
                self.play(&format!("paypal/setup-tokens/{}/card", nonce.expose()), card).await;
                let request = StorePaymentMethod { attempt: attempt(), customer: customer.clone(), nonce };
                let token = done(&self.ask::<operations::StorePaymentMethod>(&request).await).token;
                Source::PaymentMethod { token, customer: Some(customer) }
            }
        }
    }

    pub async fn ask<O: PaymentOperation>(&self, request: &O::Request) -> O::Answer {
        self.proxy.pay::<O>(self.provider, request).await.unwrap()
    }

    /// Does something on the sandbox's own side.
    pub async fn play(&self, path: &str, body: Value) {
        let client = Client::unsigned(self.sandbox.url());
        let answer = client.post(&format!("/_sandbox/{path}"), &body).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    }

    pub fn run(&self, sql: &str) {
        self.books.connect().batch_execute(sql).unwrap();
    }

    /// The column `text` of a query.
    pub fn texts(&self, query: &str) -> Vec<String> {
        let lines: Vec<Line> = sql_query(query).load(&mut self.books.connect()).unwrap();
        lines.into_iter().map(|line| line.text).collect()
    }

    /// The balance of the account of the fees.
    pub fn fees(&self) -> Vec<String> {
        self.texts("select sum(balance_minor)::text as text from ledger_balances where account like 'fees:%'")
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> T + Send + 'static,
    ) -> T {
        self.database.write::<T, StoreError, _>(move |connection| Ok(work(connection))).await.unwrap()
    }

    /// Writes a payment down, and that it is about to be authorized.
    pub async fn begin(&self, amount: i64, capture: bool) -> (PaymentRow, PaymentOperationRow) {
        let (provider, request) = (code::Provider::from(self.provider), self.context.keys.encrypt("{}"));
        self.write(move |connection| {
            let query = format!(
                "insert into transactions (uuid, status, amount_minor, currency, seller_id, product_id, provider) \
                 values ('{}', 6, {amount}, 'EUR', 1, 1, {}) returning id",
                Uuid::new_v4(),
                provider.code(),
            );
            let transaction: Id = sql_query(query).get_result(connection).unwrap();
            let new = NewPayment {
                uuid: Uuid::now_v7(),
                transaction_id: TransactionId(transaction.id),
                provider,
                seller_id: SellerId(1),
                product_id: ProductId(1),
                buyer_id: None,
                payment_method_id: None,
                amount_minor: amount,
                currency: "EUR".to_owned(),
                capture,
                description: None,
                metadata: None,
            };
            let row = payment::insert(connection, &new).unwrap();
            let new = NewPaymentOperation {
                attempt: Uuid::now_v7(),
                payment_id: row.id,
                operation: PaymentOperationKind::Authorize,
                amount_minor: Some(amount),
                before_minor: 0,
                last: false,
                request,
                next_look: Utc::now(),
                actor: "client".to_owned(),
            };
            let operation = payment_operation::insert(connection, &new).unwrap();
            (row, operation)
        })
        .await
    }

    /// Asks the provider for what was written down.
    pub async fn authorize(
        &self,
        operation: &PaymentOperationRow,
        capture: bool,
    ) -> Outcome<wire::payment::Payment> {
        let request = Authorize {
            attempt: operation.attempt.to_string().parse().unwrap(),
            amount: euro(operation.amount_minor.unwrap()),
            source: self.source.clone(),
            capture,
            description: None,
            return_url: None,
            metadata: [].into(),
        };
        self.ask::<operations::Authorize>(&request).await
    }

    /// Writes down what the provider says.
    pub async fn absorb(&self, row: &PaymentRow, fact: Fact) -> PaymentRow {
        let (context, id) = (self.context.clone(), row.id);
        self.write(move |connection| {
            let row = payment::by_id_for_update(connection, id).unwrap().unwrap();
            absorb(connection, &context, row, fact).unwrap().payment
        })
        .await
    }

    /// A payment that was taken and is on the books.
    pub async fn sell(&self, amount: i64) -> PaymentRow {
        let (row, operation) = self.begin(amount, true).await;
        let outcome = self.authorize(&operation, true).await;
        let row = self.absorb(&row, Fact::Payment { operation: Some(operation), outcome }).await;
        assert_eq!(row.captured_minor, amount, "{row:?}");
        row
    }

    /// A payment of which these parts were taken one by one.
    pub async fn sell_in_parts(&self, amount: i64, parts: &[i64]) -> PaymentRow {
        let (row, operation) = self.begin(amount, false).await;
        let outcome = self.authorize(&operation, false).await;
        let mut row = self.absorb(&row, Fact::Payment { operation: Some(operation), outcome }).await;
        for part in parts {
            let (taken, id, request) = (row.captured_minor, row.id, self.context.keys.encrypt("{}"));
            let part = *part;
            let operation = self
                .write(move |connection| {
                    let new = NewPaymentOperation {
                        attempt: Uuid::now_v7(),
                        payment_id: id,
                        operation: PaymentOperationKind::Capture,
                        amount_minor: Some(part),
                        before_minor: taken,
                        last: false,
                        request,
                        next_look: Utc::now(),
                        actor: "client".to_owned(),
                    };
                    payment_operation::insert(connection, &new).unwrap()
                })
                .await;
            let request = Capture {
                attempt: operation.attempt.to_string().parse().unwrap(),
                payment: row.provider_reference.clone().unwrap(),
                amount: euro(part),
                last: false,
            };
            let outcome = self.ask::<operations::Capture>(&request).await;
            row = self.absorb(&row, Fact::Capture { operation, outcome }).await;
        }
        assert_eq!(row.captured_minor, parts.iter().sum::<i64>(), "{row:?}");
        row
    }

    /// Gives a part of a payment back, at the provider; gives the provider's id of the refund.
    pub async fn refund_at_provider(
        &self,
        row: &PaymentRow,
        amount: i64,
    ) -> Outcome<wire::payment::Refunded> {
        let payment = row.provider_reference.clone().unwrap();
        if self.provider == Provider::Braintree {
            // It may be settled already.
            let client = Client::unsigned(self.sandbox.url());
            client.post(&format!("/_sandbox/braintree/transactions/{payment}/settle"), &json!({})).await;
        }
        let request = Refund { attempt: AttemptId::new(), payment, capture: None, amount: euro(amount) };
        self.ask::<operations::Refund>(&request).await
    }

    /// Gives a part of a payment back, and writes it down; gives the provider's id of the refund.
    pub async fn refund(&self, row: &PaymentRow, amount: i64) -> String {
        let outcome = self.refund_at_provider(row, amount).await;
        let reference = done(&outcome).reference;
        self.absorb(row, Fact::Refund { operation: None, outcome }).await;
        reference
    }

    /// Compares today's list with the books.
    pub async fn compare(&self) -> Result<Report, ReconcileError> {
        self.compare_days(today()).await
    }

    pub async fn compare_days(&self, range: Range) -> Result<Report, ReconcileError> {
        let now = range.end();
        reconcile(&self.database, &self.proxy, self.provider, range, now).await
    }
}

/// Yesterday, today and tomorrow: a test may run at midnight.
pub fn today() -> Range {
    let day = |days| -> NaiveDate { (Utc::now() + chrono::TimeDelta::days(days)).date_naive() };
    Range { from: day(-1), to: day(2) }
}
