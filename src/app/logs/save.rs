//! Log lines as a file: what the filter lets through, clean, with times and sources.

use std::io::Write as _;

use jiff::{Timestamp as Instant, Zoned, tz::TimeZone};

use crate::fleet::{
    Timestamp,
    log::{LogFilter, LogSnapshot},
    sanitize::styled,
};

/// Log lines to be written to a file, away from the loop.
#[derive(Debug, Clone)]
pub struct LogExport {
    snapshot: LogSnapshot,
    filter: LogFilter,
}

impl LogExport {
    pub(super) const fn new(snapshot: LogSnapshot, filter: LogFilter) -> Self {
        Self { snapshot, filter }
    }

    /// One line each: time in UTC, source, text. Markers stand where they belong, after `--`.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for line in self.snapshot.range().filter_map(|number| self.snapshot.line(number)) {
            let text = line.marker().map_or_else(|| plain(line.bytes), |marker| format!("-- {}", marker.words()));
            let matches = self.filter.pattern.as_ref().is_none_or(|it| it.is_in(text.as_bytes()));
            if !line.is_marker() && (line.severity < self.filter.severity || !matches) {
                continue;
            }
            let written = writeln!(out, "{} {} {text}", time(line.at), line.source.label);
            debug_assert!(written.is_ok(), "a vector takes everything");
        }
        out
    }
}

/// The text of a line as a reader sees it.
pub(super) fn plain(bytes: &[u8]) -> String {
    styled(bytes).0.clone()
}

fn time(at: Timestamp) -> String {
    let instant = Instant::from_millisecond(at.0).unwrap_or(Instant::UNIX_EPOCH);
    Zoned::new(instant, TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
