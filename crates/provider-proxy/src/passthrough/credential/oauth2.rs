//! `oauth2_client_credentials`: an access token from a token endpoint (RFC 6749, section 4.4), shared by all workers.

mod answer;
mod cache;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use chassis::{base_url::BaseUrl, settings::Section};
use http::{
    HeaderMap, HeaderValue, Method,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use relay::{Outgoing, OutgoingBody, Upstream};
use secrecy::{ExposeSecret, SecretString};

pub(crate) use answer::{Granted, is_json, parse as parse_grant};
pub(crate) use cache::{Token, TokenCache};

use super::{Context, CredentialError, basic, bearer, secret::Secret};

/// How long the token endpoint may take, to the last byte.
const TIMEOUT: Duration = Duration::from_secs(10);

/// As `application/x-www-form-urlencoded` has it.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');

/// A client of a token endpoint.
pub(super) struct OAuth2 {
    endpoint: BaseUrl,
    path: String,
    client_id: String,
    client_secret: Secret,
    scope: Option<String>,
    style: Style,
    cache: TokenCache,
}

/// Where the client's secret goes (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Style {
    Basic,
    Body,
}

impl OAuth2 {
    pub(super) fn read(section: &Section) -> Self {
        let style = match section.or("style", "basic".to_owned()).as_str() {
            "basic" => Style::Basic,
            "body" => Style::Body,
            _ => {
                section.fault("style", "expected basic or body");
                Style::Basic
            }
        };
        let (endpoint, path) = split(&section.required("token_url"));
        let client_id: String = section.required("client_id");
        if client_id.trim().is_empty() && section.has("client_id") {
            section.fault("client_id", "expected a client's id");
        }
        Self {
            endpoint,
            path,
            client_id,
            client_secret: section.required("client_secret"),
            scope: section.optional("scope"),
            style,
            cache: TokenCache::default(),
        }
    }

    pub(super) const fn endpoint(&self) -> &BaseUrl {
        &self.endpoint
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.client_secret.list(secrets);
        secrets.extend(self.cache.current().map(|token| token.secret().clone()));
    }

    /// Adds the access token, and gives the one that was added.
    pub(super) async fn apply(
        &self,
        request: &mut Outgoing,
        context: &Context<'_>,
    ) -> Result<Arc<Token>, CredentialError> {
        let token = self.cache.get(context.now, || self.mint(context)).await?;
        bearer::set(request, token.secret().expose_secret())?;
        Ok(token)
    }

    /// Forgets a token that the target refused. Whether another may be had.
    pub(super) fn refresh(&self, refused: &Arc<Token>, now: SystemTime) -> bool {
        self.cache.refuse(refused, now)
    }

    /// Takes the token over that another reading of the settings got as the same client.
    pub(super) fn inherit(&self, previous: &Self) {
        let client = |client: &Self| {
            let url = (client.endpoint.clone(), client.path.clone());
            (url, client.client_id.clone(), client.scope.clone(), client.style)
        };
        if client(self) == client(previous) && self.client_secret.expose() == previous.client_secret.expose()
        {
            self.cache.inherit(&previous.cache);
        }
    }

    async fn mint(&self, context: &Context<'_>) -> Result<Granted, CredentialError> {
        let granted = self.try_mint(context).await;
        (context.asked_for_token)(granted.as_ref().err());
        granted
    }

    async fn try_mint(&self, context: &Context<'_>) -> Result<Granted, CredentialError> {
        let endpoint = context
            .token_endpoint
            .ok_or(CredentialError::Unusable { reason: "there is no way to its token endpoint" })?;
        let granted = tokio::time::timeout(TIMEOUT, self.ask(endpoint))
            .await
            .map_err(|_| CredentialError::TokenTimeout)??;
        // Before it is sent anywhere.
        context.scanner.add(&granted.token);
        Ok(granted)
    }

    async fn ask(&self, endpoint: &Upstream) -> Result<Granted, CredentialError> {
        let incoming = endpoint.send(self.request()?).await.map_err(CredentialError::TokenExchange)?;
        answer::read(incoming).await
    }

    fn request(&self) -> Result<Outgoing, CredentialError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let mut form = vec![("grant_type", "client_credentials")];
        if let Some(scope) = &self.scope {
            form.push(("scope", scope));
        }
        match self.style {
            Style::Basic => {
                // Both are form-encoded first: RFC 6749, section 2.3.1.
                let value = basic::value(&encode(&self.client_id), &encode(self.client_secret.expose()))?;
                headers.insert(AUTHORIZATION, value);
            }
            Style::Body => {
                form.push(("client_id", &self.client_id));
                form.push(("client_secret", self.client_secret.expose()));
            }
        }
        let pairs: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        Ok(Outgoing {
            method: Method::POST,
            path_and_query: self.path.clone(),
            headers,
            body: OutgoingBody::Full(pairs.join("&").into()),
        })
    }
}

fn encode(text: &str) -> String {
    percent_encode(text.as_bytes(), FORM).to_string().replace("%20", "+")
}

/// Splits a URL into its origin and its path.
fn split(url: &BaseUrl) -> (BaseUrl, String) {
    let text = url.as_str();
    let authority = text.find("://").map_or(0, |at| at + 3);
    let path = text[authority..].find('/').map_or(text.len(), |at| authority + at);
    let origin = BaseUrl::parse(&text[..path]).unwrap_or_else(|_| url.clone());
    (origin, if path == text.len() { "/".to_owned() } else { text[path..].to_owned() })
}

#[cfg(test)]
mod over_sockets;
#[cfg(test)]
mod tests;
