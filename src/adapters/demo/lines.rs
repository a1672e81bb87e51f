//! What services write: access logs, JSON, logfmt, a stack trace now and then, and rarely something hostile.
//!
//! A line is a function of the source and its place in time, so that history and following tell the same story.

use super::chance::Chance;
use crate::fleet::{
    Text, Timestamp,
    log::{LogLine, LogStream},
};

/// How a source is doing, which is what it writes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    /// All is well; a warning now and then.
    Calm,
    /// Warnings and errors in bursts.
    Troubled,
}

/// Something that writes lines.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    /// What it is, for its style.
    pub(crate) application: Text,
    /// The task that writes, for its own story.
    pub(crate) key: Text,
    /// Since when it writes.
    pub(crate) since: Timestamp,
    /// Thousandths of a line a second.
    pub(crate) rate: u64,
    /// How it is doing.
    pub(crate) mood: Mood,
}

/// The grain of time in which lines are dealt out, in milliseconds.
pub(crate) const GRAIN: i64 = 50;
/// A millisecond of so many thousandths of a line a second, in whole lines.
const WHOLE: u64 = 1_000_000;

impl Writer {
    /// Lines a second of an application by itself, in thousandths.
    pub(crate) fn natural_rate(application: &str) -> u64 {
        match application {
            "traefik" | "gateway" => 2_400,
            "api" | "public_api" | "webservice" => 1_300,
            "redis" | "cache" | "couchdb" | "registry" | "discovery" => 120,
            _ => 600,
        }
    }

    /// Adds the lines written in the grain that begins at `from`, which is a multiple of [`GRAIN`].
    pub(crate) fn write(&self, seed: u64, from: i64, into: &mut Vec<LogLine>) {
        if from < self.since.0 {
            return;
        }
        let mut chance = Chance::named(seed ^ u64::try_from(from).unwrap_or(0), &self.key);
        let due = self.rate * u64::try_from(GRAIN).unwrap_or(0);
        let count = due / WHOLE + u64::from(chance.below(WHOLE) < due % WHOLE);
        for index in 0..count {
            // Anywhere in its own part of the grain.
            let grain = u64::try_from(GRAIN).unwrap_or(0);
            let inside = (index * grain + chance.below(grain)) / count;
            self.line(&mut chance, Timestamp(from + i64::try_from(inside).unwrap_or(0)), into);
        }
    }

    fn line(&self, chance: &mut Chance, at: Timestamp, into: &mut Vec<LogLine>) {
        // Trouble comes in bursts of some seconds.
        let burst = at.0 / 4_000 % 3 == 0;
        let bad = match self.mood {
            Mood::Calm => chance.one_in(60),
            Mood::Troubled if burst => chance.one_in(2),
            Mood::Troubled => chance.one_in(12),
        };
        let mut say = |stream, text: String| into.push(LogLine { at, stream, bytes: text.into_bytes() });
        if chance.one_in(4_000) {
            let mut bytes = b"GET /search?q=\x1b]0;owned\x07\x1b[2J\xff\xfe\xe2\x80\xae HTTP/1.1\" 400".to_vec();
            bytes.truncate(LogLine::LIMIT);
            into.push(LogLine { at, stream: LogStream::Out, bytes });
            return;
        }
        match (&*self.application, bad) {
            ("traefik" | "gateway", _) => say(LogStream::Out, access(chance, at, bad)),
            ("public_api" | "api" | "auth", _) => say(LogStream::Out, structured(chance, at, &self.application, bad)),
            ("webservice", _) => say(LogStream::Out, coloured(chance, at, bad)),
            ("ml" | "cp_api", true) => {
                for line in trace(chance, at) {
                    say(LogStream::Err, line);
                }
            }
            ("redis" | "cache" | "discovery", _) => say(LogStream::Out, valkey(chance, at, bad)),
            (_, true) => say(LogStream::Err, logfmt(chance, at, &self.application, true)),
            (_, false) => say(LogStream::Out, logfmt(chance, at, &self.application, false)),
        }
    }
}

const PATHS: &[&str] = &[
    "/",
    "/health",
    "/api/v2/articles",
    "/api/v2/articles/81273",
    "/api/v2/sources",
    "/login",
    "/api/v2/search?q=rates",
    "/static/app.4f1c.js",
    "/api/v2/feed?page=2",
    "/favicon.ico",
];
const AGENTS: &[&str] = &["Mozilla/5.0", "curl/8.14.1", "okhttp/5.1.0", "kube-probe/1.33", "Googlebot/2.1"];

fn rfc3339(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map(|at| format!("{at:.3}")).unwrap_or_default()
}

fn clock(at: Timestamp) -> String {
    let second = at.0.rem_euclid(86_400_000) / 1_000;
    format!("{:02}:{:02}:{:02}.{:03}", second / 3_600, second / 60 % 60, second % 60, at.0.rem_euclid(1_000))
}

fn status(chance: &mut Chance, bad: bool) -> u64 {
    if bad {
        return [502, 503, 504, 500].get(usize::try_from(chance.below(4)).unwrap_or(0)).copied().unwrap_or(500);
    }
    match chance.below(40) {
        0 => 404,
        1 => 401,
        2 => 301,
        3..=6 => 304,
        _ => 200,
    }
}

