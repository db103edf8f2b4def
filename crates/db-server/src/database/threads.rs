//! The threads that wait for Postgres: one for each connection, and a queue before them.
//!
//! A thread that has finished takes the next job by itself, so that under load nobody is woken up for it, and no
//! thread waits for a connection that another one has.

use std::{
    collections::VecDeque,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use super::transaction::Gate;

/// Something to do.
pub(super) struct Job {
    /// Whether it is still wanted.
    pub(super) gate: Arc<Gate>,
    /// What a thread does; it tells its result by itself. It may give another job, to be done behind those that wait.
    pub(super) work: Box<dyn FnOnce() -> Option<Job> + Send>,
}

/// So many threads at most. They end when this is dropped and the queue is empty.
pub(super) struct Threads {
    queue: Arc<Queue>,
    limit: u32,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
    threads: u32,
    closed: bool,
}

impl Threads {
    pub(super) fn new(limit: u32) -> Self {
        Self { queue: Arc::default(), limit: limit.max(1) }
    }

    /// Adds a job to the end of the queue, and a thread when all are at work and there may be one more.
    pub(super) fn run(&self, job: Job) {
        let mut state = self.queue.lock();
        // All wait for equally long, so that those whose callers have given up are at the front. While Postgres is
        // frozen no thread takes them away.
        while state.jobs.front().is_some_and(|first| first.gate.is_abandoned()) {
            state.jobs.pop_front();
        }
        state.jobs.push_back(job);
        // A thread that has been woken up counts as idle until it runs.
        if state.jobs.len() <= state.idle {
            drop(state);
            self.queue.changed.notify_one();
        } else if state.threads < self.limit {
            state.threads += 1;
            drop(state);
            if let Err(error) = self.start() {
                log::error!("no further thread for the database can be had: {error}");
                self.queue.lock().threads -= 1;
            }
        }
    }

    fn start(&self) -> io::Result<()> {
        let queue = Arc::clone(&self.queue);
        thread::Builder::new().name("database".into()).spawn(move || queue.work()).map(drop)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // Whoever waits for the result sees that there is none; the thread is needed for the next.
                let next = catch_unwind(AssertUnwindSafe(job.work)).ok().flatten();
                state = self.lock();
                // Nobody is woken up for it: this thread goes on.
                state.jobs.extend(next);
            } else if state.closed {
                return;
            } else {
                state.idle += 1;
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                state.idle -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Barrier, mpsc};

    use super::*;

    fn job(work: impl FnOnce() + Send + 'static) -> Job {
        let work = || {
            work();
            None
        };
        Job { gate: Arc::default(), work: Box::new(work) }
    }

    #[test]
    fn as_many_jobs_run_at_once_as_there_may_be_threads() {
        let threads = Threads::new(3);
        let (barrier, (sender, receiver)) = (Arc::new(Barrier::new(3)), mpsc::channel());
        for _ in 0..6 {
            let (barrier, sender) = (Arc::clone(&barrier), sender.clone());
            threads.run(job(move || {
                barrier.wait();
                sender.send(()).unwrap();
            }));
        }
        drop(sender);
        assert_eq!(receiver.iter().count(), 6);
        assert_eq!(threads.queue.lock().threads, 3);
    }

    #[test]
    fn two_jobs_that_come_at_once_do_not_wait_for_the_one_thread_that_is_idle() {
        let threads = Threads::new(2);
        let (sender, receiver) = mpsc::channel();
        for _ in 0..100 {
            let barrier = Arc::new(Barrier::new(2));
            for _ in 0..2 {
                let (barrier, sender) = (Arc::clone(&barrier), sender.clone());
                threads.run(job(move || {
                    barrier.wait();
                    sender.send(()).unwrap();
                }));
            }
            assert_eq!((receiver.recv(), receiver.recv()), (Ok(()), Ok(())));
        }
    }

    #[test]
    fn a_job_that_panics_takes_no_thread_with_it() {
        let threads = Threads::new(1);
        let (sender, receiver) = mpsc::channel();
        threads.run(job(|| panic!("on purpose")));
        threads.run(job(move || sender.send(()).unwrap()));
        assert_eq!(receiver.recv(), Ok(()));
    }

    #[test]
    fn what_was_queued_is_done_before_the_threads_end() {
        let threads = Threads::new(1);
        let (sender, receiver) = mpsc::channel();
        for number in 0..3 {
            let sender = sender.clone();
            threads.run(job(move || sender.send(number).unwrap()));
        }
        drop((threads, sender));
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn what_a_job_gives_is_done_behind_those_that_wait() {
        let threads = Threads::new(1);
        let (sender, receiver) = mpsc::channel();
        let (second, last) = (sender.clone(), sender.clone());
        let (begun, has_begun) = mpsc::channel();
        let (release, held) = mpsc::channel::<()>();
        let work = move || {
            begun.send(()).unwrap();
            let _ = held.recv();
            sender.send(1).unwrap();
            Some(job(move || last.send(3).unwrap()))
        };
        threads.run(Job { gate: Arc::default(), work: Box::new(work) });
        has_begun.recv().unwrap();
        threads.run(job(move || second.send(2).unwrap()));
        drop(release);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn jobs_that_nobody_waits_for_any_more_do_not_pile_up() {
        let threads = Threads::new(1);
        let (begun, has_begun) = mpsc::channel();
        let (release, held) = mpsc::channel::<()>();
        threads.run(job(move || {
            begun.send(()).unwrap();
            let _ = held.recv();
        }));
        has_begun.recv().unwrap();
        for _ in 0..100 {
            let abandoned = job(|| {});
            let gate = Arc::clone(&abandoned.gate);
            threads.run(abandoned);
            assert!(gate.abandon_unstarted());
        }
        assert_eq!(threads.queue.lock().jobs.len(), 1);
        drop(release);
    }
}
