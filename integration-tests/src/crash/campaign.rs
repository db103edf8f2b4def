//! A campaign from its beginning to the figures.

use std::{
    cell::Cell,
    fs,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::rt::time::timeout;
use futures_util::future::join_all;

use super::{
    CrashError, CrashOptions, Database, Differences,
    asking::Asking,
    books::Books,
    plan,
    report::Figures,
    rig::Rig,
    settling,
    shop::{Buying, Shop},
    storm::{Load, Storm},
};
use crate::postgres::{Durability, PrivatePostgres, ROLE};

const DATABASE: &str = "solitude";
const DB_SERVERS: usize = 2;

/// How much of the time is kept for the comparison.
const LAST: Duration = Duration::from_secs(15);

/// How many minutes pass between two looks after the storm: so many that what Braintree knows nothing of is given up.
const LATER: i64 = 3;

/// Runs it and gives the exit code.
pub(super) async fn run(options: &CrashOptions) -> ExitCode {
    let seed =
        options.seed.unwrap_or_else(|| chrono::Utc::now().timestamp_millis().unsigned_abs() % 1_000_000_007);
    let limit = Duration::from_secs(options.limit.unwrap_or(120 + 5 * u64::from(options.kills)));
    println!("crash campaign: {} kills, seed {seed}, at most {} s", options.kills, limit.as_secs());
    let started = Instant::now();
    let outcome = tokio::select! {
        outcome = with_own_servers(options, seed, limit, started) => outcome,
        _ = tokio::signal::ctrl_c() => Err(CrashError::Interrupted),
    };
    match outcome {
        Ok(figures) => {
            println!("{figures}\nthe providers' ledger and ours are the same, row for row");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("crash campaign FAILED after {} s: {error}", started.elapsed().as_secs());
            eprintln!("    again with the same plan: ./dev test --crash {} --seed {seed}", options.kills);
            ExitCode::FAILURE
        }
    }
}

async fn with_own_servers(
    options: &CrashOptions,
    seed: u64,
    limit: Duration,
    started: Instant,
) -> Result<String, CrashError> {
    let postgres = PrivatePostgres::temporary_with(|options| options.durability = Durability::Full)?;
    postgres.create_database(DATABASE, None)?;
    let database = Database::new(postgres.socket_folder(), DATABASE, postgres.url(DATABASE, ROLE));
    let rig = Rig::start(database, DB_SERVERS).await?;
    let campaign = Campaign { options, rig: &rig, seed, limit, started };
    let postgres = Arc::new(Mutex::new(postgres));
    let outcome = match timeout(limit, campaign.run(postgres.clone())).await {
        Ok(outcome) => outcome,
        Err(_) => Err(CrashError::TooLate { what: "the campaign".to_owned(), limit }),
    };
    if outcome.is_err() {
        let folder = options.logs.join(format!("seed-{seed}"));
        leave_logs(&rig, &folder)?;
        eprintln!("the servers' logs are in {}", folder.display());
    }
    outcome
}

struct Campaign<'a> {
    options: &'a CrashOptions,
    rig: &'a Rig,
    seed: u64,
    limit: Duration,
    started: Instant,
}

impl Campaign<'_> {
    async fn run(&self, postgres: Arc<Mutex<PrivatePostgres>>) -> Result<String, CrashError> {
        let shop = Shop::open(self.rig).await?;
        let asking = Asking::new(self.rig, self.seed, self.limit.saturating_sub(LAST + LAST));
        let load = || Load { under_way: asking.under_way(), finished: asking.counts.operations.get() };
        self.say("the storm begins");
        let storm = Storm::new(self.rig, postgres, self.seed, &load);
        let (purchases, stop, bought) = (Cell::new(0), Cell::new(false), Cell::new(false));
        let name = format!("c{}", self.seed);
        let buying = Buying { shop: &shop, asking: &asking, rig: self.rig, name: &name };
        let buyers = async {
            let client = async || -> Result<(), CrashError> {
                while !stop.get() {
                    let number = purchases.get();
                    purchases.set(number + 1);
                    buying.buy(&plan::purchase(self.seed, number)).await?;
                }
                Ok(())
            };
            let done = join_all((0..self.options.clients).map(|_| client())).await;
            bought.set(true);
            done
        };
        let weather = async {
            let kills = plan::kills(self.seed, self.options.kills, DB_SERVERS);
            let raged = storm.rage(&kills).await;
            stop.set(true);
            raged?;
            let raged = self.started.elapsed();
            self.say("the storm is over; providers deliver, janitors look");
            settling::calm(self.rig).await?;
            let left = self.limit.saturating_sub(self.started.elapsed() + LAST);
            let open = settling::settle(self.rig, left, LATER, || bought.get()).await?;
            settling::deliver_again(self.rig).await?;
            Ok::<_, CrashError>((raged, open))
        };
        // Without the storm's end the clients would wait for nothing.
        let bought = async { Ok::<_, CrashError>(buyers.await) };
        let (bought, (raged, open)) = tokio::try_join!(bought, weather)?;
        self.say("nothing is open; books and answers are compared");
        let mut found = Differences::default();
        for failed in bought.into_iter().filter_map(Result::err) {
            found.add(failed.to_string());
        }
        let books = self.verify(&asking, found).await?;
        Ok(Figures {
            seed: self.seed,
            kills: self.options.kills,
            deaths: &storm.deaths,
            points: storm.points(),
            counts: &asking.counts,
            purchases: purchases.get(),
            lines: books.lines.len(),
            open_after_the_storm: open,
            storm: raged,
            total: self.started.elapsed(),
        }
        .lines())
    }

    fn say(&self, what: &str) {
        println!("{:>5} s  {what}", self.started.elapsed().as_secs());
    }

    /// Compares everybody's books, and asks for every answer once more.
    async fn verify(&self, asking: &Asking<'_>, mut found: Differences) -> Result<Books, CrashError> {
        let books = Books::read(self.rig).await?;
        found.0.extend(books.compare().0);
        let asked = asking.asked.borrow().clone();
        found.0.extend(books.compare_answers(&asked).0);
        for asked in &asked {
            if let Err(error) = asking.ask_again(asked).await {
                found.add(error.to_string());
            }
        }
        let after = Books::read(self.rig).await?;
        found.unless(after.lines.len() == books.lines.len(), || {
            "asking for the answers once more has moved money".to_owned()
        });
        for command in [["ledger", "verify"], ["ledger", "check"]] {
            if let Err(error) = self.rig.db_servers[0].command(&command).await {
                found.add(error.to_string());
            }
        }
        found.check().map(|()| books)
    }
}

fn leave_logs(rig: &Rig, folder: &Path) -> Result<(), CrashError> {
    fs::create_dir_all(folder).map_err(CrashError::file(folder.display()))?;
    let slots = rig.db_servers.iter().chain([&rig.provider_proxy]);
    let logs = slots.map(|slot| (slot.name().to_owned(), slot.lines()));
    for (name, lines) in logs.chain([("sandbox".to_owned(), rig.sandbox.lines())]) {
        let path = folder.join(format!("{name}.log"));
        fs::write(&path, lines.join("\n")).map_err(CrashError::file(path.display()))?;
    }
    Ok(())
}
