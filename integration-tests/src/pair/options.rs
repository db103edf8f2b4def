//! The arguments of the two commands.

use std::path::PathBuf;

use clap::Args;

/// `demo`.
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// Print one JSON object as the last line.
    #[arg(long)]
    pub json: bool,
}

/// `up`.
#[derive(Args, Clone, Debug)]
pub struct UpOptions {
    /// Where the pair keeps its data, its secrets and pair.json.
    #[arg(long, value_name = "DIR", default_value = ".local", overrides_with = "state")]
    pub state: PathBuf,
    /// db-server's port; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 2602)]
    pub db_port: u16,
    /// provider-proxy's port; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 2603)]
    pub proxy_port: u16,
    /// The sandbox's port; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 2604)]
    pub sandbox_port: u16,
    /// A TOML file to merge over db-server's generated settings.
    #[arg(long, value_name = "FILE")]
    pub db_settings: Option<PathBuf>,
    /// A TOML file to merge over provider-proxy's generated settings.
    #[arg(long, value_name = "FILE")]
    pub proxy_settings: Option<PathBuf>,
}
