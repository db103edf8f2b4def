//! Who is calling, and what that client may do: checked before a handler runs or a body is read.
//!
//! [`identify`] finds out who calls, once for each request; [`Caller`] lets a handler run for those alone who have
//! the role that the route names.

mod authenticator;
mod people;
mod rejection;
pub mod token;
mod visitor;

use std::{
    future::{Ready, ready},
    marker::PhantomData,
    rc::Rc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use chassis::logging::{self, Principal};

use self::rejection::Refusal;
pub use self::{authenticator::Authenticator, people::People, visitor::Visitor};
use crate::{error::ApiError, settings::Role};

/// The actor of an audit event when requests need no signature.
const ANONYMOUS: &str = "anonymous";

/// A role that a route needs, as a type, so that the route's signature says it. No role implies another.
pub trait Needs: 'static {
    /// The role.
    const ROLE: Role;
}

/// Declares the type of a role.
macro_rules! role {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug)]
        pub struct $name;

        impl Needs for $name {
            const ROLE: Role = Role::$name;
        }
    };
}

role!(
    /// The route reads.
    Read
);
role!(
    /// The route creates, changes, or starts a payment.
    Write
);
role!(
    /// The route gives money back.
    Refund
);
role!(
    /// The route looks after the server.
    Admin
);

/// A client that is known and has the role `R`. A handler that takes one runs for no one else.
#[derive(Debug)]
pub struct Caller<R> {
    key: Option<Rc<str>>,
    role: PhantomData<R>,
}

impl<R> Caller<R> {
    /// The client's key; none when requests need no signature.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The name under which the audit events of this request are written.
    #[must_use]
    pub fn actor(&self) -> String {
        self.key().unwrap_or(ANONYMOUS).to_owned()
    }
}

impl<R: Needs> FromRequest for Caller<R> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit(request))
    }
}

/// A client that is known, and what it may do.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Identity {
    /// None when requests need no signature.
    key: Option<Rc<str>>,
    roles: Rc<[Role]>,
    /// The names of its roles, with those that mean nothing here and something to a target of the door.
    names: Rc<[String]>,
}

impl Identity {
    /// Somebody with this key, or everybody, with roles of ours.
    fn of_roles(key: Option<&str>, roles: &[Role]) -> Self {
        let names = roles.iter().map(|role| role.name().to_owned()).collect();
        Self { key: key.map(Rc::from), roles: roles.into(), names }
    }

    /// The roles as tokens name them.
    fn authorities(&self) -> Vec<String> {
        self.names.iter().map(|name| token::authority(name)).collect()
    }
}

/// What [`identify`] leaves for [`Caller`].
struct Identified(Result<Identity, Refusal>);

/// Finds out who is calling. It refuses nobody: whether it matters is for the route to say.
///
/// It is no part of [`Caller`] because asking the cache or the database takes time, in which the request's body would
/// be read, and its faults be told, before the caller is known.
///
/// # Errors
/// Those of the route.
pub async fn identify(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(authenticator) = request.app_data::<Data<Authenticator>>().cloned() {
        let identified = authenticator.authenticate(request.request()).await;
        if let (Ok(identity), Some(context)) = (&identified, logging::context())
            && let Some(key) = &identity.key
        {
            context.set_client(&**key);
            let name = authenticator.name_of(key).to_owned();
            context.set_principal(Principal { name, authorities: identity.authorities() });
        }
        request.extensions_mut().insert(Identified(identified));
    }
    next.call(request).await
}

fn admit<R: Needs>(request: &HttpRequest) -> Result<Caller<R>, ApiError> {
    let identified = request.extensions_mut().remove::<Identified>();
    let Some(Identified(identified)) = identified else {
        log::error!("nobody has asked who is calling; nobody is let in");
        return Err(ApiError::Unauthenticated);
    };
    let identity = identified.map_err(Refusal::into_error)?;
    if !identity.roles.contains(&R::ROLE) {
        log::warn!("the client lacks the role {}", R::ROLE.name());
        return Err(ApiError::Forbidden);
    }
    let key = identity.key.clone();
    // For a handler that asks for more than one role.
    request.extensions_mut().insert(Identified(Ok(identity)));
    Ok(Caller { key, role: PhantomData })
}

#[cfg(test)]
mod tests;
