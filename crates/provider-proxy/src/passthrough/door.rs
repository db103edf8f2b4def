//! One request through the pass-through, step by step: `ANY /proxy/{target}/{tail}`.

mod answer;
mod body;
mod error;
mod passage;
mod request;
mod workplace;

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    sync::Arc,
    time::SystemTime,
};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::Payload,
    web::{self, Data, ServiceConfig},
};
use relay::{Incoming, Outgoing, OutgoingBody, Resolve, Switched, SystemResolver, Upgrade};

pub use error::DoorError;
use passage::Passage;
use workplace::{Place, Workplace};

use super::{
    credential::{Applied, Context},
    path::{self, Asked},
    scan::Scanner,
};
use crate::{
    caller::{Caller, CallerError},
    services::Services,
};

/// The routes of the door. The path is taken apart by the door itself: the router would decode it.
pub fn routes(config: &mut ServiceConfig) {
    config.service(web::scope(path::PREFIX).default_service(web::to(enter)));
}

/// The door of one worker thread.
pub struct Door {
    services: Services,
    resolver: Rc<dyn Resolve>,
    /// With how often the settings had been replaced before.
    workplace: RefCell<(u64, Rc<Workplace>)>,
}

impl Door {
    /// Opens it, with the system's resolver.
    #[must_use]
    pub fn new(services: Services) -> Self {
        Self::with_resolver(services, Rc::new(SystemResolver))
    }

    /// Opens it with another resolver, which is guarded as the system's is.
    #[must_use]
    pub fn with_resolver(services: Services, resolver: Rc<dyn Resolve>) -> Self {
        let replaced = services.current.replaced();
        let workplace = Rc::new(Workplace::new(services.current.get(), &services, &resolver));
        Self { services, resolver, workplace: RefCell::new((replaced, workplace)) }
    }

    /// Who sends a request, by the settings in use.
    ///
    /// # Errors
    /// [`CallerError`]; nothing has been done then.
    pub fn caller(&self, request: &HttpRequest) -> Result<Rc<Caller>, CallerError> {
        self.workplace().callers().verify(request, SystemTime::now())
    }

    /// That of the settings in use.
    fn workplace(&self) -> Rc<Workplace> {
        let replaced = self.services.current.replaced();
        let mut known = self.workplace.borrow_mut();
        if known.0 != replaced {
            let snapshot = self.services.current.get();
            *known = (replaced, Rc::new(Workplace::new(snapshot, &self.services, &self.resolver)));
        }
        Rc::clone(&known.1)
    }
}

/// `ANY /proxy/{target}/{tail}`.
async fn enter(request: HttpRequest, payload: web::Payload, door: Data<Door>) -> HttpResponse {
    let workplace = door.workplace();
    let mut passage = Passage::begin(request.clone(), door);
    let admitted = admit(&mut passage, &request, payload.into_inner(), &workplace);
    let Admitted { place, caller, outgoing, tunnelled } = match admitted {
        Ok(admitted) => admitted,
        Err(error) => return answer::refuse(&mut passage, &error),
    };
    let scanner = workplace.scanner();
    let (now, dialled) = (passage.time(), passage.dialled());
    let exchange = Exchange { place: &place, caller: &caller, scanner, now, dialled };
    match tunnelled {
        None => match exchange.send(outgoing).await {
            Err(error) => answer::refuse(&mut passage, &error),
            Ok(incoming) => answer::pass_on(passage, incoming, &place, &caller, scanner).await,
        },
        Some(payload) => match Box::pin(exchange.switch(outgoing)).await {
            Err(error) => answer::refuse(&mut passage, &error),
            Ok(Upgrade::Declined(incoming)) => {
                answer::pass_on(passage, incoming, &place, &caller, scanner).await
            }
            Ok(Upgrade::Switched(switched)) => tunnel(passage, switched, payload, &place, &caller, scanner),
        },
    }
}

/// A request that may be sent.
struct Admitted {
    place: Rc<Place>,
    caller: Rc<Caller>,
    outgoing: Outgoing,
    /// What follows the request, when that is a WebSocket.
    tunnelled: Option<Payload>,
}

