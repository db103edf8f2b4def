//! An HTTP client that signs its requests as a client of db-server does (OAuth 1.0a).

use std::{fmt, time::Duration};

use actix_web::{
    http::{Method, header::HeaderMap},
    web::Bytes,
};
use oauth1::{Credentials, SignError, SignatureMethod, sign};
use secrecy::SecretString;
use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;

/// Longer than any answer of ours may take, so that a hang shows as an error.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Longer than any list of the sandbox; awc's own limit is 2 MiB.
const MAX_BODY: usize = 256 << 20;

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    base: String,
    credentials: Option<Credentials>,
    http: awc::Client,
}

impl Client {
    /// Of the server at this URL; it signs nothing.
    #[must_use]
    pub fn unsigned(base: &str) -> Self {
        let http = awc::Client::builder().timeout(TIMEOUT).disable_redirects().finish();
        Self { base: base.trim_end_matches('/').to_owned(), credentials: None, http }
    }

    /// Of the server at this URL; it signs every request with this key and secret.
    #[must_use]
    pub fn signed(base: &str, key: &str, secret: &str) -> Self {
        let credentials = Credentials {
            consumer_key: key.to_owned(),
            consumer_secret: SecretString::from(secret),
            realm: Some("solitude".to_owned()),
        };
        Self { credentials: Some(credentials), ..Self::unsigned(base) }
    }

    /// A request, to be sent with [`Request::send`]. `path` is a path with its query, or a whole URL.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let url = if path.contains("://") { path.to_owned() } else { format!("{}{path}", self.base) };
        Request { client: self, method, url, headers: Vec::new(), body: Body::None }
    }

    /// Sends a GET.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).answer().await
    }

    /// Sends a POST of this JSON.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).answer().await
    }

    /// Sends a PATCH of this JSON.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path).json(body).answer().await
    }

    /// Sends a PUT of this JSON.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PUT, path).json(body).answer().await
    }

    /// Sends a DELETE.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).answer().await
    }

    /// The `Authorization` header of a request, when this client signs. `form` is a form's fields, which are signed.
    fn authorization(
        &self,
        method: &Method,
        url: &str,
        form: &[(&str, &str)],
    ) -> Result<Option<String>, SignError> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        let now = u64::try_from(chrono::Utc::now().timestamp()).unwrap_or_default();
        let nonce = Uuid::new_v4().simple().to_string();
        sign(credentials, method.as_str(), url, &nonce, now, SignatureMethod::HmacSha1, form).map(Some)
    }
}

enum Body {
    None,
    Json(Value),
    Form(Vec<(String, String)>),
    Raw(Vec<u8>, String),
}

/// A request that is being made.
pub struct Request<'client> {
    client: &'client Client,
    method: Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Body,
}

impl Request<'_> {
    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = Body::Json(body.clone());
        self
    }

    /// Sets a form as the body; its fields are in the signature.
    #[must_use]
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = Body::Form(fields.iter().map(|&(name, value)| (name.into(), value.into())).collect());
        self
    }

    /// Sets these bytes as the body, of this type, however little they fit each other.
    #[must_use]
    pub fn raw(mut self, body: &[u8], content_type: &str) -> Self {
        self.body = Body::Raw(body.to_vec(), content_type.to_owned());
        self
    }

    /// Sends it and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`RequestError`] when there is no whole answer.
    pub async fn send(self) -> Result<Answer, RequestError> {
        let error =
            |reason: String| RequestError { method: self.method.clone(), url: self.url.clone(), reason };
        let form: Vec<(&str, &str)> = match &self.body {
            Body::Form(fields) => {
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
            }
            Body::None | Body::Json(_) | Body::Raw(..) => Vec::new(),
        };
        let authorization = self
            .client
            .authorization(&self.method, &self.url, &form)
            .map_err(|refused| error(refused.to_string()))?;
        let mut request = self.client.http.request(self.method.clone(), &self.url);
        for (name, value) in &self.headers {
            request = request.append_header((name.as_str(), value.as_str()));
        }
        if let Some(authorization) = authorization {
            request = request.insert_header(("Authorization", authorization));
        }
        let sent = match &self.body {
            Body::None => request.send(),
            Body::Json(value) => request.send_json(value),
            Body::Form(_) => request.send_form(&form),
            Body::Raw(body, content_type) => {
                request.content_type(content_type.as_str()).send_body(body.clone())
            }
        };
        let mut response = sent.await.map_err(|refused| error(refused.to_string()))?;
        let body = response.body().limit(MAX_BODY).await.map_err(|cut| error(cut.to_string()))?;
        Ok(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    /// Sends it.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn answer(self) -> Answer {
        self.send().await.unwrap_or_else(|error| panic!("{error}"))
    }
}

/// There is no answer.
#[derive(Debug, Error)]
#[error("{method} {url}: {reason}")]
pub struct RequestError {
    method: Method,
    url: String,
    reason: String,
}

/// An answer, whole.
#[derive(Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, when there is one and it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.status, self.text())
    }
}
