//! From text to TOML. A part that is not TOML is reported and left out, and the rest is read.

use std::ops::Range;

use toml_edit::Document;

/// What could be parsed, and what could not.
pub(super) struct Parsed {
    /// The readable rest; spans are those of the whole text.
    pub(super) document: Document<String>,
    /// What was left out.
    pub(super) broken: Vec<Broken>,
}

/// A part that is not TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// What the parser says.
    pub(super) message: String,
    /// Where.
    pub(super) span: Range<usize>,
    /// The header of the section it stands in, as written; empty before the first.
    pub(super) section: String,
    /// Whether the whole section was left out, or only the line.
    pub(super) lost: Lost,
}

/// How much was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    Line,
    Section,
}

/// More broken parts than this and the file is something else altogether.
const PARTS: usize = 100;

/// Parses `text`, stepping over what is broken.
pub(super) fn parse(text: &str) -> Parsed {
    let mut rest = text.to_owned();
    let mut broken = Vec::new();
    for _ in 0..PARTS {
        match Document::parse(rest.clone()) {
            Ok(document) => {
                broken.sort_by_key(|it: &Broken| it.span.start);
                return Parsed { document, broken };
            }
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let Some((section, lost, part)) = part_around(&rest, span.start) else { break };
                let message = error.message().replace('\n', "; ");
                broken.push(Broken { message, span, section, lost });
                let blank: String = rest
                    .get(part.clone())
                    .unwrap_or_default()
                    .chars()
                    .map(|it| if it == '\n' { "\n".to_owned() } else { " ".repeat(it.len_utf8()) })
                    .collect();
                rest.replace_range(part, &blank);
            }
        }
    }
    let document = Document::parse(String::new()).expect("no text is valid TOML");
    Parsed { document, broken }
}

/// What to leave out for a mistake at `offset`: its line, or the section where a line less could change what it says.
/// An entry of a list is such a section, and so are `[safety]` and whatever follows a broken header.
fn part_around(text: &str, offset: usize) -> Option<(String, Lost, Range<usize>)> {
    let lines = lines(text);
    // The parser may point behind the line it means; the last line with anything on it is meant then.
    let said = |range: &&Range<usize>| !text.get((*range).clone()).unwrap_or_default().trim().is_empty();
    let line = lines.iter().filter(said).rfind(|range| range.start <= offset).or_else(|| lines.iter().find(said))?;
    let header = |range: &&Range<usize>| is_header(text.get((*range).clone()).unwrap_or_default());
    let from = lines.iter().filter(header).rfind(|range| range.start <= line.start);
    let section = from.map(|range| text.get(range.clone()).unwrap_or_default().trim().to_owned()).unwrap_or_default();
    let careful = section.starts_with("[[") || section.contains("safety") || from.is_some_and(|it| it == line);
    match from {
        Some(from) if careful => {
            let end =
                lines.iter().filter(header).find(|range| range.start > line.start).map_or(text.len(), |it| it.start);
            Some((section, Lost::Section, from.start..end))
        }
        _ => Some((section, Lost::Line, line.clone())),
    }
}

fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        lines.push(start..start + line.len());
        start += line.len();
    }
    lines
}

/// Whether a line opens a section, or was meant to: `[`, then letters. Lines inside a list begin with quotes or braces.
fn is_header(line: &str) -> bool {
    let inner = line.trim_start().strip_prefix('[').map(|it| it.strip_prefix('[').unwrap_or(it));
    inner.is_some_and(|it| it.trim_start().starts_with(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines that are left, and what was left out.
    fn rest(text: &str) -> (Vec<String>, Vec<(String, Lost)>) {
        let parsed = parse(text);
        let said = parsed.document.raw().lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
        (said.collect(), parsed.broken.into_iter().map(|it| (it.section, it.lost)).collect())
    }

    #[test]
    fn a_broken_line_is_left_out_and_the_rest_stays() {
        let (said, broken) = rest("[console]\ntheme = dark\nmouse = false\n[demo]\nseed = = 3\ntasks = 7\n");
        assert_eq!(said, ["[console]", "mouse = false", "[demo]", "tasks = 7"]);
        assert_eq!(broken, [("[console]".to_owned(), Lost::Line), ("[demo]".to_owned(), Lost::Line)]);
    }

    #[test]
    fn a_broken_entry_is_left_out_whole() {
        let (said, broken) = rest("[[connections]]\nname = \"a\"\n[[connections]]\nname = \"b\"\nread_only = = true\n");
        assert_eq!(said, ["[[connections]]", "name = \"a\""]);
        assert_eq!(broken, [("[[connections]]".to_owned(), Lost::Section)]);
    }

    #[test]
    fn what_follows_a_broken_header_does_not_join_the_section_before() {
        let (said, broken) = rest("[[probes]]\nname = \"a\"\n[[probes]\nname = \"b\"\n[demo]\nseed = 3\n");
        assert_eq!(said, ["[[probes]]", "name = \"a\"", "[demo]", "seed = 3"]);
        assert_eq!(broken, [("[[probes]".to_owned(), Lost::Section)]);
    }

    #[test]
    fn any_text_at_all_comes_to_an_end() {
        for text in ["", "\u{0}", "[[[", "a", "=\n=\n=\n", "\"\"\"", "[console]\nx = [\n\n\n", "ä = ö\n[", "\r\r\n"] {
            parse(text);
        }
    }
}
