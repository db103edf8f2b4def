//! `provider-sandbox`: the sandbox as a program, until SIGTERM or SIGINT.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use log::LevelFilter;
use provider_sandbox::{
    BraintreeAccount, PaypalAccount, ReferenceAccount, Sandbox, SandboxSettings, StartError, StripeAccount,
};
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

/// The exit status for arguments that cannot be used.
const BAD_ARGUMENTS: u8 = 64;
/// The exit status when the address cannot be bound.
const CANNOT_LISTEN: u8 = 69;
/// The exit status for every other failure.
const FAILED: u8 = 70;

/// Offline stand-ins for the payment providers, with their state in memory.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:2604")]
    listen: SocketAddr,
    /// A file to write the bound address to, once it is bound
    #[arg(long, value_name = "PATH")]
    address_file: Option<PathBuf>,
    /// The reference provider's OAuth consumer key
    #[arg(long, value_name = "KEY")]
    reference_key: String,
    /// The reference provider's OAuth consumer secret
    #[arg(long, value_name = "SECRET")]
    reference_secret: String,
    /// The realm that requests to the reference provider must name
    #[arg(long, value_name = "REALM")]
    reference_realm: String,
    /// A key that signs notices, with its numeric id; may be repeated, the highest id signs
    #[arg(long, value_name = "ID:SECRET", required = true)]
    notice_key: Vec<String>,
    /// Stripe's API key
    #[arg(long, value_name = "SECRET")]
    stripe_secret_key: String,
    /// What Stripe's webhooks are signed with
    #[arg(long, value_name = "SECRET")]
    stripe_webhook_secret: String,
    /// PayPal's client id
    #[arg(long, value_name = "ID")]
    paypal_client_id: String,
    /// PayPal's client secret
    #[arg(long, value_name = "SECRET")]
    paypal_client_secret: String,
    /// The id of PayPal's webhook
    #[arg(long, value_name = "ID")]
    paypal_webhook_id: String,
    /// Braintree's merchant id
    #[arg(long, value_name = "ID")]
    braintree_merchant_id: String,
    /// Braintree's public key
    #[arg(long, value_name = "KEY")]
    braintree_public_key: String,
    /// Braintree's private key
    #[arg(long, value_name = "SECRET")]
    braintree_private_key: String,
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // When even the terminal is gone there is nobody left to tell.
            drop(error.print());
            return if error.use_stderr() { ExitCode::from(BAD_ARGUMENTS) } else { ExitCode::SUCCESS };
        }
    };
    // Never from the environment: at their lower levels the HTTP crates print headers.
    let mut logger = env_logger::Builder::new();
    logger.filter_level(LevelFilter::Warn).filter_module("provider_sandbox", LevelFilter::Info).init();
    let address_file = arguments.address_file.clone();
    let Some(settings) = settings(arguments) else {
        log::error!("--notice-key: expected ID:SECRET with a number as the id, each id once");
        return ExitCode::from(BAD_ARGUMENTS);
    };
    match serve(settings, address_file.as_deref()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error!("{}", chain(error.as_ref()));
            ExitCode::from(exit_status(error.as_ref()))
        }
    }
}

/// None when a notice key is not of its form; the argument itself is not repeated, for it holds a secret.
fn settings(arguments: Arguments) -> Option<SandboxSettings> {
    let mut notice_keys = BTreeMap::new();
    for written in arguments.notice_key {
        let (id, secret) = written.split_once(':')?;
        if notice_keys.insert(id.parse().ok()?, SecretString::from(secret)).is_some() {
            return None;
        }
    }
    let reference = ReferenceAccount {
        consumer_key: arguments.reference_key,
        consumer_secret: arguments.reference_secret.into(),
        realm: arguments.reference_realm,
    };
    let stripe = StripeAccount {
        secret_key: arguments.stripe_secret_key.into(),
        webhook_secret: arguments.stripe_webhook_secret.into(),
    };
    let paypal = PaypalAccount {
        client_id: arguments.paypal_client_id,
        client_secret: arguments.paypal_client_secret.into(),
        webhook_id: arguments.paypal_webhook_id,
    };
    let braintree = BraintreeAccount {
        merchant_id: arguments.braintree_merchant_id,
        public_key: arguments.braintree_public_key,
        private_key: arguments.braintree_private_key.into(),
    };
    Some(SandboxSettings { listen: arguments.listen, reference, notice_keys, stripe, paypal, braintree })
}

async fn serve(settings: SandboxSettings, address_file: Option<&Path>) -> Result<(), Box<dyn Error>> {
    // Before the address is announced: a parent may send a signal as soon as it has read it.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let sandbox = Sandbox::start(settings)?;
    if let Some(path) = address_file {
        write_address(path, sandbox.address())?;
    }
    log::info!("listening on {}", sandbox.url());
    let handle = sandbox.handle();
    let server = sandbox.run();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => return Ok(ended?),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    log::info!("stopping");
    // Not awaited before the server is: the server itself answers it.
    let ((), ended) = tokio::join!(handle.stop(true), server);
    Ok(ended?)
}

/// Written beside and renamed, so that nobody reads half an address.
fn write_address(path: &Path, address: SocketAddr) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, format!("{address}\n"))?;
    std::fs::rename(&beside, path)
}

fn exit_status(error: &(dyn Error + 'static)) -> u8 {
    match error.downcast_ref() {
        Some(StartError::Blank(_)) => BAD_ARGUMENTS,
        Some(StartError::Bind { .. }) => CANNOT_LISTEN,
        None => FAILED,
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
