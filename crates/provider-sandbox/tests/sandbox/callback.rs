//! The consumer's callback: a server that keeps what is posted to it.

use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, rt};
use serde::Deserialize;

#[derive(Clone, Default)]
pub(crate) struct Posted(Arc<Mutex<Vec<(String, String)>>>);

#[derive(Deserialize)]
struct NoticeForm {
    signed_notice: String,
}

impl Posted {
    /// The path and the signed notice of every post.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }
}

/// Starts one that answers with `status`; gives its URL and what arrives there.
pub(crate) fn start(status: u16) -> (String, Posted) {
    let posted = Posted::default();
    let (data, status) = (Data::new(posted.clone()), StatusCode::from_u16(status).unwrap());
    let server = HttpServer::new(move || {
        App::new().app_data(data.clone()).default_service(web::post().to(
            move |request: HttpRequest, posted: Data<Posted>, form: Form<NoticeForm>| async move {
                let notice = (request.path().to_owned(), form.into_inner().signed_notice);
                posted.0.lock().unwrap().push(notice);
                HttpResponse::build(status).finish()
            },
        ))
    })
    .workers(1)
    .disable_signals()
    .bind("127.0.0.1:0")
    .unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    drop(rt::spawn(server.run()));
    (url, posted)
}
