//! `db-server payment`: what is known of a payment, a look at what nobody has settled, and what an operator has found.

use chassis::exit::Exit;
use clap::{Args, Subcommand, ValueEnum};
use db_server::{
    database::Database,
    domain::{
        Clock, DomainError,
        payment::{
            janitor,
            record::decimal,
            resolve::{self, Finding, Resolution, ResolveError, Story},
        },
        payment_event,
    },
    error::chain,
    server,
    settings::Settings,
};
use uuid::Uuid;

use super::{exit_of, print};

/// What to do about payments.
#[derive(Args)]
pub(crate) struct PaymentArguments {
    #[command(subcommand)]
    command: PaymentCommand,
}

#[derive(Subcommand)]
enum PaymentCommand {
    /// Show a payment: how it stands, what the provider was asked, its refunds and what has happened. No secret is in it.
    Show {
        /// The payment's uuid.
        uuid: Uuid,
    },
    /// Ask the providers now about all operations that are due for a look, as the janitor of a server does.
    Look {
        /// Also about those that are not due yet.
        #[arg(long)]
        all: bool,
    },
    /// Say what has become of an operation whose outcome nobody knows. It is written down like an answer of the provider,
    /// with who said so and why.
    Resolve {
        /// The payment's uuid.
        uuid: Uuid,
        /// The attempt of the operation, as `show` names it.
        #[arg(long, value_name = "ATTEMPT")]
        operation: Uuid,
        /// What has become of it.
        #[arg(long = "as", value_enum)]
        finding: FindingArgument,
        /// The provider's id of the payment, the capture or the refund that it made.
        #[arg(long, value_name = "ID")]
        reference: Option<String>,
        /// How much was taken in all, such as 10.00; all of the payment when it is not given.
        #[arg(long, value_name = "AMOUNT")]
        captured: Option<String>,
        /// Who says so.
        #[arg(long, value_name = "NAME")]
        by: String,
        /// How that is known.
        #[arg(long, value_name = "TEXT")]
        because: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum FindingArgument {
    /// The money was taken.
    Captured,
    /// The amount is held.
    Authorized,
    /// The authorization was given up.
    Voided,
    /// The money went back.
    Refunded,
    /// The bank or the provider said no.
    Declined,
    /// It was not done.
    Failed,
}

impl From<FindingArgument> for Finding {
    fn from(finding: FindingArgument) -> Self {
        match finding {
            FindingArgument::Captured => Self::Captured,
            FindingArgument::Authorized => Self::Authorized,
            FindingArgument::Voided => Self::Voided,
            FindingArgument::Refunded => Self::Refunded,
            FindingArgument::Declined => Self::Declined,
            FindingArgument::Failed => Self::Failed,
        }
    }
}

/// Runs the command. 0 when it is done, 64 when the arguments name nothing that is there or cannot be so, 65 when it
/// contradicts what is known, 129 when Postgres is out of reach.
pub(crate) async fn run(settings: Settings, arguments: PaymentArguments) -> Exit {
    let done = match arguments.command {
        PaymentCommand::Look { all } => return look(settings, all).await,
        PaymentCommand::Show { uuid } => {
            resolve::story(&Database::new(settings.database.connect), uuid).await.map(|story| told(&story))
        }
        PaymentCommand::Resolve { uuid, operation, finding, reference, captured, by, because } => {
            let (payment, attempt, finding) = (uuid, operation, finding.into());
            let said = Resolution { payment, attempt, finding, reference, captured, by, because };
            let database = Database::new(settings.database.connect);
            let now = Clock::system().now();
            let resolved = resolve::resolve(&database, settings.database.keys, now, said).await;
            resolved.map(|payment| format!("{uuid}: {}", payment.status.name()))
        }
    };
    match done {
        Ok(text) => print(text.trim_end()),
        Err(error) => refuse(&error),
    }
}

async fn look(settings: Settings, all: bool) -> Exit {
    let (domain, proxy) = match server::tools(settings, Clock::system()).await {
        Ok(tools) => tools,
        Err(error) => return super::refuse(&error),
    };
    let looked = async {
        if all {
            janitor::make_all_due(&domain).await?;
        }
        janitor::pass(&domain, &proxy).await
    };
    match looked.await {
        Ok(number) => print(format_args!("looked at {number}")),
        Err(error) => refuse(&error.into()),
    }
}

fn told(story: &Story) -> String {
    let payment = &story.payment;
    let amount = |minor| decimal(payment, minor).unwrap_or_else(|| format!("{minor} minor units"));
    let or_none = |text: &Option<String>| text.as_deref().unwrap_or("-").escape_debug().to_string();
    let mut text = format!(
        "payment {}\nstatus {}\nstanding {}\nprovider {}\nprovider_reference {}\ncheckout_reference {}\namount {} \
         {}\ncaptured {}\nsettlement declined {}\nrefunded {}\nrefunds under way {}\ntransaction {}\ncreated {}\n",
        payment.uuid,
        payment.status.name(),
        payment.standing.name(),
        payment.provider.name(),
        or_none(&payment.provider_reference),
        or_none(&payment.checkout_reference),
        amount(payment.amount_minor),
        payment.currency,
        amount(payment.captured_minor),
        amount(payment.settlement_declined_minor),
        amount(payment.refunded_minor),
        amount(payment.refunding_minor),
        payment.transaction_id,
        payment.created.to_rfc3339(),
    );
    text.push_str("\nOPERATION\tATTEMPT\tSTATE\tOUTCOME\tAMOUNT\tREFERENCE\tLOOKS\tNEXT LOOK\tACTOR\n");
    for operation in &story.operations {
        let next = operation.next_look.map_or_else(|| "-".to_owned(), |next| next.to_rfc3339());
        let state = format!("{:?}", operation.state).to_lowercase();
        text.push_str(&format!(
            "{}\t{}\t{state}\t{}\t{}\t{}\t{}\t{next}\t{}\n",
            operation.operation.name(),
            operation.attempt,
            or_none(&operation.outcome),
            operation.amount_minor.map_or_else(|| "-".to_owned(), amount),
            or_none(&operation.provider_reference),
            operation.looks,
            operation.actor.escape_debug(),
        ));
    }
    text.push_str("\nREFUND\tSTATUS\tAMOUNT\tREFERENCE\n");
    for refund in &story.refunds {
        let (status, reference) = (refund.standing.name(), or_none(&refund.provider_reference));
        text.push_str(&format!("{}\t{status}\t{}\t{reference}\n", refund.uuid, amount(refund.amount_minor)));
    }
    text.push_str("\nEVENT\tWHEN\tSTATUS\tACTOR\tBECAUSE\n");
    for event in &story.events {
        let (when, actor) = (event.created.to_rfc3339(), event.actor.escape_debug());
        let because = payment_event::because(event).unwrap_or("-").escape_debug();
        text.push_str(&format!("{}\t{when}\t{}\t{actor}\t{because}\n", event.kind, event.status));
    }
    text
}

fn refuse(error: &ResolveError) -> Exit {
    log::error!("{}", chain(error));
    match error {
        ResolveError::NoPayment
        | ResolveError::NoOperation
        | ResolveError::Never(_)
        | ResolveError::NoReference
        | ResolveError::Text(..)
        | ResolveError::Amount(_) => Exit::Settings,
        ResolveError::Settled | ResolveError::Contradicts(_) => Exit::Data,
        ResolveError::Domain(DomainError::Store(error)) => exit_of(error),
        ResolveError::Domain(_) => Exit::Software,
    }
}
