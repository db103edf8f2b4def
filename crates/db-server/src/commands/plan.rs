//! `db-server plan`: what products cost, and which need a subscription.

use chassis::exit::Exit;
use clap::{Args, Subcommand};
use db_server::{
    database::Database,
    domain::plan::{self, Plan, PlanError},
    error::chain,
    settings::Settings,
};
use wire::{Currency, Money};

use super::{exit_of, print};

/// What to do about the plans of products.
#[derive(Args)]
pub(crate) struct PlanArguments {
    #[command(subcommand)]
    command: PlanCommand,
}

#[derive(Subcommand)]
enum PlanCommand {
    /// Say what a product costs, or say it anew. Payments of another amount, or of another kind, are refused from then
    /// on. A subscription's plan at the provider has the product's public id, and is to be set up there.
    Set {
        /// The public id of the product.
        product: String,
        /// What it costs each time, such as 10.00; without it any amount may be paid.
        #[arg(long)]
        amount: Option<String>,
        /// The currency (ISO 4217).
        #[arg(long, value_parser = currency, default_value = "USD")]
        currency: Currency,
        /// It is charged again and again, so that it needs a subscription.
        #[arg(long)]
        recurring: bool,
    },
    /// List the plans: product, amount, currency, whether it is recurring.
    List,
    /// Forget what a product costs: any amount may be paid for it then, once or again and again.
    Remove {
        /// The public id of the product.
        product: String,
    },
}

fn currency(code: &str) -> Result<Currency, wire::MoneyError> {
    Currency::parse(code)
}

/// Runs the command. 0 when it is done, 64 when it cannot be done so, 129 when Postgres is out of reach.
pub(crate) async fn run(settings: Settings, arguments: PlanArguments) -> Exit {
    let database = Database::new(settings.database.connect);
    let done = match arguments.command {
        PlanCommand::Set { product, amount, currency, recurring } => {
            let plan = match amount.map(|amount| read_amount(&amount, currency)).transpose() {
                Ok(amount) => Plan { amount, currency, recurring },
                Err(message) => {
                    log::error!("--amount: {message}");
                    return Exit::Settings;
                }
            };
            plan::set(&database, product.clone(), plan).await.map(|()| format!("set: {product}"))
        }
        PlanCommand::List => plan::list(&database).await.map(|plans| table(&plans)),
        PlanCommand::Remove { product } => {
            plan::remove(&database, product.clone()).await.map(|()| format!("removed: {product}"))
        }
    };
    match done {
        Ok(text) => print(text.trim_end()),
        Err(error) => refuse(&error),
    }
}

fn read_amount(text: &str, currency: Currency) -> Result<Money, String> {
    let amount = Money::parse(text, currency).map_err(|error| error.to_string())?;
    if (1..=999_999_999).contains(&amount.minor_units) {
        Ok(amount)
    } else {
        Err("more than 0, and at most 9 digits".to_owned())
    }
}

/// One line a plan, tabs between the columns: for people and for cut(1).
fn table(plans: &[(String, Plan)]) -> String {
    let mut text = "PRODUCT\tAMOUNT\tCURRENCY\tRECURRING\n".to_owned();
    for (product, plan) in plans {
        let amount = plan.amount.map_or_else(|| "any".to_owned(), |amount| amount.decimal());
        text.push_str(&format!("{product}\t{amount}\t{}\t{}\n", plan.currency, plan.recurring));
    }
    text
}

fn refuse(error: &PlanError) -> Exit {
    log::error!("{}", chain(error));
    match error {
        PlanError::NoProduct | PlanError::NoPlan => Exit::Settings,
        PlanError::Store(error) => exit_of(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_more_than_nothing_and_has_the_decimals_of_its_currency() {
        let usd = Currency::parse("USD").unwrap();
        assert_eq!(read_amount("10", usd).unwrap().decimal(), "10.00");
        for text in ["0", "0.00", "-1", "1.001", "ten", "99999999.99"] {
            assert!(read_amount(text, usd).is_err(), "{text}");
        }
    }
}
