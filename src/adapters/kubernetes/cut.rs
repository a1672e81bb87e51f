//! Cuts an answer into its parts while it arrives: the items of a list or the rows of a table, the lines of a watch.
//!
//! A list of five hundred pods is some megabytes of JSON; only one item of it is ever held.

use serde::Deserialize;

use super::trouble::Undecoded;
use crate::error::{Error, ErrorKind, Result};

/// Larger than anything etcd stores (1.5 MiB by default), with room for its JSON; more is not an object.
const LONGEST_PART: usize = 16 * 1024 * 1024;
/// What surrounds the items of a list is a few hundred bytes.
const LONGEST_SHELL: usize = 256 * 1024;

/// What surrounds the items of a list.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Shell {
    #[serde(default)]
    pub(super) metadata: ShellMetadata,
}

/// The part of a list's metadata that paging and watching need.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShellMetadata {
    /// Where a watch goes on from.
    #[serde(default)]
    pub(super) resource_version: String,
    /// The token of the next page; empty on the last one.
    #[serde(default, rename = "continue")]
    pub(super) next: String,
}

/// Reads one list answer (`{"metadata": …, "items": [ … ]}`, or `"rows"` of a table) in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct ListCutter {
    /// Everything but the items.
    shell: Vec<u8>,
    /// The item that has begun and not ended, where it spans several pieces.
    item: Vec<u8>,
    depth: usize,
    string: bool,
    escaped: bool,
    /// The depth of the `items` array, while inside it.
    items: Option<usize>,
}

impl ListCutter {
    /// Takes the next piece and hands every item that is complete with it to `each`, after what stood before the items.
    pub(super) fn feed(&mut self, piece: &[u8], mut each: impl FnMut(&[u8], &[u8]) -> Result<()>) -> Result<()> {
        // Where the part that is being copied (shell or item) starts in this piece.
        let mut from = 0;
        let mut at = 0;
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(step) = self.skip(rest) else { break };
            at += step;
            let Some(&byte) = piece.get(at) else { break };
            at += 1;
            match byte {
                b'"' => self.string = true,
                b'{' | b'[' => {
                    if self.items == Some(self.depth) && byte == b'{' {
                        // Commas and spaces between items belong to nobody.
                        from = at - 1;
                    }
                    self.depth += 1;
                    if self.items.is_none() && self.depth == 2 && byte == b'[' {
                        self.keep_shell(piece.get(from..at))?;
                        from = at;
                        if ends_with_items(&self.shell) {
                            self.items = Some(self.depth);
                        }
                    }
                }
                b'}' | b']' => {
                    let Some(depth) = self.depth.checked_sub(1) else {
                        return Err(broken("it closes what was not open"));
                    };
                    self.depth = depth;
                    match self.items {
                        Some(items) if depth == items => {
                            let end = piece.get(from..at).unwrap_or_default();
                            if self.item.is_empty() {
                                each(&self.shell, end)?;
                            } else {
                                self.keep_item(end)?;
                                each(&self.shell, &self.item)?;
                                self.item.clear();
                            }
                            from = at;
                        }
                        Some(items) if depth < items => {
                            self.items = None;
                            from = at - 1;
                        }
                        Some(_) | None => {}
                    }
                }
                _ => {}
            }
        }
        let rest = piece.get(from..).unwrap_or_default();
        match self.items {
            Some(items) if self.depth > items => self.keep_item(rest),
            Some(_) => Ok(()),
            None => self.keep_shell(Some(rest)),
        }
    }

    /// What surrounded the items, once everything has been fed.
    pub(super) fn finish(self) -> Result<Shell> {
        if self.depth != 0 || self.string || self.shell.is_empty() {
            return Err(broken("it ends in the middle"));
        }
        serde_json::from_slice(&self.shell)
            .map_err(|cause| broken("its metadata cannot be read").because(&Undecoded::from(&cause)))
    }

    /// How far the next byte is that changes the nesting; passes over strings whole.
    fn skip(&mut self, rest: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.escaped {
            self.escaped = false;
            at = 1;
        }
        loop {
            let ahead = rest.get(at..)?;
            if !self.string {
                return ahead
                    .iter()
                    .position(|byte| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']'))
                    .map(|it| at + it);
            }
            let it = memchr::memchr2(b'"', b'\\', ahead)?;
            at += it + 1;
            if ahead.get(it) == Some(&b'"') {
                self.string = false;
            } else if rest.get(at).is_some() {
                at += 1;
            } else {
                self.escaped = true;
                return None;
            }
        }
    }

    fn keep_shell(&mut self, part: Option<&[u8]>) -> Result<()> {
        self.shell.extend_from_slice(part.unwrap_or_default());
        if self.shell.len() > LONGEST_SHELL { Err(broken("it is not a list")) } else { Ok(()) }
    }

    fn keep_item(&mut self, part: &[u8]) -> Result<()> {
        self.item.extend_from_slice(part);
        if self.item.len() > LONGEST_PART { Err(broken("one item is larger than 16 MiB")) } else { Ok(()) }
    }
}

