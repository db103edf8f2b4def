//! People among the callers: they send a token that they got for their password, or the password itself.

use std::{rc::Rc, sync::Arc, time::SystemTime};

use actix_web::HttpRequest;
use chassis::base_url::BaseUrl;
use jws::VerifyError;
use wire::identity::ANONYMOUS;

use super::{
    Authenticator, Identity,
    authenticator::{authorization, bearer_key},
    rejection::{Refusal, Rejection},
    token::{self, Tokens},
};
use crate::{
    domain::{
        Clock,
        user::{KnownUser, Users},
    },
    error::ApiError,
    identity::Signer,
    password::Password,
    settings::DoorSettings,
};

/// The people who may call, and their tokens. Clones share them.
#[derive(Clone)]
pub struct People {
    users: Arc<Users>,
    tokens: Option<Tokens>,
    clock: Clock,
    /// What has made the tokens that the door's targets get.
    signer: Option<Arc<Signer>>,
    door: DoorSettings,
}

/// What somebody gets who has logged in.
pub struct LoggedIn {
    /// The token.
    pub token: String,
    /// Whose it is.
    pub user: KnownUser,
}

impl People {
    /// Without `tokens` nobody can log in.
    #[must_use]
    pub const fn new(
        users: Arc<Users>,
        tokens: Option<Tokens>,
        clock: Clock,
        signer: Option<Arc<Signer>>,
        door: DoorSettings,
    ) -> Self {
        Self { users, tokens, clock, signer, door }
    }

    fn now(&self) -> SystemTime {
        self.clock.now().into()
    }
}

impl Authenticator {
    /// Gives a token for a name and its password.
    ///
    /// # Errors
    /// [`ApiError::WrongPassword`], [`ApiError::NotSetUp`], and what stands in the way of an answer.
    pub async fn log_in(&self, name: &str, password: Password) -> Result<LoggedIn, ApiError> {
        let tokens = self.people.tokens.as_ref().ok_or(NO_LOGIN)?;
        let user = self.people.users.log_in(name, password).await?.ok_or(ApiError::WrongPassword)?;
        self.limited(of_user(name, &user)).await.map_err(Refusal::into_error)?;
        let token = tokens.sign(name, &user, self.people.now())?;
        Ok(LoggedIn { token, user })
    }

    /// Whether anybody can log in.
    ///
    /// # Errors
    /// [`ApiError::NotSetUp`].
    pub fn offers_login(&self) -> Result<(), ApiError> {
        if self.people.tokens.is_some() { Ok(()) } else { Err(NO_LOGIN) }
    }

    /// The name and the authorities of whoever calls.
    ///
    /// # Errors
    /// Those of a request to any route that needs a role.
    pub async fn who(&self, request: &HttpRequest) -> Result<(String, Vec<String>), ApiError> {
        if let Some(told) = self.told_by_a_target(request)? {
            return Ok(told);
        }
        let identity = self.authenticate(request).await.map_err(Refusal::into_error)?;
        Ok((self.subject(&identity).to_owned(), identity.authorities()))
    }

    /// The name that tokens are made for.
    pub(super) fn subject<'a>(&self, identity: &'a Identity) -> &'a str {
        identity.key.as_deref().map_or(ANONYMOUS, |key| self.name_of(key))
    }

    /// Of whom a target of the door asks, with the token that it was given. It says who that is and opens nothing else,
    /// since every target that the door has led to may have kept it.
    fn told_by_a_target(&self, request: &HttpRequest) -> Result<Option<(String, Vec<String>)>, ApiError> {
        let Some(signer) = &self.people.signer else { return Ok(None) };
        let authorization = authorization(request).ok();
        let Some(token) = authorization.and_then(bearer_key).filter(|text| token::has_form(text)) else {
            return Ok(None);
        };
        if token::claim(token, "iss").as_deref() != Some(signer.issuer()) {
            return Ok(None);
        }
        let audience = token::claim(token, "aud").and_then(|audience| BaseUrl::parse(&audience).ok());
        let audience = audience.filter(|url| self.people.door.allows(url));
        let audience = audience.ok_or_else(|| refused(VerifyError::Audience))?;
        let (name, authorities) = signer.verify(token, audience.as_str()).map_err(refused)?;
        if name == ANONYMOUS && self.settings.require_oauth {
            return Err(ApiError::Forbidden);
        }
        Ok(Some((name, authorities)))
    }

    /// The user whose token this is, with the roles that the user has now.
    pub(super) async fn token(&self, token: &str) -> Result<Identity, Refusal> {
        let tokens = self.people.tokens.as_ref().ok_or(Rejection::NoTokens)?;
        let holder = tokens.verify(token, self.people.now()).map_err(Rejection::Token)?;
        let user = self.people.users.find(&holder.name).await?;
        let user = user.filter(|user| user.active).ok_or(Rejection::TokenOfNobody)?;
        // A cached user may be older than the token: the cache is believed for seconds.
        if holder.generation < user.generation {
            return Err(Rejection::OldToken.into());
        }
        Ok(of_user(&holder.name, &user))
    }

    /// The user whose name and password these are; nobody when no user has the name, so that it is for somebody else.
    pub(super) async fn basic(&self, name: &str, password: Password) -> Result<Option<Identity>, Refusal> {
        if self.people.users.find(name).await?.is_none() {
            return Ok(None);
        }
        if !self.settings.private {
            return Err(Rejection::ReadablePassword.into());
        }
        let user = self.people.users.check(name, password).await?.ok_or(Rejection::WrongPassword)?;
        Ok(Some(of_user(name, &user)))
    }
}

/// What is answered where no `login.key` is set.
const NO_LOGIN: ApiError = ApiError::NotSetUp("Nobody can log in here: login.key is not set.");

fn refused(error: VerifyError) -> ApiError {
    Refusal::from(Rejection::Token(error)).into_error()
}

fn of_user(name: &str, user: &KnownUser) -> Identity {
    Identity { key: Some(Rc::from(name)), roles: user.roles_here().into(), names: user.roles.clone().into() }
}
