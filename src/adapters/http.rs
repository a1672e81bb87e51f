//! The little HTTP that adapters without a client library of their own need: one GET over a connection of its own.
//! Redirects are answers, bodies are cut at a limit, and a certificate is read whether it can be trusted or not.

mod address;
mod certificate;
#[cfg(test)]
pub(crate) mod wire;

use std::{pin::pin, time::Duration};

use futures_util::{
    StreamExt as _,
    future::{Either, select},
    stream::FuturesUnordered,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Empty};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
};
use tokio_rustls::TlsConnector;

pub(crate) use self::{
    address::Address,
    certificate::{Blind, Certificate, Trust},
};
use super::feed;
use crate::error::{Error, ErrorKind};

/// The next address of a name is tried after this long, beside the one before it: a dead IPv6 route costs no more.
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// Where.
    pub(crate) address: &'a Address,
    /// Headers beside `host`, `connection` and `user-agent`.
    pub(crate) headers: &'a HeaderMap,
    /// Whom to believe, for `https`.
    pub(crate) trust: &'a Trust,
    /// How long everything may take.
    pub(crate) patience: Duration,
    /// How much of the body is read.
    pub(crate) limit: usize,
}

/// What came of it.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The answer, or in a short sentence why there is none.
    pub(crate) answer: Result<Answer, Error>,
    /// The server's certificate, where it showed one.
    pub(crate) certificate: Option<Certificate>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// `200`.
    pub(crate) status: u16,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body, up to the limit.
    pub(crate) body: Vec<u8>,
    /// Whether there is more of the body than the limit.
    pub(crate) cut: bool,
}

/// Asks once. Nothing is sent twice, whatever happens.
pub(crate) async fn get(ask: Ask<'_>) -> Outcome {
    let watch = feed::Stopwatch::start();
    let mut shown = None;
    let exchange = async {
        let stream = connect(ask.address).await?;
        let request = request(&ask)?;
        if ask.address.encrypted() {
            let witness = ask.trust.witness();
            let name = ask.address.server_name()?;
            let secured = TlsConnector::from(witness.configuration()?).connect(name, stream).await;
            shown = witness.seen();
            exchange(secured.map_err(|cause| certificate::failure(&cause))?, request, ask.limit).await
        } else {
            exchange(stream, request, ask.limit).await
        }
    };
    let answer = feed::deadline(ask.patience, "the address", Box::pin(exchange))
        .await
        .map_err(|error| if error.kind == ErrorKind::TimedOut { late(ask.patience) } else { error });
    Outcome { answer, certificate: shown, took: watch.read() }
}

fn late(patience: Duration) -> Error {
    Error::new(ErrorKind::TimedOut, format!("no answer within {}", crate::fleet::time::brief(patience)))
}

fn request(ask: &Ask<'_>) -> Result<Request<Empty<Bytes>>, Error> {
    let mut request = Request::builder()
        .uri(ask.address.path())
        .header(http::header::HOST, ask.address.authority())
        .header(http::header::USER_AGENT, concat!("quarterdeck/", env!("CARGO_PKG_VERSION")))
        .header(http::header::ACCEPT, "*/*")
        .header(http::header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|cause| Error::new(ErrorKind::Config, "the address cannot be asked").because(&cause))?;
    for (name, value) in ask.headers {
        request.headers_mut().insert(name.clone(), value.clone());
    }
    Ok(request)
}

/// Connects to the first of the name's addresses that answers, trying one more every quarter of a second.
async fn connect(address: &Address) -> Result<TcpStream, Error> {
    let found = lookup_host((address.host(), address.port())).await;
    let found = found.map_err(|cause| {
        let said = format!("name {} not found", address.host());
        Error::new(ErrorKind::Unreachable, said)
            .because(&cause)
            .hint("check the name, and the DNS server that is asked")
    })?;
    let attempts: FuturesUnordered<_> = (0_u32..)
        .zip(found)
        .map(|(number, it)| async move {
            feed::sleep(NEXT_ADDRESS.saturating_mul(number)).await;
            TcpStream::connect(it).await
        })
        .collect();
    let mut attempts = attempts;
    let mut last = None;
    while let Some(attempt) = attempts.next().await {
        match attempt {
            Ok(stream) => return Ok(stream),
            Err(cause) => last = Some(cause),
        }
    }
    Err(last.map_or_else(
        || Error::new(ErrorKind::Unreachable, format!("name {} stands for no address", address.host())),
        |cause| Error::new(ErrorKind::Unreachable, word(cause.kind())).because(&cause),
    ))
}

/// A failure of the connection in a word or two.
fn word(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind as Io;
    if kind == Io::ConnectionRefused {
        "connection refused"
    } else if matches!(kind, Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe) {
        "connection reset"
    } else if matches!(kind, Io::HostUnreachable | Io::NetworkUnreachable | Io::NetworkDown) {
        "no route there"
    } else if kind == Io::TimedOut {
        "connection timed out"
    } else {
        "no connection"
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<Empty<Bytes>>,
    limit: usize,
) -> Result<Answer, Error> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|cause| unanswered(&cause))?;
    let talk = pin!(async {
        let response = sender.send_request(request).await.map_err(|cause| unanswered(&cause))?;
        let (head, mut body) = response.into_parts();
        let mut answer = Answer { status: head.status.as_u16(), headers: head.headers, body: Vec::new(), cut: false };
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|cause| unanswered(&cause))?.into_data() else { continue };
            let room = limit.saturating_sub(answer.body.len());
            answer.body.extend_from_slice(data.get(..room).unwrap_or(&data));
            if data.len() > room {
                answer.cut = true;
                break;
            }
        }
        Ok(answer)
    });
    match select(talk, pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        // The connection is done before the answer has been taken out of it, or there will be none.
        Either::Right((_, talk)) => talk.await,
    }
}

/// Why a connection that was made gave no answer.
fn unanswered(cause: &hyper::Error) -> Error {
    let mut source = std::error::Error::source(cause);
    while let Some(it) = source {
        if let Some(io) = it.downcast_ref::<std::io::Error>() {
            if io.kind() == std::io::ErrorKind::UnexpectedEof {
                break;
            }
            if matches!(io.kind(), std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput) {
                return Error::new(ErrorKind::Malformed, "the answer is not HTTP").because(cause);
            }
            return Error::new(ErrorKind::Unreachable, word(io.kind())).because(cause);
        }
        source = it.source();
    }
    if cause.is_parse() {
        return Error::new(ErrorKind::Malformed, "the answer is not HTTP").because(cause);
    }
    Error::new(ErrorKind::Unreachable, "closed in the middle of the answer").because(cause)
}

/// `name: value` as a header that is kept out of every debug output.
pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    let name = HeaderName::from_bytes(name.as_bytes());
    let name = name.map_err(|cause| Error::new(ErrorKind::Config, "a header has no usable name").because(&cause))?;
    let value = HeaderValue::from_str(value);
    let mut value =
        value.map_err(|_| Error::new(ErrorKind::Config, format!("the value of header {name} cannot be sent")))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The value of an `authorization` header for `login`, which is `user:password` (RFC 7617).
pub(crate) fn basic(login: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("Basic ");
    for three in login.as_bytes().chunks(3) {
        let bits = three.iter().chain([&0, &0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for (place, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = DIGITS.get(bits >> shift & 63).copied().unwrap_or(b'=');
            text.push(if place <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
