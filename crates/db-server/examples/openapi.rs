//! Writes the OpenAPI document to standard output; `./dev openapi` puts it into `docs/openapi.json`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(db_server::openapi::json().as_bytes())
}
