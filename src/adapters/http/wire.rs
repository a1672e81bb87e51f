//! A server for tests that says exactly what it is told to, byte by byte, and remembers what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// `GET`.
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Every header line.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
    /// Counts all requests of this server from 0.
    pub(crate) number: usize,
}

/// What is said in answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    bytes: Vec<u8>,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Close,
    Hold,
    /// The bytes leave one by one, a thousandth of a second apart.
    Drip,
}

impl Reply {
    /// A whole answer with its length.
    pub(crate) fn whole(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n", body.len());
        Self { bytes: [head.as_bytes(), body].concat(), then: Then::GoOn }
    }

    /// 200 with JSON.
    pub(crate) fn json(body: impl AsRef<[u8]>) -> Self {
        Self::whole("200 OK", "content-type: application/json\r\n", body)
    }

    /// The head and these lines of an answer that comes to its proper end.
    pub(crate) fn lines(lines: &[&str]) -> Self {
        Self { then: Then::GoOn, bytes: [chunked(lines).as_slice(), b"0\r\n\r\n"].concat() }
    }

    /// The head and these lines of an answer that never ends.
    pub(crate) fn open(lines: &[&str]) -> Self {
        Self { bytes: chunked(lines), then: Then::Hold }
    }

    /// Exactly these bytes, and then the connection is closed.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), then: Then::Close }
    }

    /// 200 with JSON that comes a byte at a time.
    pub(crate) fn dripping(body: impl AsRef<[u8]>) -> Self {
        Self { then: Then::Drip, ..Self::json(body) }
    }

    /// Nothing at all, for ever.
    pub(crate) fn silence() -> Self {
        Self { bytes: Vec::new(), then: Then::Hold }
    }
}

fn chunked(lines: &[&str]) -> Vec<u8> {
    let mut bytes = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for line in lines {
        bytes.extend_from_slice(format!("{:x}\r\n{line}\n\r\n", line.len() + 1).as_bytes());
    }
    bytes
}

/// A server that runs until the test's runtime ends.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    open: watch::Receiver<usize>,
}

impl Wire {
    /// Everything that was asked so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().map(|heard| heard.clone()).unwrap_or_default()
    }

    /// `GET /path` of everything that was asked so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.heard().iter().map(|it| format!("{} {}", it.method, it.target)).collect()
    }

    /// Waits until nobody is connected.
    pub(crate) async fn deserted(&mut self) {
        self.open.wait_for(|open| *open == 0).await.expect("the server counts its connections");
    }
}

/// Answers every request with what `answer` says.
pub(crate) async fn serve(answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static) -> Wire {
    serve_on(answer, |stream| async move { Some(stream) }).await
}

/// The same over what `dress` makes of a connection: TLS.
pub(crate) async fn serve_on<S, F>(
    answer: impl Fn(&Heard) -> Reply + Send + Sync + 'static,
    dress: impl Fn(TcpStream) -> F + Send + Sync + 'static,
) -> Wire
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = Option<S>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (count, open) = watch::channel(0);
    let wire = Wire { address, heard: Arc::clone(&heard), open };
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, heard, count) = (Arc::clone(&answer), Arc::clone(&heard), count.clone());
            let dressing = dress(stream);
            count.send_modify(|open| *open += 1);
            tokio::spawn(async move {
                if let Some(stream) = dressing.await {
                    attend(stream, &*answer, &heard).await;
                }
                count.send_modify(|open| *open -= 1);
            });
        }
    });
    wire
}

async fn attend<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    answer: &(dyn Fn(&Heard) -> Reply + Send + Sync),
    heard: &Mutex<Vec<Heard>>,
) {
    let mut waiting = Vec::new();
    loop {
        let Some(mut request) = next(&mut stream, &mut waiting).await else { return };
        if let Ok(mut heard) = heard.lock() {
            request.number = heard.len();
            heard.push(request.clone());
        }
        let reply = answer(&request);
        if reply.then == Then::Drip {
            for byte in &reply.bytes {
                tokio::time::sleep(Duration::from_millis(1)).await;
                if stream.write_all(std::slice::from_ref(byte)).await.is_err() {
                    return;
                }
            }
            continue;
        }
        if stream.write_all(&reply.bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        match reply.then {
            Then::GoOn | Then::Drip => {}
            Then::Close => {
                drop(stream.shutdown().await);
                return;
            }
            Then::Hold => {
                // Until the other side goes.
                let mut rest = [0; 64];
                while matches!(stream.read(&mut rest).await, Ok(1..)) {}
                return;
            }
        }
    }
}

/// The next request of a connection. Knows bodies with a length only, which is what our clients send.
async fn next<S: AsyncRead + Unpin>(stream: &mut S, waiting: &mut Vec<u8>) -> Option<Heard> {
    loop {
        if let Some(end) = memchr::memmem::find(waiting, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(waiting.get(..end)?).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            let length: usize = length.unwrap_or(0);
            if waiting.len() >= end + 4 + length {
                let rest = waiting.split_off(end + 4 + length);
                let body = std::mem::replace(waiting, rest).split_off(end + 4);
                let mut words = head.split(' ').map(str::to_owned);
                let (method, target) = (words.next()?, words.next()?);
                return Some(Heard { method, target, head, body, number: 0 });
            }
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
        waiting.extend_from_slice(piece.get(..read)?);
    }
}
