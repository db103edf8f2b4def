//! `oauth1`: a signature over method, URL and form (RFC 5849).

use std::time::UNIX_EPOCH;

use ::oauth1::{Credentials, Request, SignatureMethod, Token, sign_with_token};
use chassis::settings::Section;
use http::header::AUTHORIZATION;
use relay::Outgoing;
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Context, CredentialError, body,
    secret::{Secret, sensitive},
};

/// A consumer, and where there is one the token of a resource owner.
#[derive(Clone)]
pub(super) struct OAuth1 {
    consumer_key: Secret,
    consumer_secret: Secret,
    token: Option<(Secret, Secret)>,
    realm: Option<String>,
    method: SignatureMethod,
}

impl OAuth1 {
    pub(super) fn read(section: &Section) -> Self {
        let realm = section.optional::<String>("realm");
        let is_printable = |realm: &String| realm.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if !realm.as_ref().is_none_or(is_printable) {
            section.fault("realm", "expected printable ASCII");
        }
        let token = (section.optional::<Secret>("token"), section.optional::<Secret>("token_secret"));
        if token.0.is_some() != token.1.is_some() {
            section.fault("token", "goes together with token_secret: expected both or neither");
        }
        let method = section.or("method", SignatureMethod::HmacSha256.as_str().to_owned());
        let method = method.parse().unwrap_or_else(|()| {
            section.fault("method", "expected HMAC-SHA256 or HMAC-SHA1");
            SignatureMethod::HmacSha256
        });
        Self {
            consumer_key: section.required("consumer_key"),
            consumer_secret: section.required("consumer_secret"),
            token: token.0.zip(token.1),
            realm,
            method,
        }
    }

    /// Key and token are no secrets by the protocol: they are sent in the clear, and answers may name them.
    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.consumer_secret.list(secrets);
        if let Some((_, secret)) = &self.token {
            secret.list(secrets);
        }
    }

    pub(super) fn apply(&self, request: &mut Outgoing, context: &Context<'_>) -> Result<(), CredentialError> {
        let seconds = context.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let value = self.sign(request, context, &Uuid::new_v4().simple().to_string(), seconds)?;
        request.headers.insert(AUTHORIZATION, sensitive(&value)?);
        Ok(())
    }

    fn sign(
        &self,
        request: &Outgoing,
        context: &Context<'_>,
        nonce: &str,
        seconds: u64,
    ) -> Result<String, CredentialError> {
        let credentials = Credentials {
            consumer_key: self.consumer_key.expose().to_owned(),
            consumer_secret: self.consumer_secret.current.clone(),
            realm: self.realm.clone(),
        };
        let token = self.token.as_ref().map(|(token, secret)| Token {
            token: token.expose().to_owned(),
            secret: secret.current.clone(),
        });
        let form = if body::is_form(&request.headers) { body::bytes(request)? } else { &[] };
        let form = parse_form(form).ok_or(CredentialError::Request { reason: "its form cannot be read" })?;
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let signed = Request {
            method: request.method.as_str(),
            url: &context.target.join(&request.path_and_query),
            form_parameters: &form,
        };
        sign_with_token(&credentials, token.as_ref(), signed, nonce, seconds, self.method)
            .map_err(|_| CredentialError::Request { reason: "its URL cannot be signed" })
    }
}

/// None for a form that could be read in two ways: with a `%` that begins no escape, or bytes that are no UTF-8.
fn parse_form(form: &[u8]) -> Option<Vec<(String, String)>> {
    let pairs = std::str::from_utf8(form).ok()?.split('&').filter(|pair| !pair.is_empty());
    let parse = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name)?, decode(value)?))
    };
    pairs.map(parse).collect()
}

fn decode(text: &str) -> Option<String> {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit);
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let text = text.replace('+', " ");
    Some(percent_encoding::percent_decode_str(&text).decode_utf8().ok()?.into_owned())
}

#[cfg(test)]
mod tests;
