//! The panes: what can fill the screen, in the order of their number keys.

use crate::fleet::Kind;

/// What can fill the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pane {
    /// Which digest runs where, what needs attention, who is connected.
    Overview,
    /// Machines.
    Nodes,
    /// What keeps tasks running.
    Services,
    /// What runs.
    Tasks,
    /// HTTP probes and tests.
    Health,
    /// Pipelines and their gates.
    Pipelines,
    /// Log lines of what was chosen.
    Logs,
    /// What is being done and what was.
    Operations,
    /// Stacks, configuration, secrets, registries.
    Backing,
    /// Whatever else a platform has: its kinds, and the objects of one of them.
    Objects,
}

impl Pane {
    /// Every pane, in the order of the number keys.
    pub const ALL: [Self; 10] = [
        Self::Overview,
        Self::Nodes,
        Self::Services,
        Self::Tasks,
        Self::Health,
        Self::Pipelines,
        Self::Logs,
        Self::Operations,
        Self::Backing,
        Self::Objects,
    ];

    /// The name on its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Nodes => "Nodes",
            Self::Services => "Services",
            Self::Tasks => "Tasks",
            Self::Health => "Health",
            Self::Pipelines => "Pipelines",
            Self::Logs => "Logs",
            Self::Operations => "Operations",
            Self::Backing => "Stacks",
            Self::Objects => "Objects",
        }
    }

    /// The word that opens it in the palette.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Nodes => "nodes",
            Self::Services => "services",
            Self::Tasks => "tasks",
            Self::Health => "health",
            Self::Pipelines => "pipelines",
            Self::Logs => "logs",
            Self::Operations => "operations",
            Self::Backing => "stacks",
            Self::Objects => "objects",
        }
    }

    /// What it shows, in one line for help and palette.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Overview => "which digest runs where, what needs attention, who is connected",
            Self::Nodes => "machines: role, zone, availability, what is reserved of them",
            Self::Services => "services: running of desired, image, rollout, spread",
            Self::Tasks => "tasks: state, node, restarts, why they wait or ended",
            Self::Health => "probes and tests: status, latency, certificates, coverage",
            Self::Pipelines => "pipelines: runs, stages and the gates that wait for a person",
            Self::Logs => "log lines of the services and tasks that were chosen",
            Self::Operations => "what is being done, what was done, and how it ended",
            Self::Backing => "stacks, configuration, secrets, registries",
            Self::Objects => "every kind the platform has, and the objects of one: ingresses, events, custom resources",
        }
    }

    /// The key that opens it: `1` for the first.
    pub const fn digit(self) -> char {
        match self {
            Self::Overview => '1',
            Self::Nodes => '2',
            Self::Services => '3',
            Self::Tasks => '4',
            Self::Health => '5',
            Self::Pipelines => '6',
            Self::Logs => '7',
            Self::Operations => '8',
            Self::Backing => '9',
            Self::Objects => '0',
        }
    }

    /// The kind whose table it shows.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Nodes => Some(Kind::Node),
            Self::Services => Some(Kind::Service),
            Self::Tasks => Some(Kind::Task),
            Self::Health => Some(Kind::Endpoint),
            Self::Pipelines => Some(Kind::Pipeline),
            Self::Backing => Some(Kind::Backing),
            Self::Objects => Some(Kind::Definition),
            Self::Overview | Self::Logs | Self::Operations => None,
        }
    }

    /// The pane in which resources of `kind` are found.
    pub const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Node => Self::Nodes,
            Kind::Service => Self::Services,
            Kind::Task => Self::Tasks,
            Kind::Endpoint => Self::Health,
            Kind::Pipeline => Self::Pipelines,
            Kind::Backing => Self::Backing,
            Kind::Definition | Kind::Object => Self::Objects,
            // Clusters and locks are shown where they matter: beside the lanes.
            Kind::Cluster | Kind::Lock => Self::Overview,
        }
    }

    /// The pane `steps` further on, round and round.
    #[must_use]
    pub fn turned(self, steps: isize) -> Self {
        let count = Self::ALL.len().cast_signed();
        let here = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0).cast_signed();
        let there = (here + steps).rem_euclid(count).cast_unsigned();
        Self::ALL.get(there).copied().unwrap_or(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_go_round_in_both_directions() {
        assert_eq!(Pane::Overview.turned(1), Pane::Nodes);
        assert_eq!(Pane::Overview.turned(-1), Pane::Objects);
        assert_eq!(Pane::Objects.turned(1), Pane::Overview);
    }

    #[test]
    fn every_kind_with_a_table_is_found_in_the_pane_that_shows_it() {
        for pane in Pane::ALL {
            if let Some(kind) = pane.kind() {
                assert_eq!(Pane::of(kind), pane);
            }
        }
    }
}
