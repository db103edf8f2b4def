//! `generate-key`: a fresh key on standard output, and nothing else.

use chassis::{exit::Exit, settings::ExposeSecret};
use clap::{Args, ValueEnum};
use db_server::crypt::EncryptionKeys;

use super::print;

#[derive(Args)]
pub(super) struct Options {
    /// What the key is for.
    #[arg(long, value_enum, default_value_t = Kind::Encryption)]
    kind: Kind,
}

/// What a key is for. All are 32 random bytes as base64url: the form of a Fernet key.
#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// database.encryption_key, a Fernet key.
    Encryption,
    /// database.lookup_key, by which encrypted values are found.
    Lookup,
    /// pin.pepper, which is mixed into the hashes of PINs.
    Pepper,
}

pub(super) fn run(options: &Options) -> Exit {
    match options.kind {
        Kind::Encryption | Kind::Lookup | Kind::Pepper => print(EncryptionKeys::generate().expose_secret()),
    }
}
