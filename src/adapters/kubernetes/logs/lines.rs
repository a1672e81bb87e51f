//! Lines of a log as they arrive, in pieces of any size.

use crate::fleet::log::LogLine;

/// The time at the beginning of a line, and the rest of it.
pub(super) fn stamped(line: &[u8]) -> (Option<jiff::Timestamp>, &[u8]) {
    let Some(end) = memchr::memchr(b' ', line) else { return (None, line) };
    let (stamp, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    let at = std::str::from_utf8(stamp).ok().and_then(|it| it.parse().ok());
    if at.is_some() { (at, rest.get(1..).unwrap_or_default()) } else { (None, line) }
}

/// Cuts a log into lines and never holds more of one than is kept, however long it is.
#[derive(Debug, Default)]
pub(super) struct LongLines {
    begun: Vec<u8>,
    /// Whether the line that has begun is longer than what is held of it.
    over: bool,
    /// How many lines were cut since this was last taken.
    pub(super) cut: u64,
}

impl LongLines {
    /// Room for the time before a line of the greatest length.
    const LIMIT: usize = LogLine::LIMIT + 64;

    pub(super) fn feed(&mut self, piece: &[u8], take: &mut impl FnMut(&[u8])) {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after.get(1..).unwrap_or_default();
            self.hold(line);
            self.finish(take);
        }
        self.hold(rest);
    }

    fn hold(&mut self, part: &[u8]) {
        let room = Self::LIMIT.saturating_sub(self.begun.len());
        self.over |= part.len() > room;
        self.begun.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    /// The line that has begun is over.
    pub(super) fn finish(&mut self, take: &mut impl FnMut(&[u8])) {
        if !self.begun.is_empty() {
            let (_, text) = stamped(&self.begun);
            self.cut += u64::from(self.over || text.len() > LogLine::LIMIT);
            take(self.begun.strip_suffix(b"\r").unwrap_or(&self.begun));
        }
        self.begun.clear();
        self.over = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> (Vec<usize>, u64) {
        let (mut cutter, mut told) = (LongLines::default(), Vec::new());
        for piece in pieces {
            cutter.feed(piece, &mut |line: &[u8]| told.push(line.len()));
        }
        cutter.finish(&mut |line: &[u8]| told.push(line.len()));
        (told, cutter.cut)
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_and_the_next_one_is_whole() {
        let long = vec![b'x'; 10_000_000];
        let (told, cut) = lines(&[b"a\n", &long, &long, b"\nbc\r\n", b"def"]);
        assert_eq!((told, cut), (vec![1, LongLines::LIMIT, 2, 3], 1));
    }

    #[test]
    fn a_time_is_taken_off_where_there_is_one() {
        let at = "2026-11-21T10:00:00.000000001Z".parse().ok();
        assert_eq!(stamped(b"2026-11-21T10:00:00.000000001Z hello there"), (at, b"hello there".as_slice()));
        assert_eq!(stamped(b"unable to retrieve logs"), (None, b"unable to retrieve logs".as_slice()));
        assert_eq!(stamped(b"\xff\xfe"), (None, b"\xff\xfe".as_slice()));
    }
}
