//! From messages of a log stream to lines: time and task taken off, parts joined, what was told already left out.

use std::{cmp::Ordering, collections::HashMap};

use super::super::{frames::Message, instant::instant};
use crate::fleet::{
    Text, Timestamp,
    log::{LogLine, LogStream},
};

/// The label by which the swarm names a line's task.
const TASK: &[u8] = b"com.docker.swarm.task.id=";

/// One line and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub task: Option<Text>,
    pub text: LogLine,
    /// Whether it was longer than is shown.
    pub cut: bool,
}

/// What is remembered between messages.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Beginnings of lines whose end has not come: the engine splits at 16 KiB.
    open: HashMap<(Option<Text>, bool), Line>,
    /// The newest line of each task: its time to the nanosecond, and every line of that very time.
    told: Told,
    /// The same as it was when the stream was joined again; only what comes twice because of that is left out.
    before: Told,
    latest: Option<Timestamp>,
}

type Told = HashMap<Option<Text>, (Vec<u8>, Vec<Vec<u8>>)>;

impl Lines {
    /// The time of the newest line.
    pub(super) const fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The stream is joined again, from some time before its last line.
    pub(super) fn rejoin(&mut self) {
        self.open.clear();
        self.before.clone_from(&self.told);
    }

    /// Turns `messages` into lines; what the engine itself says goes to `said`.
    pub(super) fn take(
        &mut self,
        messages: impl IntoIterator<Item = Message>,
        lines: &mut Vec<Line>,
        said: &mut Option<String>,
    ) {
        for message in messages {
            match message {
                Message::Engine(text) => *said = Some(text),
                Message::Line(stream, bytes) => self.message(stream, &bytes, lines),
            }
        }
    }

    /// Lets go of lines whose end will not come.
    pub(super) fn flush(&mut self, lines: &mut Vec<Line>) {
        lines.extend(self.open.drain().map(|(_, line)| line));
    }

    fn message(&mut self, stream: LogStream, raw: &[u8], lines: &mut Vec<Line>) {
        let (stamp, rest) = word(raw);
        let Some(at) = std::str::from_utf8(stamp).ok().and_then(instant) else { return };
        let (details, text) = word(rest);
        let task = details.split(|byte| *byte == b',').find_map(|pair| pair.strip_prefix(TASK)).map(Text::clean_bytes);
        // Without details (never seen from a swarm) the first word is part of the line.
        let text = if details.contains(&b'=') { text } else { rest };
        let (text, whole) = match text.strip_suffix(b"\n") {
            Some(text) => (text.strip_suffix(b"\r").unwrap_or(text), true),
            None => (text, false),
        };
        if self.repeated(task.as_ref(), stamp, text) {
            return;
        }
        self.latest = self.latest.max(Some(at));
        let place = (task.clone(), stream == LogStream::Err);
        let mut line = self.open.remove(&place).unwrap_or_else(|| Line {
            task,
            text: LogLine { at, stream, bytes: Vec::new() },
            cut: false,
        });
        let room = LogLine::LIMIT.saturating_sub(line.text.bytes.len());
        line.text.bytes.extend(text.iter().take(room));
        line.cut |= text.len() > room;
        if whole {
            lines.push(line);
        } else {
            self.open.insert(place, line);
        }
    }

    /// Whether this line was told before the stream broke; if not, it is told now. Stamps have nine digits of a second
    /// each, so they compare as text.
    fn repeated(&mut self, task: Option<&Text>, stamp: &[u8], text: &[u8]) -> bool {
        let key = task.cloned();
        if let Some((newest, at_newest)) = self.before.get(&key) {
            match stamp.cmp(newest.as_slice()) {
                Ordering::Less => return true,
                Ordering::Equal if at_newest.iter().any(|told| told == text) => return true,
                Ordering::Equal | Ordering::Greater => {}
            }
        }
        let (newest, at_newest) = self.told.entry(key).or_default();
        match stamp.cmp(newest.as_slice()) {
            // Two streams of one task may overtake each other by a hair.
            Ordering::Less => {}
            Ordering::Equal => at_newest.push(text.to_vec()),
            Ordering::Greater => (*newest, *at_newest) = (stamp.to_vec(), vec![text.to_vec()]),
        }
        false
    }
}

/// The first word, and what follows the space after it.
fn word(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', bytes) {
        Some(end) => (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..).unwrap_or_default()),
        None => (bytes.strip_suffix(b"\n").unwrap_or(bytes), &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(second: u8, task: &str, text: &str) -> Message {
        let details =
            format!("com.docker.swarm.node.id=n1,com.docker.swarm.service.id=s1,com.docker.swarm.task.id={task}");
        Message::Line(LogStream::Out, format!("2026-11-21T06:00:{second:02}.000000001Z {details} {text}").into_bytes())
    }

    fn read(lines: &mut Lines, messages: Vec<Message>) -> Vec<(String, String)> {
        let (mut out, mut said) = (Vec::new(), None);
        lines.take(messages, &mut out, &mut said);
        let text = |line: &Line| String::from_utf8_lossy(&line.text.bytes).into_owned();
        out.iter().map(|line| (line.task.as_ref().map_or(String::new(), ToString::to_string), text(line))).collect()
    }

    #[test]
    fn a_line_names_its_task_and_keeps_its_spaces() {
        let mut lines = Lines::default();
        assert_eq!(read(&mut lines, vec![raw(1, "t1", "  two  words \n")]), [("t1".into(), "  two  words ".into())]);
        assert_eq!(read(&mut lines, vec![raw(2, "t1", "\n")]), [("t1".into(), String::new())]);
    }

    #[test]
    fn parts_of_a_long_line_are_joined_for_each_task() {
        let mut lines = Lines::default();
        let messages = vec![raw(1, "t1", "be"), raw(1, "t2", "whole\n"), raw(1, "t1", "ginning\n")];
        let expected = [("t2".into(), "whole".into()), ("t1".into(), "beginning".into())];
        assert_eq!(read(&mut lines, messages), expected);
    }

    #[test]
    fn what_was_told_before_a_break_is_not_told_again() {
        let mut lines = Lines::default();
        let twice = vec![raw(1, "t1", "a\n"), raw(2, "t1", "b\n"), raw(2, "t1", "b\n")];
        assert_eq!(read(&mut lines, twice).len(), 3);
        lines.rejoin();
        let again = vec![raw(1, "t1", "a\n"), raw(2, "t1", "b\n"), raw(2, "t1", "c\n"), raw(1, "t2", "d\n")];
        assert_eq!(read(&mut lines, again), [("t1".into(), "c".into()), ("t2".into(), "d".into())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_says_so() {
        let mut lines = Lines::default();
        let (mut out, mut said) = (Vec::new(), None);
        let part = "x".repeat(LogLine::LIMIT);
        lines.take(vec![raw(1, "t1", &part), raw(1, "t1", "y\n")], &mut out, &mut said);
        let seen: Vec<(usize, bool)> = out.iter().map(|line| (line.text.bytes.len(), line.cut)).collect();
        assert_eq!(seen, [(LogLine::LIMIT, true)]);
    }
}
