//! Moving within a pane, and between panes.

use crate::app::{App, Outcome, Overlay, Pane, Spot, scroll::Motion, table::Urgency};

impl App {
    /// Moves what the pane shows.
    pub(in crate::app) fn step_pane(&mut self, motion: Motion) {
        match self.spot.pane {
            Pane::Overview => self.overview.step(motion),
            Pane::Operations => self.operations.step(motion),
            Pane::Logs => self.logs.step(motion),
            Pane::Nodes
            | Pane::Services
            | Pane::Tasks
            | Pane::Health
            | Pane::Pipelines
            | Pane::Backing
            | Pane::Objects => {
                if let Some(table) = self.table_mut() {
                    table.step(motion);
                }
            }
        }
    }

    /// Moves sideways: from stage to stage in the overview, over what is cut off elsewhere.
    pub(super) fn sideways(&mut self, steps: isize) {
        match self.overlays.last_mut() {
            Some(Overlay::Describe(it)) => it.sideways(steps),
            Some(
                Overlay::Help(_)
                | Overlay::Palette(_)
                | Overlay::Prompt(_)
                | Overlay::Plan(_)
                | Overlay::Messages(_)
                | Overlay::Sort(_)
                | Overlay::Connections(_)
                | Overlay::Pick(_)
                | Overlay::Forwards(_)
                | Overlay::Ask(_)
                | Overlay::Reveal(_),
            ) => {}
            None => match self.spot.pane {
                Pane::Overview => {
                    self.overview.turn(steps);
                }
                Pane::Logs => self.logs.sideways(steps),
                Pane::Operations
                | Pane::Nodes
                | Pane::Services
                | Pane::Tasks
                | Pane::Health
                | Pane::Pipelines
                | Pane::Backing
                | Pane::Objects => {}
            },
        }
    }

    /// Shows a pane as it was left, narrowed to `filter` where one is given. The way that was drilled is forgotten.
    pub(super) fn show(&mut self, pane: Pane, filter: &str, out: &mut Outcome) {
        // Whatever stood before the pane, such as a description, is not what was asked for.
        self.overlays.clear();
        self.trail.clear();
        self.spot = Spot::of(pane);
        if pane == Pane::Logs {
            self.logs.reopen(self.settings.log_tail, self.settings.log_bytes);
        }
        if pane == Pane::Objects && !filter.is_empty() {
            self.show_objects(filter, out);
            return;
        }
        self.settle(Urgency::Now, out);
        if !filter.is_empty() {
            self.narrow(filter);
        }
        if pane == Pane::Operations {
            self.operations.reading(self.known.now);
            out.effects.push(crate::app::Effect::ReadJournal);
        }
    }

    /// Goes somewhere, remembering where one was.
    pub(in crate::app) fn go(&mut self, spot: Spot, out: &mut Outcome) {
        let here = std::mem::replace(&mut self.spot, spot);
        self.trail.push(here);
        self.settle(Urgency::Now, out);
    }

    /// Closes the overlay, clears the filter, drops the marks or goes back: whatever was done last.
    pub(super) fn back(&mut self, out: &mut Outcome) {
        if self.overlays.pop().is_some() {
            return;
        }
        if self.spot.pane == Pane::Logs && self.logs.clear() {
            return;
        }
        let world = self.known.world();
        let table = match &mut self.spot.drilled {
            Some(table) => Some(table),
            None => self.spot.pane.kind().and_then(|kind| self.tables.get_mut(&kind)),
        };
        if let Some(table) = table {
            if !table.filter().text().is_empty() {
                table.narrow("", world);
                return;
            }
            if table.unmark() {
                return;
            }
        }
        if let Some(before) = self.trail.pop() {
            let left = std::mem::replace(&mut self.spot, before);
            if left.pane == Pane::Logs {
                // Nobody looks at it any more, and the next look begins anew.
                self.logs.close();
            }
            self.settle(Urgency::Now, out);
        }
    }
}
