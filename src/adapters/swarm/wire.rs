//! Connections to one engine: unix socket, TCP, TLS; one request each. What may be asked is not decided here.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustix::net::sockopt;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    sync::OnceCell,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

use super::{fault, settings::Tls};
use crate::{
    adapters::feed,
    error::{Error, ErrorKind, Result},
};

/// After this long without a byte the other side is asked whether it is still there, and given up after twice that.
const SILENT: Duration = Duration::from_mins(1);

/// Where an engine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A unix socket's path.
    Unix(PathBuf),
    /// Host and port, without TLS.
    Tcp(String, u16),
    /// Host and port, with TLS.
    Tls(String, u16, Tls),
    /// What cannot be connected to, and why.
    Unusable(Error),
}

/// Connects to one engine.
pub(super) struct Wire {
    target: Target,
    address: String,
    /// Read from its files at the first connection.
    tls: OnceCell<Arc<ClientConfig>>,
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

impl Wire {
    pub(super) fn new(target: Target, address: String) -> Self {
        Self { target, address, tls: OnceCell::new() }
    }

    /// Where the engine is, for people.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The client certificate's file, where one is used.
    pub(super) fn certificate(&self) -> Option<&std::path::Path> {
        match &self.target {
            Target::Tls(_, _, tls) => tls.certificate.as_deref(),
            Target::Unix(_) | Target::Tcp(..) | Target::Unusable(_) => None,
        }
    }

    /// Sends `request` over a connection of its own; `what` names it in errors. Nothing is ever sent twice.
    pub(super) async fn send(&self, what: &str, request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let stream = self.connect().await?;
        let broken = |error: hyper::Error| fault::broken(what, &self.address, &error);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        // Ends by itself when the answer has been read or dropped.
        feed::detached(async move {
            let _ = connection.await;
        });
        let (mut parts, body) = request.into_parts();
        parts.headers.insert(header::HOST, header::HeaderValue::from_static("docker"));
        sender.send_request(Request::from_parts(parts, body)).await.map_err(broken)
    }

    async fn connect(&self) -> Result<Box<dyn Duplex>> {
        let unconnected = |error: io::Error| fault::unconnected(&self.address, &error);
        match &self.target {
            Target::Unix(path) => Ok(Box::new(UnixStream::connect(path).await.map_err(unconnected)?)),
            Target::Tcp(host, port) => Ok(Box::new(reach(host, *port).await.map_err(unconnected)?)),
            Target::Tls(host, port, tls) => {
                let config = self.tls.get_or_try_init(|| configure(tls)).await?;
                let name = ServerName::try_from(host.clone()).map_err(|error| {
                    Error::new(ErrorKind::Config, format!("`{host}` is no host name")).because(&error)
                })?;
                let plain = reach(host, *port).await.map_err(unconnected)?;
                let stream = TlsConnector::from(Arc::clone(config)).connect(name, plain).await;
                Ok(Box::new(stream.map_err(unconnected)?))
            }
            Target::Unusable(error) => Err(error.clone()),
        }
    }
}

/// A connection that notices when the other side has gone without a word. A followed log may have nothing to say for
/// days, and a router on the way forgets who is silent.
async fn reach(host: &str, port: u16) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    sockopt::set_socket_keepalive(&stream, true)?;
    sockopt::set_tcp_keepidle(&stream, SILENT)?;
    sockopt::set_tcp_keepintvl(&stream, SILENT / 4)?;
    sockopt::set_tcp_keepcnt(&stream, 4)?;
    Ok(stream)
}

/// TLS from the files in `tls`: its authority, or the system's where it names none.
async fn configure(tls: &Tls) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    match &tls.authority {
        Some(path) => {
            for certificate in certificates(path).await? {
                roots.add(certificate).map_err(|error| bad_file(path, &error))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::new(ErrorKind::Internal, "TLS cannot be set up").because(&error))?
        .with_root_certificates(roots);
    let config = match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate).await?;
            let pem = read(key).await?;
            let secret = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| bad_file(key, &error))?;
            builder.with_client_auth_cert(chain, secret).map_err(|error| bad_file(certificate, &error))?
        }
        (Some(path), None) | (None, Some(path)) => {
            return Err(Error::new(ErrorKind::Config, format!("{} has no partner", path.display()))
                .hint("a client certificate needs both `certificate` and `key`"));
        }
        (None, None) => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

async fn certificates(path: &PathBuf) -> Result<Vec<CertificateDer<'static>>> {
    let pem = read(path).await?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if found.is_empty() => {
            Err(Error::new(ErrorKind::Config, format!("{} holds no certificate", path.display()))
                .hint("a PEM file with at least one CERTIFICATE is needed"))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(bad_file(path, &error)),
    }
}

async fn read(path: &PathBuf) -> Result<Vec<u8>> {
    tokio::fs::read(path).await.map_err(|error| bad_file(path, &error))
}

fn bad_file(path: &std::path::Path, source: &(dyn std::error::Error + 'static)) -> Error {
    Error::new(ErrorKind::Config, format!("{} cannot be used", path.display()))
        .hint("see `tls` in the configuration, or DOCKER_CERT_PATH")
        .because(source)
}
