//! The client against servers that say what they are told to, with and without TLS.

use std::sync::Arc;

use rcgen::{CertificateParams, CertifiedIssuer, KeyPair, date_time_ymd};
use tokio_rustls::{TlsAcceptor, rustls};

use super::{
    wire::{Reply, Wire, serve, serve_on},
    *,
};
use crate::fleet::Timestamp;

const PATIENCE: Duration = Duration::from_secs(10);

async fn asked(url: &str, trust: &Trust) -> Outcome {
    let address = Address::parse(url).expect("an address");
    get(Ask { address: &address, headers: &HeaderMap::new(), trust, patience: PATIENCE, limit: 64 }).await
}

fn everybody() -> Trust {
    Trust::new(None, Blind::No)
}

async fn said(reply: Reply) -> Result<Answer, Error> {
    let wire = serve(move |_| reply.clone()).await;
    asked(&format!("http://{}/health", wire.address), &everybody()).await.answer
}

#[tokio::test]
async fn an_answer_is_read_whole_up_to_the_limit() {
    let answer = said(Reply::whole("200 OK", "x-a: b\r\n", "fine")).await.expect("an answer");
    assert_eq!((answer.status, answer.body.as_slice(), answer.cut), (200, b"fine".as_slice(), false));
    assert_eq!(answer.headers.get("x-a").and_then(|it| it.to_str().ok()), Some("b"));
    let long = said(Reply::whole("200 OK", "", vec![b'x'; 70_000])).await.expect("an answer");
    assert_eq!((long.body.len(), long.cut), (64, true));
    // Neither length nor chunks: the end of the connection is the end of the answer.
    let old = said(Reply::raw("HTTP/1.0 503 No\r\n\r\nsorry")).await.expect("an answer");
    assert_eq!((old.status, old.body.as_slice()), (503, b"sorry".as_slice()));
}

#[tokio::test]
async fn redirects_are_answers() {
    let answer = said(Reply::whole("302 Found", "location: /elsewhere\r\n", "")).await.expect("an answer");
    assert_eq!(answer.status, 302);
}

#[tokio::test]
async fn what_is_no_answer_is_told_in_a_word() {
    let cases = [
        (Reply::raw(""), "closed in the middle of the answer"),
        (Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"), "closed in the middle of the answer"),
        (Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"), "the answer is not HTTP"),
        (Reply::raw(vec![0xff; 300]), "the answer is not HTTP"),
        (Reply::raw("HTTP/1.1 200 OK\r\nx: \0\r\n\r\n"), "the answer is not HTTP"),
        (Reply::raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), "the answer is not HTTP"),
    ];
    for (reply, wanted) in cases {
        let shown = format!("{reply:?}");
        let error = said(reply).await.expect_err(&shown);
        assert_eq!(error.message, wanted, "{shown}: {error:?}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for_only_so_long() {
    let wire = serve(|_| Reply::silence()).await;
    let address = Address::parse(&format!("http://{}", wire.address)).expect("an address");
    let (headers, trust) = (HeaderMap::new(), everybody());
    let patience = Duration::from_millis(30);
    let outcome = get(Ask { address: &address, headers: &headers, trust: &trust, patience, limit: 64 }).await;
    let error = outcome.answer.expect_err("there is none");
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::TimedOut, "no answer within 30ms"));
}

#[tokio::test]
async fn nobody_there_and_nobody_of_that_name() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    drop(listener);
    let refused = asked(&format!("http://{address}"), &everybody()).await.answer.expect_err("nobody listens");
    assert_eq!(refused.message, "connection refused");
    let unknown = asked("http://nobody.invalid/", &everybody()).await.answer.expect_err("no such name");
    assert_eq!(unknown.message, "name nobody.invalid not found");
}

