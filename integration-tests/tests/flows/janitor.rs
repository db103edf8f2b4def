//! What a janitor and an operator's commands work with, over the database of a pair.

use actix_web::web::Data;
use chassis::environment::Environment;
use chrono::{TimeDelta, Utc};
use db_server::{
    domain::{Clock, Domain, payment::janitor},
    proxy_client::ProxyClient,
    server, settings,
};
use integration_tests::in_process::{Pair, db_server_settings};
use toml::Table;

/// Where nobody listens, for those who ask no provider.
pub const NO_PROXY: &str = "http://127.0.0.1:1";

/// The settings of another db-server of the pair, which reaches provider-proxy at this URL.
pub fn table(pair: &Pair, proxy: &str) -> Table {
    let database = pair.database.as_ref().unwrap();
    db_server_settings(&database.socket_folder(), database.name(), proxy, &pair.dummies)
}

async fn tools(pair: &Pair, proxy: &str, clock: Clock) -> (Data<Domain>, ProxyClient) {
    let settings = settings::read(table(pair, proxy), Environment::default()).unwrap();
    server::tools(settings, clock).await.unwrap()
}

/// What a db-server works with that asks no provider, and whose clock is ahead.
pub async fn domain(pair: &Pair, ahead: TimeDelta) -> Data<Domain> {
    tools(pair, NO_PROXY, Clock::new(move || Utc::now() + ahead)).await.0
}

/// One pass of a janitor whose clock is ahead, and which reaches provider-proxy at this URL; gives how much it has looked
/// at.
pub async fn pass(pair: &Pair, proxy: &str, ahead: TimeDelta) -> usize {
    let domain = domain(pair, ahead).await;
    // Only the janitor's time is ahead: provider-proxy believes no token of the future.
    let (_, proxy) = tools(pair, proxy, Clock::system()).await;
    janitor::pass(&domain, &proxy).await.unwrap()
}

/// One pass of a janitor whose clock is ahead; gives how much it has looked at.
pub async fn look(pair: &Pair, ahead: TimeDelta) -> usize {
    pass(pair, pair.provider_proxy.url(), ahead).await
}
