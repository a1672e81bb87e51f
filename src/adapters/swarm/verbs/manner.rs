//! What an update does to tasks: for the sentences about it, and for which tasks count as done.

use super::change::Changes;

/// What tells an update from others.
pub(super) enum Ours {
    /// It made these changes.
    Changes(Changes),
    /// It went back to the spec of this hash.
    Back(String),
}

/// What an update does to tasks, for its sentences and for which of them count as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Every task is made anew.
    Replaces,
    /// Tasks leave a node; those elsewhere stay as they are, and keep the spec they were made from.
    Moves,
    /// Tasks are added or taken away.
    Fills,
    /// Every task is made anew from the spec before.
    Returns,
}

impl Manner {
    pub(super) fn of(ours: &Ours) -> Self {
        match ours {
            Ours::Back(_) => Self::Returns,
            Ours::Changes(changes) if changes.to(&["TaskTemplate", "Placement", "Constraints"]).is_some() => {
                Self::Moves
            }
            Ours::Changes(changes) if changes.touch("TaskTemplate") => Self::Replaces,
            Ours::Changes(_) => Self::Fills,
        }
    }

    /// `3 of 4 tasks …`
    pub(super) const fn so_far(self) -> &'static str {
        match self {
            Self::Replaces => "replaced",
            Self::Moves => "run where they should",
            Self::Fills => "run",
            Self::Returns => "are of the version before",
        }
    }

    /// How it is told of all tasks at the end.
    pub(super) fn whole(self, total: u32) -> String {
        let (one, all) = match self {
            Self::Replaces => ("was replaced", "were replaced"),
            Self::Moves => ("runs where it should", "run where they should"),
            Self::Fills => ("runs", "run"),
            Self::Returns => ("is of the version before", "are of the version before"),
        };
        match total {
            0 => "it wants no tasks, and none are left".to_owned(),
            1 => format!("its only task {one} and stayed up"),
            total => format!("all {total} tasks {all} and stayed up"),
        }
    }
}

/// The constraint that keeps a task off a node, as this program writes it.
pub(super) fn off(node: &str) -> String {
    format!("node.id!={node}")
}

/// The node that a constraint of ours keeps tasks off.
pub(super) fn barred(constraint: &str) -> Option<String> {
    Some(constraint.strip_prefix("node.id!=")?.trim().to_owned())
}