/// Everything that is decided before anything is sent.
fn admit(
    passage: &mut Passage,
    request: &HttpRequest,
    payload: Payload,
    workplace: &Workplace,
) -> Result<Admitted, DoorError> {
    if !workplace.is_open() {
        return Err(DoorError::Disabled);
    }
    let caller = workplace.callers().verify(request, passage.time()).map_err(DoorError::Identity)?;
    passage.is_of(Rc::clone(&caller));
    path::refuse_absolute(request.version(), request.uri())?;
    let asked: Asked<'_> = path::split(request.uri())?;
    let place = workplace.place(asked.target).ok_or(DoorError::UnknownTarget)?;
    passage.is_for(Rc::clone(place));
    let target = &place.target;
    if !target.enabled {
        return Err(DoorError::Disabled);
    }
    request::check(request, &asked, target, &caller)?;
    let (payload, tunnelled) =
        if request::is_websocket(request, target) { (Payload::None, Some(payload)) } else { (payload, None) };
    let mut outgoing = request::outgoing(request, payload, &asked, target, &caller)?;
    outgoing.body = request::count(outgoing.body, passage.bytes_in());
    passage.is_let_through(place.admission.admit().map_err(DoorError::Admission)?)?;
    Ok(Admitted { place: Rc::clone(place), caller, outgoing, tunnelled })
}

/// One exchange with a target, with its credential.
struct Exchange<'a> {
    place: &'a Place,
    caller: &'a Caller,
    scanner: &'a Arc<Scanner>,
    now: SystemTime,
    dialled: &'a Cell<Option<SocketAddr>>,
}

impl Exchange<'_> {
    /// Sends the request; once more with another token when the target no longer takes the first.
    async fn send(&self, mut outgoing: Outgoing) -> Result<Incoming, DoorError> {
        let Place { target, upstream, .. } = self.place;
        let (credential, context) = (&target.credential, self.context());
        let applied = self.apply(&mut outgoing, &context).await?;
        // By now a form has been taken into memory, and can be sent again.
        let spare = credential.token_endpoint().and_then(|_| request::copy(&outgoing)).map(Box::new);
        let incoming = upstream.send_noting(outgoing, self.dialled).await.map_err(DoorError::Relay)?;
        let Some(again) = spare else { return Ok(incoming) };
        if incoming.status != http::StatusCode::UNAUTHORIZED || !credential.refresh(&applied, context.now) {
            return Ok(incoming);
        }
        drop(incoming);
        // Boxed: it is rare, and as large as the first time.
        Box::pin(self.send_again(*again, &context)).await
    }

    async fn send_again(&self, mut outgoing: Outgoing, context: &Context<'_>) -> Result<Incoming, DoorError> {
        self.apply(&mut outgoing, context).await?;
        self.place.upstream.send_noting(outgoing, self.dialled).await.map_err(DoorError::Relay)
    }

    /// Asks to switch to WebSocket.
    async fn switch(&self, mut outgoing: Outgoing) -> Result<Upgrade, DoorError> {
        self.apply(&mut outgoing, &self.context()).await?;
        self.place.upstream.upgrade_noting(outgoing, self.dialled).await.map_err(DoorError::Relay)
    }

    /// Puts the target's credential in the place of whatever the caller sent there. It may have to wait for the whole
    /// body, which comes as slowly as the caller likes.
    async fn apply(&self, outgoing: &mut Outgoing, context: &Context<'_>) -> Result<Applied, DoorError> {
        let credential = &self.place.target.credential;
        credential.strip(outgoing);
        let may_wait =
            matches!(outgoing.body, OutgoingBody::Stream { .. }) && credential.needs_body(outgoing);
        let applied = credential.apply(outgoing, context);
        let applied = match may_wait {
            false => applied.await,
            true => {
                let limit = self.place.target.timeout;
                Box::pin(tokio::time::timeout(limit, applied)).await.map_err(|_| DoorError::RequestTimeout)?
            }
        };
        applied.map_err(DoorError::Credential)
    }

    fn context(&self) -> Context<'_> {
        Context {
            target: &self.place.target.url,
            caller: self.caller,
            now: self.now,
            scanner: self.scanner,
            token_endpoint: self.place.token_endpoint.as_ref(),
            asked_for_token: &*self.place.asked_for_token,
        }
    }
}

/// The caller and the target are joined; nothing that goes through is looked at.
fn tunnel(
    mut passage: Box<Passage>,
    mut switched: Switched,
    payload: Payload,
    place: &Place,
    caller: &Caller,
    scanner: &Scanner,
) -> HttpResponse {
    passage.is_answered(http::StatusCode::SWITCHING_PROTOCOLS.as_u16());
    if scanner.header_leaks(&switched.headers) {
        return answer::refuse(&mut passage, &DoorError::Leak { place: "header" });
    }
    switched.headers.remove(answer::OWN);
    if let Err(error) = place.target.response_headers.apply(&mut switched.headers, &caller.claims) {
        return answer::refuse(&mut passage, &error.into());
    }
    switched.respond(payload, move |transferred| passage.was_tunnelled(transferred.up, transferred.down))
}

#[cfg(test)]
mod tests;
