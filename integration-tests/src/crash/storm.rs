//! The storm: servers are killed and started again, providers drop connections and dawdle, webhooks come late, twice and in
//! another order.

use std::{
    cell::{Cell, RefCell},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    http::Method,
    rt::{
        task::spawn_blocking,
        time::{sleep, timeout},
    },
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use serde_json::{Value, json};
use tokio::sync::Mutex as Turn;

use super::{
    CrashError,
    dice::Dice,
    plan::{Kill, Victim},
    rig::Rig,
    settling,
    slot::Slot,
};
use crate::postgres::{PrivatePostgres, Stop};

/// How long a server may take to reach the point at which it is to die; after that it is killed.
const UNTIL_THE_POINT: Duration = Duration::from_secs(3);

/// How long a batch of webhooks is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many requests have been answered since the last kill, and how many are under way, when somebody is killed, unless
/// that takes too long.
const ENOUGH: u32 = 4;

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many requests that move money wait for an answer.
    pub under_way: u32,
    /// How many have a final answer.
    pub finished: u32,
}

/// How many faults wait for a request at the same time.
const FAULTS: u64 = 6;

/// Who died how often.
#[derive(Debug, Default)]
pub struct Deaths {
    /// `kill -9` of a db-server.
    pub db_server: Cell<u32>,
    /// `kill -9` of provider-proxy.
    pub provider_proxy: Cell<u32>,
    /// Postgres, in immediate mode.
    pub postgres: Cell<u32>,
    /// By themselves, at a named point.
    pub at_points: Cell<u32>,
    /// The faults that were laid out at the sandbox.
    pub faults: Cell<u32>,
    /// Batches of webhooks that were kept back and came in another order.
    pub batches: Cell<u32>,
}

/// What dies.
pub struct Storm<'a> {
    /// The servers.
    pub rig: &'a Rig,
    /// Their Postgres.
    pub postgres: Arc<Mutex<PrivatePostgres>>,
    /// What has happened.
    pub deaths: Deaths,
    seed: u64,
    /// One at a time for each of the db-servers, provider-proxy and Postgres.
    turns: Vec<Turn<()>>,
    /// What the clients do meanwhile.
    load: &'a dyn Fn() -> Load,
    last: RefCell<Vec<String>>,
}

impl<'a> Storm<'a> {
    /// Of this seed.
    #[must_use]
    pub fn new(
        rig: &'a Rig,
        postgres: Arc<Mutex<PrivatePostgres>>,
        seed: u64,
        load: &'a dyn Fn() -> Load,
    ) -> Self {
        let turns = (0..rig.db_servers.len() + 2).map(|_| Turn::default()).collect();
        Self { rig, postgres, deaths: Deaths::default(), seed, turns, load, last: RefCell::default() }
    }

    /// Kills as planned, while providers and webhooks misbehave; all are up again at the end.
    ///
    /// # Errors
    /// [`CrashError`] when something does not come up.
    pub async fn rage(&self, kills: &[Kill]) -> Result<(), CrashError> {
        tokio::select! {
            done = self.kill_all(kills) => done,
            failed = self.provoke() => failed,
            failed = self.mix_webhooks() => failed,
            failed = settling::hurry(self.rig) => Err(failed),
        }
    }

