//! The TLS of a server, whose certificate, key, authorities and revocation lists are read again when they change.

use std::{
    fmt, fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use arc_swap::ArcSwap;
use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime, pem::PemObject},
    server::{
        ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};
use x509_parser::parse_x509_certificate;

use super::{TlsError, certificates, private_key, provider, roots_from};
use crate::server::TlsSettings;

/// What a server presents and whom it lets in, by the files as they were last readable.
pub struct ServerTls {
    settings: TlsSettings,
    provider: Arc<CryptoProvider>,
    current: ArcSwap<Loaded>,
    /// What the files held when they were last looked at, good or bad.
    seen: Mutex<u64>,
    generations: AtomicU64,
}

/// One reading of the files.
struct Loaded {
    generation: u64,
    key: Arc<CertifiedKey>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    expiry: SystemTime,
}

impl ServerTls {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TlsError`] when one cannot be used.
    pub fn open(settings: &TlsSettings) -> Result<Arc<Self>, TlsError> {
        let provider = provider();
        // Before they are read, so that a change in between is seen.
        let seen = fingerprint(settings);
        let first = load(settings, &provider, 0)?;
        Ok(Arc::new(Self {
            settings: settings.clone(),
            provider,
            current: ArcSwap::from_pointee(first),
            seen: Mutex::new(seen),
            generations: AtomicU64::new(0),
        }))
    }

    /// rustls's configuration, which asks here at each handshake.
    ///
    /// # Errors
    /// [`TlsError`] when the protocol versions cannot be had.
    pub fn config(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?;
        let demands_certificates = self.settings.client_ca.is_some();
        let builder = if demands_certificates {
            builder.with_client_cert_verifier(Arc::clone(self) as Arc<dyn ClientCertVerifier>)
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        if demands_certificates {
            // A resumed session is not asked for its certificate again, so that a revoked one would come back.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }

    /// When the first certificate of the served chain ends.
    #[must_use]
    pub fn expiry(&self) -> SystemTime {
        self.current.load().expiry
    }

    /// Reads the files again if they have changed, or in any case. What is in use stays in use when they are bad.
    pub(crate) fn refresh(&self, in_any_case: bool) {
        let found = fingerprint(&self.settings);
        {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            if *seen == found && !in_any_case {
                return;
            }
            *seen = found;
        }
        let generation = self.generations.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        match load(&self.settings, &self.provider, generation) {
            Ok(loaded) => {
                self.current.store(Arc::new(loaded));
                log::info!("server.tls: certificates and revocation lists have been read again");
            }
            Err(error) => log::error!("server.tls: what was read before stays in use: {error}"),
        }
    }

    /// Which reading of the files is in use.
    pub(crate) fn generation(&self) -> u64 {
        self.current.load().generation
    }

    /// Whether a client certificate is trusted by the files as they are now, and by which reading of them.
    pub(crate) fn trusts(&self, chain: &[CertificateDer<'_>]) -> Option<u64> {
        let current = self.current.load();
        let (end_entity, intermediates) = chain.split_first()?;
        let verifier = current.verifier.as_ref()?;
        match verifier.verify_client_cert(end_entity, intermediates, UnixTime::now()) {
            Ok(_) => Some(current.generation),
            Err(error) => {
                log::warn!("server.tls: a client's certificate is not trusted any more: {error}");
                None
            }
        }
    }

    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, rustls::Error> {
        let verifier = self.current.load().verifier.clone();
        verifier.ok_or_else(|| rustls::Error::General("no client certificates are asked for".into()))
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServerTls").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for ServerTls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.load().key))
    }
}

impl ClientCertVerifier for ServerTls {
    /// None: the authorities may change, and a client has one certificate to present anyway.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.verifier()?.verify_client_cert(end_entity, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn load(settings: &TlsSettings, provider: &Arc<CryptoProvider>, generation: u64) -> Result<Loaded, TlsError> {
    let chain = certificates(&settings.identity.certificate)?;
    let expiry = expiry(&chain, &settings.identity.certificate)?;
    let key = CertifiedKey::from_der(chain, private_key(&settings.identity.key)?, provider)?;
    let verifier =
        settings.client_ca.as_deref().map(|ca| verifier(ca, &settings.crl, provider)).transpose()?;
    Ok(Loaded { generation, key: Arc::new(key), verifier, expiry })
}

fn verifier(
    ca: &Path,
    crl: &[PathBuf],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = Arc::new(roots_from(ca)?);
    let mut lists = Vec::new();
    for path in crl {
        let fault = |source| TlsError::File { path: path.clone(), source };
        for list in CertificateRevocationListDer::pem_file_iter(path).map_err(fault)? {
            lists.push(list.map_err(fault)?);
        }
    }
    let builder = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(provider));
    Ok(builder.with_crls(lists).build()?)
}

/// The earliest end in the chain.
fn expiry(chain: &[CertificateDer<'_>], path: &Path) -> Result<SystemTime, TlsError> {
    let fault = || TlsError::Validity { path: path.to_owned() };
    let mut earliest = None;
    for certificate in chain {
        let (_, parsed) = parse_x509_certificate(certificate).map_err(|_| fault())?;
        // An end before 1970 is as much over as one in 1970.
        let seconds = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
        let end = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or_else(fault)?;
        earliest = Some(earliest.map_or(end, |before: SystemTime| before.min(end)));
    }
    earliest.ok_or_else(fault)
}

/// A digest of what the files hold. Times of change would not do: they are as coarse as the kernel's clock.
fn fingerprint(settings: &TlsSettings) -> u64 {
    let mut hasher = DefaultHasher::new();
    let identity = [&settings.identity.certificate, &settings.identity.key];
    for path in identity.into_iter().chain(&settings.client_ca).chain(&settings.crl) {
        fs::read(path).ok().hash(&mut hasher);
    }
    hasher.finish()
}