/// Whether `shell` ends with the key `"items"` or `"rows"` and the opening of its array.
fn ends_with_items(shell: &[u8]) -> bool {
    let shell = shell.strip_suffix(b"[").unwrap_or(shell).trim_ascii_end();
    let Some(shell) = shell.strip_suffix(b":") else { return false };
    let key = shell.trim_ascii_end();
    key.ends_with(b"\"items\"") || key.ends_with(b"\"rows\"")
}

/// Reads lines that end with a line feed, in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct LineCutter {
    begun: Vec<u8>,
}

impl LineCutter {
    /// Takes the next piece and hands every line that is complete with it to `each`, without its line feed.
    pub(super) fn feed(&mut self, piece: &[u8], mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            rest = after.get(1..).unwrap_or_default();
            if self.begun.is_empty() {
                each(line)?;
            } else {
                self.begun.extend_from_slice(line);
                let whole = std::mem::take(&mut self.begun);
                each(&whole)?;
            }
        }
        self.begun.extend_from_slice(rest);
        if self.begun.len() > LONGEST_PART { Err(broken("one line is longer than 16 MiB")) } else { Ok(()) }
    }
}

fn broken(why: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("the API server's answer cannot be understood: {why}"))
        .hint("check that the address is that of a Kubernetes API server, with no login page before it")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIST: &str = r#"{"kind":"PodList","metadata":{"resourceVersion":"42","continue":"abc","x":["items"]},
        "items" : [ {"a":"}]\"{","b":[1,{"items":[{}]}]} , {"c":"\\"},{}],"after":[1,2]}"#;

    fn cut(text: &str, size: usize) -> Result<(Vec<String>, Shell)> {
        let (mut cutter, mut items) = (ListCutter::default(), Vec::new());
        for piece in text.as_bytes().chunks(size) {
            cutter.feed(piece, |_, item| {
                items.push(String::from_utf8_lossy(item).into_owned());
                Ok(())
            })?;
        }
        Ok((items, cutter.finish()?))
    }

    #[test]
    fn items_are_the_same_however_the_answer_is_cut_on_its_way() {
        let whole = cut(LIST, usize::MAX).expect("the list is well-formed");
        assert_eq!(whole.0, [r#"{"a":"}]\"{","b":[1,{"items":[{}]}]}"#, r#"{"c":"\\"}"#, "{}"]);
        assert_eq!(whole.1.metadata, ShellMetadata { resource_version: "42".into(), next: "abc".into() });
        for size in 1..LIST.len() {
            assert_eq!(cut(LIST, size).expect("cut anywhere"), whole, "pieces of {size}");
        }
    }

    #[test]
    fn metadata_may_follow_the_items() {
        let (items, shell) = cut(r#"{"items":[{"a":1}],"metadata":{"resourceVersion":"7"}}"#, 5).expect("well-formed");
        assert_eq!((items.len(), shell.metadata.resource_version.as_str()), (1, "7"));
    }

    #[test]
    fn an_answer_that_ends_early_is_malformed() {
        for text in ["", "{", r#"{"items":[{"a":1}"#, r#"{"items":[]}}"#, "<html>"] {
            assert_eq!(cut(text, 3).expect_err(text).kind, ErrorKind::Malformed, "{text}");
        }
    }

    #[test]
    fn lines_are_the_same_however_they_are_cut_on_their_way() {
        for size in 1..9 {
            let (mut cutter, mut lines) = (LineCutter::default(), Vec::new());
            for piece in b"one\n\ntwo\nthree".chunks(size) {
                let taken = cutter.feed(piece, |line| {
                    lines.push(line.to_vec());
                    Ok(())
                });
                assert_eq!(taken, Ok(()));
            }
            assert_eq!(lines, [b"one".to_vec(), Vec::new(), b"two".to_vec()]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_a_list_or_an_error(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let mut cutter = ListCutter::default();
            let fed = pieces.iter().try_for_each(|piece| cutter.feed(piece, |_, _| Ok(())));
            if fed.is_ok() {
                drop(cutter.finish());
            }
        }
    }
}
