//! How serious a log line says it is: found once, when it comes in, in the ways the common loggers write it.

/// How serious a log line is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Severity {
    /// It does not say.
    #[default]
    Unknown,
    /// For developers: debug, trace.
    Debug,
    /// For the record.
    Info,
    /// Something to watch.
    Warn,
    /// Something failed.
    Error,
    /// The process gives up.
    Fatal,
}

/// Where loggers put the level; what comes later is what people wrote.
const HEAD: usize = 160;
/// JSON loggers write keys in any order, often the message first.
const JSON_HEAD: usize = 2048;

impl Severity {
    /// Every severity, least first.
    pub const ALL: [Self; 6] = [Self::Unknown, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// The word shown and filtered by; empty for [`Severity::Unknown`].
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// What `line` says of itself: a JSON or logfmt level, a klog or syslog prefix, a level in capitals or before a
    /// colon or in brackets, or the first words of a stack trace.
    pub fn of(line: &[u8]) -> Self {
        let start = line.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(line.len());
        let body = line.get(start..).unwrap_or_default();
        match body {
            [b'{', ..] => json(body.get(..JSON_HEAD).unwrap_or(body)).unwrap_or_default(),
            [letter @ (b'I' | b'W' | b'E' | b'F' | b'D'), a, b, c, d, b' ', ..]
                if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) =>
            {
                klog(*letter)
            }
            [b'<', digits @ ..] if digits.first().is_some_and(u8::is_ascii_digit) => {
                syslog(digits).unwrap_or_else(|| words(body.get(..HEAD).unwrap_or(body)))
            }
            _ => words(body.get(..HEAD).unwrap_or(body)),
        }
    }

    /// The severity a level's word means, in either case.
    pub fn parse(word: &[u8]) -> Option<Self> {
        let mut upper = [0; 9];
        let upper = upper.get_mut(..word.len())?;
        upper.copy_from_slice(word);
        upper.make_ascii_uppercase();
        Some(match &*upper {
            b"TRACE" | b"TRC" | b"DEBUG" | b"DBG" | b"FINE" | b"FINER" | b"FINEST" | b"VERBOSE" => Self::Debug,
            b"INFO" | b"INF" | b"NOTICE" => Self::Info,
            b"WARN" | b"WRN" | b"WARNING" => Self::Warn,
            b"ERROR" | b"ERR" | b"SEVERE" => Self::Error,
            b"FATAL" | b"FTL" | b"PANIC" | b"CRIT" | b"CRITICAL" | b"ALERT" | b"EMERG" | b"EMERGENCY" => Self::Fatal,
            _ => return None,
        })
    }
}

const fn klog(letter: u8) -> Severity {
    match letter {
        b'D' => Severity::Debug,
        b'I' => Severity::Info,
        b'W' => Severity::Warn,
        b'E' => Severity::Error,
        _ => Severity::Fatal,
    }
}

/// `<priority>`, whose low three bits are the severity (RFC 5424, 6.2.1).
fn syslog(after: &[u8]) -> Option<Severity> {
    let end = after.iter().take(4).position(|byte| *byte == b'>')?;
    let priority: u8 = std::str::from_utf8(after.get(..end)?).ok()?.parse().ok()?;
    Some(match priority & 7 {
        0..=2 => Severity::Fatal,
        3 => Severity::Error,
        4 => Severity::Warn,
        5 | 6 => Severity::Info,
        _ => Severity::Debug,
    })
}

/// The value of a level key of one JSON object: a word, or a number as bunyan and pino write it.
fn json(head: &[u8]) -> Option<Severity> {
    for quote in memchr::memchr_iter(b'"', head) {
        let rest = head.get(quote + 1..)?;
        let Some(key) = [&b"level\""[..], b"severity\"", b"lvl\"", b"levelname\"", b"log.level\"", b"loglevel\""]
            .into_iter()
            .find(|key| rest.get(..key.len()).is_some_and(|here| here.eq_ignore_ascii_case(key)))
        else {
            continue;
        };
        let value = rest.get(key.len()..)?.trim_ascii_start();
        // A text that happens to be the word is no key.
        let Some(value) = value.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else { continue };
        if let Some(word) = value.strip_prefix(b"\"") {
            let end = memchr::memchr(b'"', word)?;
            return Severity::parse(word.get(..end)?);
        }
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number: u16 = std::str::from_utf8(value.get(..digits)?).ok()?.parse().ok()?;
        return Some(match number {
            0..=29 => Severity::Debug,
            30..=39 => Severity::Info,
            40..=49 => Severity::Warn,
            50..=59 => Severity::Error,
            _ => Severity::Fatal,
        });
    }
    None
}

