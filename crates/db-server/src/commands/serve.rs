//! `serve`.

use chassis::exit::Exit;
use db_server::{Application, settings::Settings};

use super::refuse;

pub(super) fn run(settings: Settings) -> Exit {
    actix_web::rt::System::new().block_on(serve(settings))
}

async fn serve(settings: Settings) -> Exit {
    let application = match Application::build(settings).await {
        Ok(application) => application,
        Err(error) => return refuse(&error),
    };
    match application.run_until_signal().await {
        Ok(()) => Exit::Success,
        Err(error) => {
            log::error!("the server failed: {error}");
            Exit::Software
        }
    }
}
