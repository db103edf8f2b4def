//! Reads that come while another is under way: they wait for it and are then asked for together, in one statement.
//!
//! A way to Postgres and back costs the same for one key as for many. An idle server asks at once, for one; a busy one
//! asks for more at a time the busier it is.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use diesel::PgConnection;
use tokio::sync::oneshot;

use super::transaction::{Gate, Transactions};
use crate::store::StoreError;

/// How many keys are asked for at once, at most.
pub const MOST: usize = 16;
/// How long a read waits for the one that is under way. One that takes longer may be stuck, and is no longer waited for.
pub(super) const PATIENCE: Duration = Duration::from_millis(10);

/// The answer to each of these keys, at most [`MOST`], in their order. One statement, so that all are of one moment.
type Statement<K, V> = fn(&mut PgConnection, &[K]) -> Result<Vec<V>, StoreError>;

/// Reads of one kind, by their keys.
pub struct Gathering<K, V> {
    statement: Statement<K, V>,
    state: Mutex<State<K, V>>,
}

struct State<K, V> {
    waiting: VecDeque<Read<K, V>>,
    /// The threads that are asking, or are about to.
    readers: u32,
}

struct Read<K, V> {
    key: K,
    since: Instant,
    gate: Arc<Gate>,
    answer: oneshot::Sender<Result<V, StoreError>>,
}

/// What a caller waits with.
pub(super) struct Waiting<V> {
    pub(super) gate: Arc<Gate>,
    pub(super) answer: oneshot::Receiver<Result<V, StoreError>>,
    /// A thread is to begin with [`Gathering::read`].
    pub(super) needs_reader: bool,
}

impl<K: Copy + Send, V: Send> Gathering<K, V> {
    /// Reads by this statement.
    #[must_use]
    pub const fn new(statement: Statement<K, V>) -> Self {
        let state = State { waiting: VecDeque::new(), readers: 0 };
        Self { statement, state: Mutex::new(state) }
    }

    /// Adds a read. There are never more readers than the limit.
    pub(super) fn add(&self, key: K, limit: u32) -> Waiting<V> {
        self.add_at(key, limit, Instant::now())
    }

    fn add_at(&self, key: K, limit: u32, since: Instant) -> Waiting<V> {
        let (gate, (sender, answer)) = (Arc::new(Gate::default()), oneshot::channel());
        let mut state = self.lock();
        // All wait for equally long, so that those whose callers have given up are at the front.
        while state.waiting.front().is_some_and(|first| first.gate.is_abandoned()) {
            state.waiting.pop_front();
        }
        state.waiting.push_back(Read { key, since, gate: Arc::clone(&gate), answer: sender });
        let is_full = state.waiting.len().is_multiple_of(MOST);
        let needs_reader = state.take_reader(limit, since, is_full);
        Waiting { gate, answer, needs_reader }
    }

    /// Whether a read that has waited for [`PATIENCE`] needs another reader; it counts as begun.
    pub(super) fn needs_reader(&self, limit: u32) -> bool {
        self.lock().take_reader(limit, Instant::now(), false)
    }

    /// Asks for those that wait, once, and tells them. True when others wait by then: the reader is to go on.
    pub(super) fn read(&self, transactions: &Transactions) -> bool {
        self.read_with(|keys| transactions.read_one(|connection| (self.statement)(connection, keys)))
    }

    fn read_with(&self, ask: impl FnOnce(&[K]) -> Result<Vec<V>, StoreError>) -> bool {
        let asked = catch_unwind(AssertUnwindSafe(|| {
            let (keys, callers) = self.take();
            if !keys.is_empty() {
                tell(callers, ask(&keys));
            }
        }));
        if asked.is_err() {
            log::error!("a read from the database panicked");
        }
        let mut state = self.lock();
        let others_wait = !state.waiting.is_empty();
        state.readers -= u32::from(!others_wait);
        others_wait
    }

    /// Those that have waited longest and are still waited for.
    fn take(&self) -> (Vec<K>, Vec<oneshot::Sender<Result<V, StoreError>>>) {
        let mut state = self.lock();
        let (mut keys, mut callers) = (Vec::with_capacity(MOST), Vec::with_capacity(MOST));
        while keys.len() < MOST
            && let Some(read) = state.waiting.pop_front()
        {
            if read.gate.start() {
                keys.push(read.key);
                callers.push(read.answer);
            }
        }
        (keys, callers)
    }