/// Whether it begins with the name of an exception, as a stack trace ends (Python) or begins (Java):
/// `RuntimeError: out of memory`, `java.lang.IllegalStateException`.
fn raised(head: &[u8]) -> bool {
    let part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$');
    let length = head.iter().take_while(part).count();
    let (name, rest) = head.split_at(length);
    let named = [&b"Error"[..], b"Exception"].iter().any(|end| name.len() > end.len() && name.ends_with(end));
    named && matches!(rest, [] | [b':', ..])
}

/// The first word that is a level and stands like one.
fn words(head: &[u8]) -> Severity {
    if head.starts_with(b"Traceback (most recent") || head.starts_with(b"Exception in ") {
        return Severity::Error;
    }
    if raised(head) {
        return Severity::Error;
    }
    let mut at = 0;
    while let Some(byte) = head.get(at) {
        if *byte == b'\x1b' {
            at += escape(head.get(at..).unwrap_or_default());
            continue;
        }
        if !byte.is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let rest = head.get(at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let (word, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        if (3..=9).contains(&length)
            && let Some(severity) = Severity::parse(word)
        {
            let before = at.checked_sub(1).and_then(|before| head.get(before)).copied();
            if stands_alone(word, before, after.first().copied()) {
                return severity;
            }
        } else if matches!(word, b"level" | b"lvl" | b"severity" | b"loglevel")
            && let [b'=', value @ ..] = after
        {
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let length = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
            if let Some(severity) = value.get(..length).and_then(Severity::parse) {
                return severity;
            }
        }
        at += length;
    }
    Severity::Unknown
}

/// Whether a level's word is used as one: in capitals, in brackets or followed by a colon, and not as part of a name.
fn stands_alone(word: &[u8], before: Option<u8>, after: Option<u8>) -> bool {
    let joined = matches!(before, Some(b'-' | b'.' | b'/' | b'\'')) || matches!(after, Some(b'-' | b'.' | b'/' | b'='));
    let capitals = word.iter().all(u8::is_ascii_uppercase);
    let bracketed = matches!((before, after), (Some(b'['), Some(b']')) | (Some(b'|'), Some(b'|')));
    !joined && (capitals || bracketed || after == Some(b':'))
}

/// How long the escape sequence at the start of `bytes` is.
fn escape(bytes: &[u8]) -> usize {
    let [_, b'[', params @ ..] = bytes else { return 1 };
    params.iter().position(|byte| (0x40..=0x7e).contains(byte)).map_or(bytes.len(), |end| end + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_found_as_the_common_loggers_write_them() {
        use Severity::{Debug, Error, Fatal, Info, Unknown, Warn};
        let cases: &[(&str, Severity)] = &[
            ("2026-01-02T03:04:05Z ERROR cannot bind", Error),
            ("[2026-01-02 03:04:05,123] WARNING in app: slow", Warn),
            ("INFO:root:started", Info),
            ("10.0.0.1 - - \"GET /error HTTP/1.1\" 200", Unknown),
            ("error: no such file", Error),
            ("[error] 12#0: *1 connect() failed", Error),
            ("no error here", Unknown),
            ("the INFORMATION desk", Unknown),
            ("error-handler registered", Unknown),
            ("\x1b[31mERROR\x1b[0m disk full", Error),
            ("\x1b[2m2026-01-02\x1b[0m \x1b[32m INFO\x1b[0m server: up", Info),
            ("E0102 15:04:05.678901       1 server.go:12] lost", Error),
            ("I0102 15:04:05 fine", Info),
            ("EU12 is a region", Unknown),
            ("<3>kernel: out of memory", Error),
            ("<30>daemon: hello", Info),
            ("<html>", Unknown),
            ("time=2026 level=warn msg=\"disk\"", Warn),
            ("ts=1 lvl=\"eror\"", Unknown),
            ("level=error", Error),
            (r#"{"msg":"level headed","level":"error"}"#, Error),
            (r#"{"level":30,"msg":"up"}"#, Info),
            (r#"{"severity": "CRITICAL"}"#, Fatal),
            (r#"{"a":"level","b":1}"#, Unknown),
            ("Traceback (most recent call last):", Error),
            ("RuntimeError: out of memory", Error),
            ("java.lang.IllegalStateException", Error),
            ("ErrorHandler: ready", Unknown),
            ("panic: runtime error: index out of range", Fatal),
            ("2026/01/02 [debug] x", Debug),
            ("", Unknown),
            ("   ", Unknown),
            ("{", Unknown),
            ("<", Unknown),
        ];
        for (line, severity) in cases {
            assert_eq!(Severity::of(line.as_bytes()), *severity, "{line}");
        }
    }
}
