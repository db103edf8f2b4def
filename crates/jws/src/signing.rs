//! The keys that sign.

use std::{fmt, sync::Arc};

use ring::{
    hmac,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use rustls::pki_types::{PrivateKeyDer, alg_id, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    Algorithm, KeyError, SignError, der,
    verifying::{SHORTEST_SECRET, VerifyingKey},
};

/// A key that signs, with its algorithm. Clones share it. Its `Debug` shows the algorithm alone.
#[derive(Clone)]
pub struct SigningKey {
    algorithm: Algorithm,
    secret: Arc<Secret>,
}

enum Secret {
    Hmac(hmac::Key),
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A shared secret, for HS256.
    ///
    /// # Errors
    /// [`KeyError::TooShort`] below 32 bytes.
    pub fn hmac(secret: &SecretString) -> Result<Self, KeyError> {
        Self::hmac_bytes(secret.expose_secret().as_bytes())
    }

    pub(crate) fn hmac_bytes(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < SHORTEST_SECRET {
            return Err(KeyError::TooShort);
        }
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Ok(Self::new(Algorithm::Hs256, Secret::Hmac(key)))
    }

    /// A private key in PEM: PKCS#8, for RSA also PKCS#1, for P-256 also SEC1.
    ///
    /// Without an algorithm the key's type says it; an RSA key is then for RS512.
    ///
    /// # Errors
    /// [`KeyError`] when it is no such key, or not one for that algorithm.
    pub fn from_pem(pem: &SecretString, algorithm: Option<Algorithm>) -> Result<Self, KeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes()).map_err(|_| KeyError::Pem)?;
        let secret = read(&der).ok_or(KeyError::Unsupported)?;
        let fits: &[Algorithm] = match secret {
            Secret::Hmac(_) => &[],
            Secret::Rsa(_) => &[Algorithm::Rs512, Algorithm::Rs256],
            Secret::Ecdsa(_) => &[Algorithm::Es256],
            Secret::Ed25519(_) => &[Algorithm::EdDsa],
        };
        let chosen = match algorithm {
            None => fits.first().copied().ok_or(KeyError::Unsupported)?,
            Some(wanted) if fits.contains(&wanted) => wanted,
            Some(wanted) => return Err(KeyError::Mismatch(wanted)),
        };
        Ok(Self::new(chosen, secret))
    }

    fn new(algorithm: Algorithm, secret: Secret) -> Self {
        Self { algorithm, secret: Arc::new(secret) }
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that verifies what this one signs; for a shared secret that is the secret.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        use signature::KeyPair as _;
        match &*self.secret {
            Secret::Hmac(key) => VerifyingKey::shared(key.clone()),
            Secret::Rsa(pair) => VerifyingKey::public(self.algorithm, pair.public_key().as_ref().to_vec()),
            Secret::Ecdsa(pair) => VerifyingKey::public(self.algorithm, pair.public_key().as_ref().to_vec()),
            Secret::Ed25519(pair) => {
                VerifyingKey::public(self.algorithm, pair.public_key().as_ref().to_vec())
            }
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        match &*self.secret {
            Secret::Hmac(key) => Ok(hmac::sign(key, message).as_ref().to_vec()),
            Secret::Rsa(pair) => {
                let padding: &dyn signature::RsaEncoding = match self.algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
                    _ => &signature::RSA_PKCS1_SHA512,
                };
                let mut made = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut made).map_err(|_| SignError::Key)?;
                Ok(made)
            }
            Secret::Ecdsa(pair) => {
                let made = pair.sign(&random, message).map_err(|_| SignError::Key)?;
                Ok(made.as_ref().to_vec())
            }
            Secret::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.algorithm)
    }
}

fn read(der: &PrivateKeyDer<'_>) -> Option<Secret> {
    match der {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok().map(Secret::Rsa),
        PrivateKeyDer::Sec1(der) => ecdsa(&pkcs8_from_sec1(der.secret_sec1_der())?),
        PrivateKeyDer::Pkcs8(der) => {
            let der = der.secret_pkcs8_der();
            // Whoever makes an Ed25519 key may leave its public half out, as OpenSSL does.
            let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Secret::Ed25519);
            let rsa = || RsaKeyPair::from_pkcs8(der).ok().map(Secret::Rsa);
            ed25519().or_else(|| ecdsa(der)).or_else(rsa)
        }
        _ => None,
    }
}

fn ecdsa(pkcs8: &[u8]) -> Option<Secret> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random);
    pair.ok().map(Secret::Ecdsa)
}

/// RFC 5208 around RFC 5915.
fn pkcs8_from_sec1(sec1: &[u8]) -> Option<Vec<u8>> {
    let version = der::write(der::INTEGER, &[0])?;
    let algorithm = der::write(der::SEQUENCE, alg_id::ECDSA_P256.as_ref())?;
    let key = der::write(der::OCTET_STRING, sec1)?;
    der::write(der::SEQUENCE, &[version, algorithm, key].concat())
}
