//! `db-server client`: the clients in the database.

use std::io::{self, Write};

use chassis::{exit::Exit, settings::ExposeSecret};
use clap::{Args, Subcommand, ValueEnum};
use db_server::{
    cache::Cache,
    database::Database,
    domain::api_client::{self, ClientError, Proof},
    error::chain,
    settings::{Role, Settings},
    store::StoreError,
};

/// What to do about the clients in the database.
#[derive(Args)]
pub(crate) struct ClientArguments {
    #[command(subcommand)]
    command: ClientCommand,
}

#[derive(Subcommand)]
enum ClientCommand {
    /// Add a client, and print its key and its secret, which are not shown again.
    Add {
        /// What people call it: letters, digits, '_' and '-'. Its key is this and a random part.
        name: String,
        /// What it may do; may be given more than once. None implies another.
        #[arg(long = "role", value_name = "ROLE", required = true)]
        roles: Vec<RoleArgument>,
        /// Give it a bearer key, for a client that does not speak OAuth 1.0a.
        #[arg(long)]
        bearer: bool,
    },
    /// List the clients: key, name, roles, how they prove who they are, whether they may call, since when.
    List,
    /// Take from a client the right to call; all running servers refuse it within 5 s.
    Disable {
        /// Its name, or its key when several share the name.
        #[arg(value_name = "NAME|KEY")]
        client: String,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum RoleArgument {
    Read,
    Write,
    Refund,
    Admin,
}

impl From<RoleArgument> for Role {
    fn from(role: RoleArgument) -> Self {
        match role {
            RoleArgument::Read => Self::Read,
            RoleArgument::Write => Self::Write,
            RoleArgument::Refund => Self::Refund,
            RoleArgument::Admin => Self::Admin,
        }
    }
}

/// Runs the command. 0 when it is done, 64 when there is no such client, 129 when Postgres is out of reach.
pub(crate) async fn run(settings: Settings, arguments: ClientArguments) -> Exit {
    let database = Database::new(settings.database.connect);
    let keys = settings.database.keys;
    let done = match arguments.command {
        ClientCommand::Add { name, roles, bearer } => {
            let mut roles: Vec<Role> = roles.into_iter().map(Role::from).collect();
            roles.sort_by_key(|role| role.name());
            roles.dedup();
            let proof = if bearer { Proof::Bearer } else { Proof::OAuth };
            let created = api_client::create(&database, &keys, &name, &roles, proof).await;
            created.map(|created| {
                let label = if bearer { "bearer" } else { "secret" };
                format!("key: {}\n{label}: {}\n", created.key, created.credential.expose_secret())
            })
        }
        ClientCommand::List => api_client::list(&database).await.map(table).map_err(ClientError::from),
        ClientCommand::Disable { client } => {
            let cache = database.sealed(Cache::new(settings.redis), keys);
            api_client::disable(&database, &cache, &client).await.map(|key| format!("disabled: {key}\n"))
        }
    };
    match done {
        Ok(text) => print(&text),
        Err(error) => refuse(&error),
    }
}

/// One line a client, tabs between the columns: for people and for cut(1).
fn table(clients: Vec<db_server::store::api_client::ApiClientRow>) -> String {
    let mut text = "KEY\tNAME\tROLES\tPROOF\tACTIVE\tCREATED\n".to_owned();
    for client in clients {
        let proof = if client.secret.is_some() { "oauth" } else { "bearer" };
        let (roles, created) = (client.roles.join(","), client.created.format("%Y-%m-%dT%H:%M:%SZ"));
        let columns =
            format!("{}\t{}\t{roles}\t{proof}\t{}\t{created}\n", client.key, client.name, client.active);
        text.push_str(&columns);
    }
    text
}

fn print(text: &str) -> Exit {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => Exit::Success,
        Err(error) => {
            log::error!("cannot print: {error}");
            Exit::Software
        }
    }
}

fn refuse(error: &ClientError) -> Exit {
    log::error!("{}", chain(error));
    match error {
        ClientError::Name | ClientError::Unknown | ClientError::Several(_) => Exit::Settings,
        ClientError::Store(StoreError::Unreachable(_) | StoreError::Busy(_)) => Exit::DependencyDown,
        ClientError::Random | ClientError::Store(_) => Exit::Software,
    }
}
