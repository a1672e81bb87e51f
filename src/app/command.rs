//! Commands: what a key or a palette line means to the console. The one list of them is in `command/table.rs`;
//! keymap, help, palette and `docs/keys.md` read it.

mod keymap;
mod printed;
mod table;

pub use keymap::Keymap;
pub use printed::keys_markdown;
pub use table::COMMANDS;

use super::{key::Key, pane::Pane};
use crate::operation::Verb;

/// What a key or a palette line means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Command {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// One window up.
    PageUp,
    /// One window down.
    PageDown,
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// Show a pane.
    Show(Pane),
    /// Show the pane after this one.
    NextPane,
    /// Show the pane before this one.
    PreviousPane,
    /// Go into what the cursor is on.
    Open,
    /// Close, clear or go back: whatever was done last.
    Back,
    /// Everything the platform says about one resource.
    Describe,
    /// Secrets that let machines in, on this screen for a while.
    Reveal,
    /// Log lines of what is marked or under the cursor.
    Logs,
    /// Narrow the table to rows that match.
    Filter,
    /// Choose the column to sort by.
    Sort,
    /// Sort by the column to the left.
    SortLeft,
    /// Sort by the column to the right.
    SortRight,
    /// Turn the order around.
    Reverse,
    /// Mark the row, or take its mark away.
    Mark,
    /// Mark every row shown, or take all marks away.
    MarkAll,
    /// Put the name on the clipboard.
    Copy,
    /// Choose a command by name.
    Palette,
    /// What every key does.
    Help,
    /// What was said so far.
    Messages,
    /// Connections: who, how well, since when.
    Connections,
    /// Show one connection only, or all again.
    Only,
    /// Go to a context, opening it first where it is not open.
    Context,
    /// Show one namespace only, or all again.
    Namespace,
    /// Which ports of this machine lead to tasks.
    Forwards,
    /// Try what failed again now.
    Retry,
    /// Choose the theme.
    Theme,
    /// Go on to the newest lines as they come, or stay.
    Follow,
    /// Break long lines, or cut them.
    Wrap,
    /// Show when each line was written, or not.
    Timestamps,
    /// Show where each line comes from, or not.
    Sources,
    /// Show only lines that match.
    Matching,
    /// Find text.
    Search,
    /// The next match.
    NextMatch,
    /// The match before.
    PreviousMatch,
    /// The next line that reports an error.
    NextError,
    /// The line before that reports an error.
    PreviousError,
    /// Show only lines at least this severe.
    Severity,
    /// Write what is shown to a file.
    Save,
    /// Read sections, or the platform's own answer.
    Raw,
    /// Plan a verb for what is marked or under the cursor.
    Plan(Verb),
    /// Ask a running operation to stop between its steps.
    CancelOperation,
    /// Plan what is left of an operation.
    Resume,
    /// Plan what undoes an operation.
    Undo,
    /// Write a plan to a file.
    SavePlan,
    /// Override a guard with a reason.
    Override,
    /// Paint the whole screen again.
    Redraw,
    /// Back to the shell until it is continued.
    Suspend,
    /// End the program.
    Quit,
}

/// Where keys mean something: a pane, or an overlay that reads commands rather than text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A pane.
    Pane(Pane),
    /// A described resource.
    Describe,
    /// A plan and its confirmation.
    Plan,
    /// Something to read or choose from: help, messages, connections, sort.
    List,
}

/// Under which heading help shows a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Getting about.
    Moving,
    /// Panes.
    Panes,
    /// Tables.
    Tables,
    /// Reading.
    Reading,
    /// Logs.
    Logs,
    /// Changing platforms. Always behind a plan.
    Changing,
    /// The program itself.
    Program,
}

impl Group {
    /// Every group, in the order of help.
    pub const ALL: [Self; 7] =
        [Self::Moving, Self::Panes, Self::Tables, Self::Reading, Self::Logs, Self::Changing, Self::Program];

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Moving => "Moving",
            Self::Panes => "Panes",
            Self::Tables => "Tables",
            Self::Reading => "Reading",
            Self::Logs => "Logs",
            Self::Changing => "Changing (always behind a plan)",
            Self::Program => "The console",
        }
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it means.
    pub command: Command,
    /// Its name in palette, configuration and documentation.
    pub name: &'static str,
    /// What the palette may be given after the name: `FILTER`. Empty where nothing.
    pub argument: &'static str,
    /// Its keys, unless configuration says otherwise.
    pub keys: &'static [Key],
    /// Where it means something.
    pub places: &'static [Place],
    /// What it does, in one line.
    pub about: &'static str,
    /// Under which heading it stands.
    pub group: Group,
}

impl Command {
    /// Its line in the table.
    pub fn entry(self) -> Option<&'static Entry> {
        COMMANDS.iter().find(|entry| entry.command == self)
    }

    /// The command called `name`.
    pub fn parse(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|entry| entry.name == name).map(|entry| entry.command)
    }

    /// Whether it can lead to a change of a platform. Such commands keep away from keys that are hit by accident.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Plan(_) | Self::CancelOperation | Self::Resume | Self::Undo | Self::Override)
    }
}
