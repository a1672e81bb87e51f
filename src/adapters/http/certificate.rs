//! Whom to believe, and what a server showed: its certificate is read whether or not it can be trusted, since its end
//! is health.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use tokio_rustls::rustls::{
    self, CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use x509_parser::{extensions::GeneralName, prelude::FromDer as _, prelude::X509Certificate};

use crate::{
    error::{Error, ErrorKind, Result},
    fleet::{Text, Timestamp},
};

/// What is known of a certificate that a server showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    /// Whom it is for.
    pub(crate) subject: Text,
    /// Who signed it.
    pub(crate) issuer: Text,
    /// The names it is good for.
    pub(crate) names: Vec<Text>,
    /// Since when.
    pub(crate) from: Option<Timestamp>,
    /// Until when.
    pub(crate) until: Option<Timestamp>,
    /// Why it cannot be trusted, where it cannot.
    pub(crate) distrust: Option<Text>,
}

/// Whom to believe. Reading the system's authorities takes a while, so it happens once, when first needed.
#[derive(Debug)]
pub(crate) struct Trust {
    authorities: Option<PathBuf>,
    /// Whether any certificate is good enough.
    blind: Blind,
    verifier: OnceLock<Result<Arc<WebPkiServerVerifier>>>,
}

/// Whether a certificate that cannot be trusted ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blind {
    /// It does.
    No,
    /// It is noted and taken.
    Yes,
}

impl Trust {
    /// The authorities in the PEM file `authorities`, or those of the system.
    pub(crate) const fn new(authorities: Option<PathBuf>, blind: Blind) -> Self {
        Self { authorities, blind, verifier: OnceLock::new() }
    }

    /// One look at one server's certificate. Blocks on files the first time.
    pub(super) fn witness(&self) -> Witness {
        let verifier = self.verifier.get_or_init(|| verifier(self.authorities.as_deref())).clone();
        Witness(Arc::new(Look { verifier, blind: self.blind, seen: Mutex::default() }))
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(ring::default_provider())))
}

fn verifier(authorities: Option<&Path>) -> Result<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = authorities {
        let unusable = |cause: &(dyn std::error::Error + 'static)| {
            Error::new(ErrorKind::Config, format!("no authority can be read from {}", path.display())).because(cause)
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| unusable(&cause))? {
            roots.add(certificate.map_err(|cause| unusable(&cause))?).map_err(|cause| unusable(&cause))?;
        }
    } else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build().map_err(|cause| {
        Error::new(ErrorKind::Config, "there is no certificate authority to believe")
            .because(&cause)
            .hint("install the system's ca-certificates, or name a file with `ca_file`")
    })
}

/// Sees one server's certificate.
#[derive(Debug, Clone)]
pub(super) struct Witness(Arc<Look>);

#[derive(Debug)]
struct Look {
    verifier: Result<Arc<WebPkiServerVerifier>>,
    blind: Blind,
    seen: Mutex<Option<Certificate>>,
}

impl Witness {
    /// A TLS configuration for one connection. Never shared, so no session is resumed and every handshake shows a
    /// certificate.
    pub(super) fn configuration(&self) -> Result<Arc<ClientConfig>> {
        if self.0.blind == Blind::No {
            self.0.verifier.clone()?;
        }
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let builder =
            builder.map_err(|cause| Error::new(ErrorKind::Internal, "TLS cannot be set up").because(&cause))?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&self.0) as _;
        let configuration = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        Ok(Arc::new(configuration))
    }

    /// What it saw.
    pub(super) fn seen(&self) -> Option<Certificate> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Look {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = match &self.verifier {
            Ok(verifier) => verifier.verify_server_cert(leaf, between, name, ocsp, now),
            Err(_) => Err(CertificateError::UnknownIssuer.into()),
        };
        let mut certificate = read(leaf);
        certificate.distrust = verdict.as_ref().err().map(|cause| Text::from(distrust(cause)));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(certificate);
        match self.blind {
            Blind::Yes => Ok(ServerCertVerified::assertion()),
            Blind::No => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &provider().signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &provider().signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

fn read(leaf: &CertificateDer<'_>) -> Certificate {
    let Ok((_, parsed)) = X509Certificate::from_der(leaf) else {
        return Certificate {
            subject: Text::default(),
            issuer: Text::default(),
            names: Vec::new(),
            from: None,
            until: None,
            distrust: None,
        };
    };
    let names = parsed.subject_alternative_name().ok().flatten().map(|it| &it.value.general_names);
    let name = |it: &GeneralName<'_>| {
        if let GeneralName::DNSName(name) = it {
            return Some(Text::clean(name));
        }
        let GeneralName::IPAddress(bytes) = it else { return None };
        let four: Option<[u8; 4]> = (*bytes).try_into().ok();
        let sixteen: Option<[u8; 16]> = (*bytes).try_into().ok();
        let address = four.map(IpAddr::from).or_else(|| sixteen.map(IpAddr::from))?;
        Some(Text::from(address.to_string()))
    };
    let at = |seconds: i64| Some(Timestamp(seconds.checked_mul(1_000)?));
    Certificate {
        subject: Text::from(parsed.subject().to_string()),
        issuer: Text::from(parsed.issuer().to_string()),
        names: names.into_iter().flatten().filter_map(name).take(20).collect(),
        from: at(parsed.validity().not_before.timestamp()),
        until: at(parsed.validity().not_after.timestamp()),
        distrust: None,
    }
}

/// Why a certificate cannot be trusted, in a short sentence.
fn distrust(cause: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(why) = cause else { return format!("its certificate is refused: {cause}") };
    let said = if matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. }) {
        "its certificate has expired"
    } else if matches!(why, CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) {
        "its certificate is not valid yet"
    } else if matches!(why, CertificateError::UnknownIssuer) {
        "its certificate is signed by nobody we know"
    } else if matches!(why, CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) {
        "its certificate is for another name"
    } else {
        return format!("its certificate is refused: {why}");
    };
    said.to_owned()
}

/// Why a TLS connection did not come about.
pub(super) fn failure(cause: &std::io::Error) -> Error {
    let tls = cause.get_ref().and_then(|it| it.downcast_ref::<rustls::Error>());
    match tls {
        Some(it @ rustls::Error::InvalidCertificate(_)) => Error::new(ErrorKind::Unreachable, distrust(it)).because(it),
        Some(rustls::Error::InvalidMessage(_)) => {
            Error::new(ErrorKind::Unreachable, "the answer is not TLS").because(cause).hint("is it http, not https?")
        }
        Some(it) => Error::new(ErrorKind::Unreachable, format!("no TLS: {it}")),
        None => Error::new(ErrorKind::Unreachable, "closed while TLS was being set up").because(cause),
    }
}
