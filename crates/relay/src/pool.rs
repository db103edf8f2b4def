//! The connections of one upstream that are kept for later requests.

use std::{
    cell::RefCell,
    net::SocketAddr,
    rc::{Rc, Weak},
};

use hyper::client::conn::http1::SendRequest;
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    body::SendBody,
    connection::{self, Watch},
    dial::Dialled,
};

/// Connections without a request. The one that was used last is used next, so that those that are not needed go.
pub(crate) struct Pool {
    kept: RefCell<Vec<Connection>>,
    limit: usize,
}

/// A connection that is driven by a task of its own.
struct Connection {
    sender: SendRequest<SendBody>,
    watch: Rc<Watch>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// The use of a connection for one exchange. Dropped before the end of the exchange, it closes the connection.
pub(crate) struct Lease {
    connection: Option<Connection>,
    pool: Weak<Pool>,
}

impl Pool {
    pub(crate) fn new(limit: usize) -> Rc<Self> {
        Rc::new(Self { kept: RefCell::default(), limit })
    }

    /// A kept connection that is still good, as far as is known.
    pub(crate) fn take(self: &Rc<Self>, now: Instant) -> Option<Lease> {
        loop {
            let connection = self.kept.borrow_mut().pop()?;
            if connection.sender.is_ready() && connection.watch.due() > now {
                return Some(Lease { connection: Some(connection), pool: Rc::downgrade(self) });
            }
            connection.task.abort();
        }
    }

    /// Drives a new connection, and leases it.
    pub(crate) fn lease(self: &Rc<Self>, dialled: Dialled) -> Lease {
        let Dialled { sender, connection, watch, address } = dialled;
        let task = actix_web::rt::spawn(connection::drive(connection, Rc::clone(&watch)));
        Lease { connection: Some(Connection { sender, watch, address, task }), pool: Rc::downgrade(self) }
    }

    fn keep(&self, connection: Connection) {
        let mut kept = self.kept.borrow_mut();
        if kept.len() >= self.limit {
            // Those that have closed in the meantime are noticed only here or when it is their turn.
            kept.retain(|connection| !connection.sender.is_closed());
        }
        if kept.len() < self.limit {
            kept.push(connection);
        } else {
            connection.task.abort();
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for connection in self.kept.get_mut().drain(..) {
            connection.task.abort();
        }
    }
}

impl Lease {
    /// The use of a connection that is never kept, driven by what is given.
    pub(crate) fn once<T: 'static>(
        sender: SendRequest<SendBody>,
        driver: impl Future<Output = hyper::Result<T>> + 'static,
        watch: Rc<Watch>,
        address: SocketAddr,
    ) -> Self {
        let task = actix_web::rt::spawn(connection::drive(driver, Rc::clone(&watch)));
        Self { connection: Some(Connection { sender, watch, address, task }), pool: Weak::new() }
    }

    /// The connection's way in, its watch and the address that was dialled; none once it is given back.
    pub(crate) fn parts(&mut self) -> Option<(&mut SendRequest<SendBody>, &Watch, SocketAddr)> {
        self.connection
            .as_mut()
            .map(|connection| (&mut connection.sender, &*connection.watch, connection.address))
    }

    /// Whether the exchange was given up.
    pub(crate) fn has_expired(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.watch.has_expired())
    }

    /// The answer is complete. The connection is kept if the request is, too.
    pub(crate) fn give_back(mut self) {
        let Some(connection) = self.connection.take() else { return };
        connection.watch.rest();
        match self.pool.upgrade() {
            Some(pool) if connection.sender.is_ready() => pool.keep(connection),
            // hyper is ready as soon as both messages are through. If it is not, the caller's body still goes on.
            _ => connection.task.abort(),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = &self.connection {
            connection.task.abort();
        }
    }
}
