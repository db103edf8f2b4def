//! Wire-faithful offline stand-ins for the payment providers: for tests, demonstrations and development.
//!
//! A sandbox is a server that keeps its state in memory and checks what the real provider checks. Each provider is a
//! folder of one shape; today there is one, the reference provider ("zippy"), mounted at the root. Beside it,
//! `/_sandbox/` is the test's own side and needs no signature:
//!
//! - `GET /_sandbox/status/` answers when the sandbox is ready.
//! - `GET /_sandbox/requests` counts the provider requests that arrived: `{"total": 2, "counts": {"POST /sellers": 2}}`;
//!   `DELETE` starts again at nothing.
//! - `POST /_sandbox/faults` appends to the queue of faults, see [`Fault`]; `GET` says how many are left; `DELETE`
//!   empties it.
//! - `POST /_sandbox/reference/transactions/TOKEN/pay` `{"outcome": "success" | CODE}` is the payer who confirms, or
//!   fails to: the transaction is `COMPLETED` or `FAILED` and the signed notice is posted. `"price"` and `"currency"`
//!   may be given for a notice that says another amount than was asked.
//! - `POST /_sandbox/reference/transactions/TOKEN/notify` posts the same notice again.

mod braintree;
mod broken_body;
mod control;
mod deliveries;
mod faults;
mod injection;
mod ledger;
mod loopback;
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
