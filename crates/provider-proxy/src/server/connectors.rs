//! The connectors of one worker, made anew when the settings are.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use chassis::client::ClientError;

use super::chain;
use crate::{
    providers::Connectors,
    reload::{Current, Snapshot},
};

/// What making connectors has come to.
pub(super) type Made = Result<Connectors, ClientError>;

/// An HTTP client belongs to one thread, so each worker has its own connectors.
pub(super) struct WorkerConnectors {
    current: Arc<Current<Snapshot>>,
    /// With the generation of the settings that they were made of.
    made: RefCell<(u64, Rc<Made>)>,
}

impl WorkerConnectors {
    /// Makes those of this worker.
    pub(super) fn new(current: Arc<Current<Snapshot>>) -> Self {
        let made = RefCell::new(make(&current.load()));
        Self { current, made }
    }

    /// Those of the settings in use; whoever works with older ones keeps them until it is done.
    pub(super) fn get(&self) -> Rc<Made> {
        let snapshot = self.current.load();
        let mut made = self.made.borrow_mut();
        if made.0 != snapshot.generation {
            *made = make(&snapshot);
        }
        Rc::clone(&made.1)
    }
}

fn make(snapshot: &Snapshot) -> (u64, Rc<Made>) {
    let connectors = Connectors::new(&snapshot.settings.providers);
    if let Err(error) = &connectors {
        log::error!("a worker cannot reach any provider: {}", chain(error));
    }
    (snapshot.generation, Rc::new(connectors))
}
