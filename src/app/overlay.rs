//! What may lie over a pane. The topmost has the keys; esc closes it.

mod ask;
mod confirm;
mod describe;
mod help;
mod list;
mod palette;
mod pick;
mod plan;
mod prompt;
mod reveal;

pub use ask::{Ask, Question};
pub use confirm::{Confirm, Needs, Override};
pub use describe::{Describe, DocumentLine, Find, Form, Heading, Reading};
pub use help::{Help, HelpLine};
pub use list::{ConnectionList, ForwardList, MessageList, SortPicker};
pub use palette::{Choice, Palette};
pub use pick::{Pick, Picked, Picker};
pub use plan::{PlanStage, PlanView};
pub use prompt::{Prompt, Purpose};
pub use reveal::Reveal;

use super::{command::Place, layout::Areas};

/// What may lie over a pane.
#[derive(Debug)]
pub enum Overlay {
    /// What every key does.
    Help(Help),
    /// Commands by name.
    Palette(Palette),
    /// One line to type: a filter, a search, a file name.
    Prompt(Prompt),
    /// Everything a platform says about one resource.
    Describe(Box<Describe>),
    /// A plan and its confirmation.
    Plan(Box<PlanView>),
    /// What was said so far.
    Messages(MessageList),
    /// The column to sort by.
    Sort(SortPicker),
    /// Who is connected.
    Connections(ConnectionList),
    /// A context or a namespace to choose.
    Pick(Picker),
    /// Which ports of this machine lead to tasks.
    Forwards(ForwardList),
    /// A question that `y` answers.
    Ask(Ask),
    /// Secrets, for a while.
    Reveal(Reveal),
}

impl Overlay {
    /// Where its keys mean something; `None` where keys are text or answers.
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Help(_)
            | Self::Messages(_)
            | Self::Sort(_)
            | Self::Connections(_)
            | Self::Pick(_)
            | Self::Forwards(_) => Some(Place::List),
            Self::Describe(_) => Some(Place::Describe),
            Self::Plan(_) => Some(Place::Plan),
            Self::Palette(_) | Self::Prompt(_) | Self::Ask(_) | Self::Reveal(_) => None,
        }
    }

    /// What was drawn of it.
    pub(super) fn drawn(&mut self, areas: Areas) {
        let height = areas.overlay.lines();
        match self {
            Self::Help(it) => it.drawn(height),
            Self::Palette(it) => it.drawn(height),
            Self::Describe(it) => it.drawn(height),
            Self::Plan(it) => it.drawn(height, areas.overlay_content),
            Self::Messages(it) => it.drawn(height),
            Self::Sort(it) => it.drawn(height),
            Self::Connections(it) => it.drawn(height),
            Self::Pick(it) => it.from.drawn(height),
            Self::Forwards(it) => it.drawn(height),
            Self::Prompt(_) | Self::Ask(_) | Self::Reveal(_) => {}
        }
    }
}
