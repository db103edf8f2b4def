//! `aws_sigv4`: AWS Signature Version 4, in the header, over the whole body
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).

mod canonical;

use chassis::settings::Section;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use hmac::Hmac;
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};
use relay::Outgoing;
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use super::{
    Context, CredentialError, body,
    hmac_body::mac,
    secret::{Secret, sensitive},
};

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// An access key, and the service it is used with.
#[derive(Clone)]
pub(super) struct AwsSigV4 {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    region: String,
    service: String,
}

impl AwsSigV4 {
    pub(super) fn read(section: &Section) -> Self {
        let word = |key: &str| {
            let word: String = section.required(key);
            let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if section.has(key) && (word.is_empty() || !word.bytes().all(is_fit)) {
                section.fault(key, "expected letters, digits and hyphens");
            }
            word
        };
        let session_token =
            section.has("session_token").then(|| Secret::for_header(section, "session_token"));
        if session_token.is_none() {
            // So that the key is known.
            let _: Option<Secret> = section.optional("session_token");
        }
        Self {
            access_key_id: word("access_key_id"),
            secret_access_key: section.required("secret_access_key"),
            session_token,
            region: word("region"),
            service: word("service"),
        }
    }

    /// The id of the key is no secret: it is in every request and in answers.
    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.secret_access_key.list(secrets);
        if let Some(token) = &self.session_token {
            token.list(secrets);
        }
    }

    pub(super) fn apply(&self, request: &mut Outgoing, context: &Context<'_>) -> Result<(), CredentialError> {
        let time = DateTime::<Utc>::from(context.now).format("%Y%m%dT%H%M%SZ").to_string();
        let body_hash = HEXLOWER.encode(&Sha256::digest(body::bytes(request)?));
        let date = HeaderValue::from_str(&time)
            .map_err(|_| CredentialError::Unusable { reason: "the clock is out of range" })?;
        request.headers.insert(DATE, date);
        if self.is_s3() {
            request.headers.insert(CONTENT_HASH, sensitive(&body_hash)?);
        }
        if let Some(token) = &self.session_token {
            request.headers.insert(SECURITY_TOKEN, sensitive(token.expose())?);
        }
        let value = self.authorization(request, context, &time, &body_hash)?;
        request.headers.insert(AUTHORIZATION, sensitive(&value)?);
        Ok(())
    }

    /// S3 alone wants the hash of the body in a header, and takes the path as it is.
    fn is_s3(&self) -> bool {
        self.service == "s3"
    }

    fn authorization(
        &self,
        request: &Outgoing,
        context: &Context<'_>,
        time: &str,
        body_hash: &str,
    ) -> Result<String, CredentialError> {
        let url = context.target.join(&request.path_and_query);
        let (canonical, signed_headers) = canonical::request(request, &url, body_hash, self.is_s3())?;
        let date = time.get(..8).unwrap_or_default();
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let hash = HEXLOWER.encode(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hash}");
        let signature = HEXLOWER.encode(&self.sign(date, &to_sign)?);
        Ok(format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={signature}",
            self.access_key_id
        ))
    }

    fn sign(&self, date: &str, to_sign: &str) -> Result<Vec<u8>, CredentialError> {
        let mut key = ["AWS4", self.secret_access_key.expose()].concat().into_bytes();
        for part in [date, &self.region, &self.service, "aws4_request", to_sign] {
            key = mac::<Hmac<Sha256>>(&key, &[part.as_bytes()])?;
        }
        Ok(key)
    }
}

#[cfg(test)]
mod tests;
