//! `hmac_body`: a keyed hash of the body in a header (RFC 2104).

use std::time::UNIX_EPOCH;

use chassis::settings::Section;
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue};
use relay::Outgoing;
use secrecy::SecretString;

use super::{
    Context, CredentialError, body,
    secret::{Secret, header_name, sensitive},
};

/// A key, and how the hash is written.
#[derive(Clone)]
pub(super) struct HmacBody {
    secret: Secret,
    algorithm: Algorithm,
    encoding: Encoding,
    header: HeaderName,
    prefix: String,
    timestamp_header: Option<HeaderName>,
}

#[derive(Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

#[derive(Clone, Copy)]
enum Encoding {
    Hex,
    Base64,
}

impl HmacBody {
    pub(super) fn read(section: &Section) -> Self {
        let algorithm = match section.or("algorithm", "SHA256".to_owned()).as_str() {
            "SHA1" => Algorithm::Sha1,
            "SHA256" => Algorithm::Sha256,
            "SHA512" => Algorithm::Sha512,
            _ => {
                section.fault("algorithm", "expected SHA256, SHA512 or SHA1");
                Algorithm::Sha256
            }
        };
        let encoding = match section.or("encoding", "hex".to_owned()).as_str() {
            "hex" => Encoding::Hex,
            "base64" => Encoding::Base64,
            _ => {
                section.fault("encoding", "expected hex or base64");
                Encoding::Hex
            }
        };
        let prefix = section.or("prefix", String::new());
        if HeaderValue::from_str(&prefix).is_err() {
            section.fault("prefix", "holds a character that no header can hold");
        }
        let timestamp = section.optional::<String>("timestamp_header");
        Self {
            secret: section.required("secret"),
            algorithm,
            encoding,
            header: header_name(section, "header", None),
            prefix,
            timestamp_header: timestamp.map(|_| header_name(section, "timestamp_header", None)),
        }
    }

    /// The headers that are its own.
    pub(super) fn headers(&self) -> Vec<&HeaderName> {
        std::iter::once(&self.header).chain(&self.timestamp_header).collect()
    }

    pub(super) fn secrets(&self, secrets: &mut Vec<SecretString>) {
        self.secret.list(secrets);
    }

    pub(super) fn apply(&self, request: &mut Outgoing, context: &Context<'_>) -> Result<(), CredentialError> {
        let mut before = String::new();
        if let Some(name) = &self.timestamp_header {
            let seconds = context.now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            before = format!("{seconds}.");
            request.headers.insert(name.clone(), HeaderValue::from(seconds));
        }
        let hash = self.hash(&[before.as_bytes(), body::bytes(request)?])?;
        let hash = match self.encoding {
            Encoding::Hex => HEXLOWER.encode(&hash),
            Encoding::Base64 => BASE64.encode(&hash),
        };
        request.headers.insert(self.header.clone(), sensitive([self.prefix.as_str(), &hash].concat())?);
        Ok(())
    }

    fn hash(&self, message: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
        let key = self.secret.expose().as_bytes();
        match self.algorithm {
            Algorithm::Sha1 => mac::<Hmac<sha1::Sha1>>(key, message),
            Algorithm::Sha256 => mac::<Hmac<sha2::Sha256>>(key, message),
            Algorithm::Sha512 => mac::<Hmac<sha2::Sha512>>(key, message),
        }
    }
}

/// The keyed hash of a message in pieces.
pub(super) fn mac<M: Mac + KeyInit>(key: &[u8], message: &[&[u8]]) -> Result<Vec<u8>, CredentialError> {
    // HMAC takes a key of any length, so this does not happen.
    let mut mac = <M as KeyInit>::new_from_slice(key)
        .map_err(|_| CredentialError::Unusable { reason: "it is no key for HMAC" })?;
    message.iter().for_each(|piece| mac.update(piece));
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests;
