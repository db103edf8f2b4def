//! The keys that verify.

use std::{fmt, sync::Arc};

use ring::{
    hmac,
    signature::{self, UnparsedPublicKey, VerificationAlgorithm},
};
use rustls::pki_types::{SubjectPublicKeyInfoDer, alg_id, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};

use crate::{Algorithm, KeyError, der};

/// RFC 7518, section 3.2: no shorter than the hash.
pub(crate) const SHORTEST_SECRET: usize = 32;

/// A key that verifies, with its algorithm. Clones share it. Its `Debug` shows the algorithm alone.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    material: Arc<Material>,
}

enum Material {
    Shared(hmac::Key),
    Public(UnparsedPublicKey<Vec<u8>>),
}

impl VerifyingKey {
    /// A shared secret, for HS256.
    ///
    /// # Errors
    /// [`KeyError::TooShort`] below 32 bytes.
    pub fn hmac(secret: &SecretString) -> Result<Self, KeyError> {
        let secret = secret.expose_secret().as_bytes();
        if secret.len() < SHORTEST_SECRET {
            return Err(KeyError::TooShort);
        }
        Ok(Self::shared(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// A public key in PEM (`PUBLIC KEY`, RFC 5280's SubjectPublicKeyInfo): Ed25519, P-256 or RSA. An RSA key is for
    /// RS512.
    ///
    /// # Errors
    /// [`KeyError`] when it is no such key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| KeyError::Pem)?;
        let (algorithm, key) = read(&der).ok_or(KeyError::Unsupported)?;
        Ok(Self::public(algorithm, key))
    }

    /// The same, for this algorithm and no other.
    ///
    /// # Errors
    /// [`KeyError`] when it is no such key, or not one for that algorithm.
    pub fn from_pem_for(pem: &str, algorithm: Algorithm) -> Result<Self, KeyError> {
        let key = Self::from_pem(pem)?;
        match (key.algorithm, algorithm, &*key.material) {
            (Algorithm::Rs512, Algorithm::Rs256, Material::Public(public)) => {
                Ok(Self::public(algorithm, public.as_ref().to_vec()))
            }
            (found, wanted, _) if found == wanted => Ok(key),
            _ => Err(KeyError::Mismatch(algorithm)),
        }
    }

    pub(crate) fn shared(key: hmac::Key) -> Self {
        Self { algorithm: Algorithm::Hs256, material: Arc::new(Material::Shared(key)) }
    }

    pub(crate) fn public(algorithm: Algorithm, key: Vec<u8>) -> Self {
        let method: &dyn VerificationAlgorithm = match algorithm {
            Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::EdDsa => &signature::ED25519,
            Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs512 | Algorithm::Hs256 => &signature::RSA_PKCS1_2048_8192_SHA512,
        };
        Self { algorithm, material: Arc::new(Material::Public(UnparsedPublicKey::new(method, key))) }
    }

    /// Its algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether this key's other half made the signature; in constant time for a shared secret.
    pub(crate) fn accepts(&self, message: &[u8], made: &[u8]) -> bool {
        match &*self.material {
            Material::Shared(key) => hmac::verify(key, message, made).is_ok(),
            Material::Public(key) => key.verify(message, made).is_ok(),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "VerifyingKey({})", self.algorithm)
    }
}

/// The algorithm and the bytes that `ring` takes, from a SubjectPublicKeyInfo.
fn read(der: &[u8]) -> Option<(Algorithm, Vec<u8>)> {
    let content = der::only(der::SEQUENCE, der)?;
    let (identifier, rest) = der::element(der::SEQUENCE, content)?;
    // The first byte counts the unused bits of the last.
    let key = der::only(der::BIT_STRING, rest)?.strip_prefix(&[0])?;
    let (algorithm, usable) = if identifier == alg_id::ED25519.as_ref() {
        (Algorithm::EdDsa, key.len() == 32)
    } else if identifier == alg_id::ECDSA_P256.as_ref() {
        // Uncompressed points alone.
        (Algorithm::Es256, key.len() == 65 && key.starts_with(&[4]))
    } else if identifier == alg_id::RSA_ENCRYPTION.as_ref() {
        (Algorithm::Rs512, is_usable_rsa(key))
    } else {
        return None;
    };
    usable.then(|| (algorithm, key.to_vec()))
}

/// `ring` refuses a modulus of other sizes at each verification; said here, it is said once and early.
fn is_usable_rsa(pkcs1: &[u8]) -> bool {
    let modulus = der::only(der::SEQUENCE, pkcs1).and_then(|content| der::element(der::INTEGER, content));
    modulus.is_some_and(|(modulus, _)| {
        let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
        let bits = modulus.len().saturating_mul(8);
        (2048..=8192).contains(&bits) && modulus.first().is_some_and(|byte| *byte >= 0x80)
    })
}
