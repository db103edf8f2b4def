//! `migrate`.

use chassis::exit::Exit;
use db_server::{database::Database, server, settings::Settings};

use super::refuse;

pub(super) fn run(settings: Settings) -> Exit {
    actix_web::rt::System::new().block_on(async {
        match server::migrate(&Database::new(settings.database.connect)).await {
            Ok(()) => Exit::Success,
            Err(error) => refuse(&error),
        }
    })
}
