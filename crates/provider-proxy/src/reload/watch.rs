//! Notices that a file has changed, or is told to look.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use chassis::settings::Digest;

use super::Reloader;

/// The thread that reads the settings again. Dropping it ends the thread.
pub struct Watcher {
    trigger: Trigger,
    thread: Option<JoinHandle<()>>,
}

/// Tells a [`Watcher`] to look at once; a clone tells the same one.
#[derive(Clone)]
pub struct Trigger(Sender<Order>);

enum Order {
    Reload,
    Stop,
}

impl Trigger {
    /// Has the settings read again, and the audit log opened anew, whether anything has changed or not.
    pub fn reload(&self) {
        // The thread is gone only when the process ends.
        let _ = self.0.send(Order::Reload);
    }
}

impl Watcher {
    /// Starts the thread. It looks at the files once in each interval, or only when it is told to if there is none.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(reloader: Arc<Reloader>, interval: Option<Duration>) -> io::Result<Self> {
        let (sender, orders) = mpsc::channel();
        let run = move || match interval {
            Some(interval) => watch(&reloader, &orders, interval),
            None => obey(&reloader, &orders),
        };
        let thread = thread::Builder::new().name("reload".into()).spawn(run)?;
        Ok(Self { trigger: Trigger(sender), thread: Some(thread) })
    }

    /// What tells it to look.
    #[must_use]
    pub fn trigger(&self) -> Trigger {
        self.trigger.clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.trigger.0.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn obey(reloader: &Reloader, orders: &Receiver<Order>) {
    while let Ok(Order::Reload) = orders.recv() {
        reload(reloader);
    }
}

fn reload(reloader: &Reloader) {
    reloader.reopen_audit_log();
    // It has said by itself how that went.
    let _ = reloader.reload();
}

fn watch(reloader: &Reloader, orders: &Receiver<Order>, interval: Duration) {
    let mut last = reloader.files();
    loop {
        match orders.recv_timeout(interval) {
            Ok(Order::Reload) => reload(reloader),
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                let taken = reloader.files();
                let now = taken.keys().map(|path| (path.clone(), Digest::of(path))).collect();
                // What still changes is being written, and would be read by half.
                if now != taken && now == last {
                    // It says by itself how that went.
                    let _ = reloader.reload();
                }
                last = now;
            }
        }
    }
}
