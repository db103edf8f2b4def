//! A client as clients should be: each request has one key, and is repeated, at whichever server, until there is a final
//! answer.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use actix_web::{http::Method, rt::time::sleep, web::Bytes};
use serde_json::Value;

use super::{CrashError, dice::Dice, rig::Rig};
use crate::client::{Answer, RequestError};

/// How long between two tries, at first and at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(40), Duration::from_millis(600)];

/// One request that moves money, and all that was ever answered to it.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `POST` to this path.
    pub path: String,
    /// With this body, byte for byte.
    pub body: Value,
    /// Under this key.
    pub key: String,
    /// The answer that counts: its status and its body.
    pub answer: (u16, Bytes),
    /// How often it was sent until then.
    pub tries: u32,
}

impl Asked {
    /// The answer's body.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.answer.1).unwrap_or_default()
    }
}

/// What the clients have gone through.
#[derive(Debug, Default)]
pub struct Counts {
    /// Requests that have a final answer.
    pub operations: Cell<u32>,
    /// Tries whose connection broke or was refused.
    pub broken: Cell<u32>,
    /// Tries that were answered with 409: somebody works on it, or an earlier outcome is not known yet.
    pub busy: Cell<u32>,
    /// Tries that were answered with 5xx and nothing about the payment.
    pub trouble: Cell<u32>,
    /// Requests that were sent again although there was one.
    pub duplicates: Cell<u32>,
    /// Answers that nobody knew the outcome by then.
    pub unknown: Cell<u32>,
}

impl Counts {
    /// One more.
    pub fn add(counter: &Cell<u32>) {
        counter.set(counter.get() + 1);
    }
}

/// Asks the servers of a rig.
pub struct Asking<'a> {
    rig: &'a Rig,
    /// What has a final answer.
    pub asked: RefCell<Vec<Asked>>,
    /// The figures.
    pub counts: Counts,
    dice: RefCell<Dice>,
    deadline: Cell<Instant>,
    under_way: Cell<u32>,
}

impl<'a> Asking<'a> {
    /// For so long at most.
    #[must_use]
    pub fn new(rig: &'a Rig, seed: u64, limit: Duration) -> Self {
        Self {
            rig,
            asked: RefCell::default(),
            counts: Counts::default(),
            dice: RefCell::new(Dice::new(seed, 0xa5)),
            deadline: Cell::new(Instant::now() + limit),
            under_way: Cell::new(0),
        }
    }

    /// How many requests that move money wait for an answer at this moment.
    #[must_use]
    pub fn under_way(&self) -> u32 {
        self.under_way.get()
    }

    /// Has it done: sends it until there is a final answer, and sometimes once more, which must be answered the same.
    ///
    /// # Errors
    /// [`CrashError::NoAnswer`] when there is none in time, [`CrashError::Found`] when there are two.
    pub async fn ask(&self, path: &str, body: Value, key: String) -> Result<Asked, CrashError> {
        let mut asked = Asked { path: path.to_owned(), body, key, answer: (0, Bytes::new()), tries: 0 };
        asked.answer = self.until_final(&mut asked).await?;
        Counts::add(&self.counts.operations);
        if asked.answer.0 == 202 {
            Counts::add(&self.counts.unknown);
        }
        self.asked.borrow_mut().push(asked.clone());
        if self.dice.borrow_mut().percent(20) {
            Counts::add(&self.counts.duplicates);
            self.ask_again(&asked).await?;
        }
        Ok(asked)
    }

    /// Sends once more what has a final answer; it must be answered with the same bytes.
    ///
    /// # Errors
    /// [`CrashError::Found`] when it is not.
    pub async fn ask_again(&self, asked: &Asked) -> Result<(), CrashError> {
        let mut again = Asked { tries: 0, ..asked.clone() };
        let answer = self.until_final(&mut again).await?;
        let mut found = super::Differences::default();
        found.unless(answer == asked.answer, || {
            let text = |answer: &(u16, Bytes)| format!("{} {}", answer.0, String::from_utf8_lossy(&answer.1));
            format!(
                "two answers to {} under {}: {} and then {}",
                asked.path,
                asked.key,
                text(&asked.answer),
                text(&answer)
            )
        });
        found.check()
    }

    /// Reads, until there is an answer.
    ///
    /// # Errors
    /// [`CrashError::NoAnswer`] when there is none in time.
    pub async fn read(&self, path: &str) -> Result<Value, CrashError> {
        let (mut tries, mut pause) = (0, PAUSES[0]);
        loop {
            tries += 1;
            let answer = self.server().request(Method::GET, path).send().await;
            if let Ok(answer) = &answer
                && answer.status == 200
            {
                return Ok(answer.json());
            }
            self.pause(&mut pause, path, tries, &answer).await?;
        }
    }

    /// Reads until what is read fits.
    ///
    /// # Errors
    /// [`CrashError::NoAnswer`] when it does not in time.
    pub async fn read_until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Result<Value, CrashError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let shown = self.read(path).await?;
            if fits(&shown) {
                return Ok(shown);
            }
            if Instant::now() > self.deadline.get() {
                return Err(CrashError::NoAnswer { what: path.to_owned(), tries, last: shown.to_string() });
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn until_final(&self, asked: &mut Asked) -> Result<(u16, Bytes), CrashError> {
        let mut pause = PAUSES[0];
        loop {
            asked.tries += 1;
            let client = self.server();
            let request = client.request(Method::POST, &asked.path).header("Idempotency-Key", &asked.key);
            self.under_way.set(self.under_way.get() + 1);
            let answer = request.json(&asked.body).send().await;
            self.under_way.set(self.under_way.get() - 1);
            if let Ok(answer) = &answer
                && is_final(answer)
            {
                return Ok((answer.status, answer.body.clone()));
            }
            Counts::add(match &answer {
                Err(_) => &self.counts.broken,
                Ok(answer) if answer.status < 500 => &self.counts.busy,
                Ok(_) => &self.counts.trouble,
            });
            let what = format!("{} {} under {}", asked.path, asked.body, asked.key);
            self.pause(&mut pause, &what, asked.tries, &answer).await?;
        }
    }

    async fn pause(
        &self,
        pause: &mut Duration,
        what: &str,
        tries: u32,
        last: &Result<Answer, RequestError>,
    ) -> Result<(), CrashError> {
        if Instant::now() > self.deadline.get() {
            let last = match last {
                Ok(answer) => format!("{answer:?}"),
                Err(error) => error.to_string(),
            };
            return Err(CrashError::NoAnswer { what: what.to_owned(), tries, last });
        }
        sleep(*pause).await;
        *pause = (*pause * 2).min(PAUSES[1]);
        Ok(())
    }

    fn server(&self) -> crate::client::Client {
        let number = self.dice.borrow_mut().next();
        self.rig.client(usize::try_from(number % 64).unwrap_or_default())
    }
}

/// Whether an answer counts. An answer about the payment or the refund does, whatever its status; without one a 409 says
/// that somebody works on it or that it is too early, and a 5xx that the server has trouble of its own.
#[must_use]
pub fn is_final(answer: &Answer) -> bool {
    let is_told = answer.json()["uuid"].is_string();
    is_told || !(answer.status == 409 || answer.status == 429 || answer.status >= 500)
}
