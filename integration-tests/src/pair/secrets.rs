//! The pair's own secrets: random, made once, each in a file that only its owner can read.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use provider_sandbox::{BraintreeAccount, PaypalAccount, ReferenceAccount, SandboxSettings, StripeAccount};
use uuid::Uuid;

use super::PairError;
use crate::{
    certificates::{new_identity_key, public_half},
    settings::{
        BRAINTREE_MERCHANT, BraintreeSecrets, NOTICE_KEY_ID, PAYPAL_WEBHOOK, PaypalSecrets, REALM,
        ReferenceSecrets, Secret, StripeSecrets,
    },
};

/// The key of the pair's one client, which has all roles.
pub(super) const CLIENT_KEY: &str = "local";

/// One secret and its file.
pub(super) struct SecretFile {
    path: PathBuf,
    value: String,
}

impl SecretFile {
    /// Its place, for settings.
    pub(super) fn setting(&self) -> Secret {
        Secret::file(&self.path)
    }

    /// What it is.
    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

/// All secrets of one pair.
pub(super) struct Secrets {
    /// The key that db-server encrypts columns with.
    pub(super) encryption_key: SecretFile,
    /// The key that db-server finds encrypted columns with.
    pub(super) lookup_key: SecretFile,
    /// What db-server mixes into its hashes of PINs.
    pub(super) pepper: SecretFile,
    /// The client's secret at db-server.
    pub(super) client_secret: SecretFile,
    /// provider-proxy's key at the provider.
    pub(super) consumer_key: SecretFile,
    /// provider-proxy's secret at the provider.
    pub(super) consumer_secret: SecretFile,
    /// What the provider signs its notices with.
    pub(super) notice_key: SecretFile,
    /// What db-server signs the identity of its requests with.
    pub(super) identity_key: SecretFile,
    /// The file with the public half of it.
    pub(super) identity_public_key: PathBuf,
    /// provider-proxy's key at Stripe.
    pub(super) stripe_secret_key: SecretFile,
    /// What Stripe signs its webhooks with.
    pub(super) stripe_webhook_secret: SecretFile,
    /// provider-proxy's id at PayPal.
    pub(super) paypal_client_id: SecretFile,
    /// provider-proxy's secret at PayPal.
    pub(super) paypal_client_secret: SecretFile,
    /// The public key of the merchant at Braintree.
    pub(super) braintree_public_key: SecretFile,
    /// The private key of the merchant at Braintree.
    pub(super) braintree_private_key: SecretFile,
    /// The key of the tokens of those who log in.
    pub(super) login_key: SecretFile,
}

impl Secrets {
    /// Reads them from this folder, and makes those that are not there yet.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, PairError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(PairError::file(folder))?;
        let secret = |name: &str, make: fn() -> String| {
            let path = folder.join(name);
            let value = read_or_make(&path, make).map_err(PairError::file(&path))?;
            Ok::<_, PairError>(SecretFile { path, value })
        };
        let identity_key = secret("identity-private.pem", new_identity_key)?;
        let identity_public_key = folder.join("identity-public.pem");
        let public = public_half(identity_key.value())
            .map_err(|error| PairError::file(&identity_key.path)(io::Error::other(error)))?;
        write_private(&identity_public_key, public.trim()).map_err(PairError::file(&identity_public_key))?;
        Ok(Self {
            identity_key,
            identity_public_key,
            encryption_key: secret("encryption-key", fernet::Fernet::generate_key)?,
            lookup_key: secret("lookup-key", random)?,
            login_key: secret("login-key", random)?,
            pepper: secret("pin-pepper", random)?,
            client_secret: secret("client-secret", random)?,
            consumer_key: secret("reference-consumer-key", random)?,
            consumer_secret: secret("reference-consumer-secret", random)?,
            notice_key: secret("reference-notice-key", random)?,
            stripe_secret_key: secret("stripe-secret-key", || format!("sk_test_{}", random()))?,
            stripe_webhook_secret: secret("stripe-webhook-secret", || format!("whsec_{}", random()))?,
            paypal_client_id: secret("paypal-client-id", random)?,
            paypal_client_secret: secret("paypal-client-secret", random)?,
            braintree_public_key: secret("braintree-public-key", random)?,
            braintree_private_key: secret("braintree-private-key", random)?,
        })
    }

    /// provider-proxy's account at the reference provider.
    pub(super) fn reference(&self) -> ReferenceSecrets {
        ReferenceSecrets {
            consumer_key: self.consumer_key.setting(),
            consumer_secret: self.consumer_secret.setting(),
            notice_key: self.notice_key.setting(),
        }
    }

    /// provider-proxy's account at Stripe.
    pub(super) fn stripe(&self) -> StripeSecrets {
        StripeSecrets {
            secret_key: self.stripe_secret_key.setting(),
            webhook_secret: self.stripe_webhook_secret.setting(),
        }
    }

    /// provider-proxy's account at PayPal.
    pub(super) fn paypal(&self) -> PaypalSecrets {
        PaypalSecrets {
            client_id: self.paypal_client_id.setting(),
            client_secret: self.paypal_client_secret.setting(),
            webhook_id: PAYPAL_WEBHOOK.to_owned(),
        }
    }

    /// provider-proxy's account at Braintree.
    pub(super) fn braintree(&self) -> BraintreeSecrets {
        BraintreeSecrets {
            merchant_id: BRAINTREE_MERCHANT.to_owned(),
            public_key: self.braintree_public_key.setting(),
            private_key: self.braintree_private_key.setting(),
        }
    }

    /// The sandbox's settings; port 0 takes a free one.
    pub(super) fn sandbox(&self, port: u16) -> SandboxSettings {
        SandboxSettings {
            listen: ([127, 0, 0, 1], port).into(),
            reference: ReferenceAccount {
                consumer_key: self.consumer_key.value.clone(),
                consumer_secret: self.consumer_secret.value.clone().into(),
                realm: REALM.to_owned(),
            },
            notice_keys: [(NOTICE_KEY_ID, self.notice_key.value.clone().into())].into(),
            stripe: StripeAccount {
                secret_key: self.stripe_secret_key.value.clone().into(),
                webhook_secret: self.stripe_webhook_secret.value.clone().into(),
            },
            paypal: PaypalAccount {
                client_id: self.paypal_client_id.value.clone(),
                client_secret: self.paypal_client_secret.value.clone().into(),
                webhook_id: PAYPAL_WEBHOOK.to_owned(),
            },
            braintree: BraintreeAccount {
                merchant_id: BRAINTREE_MERCHANT.to_owned(),
                public_key: self.braintree_public_key.value.clone(),
                private_key: self.braintree_private_key.value.clone().into(),
            },
        }
    }
}

/// 244 random bits, as hexadecimal digits.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn read_or_make(path: &Path, make: fn() -> String) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(value) if !value.trim().is_empty() => return Ok(value.trim().to_owned()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        // Absent, or cut short by a full disk.
        _ => {}
    }
    let value = make();
    write_private(path, &value)?;
    Ok(value)
}

/// Writes a file that only its owner can read: beside its place first, so that it is never seen half written.
pub(super) fn write_private(path: &Path, content: &str) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(content.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_only_their_owner_can_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("secrets");
        let first = Secrets::in_folder(&folder).unwrap();
        let second = Secrets::in_folder(&folder).unwrap();
        assert_eq!(first.client_secret.value(), second.client_secret.value());
        assert_eq!(first.encryption_key.value(), second.encryption_key.value());
        assert_ne!(first.client_secret.value(), first.consumer_secret.value());
        for file in fs::read_dir(&folder).unwrap() {
            assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