    fn lock(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> State<K, V> {
    /// Whether one more reader is to begin: there is none, so many wait that one has enough to do, or those that are at
    /// it take long.
    fn take_reader(&mut self, limit: u32, now: Instant, is_full: bool) -> bool {
        let is_stuck = || {
            let first = self.waiting.front();
            first.is_some_and(|first| now.saturating_duration_since(first.since) >= PATIENCE)
        };
        let begins = self.readers == 0 || self.readers < limit && (is_full || is_stuck());
        self.readers += u32::from(begins);
        begins
    }
}

/// Tells each caller its answer, or all of them what went wrong.
fn tell<V>(callers: Vec<oneshot::Sender<Result<V, StoreError>>>, answers: Result<Vec<V>, StoreError>) {
    // A caller that is gone needs no answer.
    match answers {
        Ok(answers) => {
            for (caller, answer) in callers.into_iter().zip(answers) {
                let _ = caller.send(Ok(answer));
            }
        }
        Err(error) => {
            for caller in callers {
                let _ = caller.send(Err(error.for_another()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Numbers = Gathering<u32, u32>;

    fn numbers() -> Numbers {
        Gathering::new(|_, _| Err(StoreError::Interrupted))
    }

    fn add(numbers: &Numbers, keys: std::ops::Range<u32>) -> Vec<Waiting<u32>> {
        let now = Instant::now();
        keys.map(|key| numbers.add_at(key, 4, now)).collect()
    }

    fn answers(waiting: Vec<Waiting<u32>>) -> Vec<Option<u32>> {
        let told = |mut waiting: Waiting<u32>| waiting.answer.try_recv().ok()?.ok();
        waiting.into_iter().map(told).collect()
    }

    fn doubled(keys: &[u32]) -> Result<Vec<u32>, StoreError> {
        Ok(keys.iter().map(|key| key * 2).collect())
    }

    #[test]
    fn those_that_come_meanwhile_are_asked_for_together_and_each_gets_its_own_answer() {
        let numbers = numbers();
        let mut waiting = add(&numbers, 0..1);
        assert!(waiting[0].needs_reader);
        let others = numbers.read_with(|keys| {
            assert_eq!(keys, [0]);
            waiting.extend(add(&numbers, 1..4));
            doubled(keys)
        });
        assert!(others);
        assert!(waiting[1..].iter().all(|waiting| !waiting.needs_reader));
        let others = numbers.read_with(|keys| {
            assert_eq!(keys, [1, 2, 3]);
            doubled(keys)
        });
        assert!(!others);
        assert_eq!(answers(waiting), [Some(0), Some(2), Some(4), Some(6)]);
        assert!(numbers.add(9, 4).needs_reader, "the reader has ended");
    }

    #[test]
    fn as_many_as_fill_a_statement_get_a_further_reader_up_to_the_limit() {
        let numbers = numbers();
        let most = u32::try_from(MOST).unwrap();
        let waiting = add(&numbers, 0..most * 9);
        let begun: Vec<_> = (0_u32..).zip(&waiting).filter(|(_, waiting)| waiting.needs_reader).collect();
        let begun: Vec<u32> = begun.into_iter().map(|(index, _)| index).collect();
        assert_eq!(begun, [0, most - 1, 2 * most - 1, 3 * most - 1]);
        assert!(numbers.read_with(|keys| {
            assert_eq!(keys.len(), MOST);
            doubled(keys)
        }));
    }

    #[test]
    fn a_reader_that_is_stuck_is_not_waited_for() {
        let numbers = numbers();
        let now = Instant::now();
        let waiting = add(&numbers, 0..2);
        let later = now + PATIENCE * 100;
        assert!(waiting[0].needs_reader && !waiting[1].needs_reader);
        assert!(!numbers.lock().take_reader(4, now, false));
        assert!(numbers.lock().take_reader(4, later, false));
        assert!(!numbers.lock().take_reader(2, later, false), "there are two");
    }

    #[test]
    fn an_error_is_told_to_all() {
        let numbers = numbers();
        let mut waiting = add(&numbers, 0..3);
        assert!(!numbers.read_with(|_| Err(StoreError::Busy(crate::store::Busyness::Shared("so".into())))));
        for waiting in &mut waiting {
            assert!(matches!(waiting.answer.try_recv(), Ok(Err(StoreError::Busy(_)))));
        }
    }

    #[test]
    fn one_that_panics_leaves_its_callers_without_an_answer_and_ends_the_reader() {
        let numbers = numbers();
        let waiting = add(&numbers, 0..2);
        assert!(!numbers.read_with(|_| panic!("on purpose")));
        assert_eq!(answers(waiting), [None, None]);
        assert!(numbers.add(0, 4).needs_reader);
    }

    #[test]
    fn nobody_asks_for_those_who_have_given_up() {
        let numbers = numbers();
        let waiting = add(&numbers, 0..3);
        assert!(waiting[1].gate.abandon_unstarted());
        assert!(!numbers.read_with(|keys| {
            assert_eq!(keys, [0, 2]);
            doubled(keys)
        }));
        let gone = add(&numbers, 0..2);
        assert!(gone.iter().all(|waiting| waiting.gate.abandon_unstarted()));
        let last = add(&numbers, 5..6);
        assert_eq!(numbers.lock().waiting.len(), 1, "they are not kept");
        assert!(!numbers.read_with(doubled));
        assert_eq!(answers(last), [Some(10)]);
    }
}