    /// Kills one after the other; a victim comes up again while others fall.
    async fn kill_all(&self, kills: &[Kill]) -> Result<(), CrashError> {
        let mut under_way = FuturesUnordered::new();
        for kill in kills {
            let mut pause = std::pin::pin!(async {
                let before = (self.load)();
                sleep(kill.after).await;
                self.wait_for_load(before).await;
            });
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    Some(done) = under_way.next() => done?,
                }
            }
            under_way.push(self.kill(&kill.victim));
        }
        while let Some(done) = under_way.next().await {
            done?;
        }
        Ok(())
    }

    /// Waits until there is something to hit, though not for ever.
    async fn wait_for_load(&self, before: Load) {
        for _ in 0..150 {
            let now = (self.load)();
            if now.under_way >= ENOUGH && now.finished >= before.finished + ENOUGH {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn kill(&self, victim: &Victim) -> Result<(), CrashError> {
        let servers = self.rig.db_servers.len();
        let deaths = &self.deaths;
        match victim {
            Victim::DbServer(number) => {
                let _turn = self.turns[*number].lock().await;
                restart(&self.rig.db_servers[*number], &deaths.db_server).await
            }
            Victim::ProviderProxy => {
                let _turn = self.turns[servers].lock().await;
                restart(&self.rig.provider_proxy, &deaths.provider_proxy).await
            }
            Victim::Postgres => {
                let _turn = self.turns[servers + 1].lock().await;
                self.restart_postgres().await
            }
            Victim::DbServerAt(number, point) => {
                let _turn = self.turns[*number].lock().await;
                self.die_at(&self.rig.db_servers[*number], point, &deaths.db_server).await
            }
            Victim::ProviderProxyAt(point) => {
                let _turn = self.turns[servers].lock().await;
                self.die_at(&self.rig.provider_proxy, point, &deaths.provider_proxy).await
            }
        }
    }

    async fn die_at(&self, slot: &Slot, point: &str, killed: &Cell<u32>) -> Result<(), CrashError> {
        slot.kill().await?;
        slot.start(Some(point)).await?;
        if slot.ends_within(UNTIL_THE_POINT).await {
            count(&self.deaths.at_points);
            self.last.borrow_mut().push(point.to_owned());
            slot.kill().await?;
            return slot.start(None).await;
        }
        restart(slot, killed).await
    }

    async fn restart_postgres(&self) -> Result<(), CrashError> {
        count(&self.deaths.postgres);
        let postgres = self.postgres.clone();
        let restarted = spawn_blocking(move || {
            let mut postgres = postgres.lock().unwrap_or_else(PoisonError::into_inner);
            postgres.stop(Stop::Immediate)?;
            postgres.start()
        });
        Ok(restarted.await.map_err(|_| CrashError::Thread)??)
    }

    /// The points at which a server has died by itself, in their order.
    #[must_use]
    pub fn points(&self) -> Vec<String> {
        self.last.borrow().clone()
    }

    /// Lays out faults at the sandbox for ever.
    async fn provoke(&self) -> Result<(), CrashError> {
        let (mut dice, sandbox) = (Dice::new(self.seed, 2), self.rig.sandbox());
        loop {
            sleep(Duration::from_millis(dice.between(30, 200))).await;
            let waiting = sandbox.request(Method::GET, "/_sandbox/faults").send().await?;
            if waiting.json()["remaining"].as_u64().is_some_and(|count| count < FAULTS) {
                let faults = json!([fault(&mut dice)]);
                let laid = sandbox.request(Method::POST, "/_sandbox/faults").json(&faults).send().await?;
                expect(laid.status < 300, "faults", laid)?;
                count(&self.deaths.faults);
            }
        }
    }

    /// Has webhooks sent twice, late, and in another order, for ever.
    async fn mix_webhooks(&self) -> Result<(), CrashError> {
        let mut dice = Dice::new(self.seed, 3);
        loop {
            let handling = json!({
                "copies": dice.between(1, 2), "delay_ms": dice.between(0, 200), "hold": dice.percent(60),
            });
            let sandbox = self.rig.sandbox();
            let request = sandbox.request(Method::PUT, "/_sandbox/webhooks/handling");
            let set = request.json(&handling).send().await?;
            expect(set.status == 200, "handling", set)?;
            sleep(Duration::from_millis(dice.between(200, 1_200))).await;
            self.release(&mut dice).await?;
        }
    }

    /// Sends what is kept back, in another order, and some of it twice.
    async fn release(&self, dice: &mut Dice) -> Result<(), CrashError> {
        let sandbox = self.rig.sandbox();
        let shown = sandbox.request(Method::GET, "/_sandbox/webhooks?brief=true").send().await?.json();
        let mut order: Vec<Value> =
            shown["held"].as_array().into_iter().flatten().map(|held| held["event_id"].clone()).collect();
        if order.is_empty() {
            return Ok(());
        }
        order.extend(order.clone().into_iter().filter(|_| dice.percent(20)));
        dice.shuffle(&mut order);
        let request = sandbox.request(Method::POST, "/_sandbox/webhooks/release");
        let body = json!({"order": order});
        // The sandbox goes on with it when servers that are down make it slow.
        if let Ok(released) = timeout(PATIENCE, request.json(&body).send()).await {
            let released = released?;
            expect(released.status == 200, "release", released)?;
        }
        count(&self.deaths.batches);
        Ok(())
    }
}

async fn restart(slot: &Slot, killed: &Cell<u32>) -> Result<(), CrashError> {
    count(killed);
    slot.kill().await?;
    slot.start(None).await
}

fn expect(holds: bool, what: &str, answer: crate::client::Answer) -> Result<(), CrashError> {
    if holds { Ok(()) } else { Err(CrashError::Answer { what: what.to_owned(), answer }) }
}

fn count(counter: &Cell<u32>) {
    counter.set(counter.get() + 1);
}

/// What goes wrong with one request at one provider, or at any.
fn fault(dice: &mut Dice) -> Value {
    let paths = [
        "/stripe/v1/payment_intents",
        "/stripe/v1/refunds",
        "/paypal/v2/",
        "/braintree/",
        "/transactions",
        "/",
    ];
    let action = match dice.between(1, 100) {
        1..=18 => json!("drop_before"),
        19..=42 => json!("drop_after"),
        43..=52 => json!("truncate"),
        53..=62 => json!({"delay_ms": dice.between(50, 900)}),
        63..=72 => json!({"delay_ms": dice.between(50, 900), "after": true}),
        73..=80 => json!({"delay_ms": dice.between(50, 900), "during": true}),
        81..=88 => json!("duplicate_webhook"),
        89..=95 => json!({"status": 503}),
        _ => json!({"status": 500}),
    };
    json!({"method": if dice.percent(75) { "POST" } else { "GET" }, "path": dice.pick(&paths), "fault": action})
}
