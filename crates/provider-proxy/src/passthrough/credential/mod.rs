//! The kinds of credentials: what is added to a request, and what a caller may not send in its place.
#![allow(missing_docs, clippy::allow_attributes, clippy::allow_attributes_without_reason)]
use std::time::SystemTime;
use chassis::{base_url::BaseUrl, client::Identity, settings::Section};
use relay::{Outgoing, Upstream};
use secrecy::SecretString;
use super::scan::Scanner;
use crate::caller::Caller;
#[derive(Clone, Debug)]
pub struct Credential;
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct CredentialError;
impl CredentialError { pub const fn kind(&self) -> wire::passthrough::Kind { wire::passthrough::Kind::Credential } }
pub struct Context<'a> {
    pub target: &'a BaseUrl,
    pub caller: &'a Caller,
    pub now: SystemTime,
    pub scanner: &'a Scanner,
    pub token_endpoint: Option<&'a Upstream>,
}
#[derive(Clone, Default)]
pub struct Applied;
impl Credential {
    pub fn read(_: &Section) -> Option<Self> { None }
    pub fn needs_body(&self, _: &Outgoing) -> bool { false }
    pub fn strip(&self, _: &mut Outgoing) {}
    pub async fn apply(&self, _: &mut Outgoing, _: &Context<'_>) -> Result<Applied, CredentialError> { Ok(Applied) }
    pub fn refresh(&self, _: &Applied, _: SystemTime) -> bool { false }
    pub fn secrets(&self) -> Vec<SecretString> { Vec::new() }
    pub fn client_identity(&self) -> Option<&Identity> { None }
    pub fn token_endpoint(&self) -> Option<&BaseUrl> { None }
    pub fn name(&self) -> &'static str { "" }
    pub fn version(&self) -> &str { "" }
}
