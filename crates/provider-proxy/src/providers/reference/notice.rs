//! Verifies a signed notice: `ext_transaction_id=X[&error=CODE][&price=0.99&currency=EUR]&sig=KEYID:HEX`.
//!
//! `HEX` is HMAC-SHA256, with the key `KEYID`, of everything before `&sig=`, in lower case. Source: `docs/payment.rst`
//! and `lib/notices.js` of Mozilla's zippy.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use secrecy::ExposeSecret;
use sha2::Sha256;
use thiserror::Error;
use wire::{Currency, Money, MoneyError, reference::Notice};

use crate::credentials::NoticeKeys;

/// Why a notice must not be believed. Shows nothing of the notice.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub(super) enum NoticeError {
    /// It does not end in its only `sig`.
    #[error("the notice does not end in exactly one sig")]
    NotSigned,
    /// The `sig` is not `KEYID:HEX`.
    #[error("the notice's sig is malformed")]
    MalformedSignature,
    /// No key has this id.
    #[error("the notice is signed with an unknown key")]
    UnknownKey,
    /// It was signed with another key, or changed afterwards.
    #[error("signature mismatch")]
    WrongSignature,
    /// Signed, but not a query string.
    #[error("the notice is not a query string of name=value pairs in UTF-8")]
    Malformed,
    /// Signed, but ambiguous.
    #[error("the notice says {0} more than once")]
    Repeated(&'static str),
    /// Signed, but about nothing.
    #[error("the notice lacks its {0}")]
    Missing(&'static str),
    /// Signed, but the price is no amount of money.
    #[error("the notice's price: {0}")]
    Amount(#[from] MoneyError),
}

/// The value of the only `signed_notice` of a posted form, as the provider signed it.
pub(super) fn in_form(body: &[u8]) -> Result<String, NoticeError> {
    let text = std::str::from_utf8(body).map_err(|_| NoticeError::Malformed)?;
    let mut found = None;
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if decode(name)? == "signed_notice" && found.replace(decode(value)?).is_some() {
            return Err(NoticeError::Repeated("signed_notice"));
        }
    }
    found.ok_or(NoticeError::Missing("signed_notice"))
}

/// Verifies the signature first, and reads the notice only afterwards.
pub(super) fn verify(keys: &NoticeKeys, signed: &str) -> Result<Notice, NoticeError> {
    let (payload, signature) = split(signed)?;
    let (id, hex) = signature.split_once(':').ok_or(NoticeError::MalformedSignature)?;
    let mac = HEXLOWER.decode(hex.as_bytes()).map_err(|_| NoticeError::MalformedSignature)?;
    let key = keys.get(key_id(id)?).ok_or(NoticeError::UnknownKey)?;
    let mut expected = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .map_err(|_| NoticeError::WrongSignature)?;
    expected.update(payload.as_bytes());
    // In constant time.
    expected.verify_slice(&mac).map_err(|_| NoticeError::WrongSignature)?;
    read(payload)
}

/// What is signed, and the value of the only `sig`, which is the last parameter.
fn split(signed: &str) -> Result<(&str, &str), NoticeError> {
    let (payload, last) = signed.rsplit_once('&').ok_or(NoticeError::NotSigned)?;
    let signature = last.strip_prefix("sig=").ok_or(NoticeError::NotSigned)?;
    // A second one could make two readers of the same notice disagree, however it is spelled.
    let another = payload.split('&').any(|pair| match decode(pair.split_once('=').unwrap_or((pair, "")).0) {
        Ok(name) => name == "sig",
        Err(_) => false,
    });
    if another { Err(NoticeError::NotSigned) } else { Ok((payload, signature)) }
}

/// An id has one way of being written: digits, no leading zero.
fn key_id(text: &str) -> Result<u32, NoticeError> {
    text.parse::<u32>().ok().filter(|id| id.to_string() == text).ok_or(NoticeError::MalformedSignature)
}

fn read(payload: &str) -> Result<Notice, NoticeError> {
    let pairs = payload
        .split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').ok_or(NoticeError::Malformed)?;
            Ok((decode(name)?, decode(value)?))
        })
        .collect::<Result<Vec<_>, NoticeError>>()?;
    let ext_transaction_id = only(&pairs, "ext_transaction_id")?;
    let price = only(&pairs, "price")?;
    let currency = only(&pairs, "currency")?;
    Ok(Notice {
        ext_transaction_id: ext_transaction_id.ok_or(NoticeError::Missing("ext_transaction_id"))?.to_owned(),
        error: only(&pairs, "error")?.map(ToOwned::to_owned),
        amount: match (price, currency) {
            (None, None) => None,
            (Some(price), Some(currency)) => Some(Money::parse(price, Currency::parse(currency)?)?),
            (Some(_), None) => return Err(NoticeError::Missing("currency")),
            (None, Some(_)) => return Err(NoticeError::Missing("price")),
        },
    })
}

/// The value of a parameter that may appear once. An empty one is missing: it is neither a success nor a failure.
fn only<'pairs>(
    pairs: &'pairs [(String, String)],
    name: &'static str,
) -> Result<Option<&'pairs str>, NoticeError> {
    let mut values = pairs.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(NoticeError::Repeated(name)),
        (Some(""), None) => Err(NoticeError::Missing(name)),
        (value, None) => Ok(value),
    }
}

/// Decodes `application/x-www-form-urlencoded`.
fn decode(text: &str) -> Result<String, NoticeError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| NoticeError::Malformed)?;
    Ok(decoded.into_owned())
}

#[cfg(test)]
mod tests;
