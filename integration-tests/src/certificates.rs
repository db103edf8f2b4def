//! Certificates for development: an authority, one certificate for each half, and the key pair of the identity.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

use chrono::{Datelike, Days, Utc};
use clap::Args;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ED25519,
    RevocationReason, RevokedCertParams, SerialNumber, date_time_ymd,
};
use thiserror::Error;

/// `certs`.
#[derive(Args, Clone, Debug)]
pub struct CertificateOptions {
    /// The folder to make them in.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Instead, write a revocation list of the authority that is in there; repeat it for several. Each list is new:
    /// who is not named is not revoked any more.
    #[arg(long, value_name = "NAME", value_parser = ["provider-proxy", "db-server"])]
    pub revoke: Vec<String>,
}

/// Why certificates cannot be made.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be written or read, or is there already.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate or key cannot be made or read.
    #[error("the certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// A certificate and its key in the folder.
struct Subject {
    name: &'static str,
    /// An authority is made for each folder, so that its few certificates can be numbered.
    serial: u64,
    names: &'static [&'static str],
    usage: ExtendedKeyUsagePurpose,
}

const PROVIDER_PROXY: Subject = Subject {
    name: "provider-proxy",
    serial: 1,
    names: &["provider-proxy", "localhost", "127.0.0.1"],
    usage: ExtendedKeyUsagePurpose::ServerAuth,
};
const DB_SERVER: Subject = Subject {
    name: "db-server",
    serial: 2,
    names: &["db-server"],
    usage: ExtendedKeyUsagePurpose::ClientAuth,
};

/// How long certificates and lists are good.
const LIFE: Days = Days::new(365);

