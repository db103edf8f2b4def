//! The kinds of credentials: what is added to a request, and what a caller may not send in its place.
use crate::caller::Caller;
use chassis::{base_url::BaseUrl, client::Identity, settings::Section};
use secrecy::SecretString;
use std::time::SystemTime;
#[derive(Clone, Debug)]
pub struct Credential;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct CredentialError;
impl Credential {
    pub fn read(_: &Section) -> Option<Self> {
        None
    }
    pub fn needs_body(&self) -> bool {
        false
    }
    pub fn strip(&self, _: &mut relay::Outgoing) {}
    pub async fn apply(
        &self,
        _: &mut relay::Outgoing,
        _: &BaseUrl,
        _: &Caller,
        _: SystemTime,
    ) -> Result<(), CredentialError> {
        Ok(())
    }
    pub fn refresh(&self) -> bool {
        false
    }
    pub fn secrets(&self) -> Vec<SecretString> {
        Vec::new()
    }
    pub fn client_identity(&self) -> Option<&Identity> {
        None
    }
}