fn access(chance: &mut Chance, at: Timestamp, bad: bool) -> String {
    let (a, b, path) = (chance.between(11, 212), chance.between(1, 254), chance.word(PATHS));
    let (status, bytes, agent) = (status(chance, bad), chance.between(120, 48_000), chance.word(AGENTS));
    let took = if bad { chance.between(1_500, 30_000) } else { chance.between(1, 120) };
    format!("{a}.14.{b}.9 - - [{}] \"GET {path} HTTP/2.0\" {status} {bytes} \"-\" \"{agent}\" {took}ms", rfc3339(at))
}

fn structured(chance: &mut Chance, at: Timestamp, application: &Text, bad: bool) -> String {
    let (id, path) = (chance.hex(16), chance.word(PATHS));
    let status = status(chance, bad);
    let took = if bad { chance.between(900, 9_000) } else { chance.between(1, 90) };
    let (level, text) = match (bad, chance.below(3)) {
        (false, _) => ("info", "request completed"),
        (true, 0) => ("warn", "upstream is slow, retrying"),
        (true, 1) => ("error", "connection pool exhausted"),
        (true, _) => ("error", "token verification failed: clock skew 7s"),
    };
    format!(
        "{{\"ts\":\"{}\",\"level\":\"{level}\",\"service\":\"{application}\",\"trace_id\":\"{id}\",\"path\":\"{path}\",\"status\":{status},\"ms\":{took},\"msg\":\"{text}\"}}",
        rfc3339(at)
    )
}

fn logfmt(chance: &mut Chance, at: Timestamp, application: &Text, bad: bool) -> String {
    let (job, items) = (chance.hex(6), chance.between(1, 400));
    if bad {
        let wait = chance.between(1, 30);
        return format!(
            "ts={} level=error app={application} job={job} msg=\"giving up for now\" err=\"dial tcp 10.0.24.11:5984: connect: connection refused\" retry_in={wait}s",
            rfc3339(at)
        );
    }
    let word = chance.word(&["fetched", "indexed", "scheduled", "flushed", "synchronised"]);
    let level = if chance.one_in(9) { "debug" } else { "info" };
    format!(
        "ts={} level={level} app={application} job={job} msg=\"{word} batch\" items={items} took={}ms",
        rfc3339(at),
        items * 3
    )
}

fn coloured(chance: &mut Chance, at: Timestamp, bad: bool) -> String {
    let (path, took) = (chance.word(PATHS), chance.between(2, 80));
    if bad {
        return format!(
            "\x1b[2m{}\x1b[0m \x1b[1;31mERROR\x1b[0m render failed path={path}: \x1b[33mtemplate timed out\x1b[0m",
            clock(at)
        );
    }
    if chance.one_in(14) {
        return format!(
            "\x1b[2m{}\x1b[0m \x1b[33mWARN\x1b[0m slow render path={path} took=\x1b[1m{}ms\x1b[0m",
            clock(at),
            took * 20
        );
    }
    format!("\x1b[2m{}\x1b[0m \x1b[32mINFO\x1b[0m rendered path={path} took={took}ms", clock(at))
}

fn valkey(chance: &mut Chance, at: Timestamp, bad: bool) -> String {
    let text = match (bad, chance.below(3)) {
        (true, _) => {
            "# WARNING overcommit_memory is set to 0! Background save may fail under low memory condition.".to_owned()
        }
        (false, 0) => format!("* {} changes in 300 seconds. Saving...", chance.between(10, 900)),
        (false, 1) => format!("* Background saving started by pid {}", chance.between(20, 9_000)),
        (false, _) => "* DB saved on disk".to_owned(),
    };
    format!("1:M {} {text}", clock(at))
}

fn trace(chance: &mut Chance, at: Timestamp) -> Vec<String> {
    let worker = chance.between(1, 8);
    vec![
        format!("{} ERROR worker-{worker} prediction failed", clock(at)),
        "Traceback (most recent call last):".to_owned(),
        "  File \"/app/ml/serve.py\", line 118, in predict".to_owned(),
        "    scores = self.model.run(batch)".to_owned(),
        format!("  File \"/app/ml/model.py\", line {}, in run", chance.between(40, 260)),
        "    return self.session.run(None, feed)".to_owned(),
        format!("RuntimeError: out of memory while allocating {} MiB", chance.between(64, 900)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(application: &str, rate: u64) -> Writer {
        Writer { application: application.into(), key: "x2x9k".into(), since: Timestamp(0), rate, mood: Mood::Calm }
    }

    fn lines(writer: &Writer, seconds: i64) -> Vec<LogLine> {
        let mut lines = Vec::new();
        (0..seconds * 1_000 / GRAIN).for_each(|grain| writer.write(7, grain * GRAIN, &mut lines));
        lines
    }

    #[test]
    fn the_same_source_writes_the_same_lines_at_the_same_time() {
        let writer = writer("public_api", 1_300);
        assert_eq!(lines(&writer, 20), lines(&writer, 20));
    }

    #[test]
    fn lines_come_at_their_rate_and_in_order() {
        let busy = lines(&writer("traefik", 1_000_000), 2);
        assert_eq!(busy.len(), 2_000);
        assert!(busy.is_sorted_by_key(|line| line.at));
        let calm = lines(&writer("auth", 500), 2_000).len();
        assert!((900..1_100).contains(&calm), "{calm} lines in 2,000 s at one every 2 s");
    }

    #[test]
    fn trouble_is_written_about() {
        let mut troubled = writer("auth", 5_000);
        let errors = |writer: &Writer| {
            lines(writer, 100).iter().filter(|line| String::from_utf8_lossy(&line.bytes).contains("\"error\"")).count()
        };
        let before = errors(&troubled);
        troubled.mood = Mood::Troubled;
        assert!(errors(&troubled) > before * 5 + 20);
    }
}
