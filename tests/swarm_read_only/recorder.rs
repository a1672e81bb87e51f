//! A socket in front of a socket: every request is written down, and what may pass does so unchanged.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// One request, as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Whether it asked to speak something else than HTTP afterwards.
    pub upgrade: bool,
}

/// Whether a request may pass. What may not is recorded all the same, and its connection ends.
pub type May = fn(&Request) -> bool;

/// A recording socket.
pub struct Recorder {
    pub socket: PathBuf,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    /// Listens on `socket` and passes on to `target` what may.
    pub fn start(socket: PathBuf, target: &Path, may: May) -> Self {
        let listener = UnixListener::bind(&socket).expect("a socket can be made");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (target, recorded) = (target.to_path_buf(), Arc::clone(&seen));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = UnixStream::connect(&target) else { continue };
                let (mut from_server, mut to_client) =
                    (server.try_clone().expect("a copy"), client.try_clone().expect("a copy"));
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from_server, &mut to_client);
                    let _ = to_client.shutdown(Shutdown::Write);
                });
                let recorded = Arc::clone(&recorded);
                thread::spawn(move || pass(client, server, &recorded, may));
            }
        });
        Self { socket, seen }
    }

    /// What was asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn pass(mut client: UnixStream, mut server: UnixStream, seen: &Mutex<Vec<Request>>, may: May) {
    let mut reader = Reader::default();
    let mut chunk = [0; 16 * 1024];
    while let Ok(length) = client.read(&mut chunk) {
        let bytes = chunk.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            break;
        }
        let requests = reader.read(bytes);
        let refused = !requests.iter().all(may);
        seen.lock().unwrap_or_else(PoisonError::into_inner).extend(requests);
        if refused {
            let _ = client.shutdown(Shutdown::Both);
            break;
        }
        if server.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Write);
}

/// Reads the requests of one connection as their bytes come: heads, bodies of a known length, chunked bodies.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    head: Vec<String>,
    body: Body,
}

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// A line of a head.
    #[default]
    Head,
    /// So many bytes of a body.
    Bytes(u64),
    /// The line that says how long the next chunk is.
    ChunkSize,
    /// So many bytes of a chunk, its line break included.
    Chunk(u64),
    /// Lines after the last chunk.
    Trailer,
    /// Something else than HTTP: nothing more can be read.
    Other,
}

impl Reader {
    /// The requests whose heads end within `bytes`.
    pub fn read(&mut self, bytes: &[u8]) -> Vec<Request> {
        let mut found = Vec::new();
        for byte in bytes {
            match self.body {
                Body::Bytes(left) => self.body = if left <= 1 { Body::Head } else { Body::Bytes(left - 1) },
                Body::Chunk(left) => self.body = if left <= 1 { Body::ChunkSize } else { Body::Chunk(left - 1) },
                Body::Other => return found,
                Body::Head | Body::ChunkSize | Body::Trailer => {
                    self.line.push(*byte);
                    if *byte == b'\n' {
                        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).trim_end().to_owned();
                        self.line(line, &mut found);
                    }
                }
            }
        }
        found
    }

    fn line(&mut self, line: String, found: &mut Vec<Request>) {
        match self.body {
            Body::ChunkSize => {
                let size = line.split(';').next().unwrap_or_default().trim();
                let size = u64::from_str_radix(size, 16).expect("a chunk has a size");
                self.body = if size == 0 { Body::Trailer } else { Body::Chunk(size + 2) };
            }
            Body::Trailer if line.is_empty() => self.body = Body::Head,
            Body::Head if !line.is_empty() => self.head.push(line),
            Body::Head if !self.head.is_empty() => {
                let head = std::mem::take(&mut self.head);
                let (request, body) = request(&head);
                self.body = body;
                found.push(request);
            }
            Body::Head | Body::Trailer | Body::Bytes(_) | Body::Chunk(_) | Body::Other => {}
        }
    }
}

fn request(head: &[String]) -> (Request, Body) {
    let mut words = head.first().map(String::as_str).unwrap_or_default().split(' ');
    let method = words.next().unwrap_or_default().to_owned();
    let path = words.next().unwrap_or_default().to_owned();
    let header = |wanted: &str| {
        let pairs = head.iter().skip(1).filter_map(|line| line.split_once(':'));
        pairs
            .filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim().to_owned())
            .next()
    };
    let upgrade = header("upgrade").is_some();
    let length: u64 = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let chunked = header("transfer-encoding").is_some_and(|encoding| encoding.to_lowercase().contains("chunked"));
    let body = match (upgrade, chunked, length) {
        (true, ..) => Body::Other,
        (false, true, _) => Body::ChunkSize,
        (false, false, 0) => Body::Head,
        (false, false, length) => Body::Bytes(length),
    };
    (Request { method, path, upgrade }, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Request {
        Request { method: "GET".to_owned(), path: path.to_owned(), upgrade: false }
    }

    #[test]
    fn requests_are_found_however_their_bytes_are_cut() {
        let wire = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b?v=1 HTTP/1.1\r\nContent-Length: 20\r\n\r\nGET /no HTTP/1.1\r\n\r\n\
                    GET /c HTTP/1.1\r\n\r\nPOST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nGET /\r\n0\r\n\r\nGET /e HTTP/1.1\r\n\r\n";
        let post = |path: &str| Request { method: "POST".to_owned(), ..get(path) };
        let wanted = vec![get("/a"), post("/b?v=1"), get("/c"), post("/d"), get("/e")];
        for size in [1, 2, 3, 7, 1_000] {
            let mut reader = Reader::default();
            let found: Vec<Request> = wire.as_bytes().chunks(size).flat_map(|chunk| reader.read(chunk)).collect();
            assert_eq!(found, wanted, "cut every {size} bytes");
        }
    }

    #[test]
    fn what_follows_an_upgrade_is_no_request() {
        let mut reader = Reader::default();
        let found = reader
            .read(b"POST /exec/x/start HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nGET /a HTTP/1.1\r\n\r\n");
        assert_eq!(found, [Request { method: "POST".to_owned(), path: "/exec/x/start".to_owned(), upgrade: true }]);
    }
}
