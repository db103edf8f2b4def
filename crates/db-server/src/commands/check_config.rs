//! `check-config`: the settings have been read by now, so what is left are the files that they name.

use chassis::exit::Exit;
use db_server::{error::chain, server, settings::Settings};

use super::print;

pub(super) fn run(settings: &Settings) -> Exit {
    match server::check(settings) {
        Ok(_) => print("the settings are good"),
        Err(error) => {
            eprintln!("{}", chain(&error));
            error.exit()
        }
    }
}
