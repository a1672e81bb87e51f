//! The engine's log streams, byte by byte: frames with a header, or plain lines where a task has a terminal.
//! Never holds more of a line than is shown of it, however long the line.

use bytes::{Buf, BytesMut};

use crate::fleet::log::{LogLine, LogStream};

/// Header of a frame: stream, three zeroes, length in big endian.
const HEADER: usize = 8;

/// One message of a log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// A line or, without a line break, a part of one.
    Line(LogStream, Vec<u8>),
    /// What the engine itself says in the stream.
    Engine(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Unknown,
    Framed,
    Plain,
}

/// Reads frames from pieces of any size.
#[derive(Debug)]
pub(super) struct Frames {
    shape: Shape,
    buffer: BytesMut,
    /// Of the frame being read: its stream, what is still to come, and what is kept of it.
    open: Option<(u8, usize, Vec<u8>)>,
}

impl Frames {
    pub(super) fn new() -> Self {
        Self { shape: Shape::Unknown, buffer: BytesMut::new(), open: None }
    }

    /// Takes a piece and gives the messages that are complete with it.
    pub(super) fn take(&mut self, piece: &[u8]) -> Vec<Message> {
        self.buffer.extend_from_slice(piece);
        if self.shape == Shape::Unknown {
            match self.buffer.as_ref() {
                [0..=3, 0, 0, 0, ..] => self.shape = Shape::Framed,
                [_, _, _, _, ..] => self.shape = Shape::Plain,
                _ => return Vec::new(),
            }
        }
        let mut messages = Vec::new();
        match self.shape {
            Shape::Framed => while self.frame(&mut messages) {},
            Shape::Plain => while self.line(&mut messages) {},
            Shape::Unknown => {}
        }
        messages
    }

    /// What is left when the stream ends.
    pub(super) fn end(&mut self) -> Option<Message> {
        if let Some((stream, _, kept)) = self.open.take() {
            return Some(message(stream, kept));
        }
        let rest = self.buffer.split();
        (self.shape == Shape::Plain && !rest.is_empty()).then(|| message(1, rest.to_vec()))
    }

    fn frame(&mut self, messages: &mut Vec<Message>) -> bool {
        let (stream, missing, mut kept) = match self.open.take() {
            Some(open) => open,
            None => match self.buffer.as_ref() {
                [stream, _, _, _, a, b, c, d, ..] => {
                    let length = u32::from_be_bytes([*a, *b, *c, *d]);
                    let open = (*stream, usize::try_from(length).unwrap_or(usize::MAX), Vec::new());
                    self.buffer.advance(HEADER);
                    open
                }
                _ => return false,
            },
        };
        let here = self.buffer.split_to(missing.min(self.buffer.len()));
        // One byte more than is shown, so that whoever shows it knows that it was cut; and the line break, if any.
        let room = (LogLine::LIMIT + ROOM).saturating_sub(kept.len());
        kept.extend(here.iter().take(room));
        let missing = missing - here.len();
        if missing > 0 {
            self.open = Some((stream, missing, kept));
            return false;
        }
        if here.last() == Some(&b'\n') && kept.last() != Some(&b'\n') {
            kept.push(b'\n');
        }
        messages.push(message(stream, kept));
        true
    }

    fn line(&mut self, messages: &mut Vec<Message>) -> bool {
        let Some(end) = memchr::memchr(b'\n', &self.buffer) else {
            // The rest of a line that is too long is let go as it comes, its beginning kept.
            if self.buffer.len() > LogLine::LIMIT + ROOM {
                self.buffer.truncate(LogLine::LIMIT + ROOM);
            }
            return false;
        };
        let mut line = self.buffer.split_to(end + 1).to_vec();
        if line.len() > LogLine::LIMIT + ROOM {
            line.truncate(LogLine::LIMIT + ROOM);
            line.push(b'\n');
        }
        messages.push(message(1, line));
        true
    }
}

/// What stands before a line: its time and its task's labels.
const ROOM: usize = 4096;

fn message(stream: u8, bytes: Vec<u8>) -> Message {
    match stream {
        2 => Message::Line(LogStream::Err, bytes),
        3 => Message::Engine(String::from_utf8_lossy(&bytes).trim().to_owned()),
        _ => Message::Line(LogStream::Out, bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream: u8, text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len()).expect("short");
        [&[stream, 0, 0, 0][..], &length.to_be_bytes(), text].concat()
    }

    #[test]
    fn frames_are_read_from_pieces_of_any_size() {
        let wire = [frame(1, b"one\n"), frame(2, b"two\n"), frame(3, b"Error grabbing logs: x\n")].concat();
        let expected = [
            Message::Line(LogStream::Out, b"one\n".to_vec()),
            Message::Line(LogStream::Err, b"two\n".to_vec()),
            Message::Engine("Error grabbing logs: x".into()),
        ];
        for size in [1, 3, 7, wire.len()] {
            let mut frames = Frames::new();
            let read: Vec<Message> = wire.chunks(size).flat_map(|piece| frames.take(piece)).collect();
            assert_eq!(read, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_terminal_has_lines_without_frames() {
        let mut frames = Frames::new();
        assert_eq!(frames.take(b"one\r\ntw"), [Message::Line(LogStream::Out, b"one\r\n".to_vec())]);
        assert_eq!(frames.end(), Some(Message::Line(LogStream::Out, b"tw".to_vec())));
    }

    #[test]
    fn an_endless_frame_is_not_kept_whole() {
        let mut frames = Frames::new();
        frames.take(&[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        for _ in 0..100 {
            assert_eq!(frames.take(&vec![b'x'; 65_536]), []);
        }
        assert!(frames.buffer.is_empty());
        let kept = frames.open.as_ref().map(|(_, _, kept)| kept.len());
        assert_eq!(kept, Some(LogLine::LIMIT + ROOM));
    }
}