/// Runs the command and gives the exit code.
#[must_use]
pub fn run(options: &CertificateOptions) -> ExitCode {
    let (folder, revoked) = (&options.folder, &options.revoke);
    let done = if revoked.is_empty() { make(folder) } else { revoke(folder, revoked) };
    match done {
        Ok(()) if revoked.is_empty() => println!("{}", greeting(folder)),
        Ok(()) => println!("crl.pem in {} lists {}", folder.display(), revoked.join(", ")),
        Err(error) => {
            eprintln!("local-pair: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Makes all files in a folder; none is overwritten.
///
/// # Errors
/// [`CertificateError`]; when a file is there already, nothing has been written.
pub fn make(folder: &Path) -> Result<(), CertificateError> {
    let authority_key = KeyPair::generate()?;
    let authority = CertifiedIssuer::self_signed(authority_parameters()?, authority_key)?;
    let identity = new_identity_key();
    let mut files = vec![
        ("ca.pem".to_owned(), authority.pem()),
        ("ca.key".to_owned(), authority.key().serialize_pem()),
        ("crl.pem".to_owned(), revocation_list(&authority, &[])?),
        ("identity-public.pem".to_owned(), public_half(&identity)?),
        ("identity-private.pem".to_owned(), identity),
    ];
    for subject in [PROVIDER_PROXY, DB_SERVER] {
        let key = KeyPair::generate()?;
        let certificate = subject.parameters()?.signed_by(&key, &authority)?;
        files.push((format!("{}.pem", subject.name), certificate.pem()));
        files.push((format!("{}.key", subject.name), key.serialize_pem()));
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fault(folder))?;
    for path in files.iter().map(|(name, _)| folder.join(name)) {
        if path.symlink_metadata().is_ok() {
            return Err(fault(&path)(io::ErrorKind::AlreadyExists.into()));
        }
    }
    for (name, content) in files {
        write_new(&folder.join(name), &content)?;
    }
    Ok(())
}

/// Replaces the folder's revocation list with one of these names.
///
/// # Errors
/// [`CertificateError`].
pub fn revoke(folder: &Path, names: &[String]) -> Result<(), CertificateError> {
    let key = folder.join("ca.key");
    let key = KeyPair::from_pem(&fs::read_to_string(&key).map_err(fault(&key))?)?;
    let authority = Issuer::new(authority_parameters()?, key);
    let revoked = [PROVIDER_PROXY, DB_SERVER].map(|subject| (subject.serial, subject.name));
    let serials: Vec<_> = revoked
        .into_iter()
        .filter(|(_, name)| names.iter().any(|wanted| wanted == name))
        .map(|(serial, _)| serial)
        .collect();
    let path = folder.join("crl.pem");
    let unfinished = folder.join("crl.unfinished");
    write_new(&unfinished, &revocation_list(&authority, &serials)?)?;
    fs::rename(unfinished, &path).map_err(fault(&path))
}

/// A new private key of an identity: Ed25519, in PEM.
///
/// # Panics
/// When the system gives no random numbers.
#[must_use]
pub fn new_identity_key() -> String {
    KeyPair::generate_for(&PKCS_ED25519).expect("the system gives random numbers").serialize_pem()
}

/// The public half of a private key, in PEM.
///
/// # Errors
/// [`CertificateError::Certificate`] when it is no private key.
pub fn public_half(private_key: &str) -> Result<String, CertificateError> {
    Ok(KeyPair::from_pem(private_key)?.public_key_pem())
}

impl Subject {
    fn parameters(&self) -> Result<CertificateParams, CertificateError> {
        let names: Vec<_> = self.names.iter().map(|&name| name.to_owned()).collect();
        let mut parameters = CertificateParams::new(names)?;
        parameters.distinguished_name.push(DnType::CommonName, self.name);
        parameters.serial_number = Some(SerialNumber::from(self.serial));
        parameters.extended_key_usages = vec![self.usage.clone()];
        parameters.use_authority_key_identifier_extension = true;
        limit_life(&mut parameters);
        Ok(parameters)
    }
}

fn authority_parameters() -> Result<CertificateParams, CertificateError> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.distinguished_name.push(DnType::CommonName, "solitude development authority");
    limit_life(&mut parameters);
    Ok(parameters)
}

fn revocation_list(authority: &Issuer<'_, KeyPair>, serials: &[u64]) -> Result<String, CertificateError> {
    let [this_update, next_update] = life().map(|(year, month, day)| date_time_ymd(year, month, day));
    let revoked = |&serial: &u64| RevokedCertParams {
        serial_number: SerialNumber::from(serial),
        revocation_time: this_update,
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let parameters = CertificateRevocationListParams {
        this_update,
        next_update,
        crl_number: SerialNumber::from(u64::try_from(Utc::now().timestamp_millis()).unwrap_or(0)),
        issuing_distribution_point: None,
        revoked_certs: serials.iter().map(revoked).collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(parameters.signed_by(authority)?.pem()?)
}

/// The day before today, for clocks that are late, and the last day.
fn life() -> [(i32, u8, u8); 2] {
    let today = Utc::now().date_naive();
    [today - Days::new(1), today + LIFE].map(|day| {
        let small = |number: u32| u8::try_from(number).unwrap_or(1);
        (day.year(), small(day.month()), small(day.day()))
    })
}

fn limit_life(parameters: &mut CertificateParams) {
    let [begin, end] = life().map(|(year, month, day)| date_time_ymd(year, month, day));
    (parameters.not_before, parameters.not_after) = (begin, end);
}

fn write_new(path: &Path, content: &str) -> Result<(), CertificateError> {
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    open.and_then(|mut file| file.write_all(content.as_bytes())).map_err(fault(path))
}

fn fault(path: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    let path = path.to_owned();
    move |source| CertificateError::File { path, source }
}

fn greeting(folder: &Path) -> String {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    format!(
        r#"A development authority, both halves' certificates and the key pair of the identity are in {folder}.
They are good for 365 days. For provider-proxy:

[server.tls]
certificate = "{folder}/provider-proxy.pem"
key = "{folder}/provider-proxy.key"
client_ca = "{folder}/ca.pem"
crl = ["{folder}/crl.pem"]
[identity]
public_keys = ["{folder}/identity-public.pem"]
[callers.db-server]
san = "db-server"
targets = ["*"]
operations = ["*"]

For db-server:

[proxy]
url = "https://localhost:2603"
ca = "{folder}/ca.pem"
certificate = "{folder}/db-server.pem"
key = "{folder}/db-server.key"
[proxy.identity]
private_key = {{ file = "{folder}/identity-private.pem" }}"#,
        folder = folder.display()
    )
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, os::unix::fs::PermissionsExt};

    use super::*;

    fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    #[test]
    fn the_files_are_their_owners_alone_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("certs");
        make(&folder).unwrap();
        let before = contents(&folder);
        assert_eq!(before.len(), 9);
        for path in before.keys() {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
        }
        let error = make(&folder).unwrap_err();
        assert!(
            matches!(&error, CertificateError::File { source, .. }
            if source.kind() == io::ErrorKind::AlreadyExists),
            "{error}"
        );
        fs::remove_file(folder.join("ca.pem")).unwrap();
        make(&folder).unwrap_err();
        assert!(!folder.join("ca.pem").exists());
        assert!(contents(&folder).iter().all(|(path, content)| before[path] == *content));
    }

    #[test]
    fn a_revocation_list_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path()).unwrap();
        let before = contents(folder.path());
        revoke(folder.path(), &["db-server".to_owned()]).unwrap();
        let after = contents(folder.path());
        let changed: Vec<_> = after.iter().filter(|(path, content)| before[*path] != **content).collect();
        assert_eq!(changed.len(), 1);
        assert!(changed[0].0.ends_with("crl.pem"));
    }
}
