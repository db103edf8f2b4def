//! Wire-faithful offline stand-ins for the payment providers: for tests, demonstrations and development.
//!
//! A sandbox is a server that keeps its state in memory and checks what the real providers check. Each provider is a
//! folder of one shape: the reference provider ("zippy") is mounted at the root, Stripe, PayPal and Braintree under a
//! path of their own. All write to one ledger and send their webhooks through one office. Beside them, `/_sandbox/` is
//! the test's own side and needs no signature; docs/testing.md lists what it can do.

mod braintree;
mod broken_body;
mod control;
mod deliveries;
mod faults;
mod injection;
mod ledger;
mod loopback;
mod page;
mod paypal;
mod provider;
mod reference;
mod requests;
mod server;
mod settings;
mod shared;
mod stripe;
mod waiting;

pub use faults::{Action, Fault};
pub use server::{Sandbox, StartError};
pub use settings::{BraintreeAccount, PaypalAccount, ReferenceAccount, SandboxSettings, StripeAccount};
