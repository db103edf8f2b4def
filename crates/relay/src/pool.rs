//! The connections of one upstream that are kept for later requests.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use tokio::time::{Instant, sleep_until};

use crate::wire::Wire;

/// Connections without a request. The one that was used last is used next, so that those that are not needed go.
pub(crate) struct Pool {
    #[expect(
        clippy::vec_box,
        reason = "they come and go by their boxes, which would be made anew each time"
    )]
    kept: RefCell<Vec<Box<Wire>>>,
    limit: usize,
    /// Whether somebody closes those that nobody needs.
    is_swept: Cell<bool>,
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Rc<Self> {
        Rc::new(Self { kept: RefCell::default(), limit, is_swept: Cell::new(false) })
    }

    /// A kept connection that is still good, as far as is known.
    pub(crate) fn take(&self, now: Instant) -> Option<Box<Wire>> {
        loop {
            let mut wire = self.kept.borrow_mut().pop()?;
            if wire.watch.due() > now && wire.is_silent() {
                return Some(wire);
            }
        }
    }

    /// Keeps a connection on which nothing is under way.
    pub(crate) fn keep(self: &Rc<Self>, wire: Box<Wire>) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= self.limit {
            // Those that have closed in the meantime are noticed only here or when it is their turn.
            kept.retain_mut(|wire| wire.is_silent());
        }
        if kept.len() < self.limit {
            kept.push(wire);
            if !self.is_swept.replace(true) {
                actix_web::rt::spawn(sweep(Rc::downgrade(self)));
            }
        }
    }

    /// Closes those that have waited for too long; gives when the next one will have.
    fn close_idle(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut kept = self.kept.borrow_mut();
        kept.retain_mut(|wire| wire.watch.due() > now && wire.is_silent());
        let next = kept.iter().map(|wire| wire.watch.due()).min();
        self.is_swept.set(next.is_some());
        next
    }
}

/// Closes connections that nobody needs, until there are none.
async fn sweep(pool: Weak<Pool>) {
    while let Some(next) = pool.upgrade().and_then(|pool| pool.close_idle()) {
        sleep_until(next).await;
    }
}
