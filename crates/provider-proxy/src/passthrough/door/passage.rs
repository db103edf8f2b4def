//! What is known of one request on its way through, until its one line of the audit log is written.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::{Duration, SystemTime},
};

use actix_web::{HttpRequest, web::Data};
use chassis::logging::{self, Arrival, RequestContext};
use wire::passthrough::Kind;

use super::{Door, DoorError, workplace::Place};
use crate::{
    audit::{AuditLog, Event, Record, Slot},
    caller::Caller,
    metrics::Exchange,
    passthrough::{admission::Permit, credential::Credential, path},
};

/// A caller that went away before there was an answer, as nginx numbers it.
const CALLER_IS_GONE: u16 = 499;

/// One request. It is recorded when it is dropped, which is when the last byte of its answer has been given, or when
/// the caller has gone away.
pub(super) struct Passage {
    request: HttpRequest,
    context: Option<Arc<RequestContext>>,
    door: Data<Door>,
    arrival: Arrival,
    caller: Option<Rc<Caller>>,
    place: Option<Rc<Place>>,
    /// Its line of the audit log, once something may be sent.
    slot: Option<Slot>,
    permit: Option<Permit>,
    dialled: Cell<Option<SocketAddr>>,
    status: u16,
    kind: Option<Kind>,
    bytes_in: Rc<Cell<u64>>,
    bytes_out: u64,
}

impl Passage {
    /// Boxed, since it goes from hand to hand until the answer has been given.
    pub(super) fn begin(request: HttpRequest, door: Data<Door>) -> Box<Self> {
        let context = logging::context();
        let arrival = context.as_ref().map_or_else(Arrival::now, |context| context.arrival);
        Box::new(Self {
            request,
            context,
            door,
            arrival,
            caller: None,
            place: None,
            slot: None,
            permit: None,
            dialled: Cell::default(),
            status: CALLER_IS_GONE,
            kind: None,
            bytes_in: Rc::default(),
            bytes_out: 0,
        })
    }

    /// When it came.
    pub(super) const fn time(&self) -> SystemTime {
        self.arrival.time
    }

    pub(super) const fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Who asks. The log's lines name it from here on.
    pub(super) fn is_of(&mut self, caller: Rc<Caller>) {
        if let Some(context) = &self.context {
            context.set_client(Arc::clone(&caller.name));
        }
        self.caller = Some(caller);
    }

    /// Which target it is for.
    pub(super) fn is_for(&mut self, place: Rc<Place>) {
        place.metrics.begin();
        self.place = Some(place);
    }

    /// Something may be sent from here on, and its line has its place.
    pub(super) fn is_let_through(&mut self, permit: Permit) -> Result<(), DoorError> {
        self.slot = Some(self.audit().reserve()?);
        self.permit = Some(permit);
        Ok(())
    }

    /// Counts the bytes of the request's body.
    pub(super) fn bytes_in(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.bytes_in)
    }

    /// Where the address belongs that is dialled for it.
    pub(super) const fn dialled(&self) -> &Cell<Option<SocketAddr>> {
        &self.dialled
    }

    pub(super) fn was_given(&mut self, bytes: usize) {
        self.bytes_out = self.bytes_out.saturating_add(bytes as u64);
    }

    /// A tunnel has closed.
    pub(super) fn was_tunnelled(&mut self, up: u64, down: u64) {
        self.bytes_in.set(up);
        self.bytes_out = down;
    }

    /// The target has answered.
    pub(super) fn is_answered(&mut self, status: u16) {
        self.status = status;
        if let Some(permit) = &self.permit {
            permit.answered(status);
        }
        if !(200..300).contains(&status) && status != 101 {
            log::warn!("Warning response status: {status}");
        } else if self.audit().is_kept()
            && let Some(context) = &self.context
        {
            // Its line in the audit log says all that one in the access log would.
            context.set_recorded();
        }
    }

    /// The proxy answers instead.
    pub(super) fn is_refused(&mut self, error: &DoorError) {
        let kind = error.kind();
        self.status = kind.http_status();
        self.broke_off(error);
    }

    /// What the caller has begun to get ends here, unfinished.
    pub(super) fn broke_off(&mut self, error: &DoorError) {
        let kind = error.kind();
        self.kind = Some(kind);
        if let Some(permit) = &self.permit {
            permit.refused(kind);
        }
        if let DoorError::Leak { place } = error {
            self.audit().event(Event::Leak {
                target: self.target().to_owned(),
                request_id: self.request_id().to_owned(),
                place,
            });
        }
        self.log(error);
    }

    fn log(&self, error: &DoorError) {
        let (target, line) = (self.target(), crate::server::chain(error));
        if error.is_connection() {
            log::error!("ConnectionError: {target}: {line}");
        } else if error.kind().http_status() >= 500 {
            log::error!("{target}: {line}");
        } else {
            log::warn!("{target}: {line}");
        }
    }

    /// The target's name as the caller wrote it.
    pub(super) fn target(&self) -> &str {
        path::split(self.request.uri()).map_or("", |asked| asked.target)
    }

    fn request_id(&self) -> &str {
        self.context.as_ref().map_or("", |context| &context.request_id)
    }

    fn audit(&self) -> &AuditLog {
        &self.door.services.audit
    }

    /// Adds its line to the audit log.
    fn record(&self, slot: Option<Slot>, duration: Duration) {
        let (uri, whole);
        uri = self.request.uri();
        let (target, path, query) = match path::split(uri) {
            Ok(path::Asked { target, tail, query }) => (target, tail, query),
            Err(_) => {
                whole = uri.to_string();
                ("", whole.as_str(), None)
            }
        };
        let credential = self.place.as_ref().map(|place| &place.target.credential);
        let caller = self.caller.as_ref();
        let record = Record {
            time: self.arrival.time,
            caller: caller.map(|caller| &*caller.name),
            authorities: caller.map_or(&[], |caller| &*caller.authorities),
            target,
            method: self.request.method().as_str(),
            path,
            query,
            credential: credential.map(Credential::name),
            credential_version: credential.map(|credential| &**credential.version()),
            address: self.dialled.get(),
            status: self.status,
            kind: self.kind,
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out,
            duration,
            request_id: self.request_id(),
        };
        match slot {
            Some(slot) => slot.record(&record),
            None => self.audit().record(&record),
        }
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        let duration = self.arrival.instant.elapsed();
        let exchange = Exchange {
            method: self.request.method().as_str(),
            status: self.status,
            kind: self.kind,
            duration,
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out,
        };
        match &self.place {
            Some(place) => {
                place.metrics.observe(&exchange);
                place.metrics.end();
            }
            None => self.door.services.metrics.unknown_target().observe(&exchange),
        }
        let slot = self.slot.take();
        self.record(slot, duration);
    }
}
