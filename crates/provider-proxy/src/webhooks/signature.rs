//! The signature of the Standard Webhooks specification (<https://www.standardwebhooks.com>, "Signature scheme"):
//! `v1,` and the BASE64 of HMAC-SHA256 over `ID.TIMESTAMP.BODY`, one for each secret, with a space between.

use std::{fmt, ops::RangeInclusive};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

use super::DeliveryError;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// How many bytes a key may have.
const LENGTHS: RangeInclusive<usize> = 24..=64;

/// One secret of an endpoint. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SigningKey {
    /// As in the settings.
    text: SecretString,
    bytes: SecretSlice<u8>,
}

impl SigningKey {
    /// Reads `whsec_` and the BASE64 of 24 to 64 bytes.
    ///
    /// # Errors
    /// What is wrong with it, without showing it.
    pub fn parse(text: &SecretString) -> Result<Self, &'static str> {
        let encoded =
            text.expose_secret().strip_prefix(PREFIX).ok_or("expected a secret that begins with whsec_")?;
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| "expected BASE64 behind whsec_")?;
        if !LENGTHS.contains(&bytes.len()) {
            return Err("expected 24 to 64 bytes in BASE64 behind whsec_");
        }
        Ok(Self { text: text.clone(), bytes: bytes.into() })
    }

    /// What must not come out: the key as it stands behind the prefix, in the settings or anywhere else.
    pub(super) fn secret(&self) -> SecretString {
        let text = self.text.expose_secret();
        text.strip_prefix(PREFIX).unwrap_or(text).into()
    }

    fn sign(&self, message: &[&[u8]]) -> Result<String, DeliveryError> {
        // HMAC takes a key of any length, so this does not fail.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.bytes.expose_secret())
            .map_err(|_| DeliveryError::Unsignable)?;
        message.iter().for_each(|piece| mac.update(piece));
        Ok(format!("v1,{}", BASE64.encode(&mac.finalize().into_bytes())))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(..)")
    }
}

/// The value of `webhook-signature`: a receiver that knows either secret finds its own.
///
/// # Errors
/// [`DeliveryError::Unsignable`], which does not happen.
pub(super) fn signature(
    keys: &[SigningKey],
    id: &str,
    timestamp: i64,
    body: &[u8],
) -> Result<String, DeliveryError> {
    let timestamp = timestamp.to_string();
    let message: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
    let signatures: Result<Vec<_>, _> = keys.iter().map(|key| key.sign(&message)).collect();
    Ok(signatures?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the reference libraries' own tests.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn key(text: &str) -> Result<SigningKey, &'static str> {
        SigningKey::parse(&text.into())
    }

    #[test]
    fn the_published_vector_is_signed_as_it_says() {
        let keys = [key(SECRET).unwrap()];
        assert_eq!(signature(&keys, ID, TIMESTAMP, BODY).unwrap(), SIGNATURE);
    }

    #[test]
    fn two_secrets_give_two_signatures_and_what_is_signed_is_all_of_the_message() {
        let other = format!("whsec_{}", BASE64.encode(&[7; 64]));
        let keys = [key(&other).unwrap(), key(SECRET).unwrap()];
        let both = signature(&keys, ID, TIMESTAMP, BODY).unwrap();
        let (first, second) = both.split_once(' ').unwrap();
        assert_eq!(second, SIGNATURE);
        assert!(first.starts_with("v1,") && first != second);
        for (id, timestamp, body) in
            [("msg_2", TIMESTAMP, BODY), (ID, TIMESTAMP + 1, BODY), (ID, TIMESTAMP, b"{}")]
        {
            assert!(!signature(&keys, id, timestamp, body).unwrap().contains(SIGNATURE));
        }
    }

    #[test]
    fn a_secret_is_checked_and_never_shown() {
        for (text, fault) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(), "whsec_"),
            ("whsec_not base64".to_owned(), "BASE64"),
            (format!("whsec_{}", BASE64.encode(&[1; 23])), "24 to 64"),
            (format!("whsec_{}", BASE64.encode(&[1; 65])), "24 to 64"),
        ] {
            let message = key(&text).unwrap_err();
            assert!(message.contains(fault), "{message}");
        }
        let text = format!("{:?}", key(SECRET).unwrap());
        assert!(!text.contains("MfKQ"), "{text}");
        assert_eq!(key(SECRET).unwrap().secret().expose_secret(), "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }
}
