//! The table of commands in words: the document of keys, and where a command means something.

use std::fmt::Write as _;

use super::{
    Group, Place,
    table::{COMMANDS, EVERYWHERE, PANES, TABLES},
};

/// The keys as a document: what `docs/keys.md` holds.
pub fn keys_markdown() -> String {
    let mut page = String::from(
        "# Keys\n\nWritten from the table in `src/app/command/table.rs`. Every command has a name for the palette (`:`) and for\n`[keys]` in the configuration, where its keys can be changed.\n",
    );
    for group in Group::ALL {
        let _ = write!(page, "\n## {}\n\n| key | command | where | what it does |\n|---|---|---|---|\n", group.title());
        for entry in COMMANDS.iter().filter(|entry| entry.group == group) {
            let keys: Vec<String> =
                entry.keys.iter().map(|key| format!("`{}`", key.to_string().replace('|', "\\|"))).collect();
            let name = format!("{} {}", entry.name, entry.argument);
            let _ = writeln!(
                page,
                "| {} | `{}` | {} | {} |",
                keys.join(" "),
                name.trim_end(),
                places(entry.places),
                entry.about
            );
        }
    }
    page
}

/// Where a command means something, in words.
pub(super) fn places(places: &[Place]) -> String {
    if places.is_empty() {
        return "palette".to_owned();
    }
    if places == EVERYWHERE {
        return "everywhere".to_owned();
    }
    if places == PANES {
        return "panes".to_owned();
    }
    if places == TABLES {
        return "tables".to_owned();
    }
    let words: Vec<&str> = places
        .iter()
        .map(|place| match place {
            Place::Pane(pane) => pane.word(),
            Place::Describe => "describe",
            Place::Plan => "plan",
            Place::List => "lists",
        })
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_a_line_for_every_command() {
        let page = keys_markdown();
        for entry in COMMANDS {
            assert!(page.contains(entry.about), "{}", entry.name);
        }
    }
}
