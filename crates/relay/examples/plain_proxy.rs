//! A reverse proxy of one worker thread and nothing but the relay, to see what the relay itself costs.

use std::io;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    web::{self, Data},
};
use chassis::base_url::BaseUrl;
use clap::Parser;
use relay::{Outgoing, Upstream, UpstreamSettings};

#[derive(Parser)]
struct Arguments {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:8081")]
    listen: String,
    /// The URL that requests go to.
    #[arg(long)]
    upstream: String,
}

#[actix_web::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let url = BaseUrl::parse(&arguments.upstream).map_err(io::Error::other)?;
    HttpServer::new(move || {
        let upstream = Upstream::new(UpstreamSettings::new(url.clone()));
        App::new().app_data(Data::new(upstream)).default_service(web::to(forward))
    })
    .workers(1)
    .tcp_nodelay(true)
    .bind(arguments.listen)?
    .run()
    .await
}

async fn forward(request: HttpRequest, payload: web::Payload, upstream: Data<Upstream>) -> HttpResponse {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let outgoing = Outgoing::from_caller(&request, payload.into_inner(), path, u64::MAX);
    match upstream.send(outgoing).await {
        Ok(answer) => relay::respond(&request, answer.status, answer.headers, answer.length, answer.body),
        Err(error) => HttpResponse::BadGateway().body(error.to_string()),
    }
}