#[tokio::test]
async fn the_request_is_one_plain_get() {
    let wire = serve(|_| Reply::whole("200 OK", "", "")).await;
    let address = Address::parse(&format!("http://{}/a?b=c", wire.address)).expect("an address");
    let mut headers = HeaderMap::new();
    let (name, value) = header("authorization", &basic("Aladdin:open sesame")).expect("a header");
    assert!(!format!("{value:?}").contains("QWxh"), "{value:?}");
    headers.insert(name, value);
    let trust = everybody();
    get(Ask { address: &address, headers: &headers, trust: &trust, patience: PATIENCE, limit: 64 })
        .await
        .answer
        .expect("an answer");
    assert_eq!(wire.asked(), ["GET /a?b=c"]);
    let head = wire.heard().pop().expect("one request").head;
    assert!(head.contains(&format!("host: {}\r\n", wire.address)), "{head}");
    assert!(head.contains("authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "{head}");
}

#[test]
fn logins_are_encoded_as_rfc_4648_has_them() {
    let cases = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(basic);
    assert_eq!(cases, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"].map(|it| format!("Basic {it}")));
}

/// A server with a certificate for `name`, good until the start of `year`; signed by an authority of its own.
async fn secured(name: &str, year: i32) -> (Wire, tempfile::NamedTempFile) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    // Two authorities of one name would be taken for one another.
    authority.distinguished_name.push(rcgen::DnType::CommonName, format!("authority of {name}"));
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, authority_key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let mut leaf = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(year, 1, 1));
    let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), authority.pem()).expect("an authority in it");
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(configuration));
    let wire = serve_on(
        |_| Reply::whole("200 OK", "", "fine"),
        move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await.ok() }
        },
    )
    .await;
    (wire, file)
}

/// The start of 2090 and of 2021.
const FUTURE: Timestamp = Timestamp(3_786_912_000_000);
const PAST: Timestamp = Timestamp(1_609_459_200_000);

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_trusted_and_its_end_is_read() {
    let (wire, authority) = secured("127.0.0.1", 2090).await;
    let trust = Trust::new(Some(authority.path().to_owned()), Blind::No);
    let outcome = asked(&format!("https://{}", wire.address), &trust).await;
    assert_eq!(outcome.answer.map(|it| it.status), Ok(200));
    let certificate = outcome.certificate.expect("a certificate was shown");
    assert_eq!((certificate.until, certificate.distrust), (Some(FUTURE), None));
    assert_eq!(certificate.names, ["127.0.0.1"]);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_trusted_is_read_all_the_same() {
    let cases = [
        ("127.0.0.1", 2090, false, FUTURE, "its certificate is signed by nobody we know"),
        ("127.0.0.1", 2021, true, PAST, "its certificate has expired"),
        ("other.example", 2090, true, FUTURE, "its certificate is for another name"),
    ];
    for (name, year, known, until, wanted) in cases {
        let (wire, authority) = secured(name, year).await;
        let (_other, elsewhere) = secured("other.example", 2090).await;
        let authority = if known { &authority } else { &elsewhere };
        let url = format!("https://{}", wire.address);
        let trust = Trust::new(Some(authority.path().to_owned()), Blind::No);
        let outcome = asked(&url, &trust).await;
        assert_eq!(outcome.answer.map_err(|it| it.message), Err(wanted.to_owned()));
        assert_eq!(outcome.certificate.and_then(|it| it.until), Some(until), "{wanted}");
        // Taken as it is, it is asked, and what is wrong is still known.
        let outcome = asked(&url, &Trust::new(Some(authority.path().to_owned()), Blind::Yes)).await;
        assert_eq!(outcome.answer.map(|it| it.status), Ok(200), "{wanted}");
        assert_eq!(outcome.certificate.and_then(|it| it.distrust).as_deref(), Some(wanted));
    }
}

#[tokio::test]
async fn plain_http_behind_https_is_not_tls() {
    let talk = |mut stream: TcpStream| async move {
        let said = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, said).await.expect("somebody listens");
        None::<TcpStream>
    };
    let wire = serve_on(|_| Reply::silence(), talk).await;
    let error = asked(&format!("https://{}", wire.address), &everybody()).await.answer.expect_err("no TLS there");
    assert_eq!(error.message, "the answer is not TLS", "{error:?}");
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_a_configuration_error() {
    let trust = Trust::new(Some("/nowhere/ca.pem".into()), Blind::No);
    let wire = serve(|_| Reply::silence()).await;
    let error = asked(&format!("https://{}", wire.address), &trust).await.answer.expect_err("no authority");
    assert_eq!(error.kind, ErrorKind::Config);
}
