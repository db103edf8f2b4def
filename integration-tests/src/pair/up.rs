//! `up`: the pair in the foreground.

use std::path::Path;

use super::{
    PairError, UpOptions, running::Pair, secrets::write_private, signals::StopSignals, state::State,
};

/// Runs the pair until it is told to stop, or until one of its servers dies.
pub(super) async fn run(options: &UpOptions) -> Result<(), PairError> {
    let mut signals = StopSignals::listen().map_err(PairError::file("signals"))?;
    let state = State::take(&options.state)?;
    // Told to stop before it is ready: what has been started ends with its guards.
    let pair = tokio::select! {
        pair = Pair::start(options, &state, true) => pair?,
        () = signals.next() => return Ok(()),
    };
    let file = state.pair_file();
    let description = format!("{:#}", pair.description());
    write_private(&file, &description).map_err(PairError::file(&file))?;
    println!("{}", greeting(&pair, &file));
    let outcome = tokio::select! {
        died = pair.one_died() => Err(died),
        () = signals.next() => {
            println!("local-pair: stopping");
            Ok(())
        }
    };
    state.remove_pair_file()?;
    // A second signal ends everything at once.
    let stopped = tokio::select! {
        stopped = pair.stop() => stopped,
        () = signals.next() => Ok(()),
    };
    outcome.and(stopped)
}

fn greeting(pair: &Pair, file: &Path) -> String {
    let (db_server, file) = (pair.db_server(), file.display());
    let described = pair.description();
    let url = |name: &str| described[name].as_str().unwrap_or_default().to_owned();
    format!(
        r#"
Solitude is up.
    db-server        {db_server}
    provider-proxy   {proxy}
    sandbox          {sandbox}   (a page with the ledger, and the payments that wait for their payer)
    postgres         psql '{postgres}'
    pair.json        {file}
                     (these URLs, the client's key and secret, the process ids)

Try:
    curl {db_server}/services/status/

    A payment, with the Python package requests-oauthlib, which signs the requests:

python3 - <<'END'
import json, uuid
from requests_oauthlib import OAuth1Session
pair = json.load(open("{file}"))
client = OAuth1Session(pair["client"]["key"], pair["client"]["secret"])
new = lambda: str(uuid.uuid4())
post = lambda path, body: client.post(pair["db_server"] + path, json=body, headers={{"Idempotency-Key": new()}}).json()
seller = post("/generic/seller/", {{"uuid": new()}})["resource_uri"]
product = post("/generic/product/", {{"seller": seller, "external_id": "sword", "public_id": new()}})["resource_uri"]
print(post("/payments/", {{
    "provider": "stripe", "nonce": "pm_card_visa", "amount": "10.00", "currency": "EUR", "seller_product": product}}))
END

    More of that, with captures, refunds, a checkout and events:

python3 docs/examples/payment.py {file}

Ctrl-C stops everything; the data stays for the next time.
"#,
        proxy = url("provider_proxy"),
        sandbox = url("sandbox"),
        postgres = url("postgres"),
    )
}
