//! Where to ask: an `http` or `https` address, taken apart once.

use std::fmt;

use http::Uri;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::error::{Error, ErrorKind, Result};

/// An address that can be asked. Holds no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    encrypted: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Address {
    /// Reads `http://host[:port][/path[?query]]`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::new(ErrorKind::Config, format!("the address cannot be asked: {why}"))
                .hint("write it as https://host/path, without user and password")
        };
        let uri: Uri = text.trim().parse().map_err(|_| wrong("it is not an address"))?;
        let encrypted = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) | None => return Err(wrong("it does not begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("it holds a user or password"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        // A port that is no number is left out by the parser, in silence.
        let port = match (authority.port_u16(), authority.as_str().rsplit_once(':')) {
            (Some(port), _) => port,
            (None, Some((_, port))) if !port.ends_with(']') && !port.is_empty() => {
                return Err(wrong("its port is no port"));
            }
            (None, Some(_) | None) if encrypted => 443,
            (None, Some(_) | None) => 80,
        };
        let path = uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        let path = if path.is_empty() { "/".to_owned() } else { path };
        Ok(Self { encrypted, host, port, authority: authority.as_str().to_owned(), path })
    }

    /// Whether it is asked over TLS.
    pub(crate) const fn encrypted(&self) -> bool {
        self.encrypted
    }

    /// The name or number of the machine.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Host and port as the `host` header has them.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// Path and query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The name its certificate must be for.
    pub(crate) fn server_name(&self) -> Result<ServerName<'static>> {
        ServerName::try_from(self.host.clone())
            .map_err(|_| Error::new(ErrorKind::Config, format!("{} cannot be the name in a certificate", self.host)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encrypted { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let read = |text| Address::parse(text).map(|it| (it.encrypted, it.host.clone(), it.port, it.path.clone())).ok();
        assert_eq!(read("http://auth.example"), Some((false, "auth.example".into(), 80, "/".into())));
        assert_eq!(read("https://[::1]:8443/health?full=1"), Some((true, "::1".into(), 8443, "/health?full=1".into())));
        assert_eq!(read("https://[2001:db8::2]"), Some((true, "2001:db8::2".into(), 443, "/".into())));
        let wrong = ["", "auth/health", "ftp://a/", "http://", "http://me:secret@a/", "http://a:99999/", "http://a b/"];
        for text in wrong {
            let error = Address::parse(text).expect_err(text);
            assert!(error.kind == ErrorKind::Config && !error.to_string().contains("secret"), "{text}: {error}");
        }
        assert_eq!(Address::parse("https://a:1/b?c").map(|it| it.to_string()).ok().as_deref(), Some("https://a:1/b?c"));
    }
}
