//! The run's own key, and the tokens that it signs.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use jws::SigningKey;
use rcgen::{KeyPair, PKCS_ED25519};
use uuid::Uuid;
use wire::identity::{Claims, LONGEST_LIFE};

use super::BenchError;

/// Who signs, and whom the tokens are for.
pub(in crate::bench) const ISSUER: &str = "bench-client";
pub(in crate::bench) const AUDIENCE: &str = "bench-proxy";

/// Signs as db-server does.
pub(in crate::bench) struct Identity {
    key: SigningKey,
    public_key: PathBuf,
}

impl Identity {
    /// A fresh key, whose public half is written to a file of this folder.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(in crate::bench) fn new(folder: &Path) -> Result<Self, BenchError> {
        let unusable = |reason: String| BenchError::Identity(reason);
        let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(|error| unusable(error.to_string()))?;
        let public_key = folder.join("identity.pem");
        fs::write(&public_key, pair.public_key_pem()).map_err(BenchError::system(public_key.display()))?;
        let key = SigningKey::from_pem(&pair.serialize_pem().into(), None);
        Ok(Self { key: key.map_err(|error| unusable(error.to_string()))?, public_key })
    }

    pub(in crate::bench) fn public_key(&self) -> &Path {
        &self.public_key
    }

    /// A token that ends after the longest time that provider-proxy takes; no measurement is as long.
    ///
    /// # Errors
    /// [`BenchError::Identity`].
    pub(in crate::bench) fn token(&self) -> Result<String, BenchError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let claims = Claims {
            sub: "bench".to_owned(),
            authorities: ["ROLE_READ", "ROLE_WRITE"].map(str::to_owned).to_vec(),
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            iat: now,
            exp: now + LONGEST_LIFE,
            jti: Uuid::new_v4().to_string(),
        };
        jws::sign(&self.key, &claims, None).map_err(|error| BenchError::Identity(error.to_string()))
    }
}
