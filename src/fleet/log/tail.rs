//! The newest lines, while lines that come late may still be put between them.

use super::segment::Entry;

/// The newest lines; their order is that of `lines`, not of their text.
#[derive(Debug, Default)]
pub(super) struct Tail {
    pub(super) bytes: Vec<u8>,
    pub(super) lines: Vec<Draft>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Draft {
    pub(super) entry: Entry,
    offset: u32,
    pub(super) length: u32,
}

impl Tail {
    pub(super) fn push(&mut self, entry: Entry, bytes: &[u8]) {
        let place = (u32::try_from(self.bytes.len()), u32::try_from(bytes.len()));
        let (Ok(offset), Ok(length)) = place else { return };
        self.bytes.extend_from_slice(bytes);
        self.lines.push(Draft { entry, offset, length });
    }

    /// Puts `drafts` where their times belong. Says how many came before others, and the lowest index.
    pub(super) fn merge(&mut self, drafts: Vec<Draft>) -> (usize, usize) {
        let lines = &mut self.lines;
        let first = drafts.first().map_or(i64::MAX, |draft| draft.entry.at);
        let from = if lines.last().is_none_or(|last| last.entry.at <= first) {
            lines.len()
        } else {
            lines.partition_point(|line| line.entry.at <= first)
        };
        let moved = lines.split_off(from);
        let late = moved.last().map_or(0, |last| drafts.partition_point(|draft| draft.entry.at < last.entry.at));
        let (mut old, mut new) = (moved.into_iter().peekable(), drafts.into_iter().peekable());
        while let Some(next) = new.peek() {
            match old.next_if(|line| line.entry.at <= next.entry.at) {
                Some(line) => lines.push(line),
                None => lines.extend(new.next()),
            }
        }
        lines.extend(old);
        (late, from)
    }

    pub(super) fn line(&self, index: usize) -> Option<(Entry, &[u8])> {
        self.lines.get(index).map(|draft| self.text(draft))
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = (Entry, &[u8])> {
        self.lines.iter().map(|draft| self.text(draft))
    }

    pub(super) fn text(&self, draft: &Draft) -> (Entry, &[u8]) {
        let start = draft.offset as usize;
        (draft.entry, self.bytes.get(start..start + draft.length as usize).unwrap_or_default())
    }

    /// Forgets the first `count` lines and the text of lines that are gone.
    pub(super) fn drop_first(&mut self, count: usize) {
        let kept = self.lines.split_off(count.min(self.lines.len()));
        let bytes: usize = kept.iter().map(|draft| draft.length as usize).sum();
        let mut rest = Self { bytes: Vec::with_capacity(2 * bytes), lines: Vec::with_capacity(kept.len() * 2) };
        for draft in &kept {
            let (entry, bytes) = self.text(draft);
            rest.push(entry, bytes);
        }
        *self = rest;
    }
}
