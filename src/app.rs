//! The console's mind: what is shown, what a key means, what should be streaming. It never waits, sends or draws.

mod act;
mod clock;
pub mod command;
pub mod connection;
pub mod effect;
pub mod input;
pub mod key;
mod keys;
mod known;
pub mod layout;
pub mod logs;
pub mod message;
pub mod msg;
mod objects;
pub mod operations;
pub mod overlay;
pub mod overview;
mod palette;
pub mod pane;
#[cfg(test)]
pub(crate) mod sample;
pub mod screen;
pub mod scroll;
pub mod settings;
pub mod subscription;
pub mod table;
#[cfg(test)]
pub(crate) mod tests;
mod update;
pub mod world;

use std::collections::BTreeMap;

pub use command::{Command, Keymap, Place, keys_markdown};
pub use connection::{Condition, Connection};
pub use effect::{Effect, Outcome, Redraw};
pub use key::{Key, KeyCode};
pub use known::Discovery;
pub use layout::{Areas, Size};
pub use logs::Logs;
pub use message::{Message, Messages, Tone};
pub use msg::{ConnectionState, Msg};
pub use operations::Operations;
pub use overlay::Overlay;
pub use overview::Overview;
pub use pane::Pane;
pub use screen::{Empty, Screen};
pub use settings::Settings;
pub use subscription::Subscription;
pub use table::Table;
pub use world::World;

use crate::{
    fleet::{Kind, ResourceId, Text, Timestamp},
    operation::{Evidence, Intent},
};
use clock::Next;
use known::Known;
use update::Face;

/// The console's mind.
#[derive(Debug)]
pub struct App {
    settings: Settings,
    keymap: Keymap,
    known: Known,
    spot: Spot,
    trail: Vec<Spot>,
    tables: BTreeMap<Kind, Table>,
    overview: Overview,
    logs: Logs,
    operations: Operations,
    /// The kinds of which objects are known.
    objects: Vec<ResourceId>,
    overlays: Vec<Overlay>,
    messages: Messages,
    areas: Areas,
    face: Face,
    /// Something that is known is not shown yet.
    deferred: bool,
    /// When time alone matters next.
    next: Next,
}

/// Where somebody is: a pane, and the table in it where that was drilled into.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The pane.
    pub pane: Pane,
    /// The table that was drilled into; otherwise the pane's own is shown.
    pub drilled: Option<Table>,
    /// How it is called on the way here: `auth`.
    pub name: Text,
}

impl App {
    /// The console before anything was heard.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        // What is wrong with keys is said by whoever knows where they are written.
        let (keymap, _) = Keymap::new(&settings.keys);
        let kinds = Pane::ALL.into_iter().filter_map(Pane::kind);
        Self {
            known: Known {
                frozen_at: settings.frozen_at.filter(|_| settings.demo),
                group: settings.namespace.clone(),
                ..Known::new(settings.environments.clone(), now)
            },
            logs: Logs::new(settings.log_bytes),
            settings,
            keymap,
            spot: Spot::of(Pane::Overview),
            trail: Vec::new(),
            tables: kinds.map(|kind| (kind, Table::new(kind))).collect(),
            overview: Overview::default(),
            operations: Operations::default(),
            objects: Vec::new(),
            overlays: Vec::new(),
            messages: Messages::default(),
            areas: Areas::default(),
            face: Face::default(),
            deferred: false,
            next: Next::default(),
        }
    }

    /// The same console, opened on `pane`.
    #[must_use]
    pub fn opened_on(mut self, pane: Pane) -> Self {
        self.spot = Spot::of(pane);
        self
    }

    /// Everything known, and the view chosen of it.
    pub fn world(&self) -> World<'_> {
        self.known.world()
    }

    /// What is known now of what `intent` is for.
    pub fn evidence(&self, intent: &Intent) -> Evidence {
        Evidence::gather(&self.known.store, &self.known.environments, intent, self.world().now)
    }

    /// How far the search for platforms is.
    pub const fn discovery(&self) -> &Discovery {
        &self.known.discovery
    }

    /// Whether the embedded fleet is shown, or will be: DEMO stays visible.
    pub fn is_demo(&self) -> bool {
        self.settings.demo || self.known.discovery == Discovery::Embedded
    }

    /// What it was started with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Which key means what.
    pub const fn keymap(&self) -> &Keymap {
        &self.keymap
    }

    /// The pane shown.
    pub const fn pane(&self) -> Pane {
        self.spot.pane
    }

    /// The way here, oldest first, where something was drilled into.
    pub fn trail(&self) -> &[Spot] {
        &self.trail
    }

    /// Where somebody is.
    pub const fn spot(&self) -> &Spot {
        &self.spot
    }

    /// The table shown, where the pane shows one.
    pub fn table(&self) -> Option<&Table> {
        self.spot.drilled.as_ref().or_else(|| self.tables.get(&self.spot.pane.kind()?))
    }

    /// What the pane shown has to show.
    pub fn screen(&self) -> Screen {
        let (discovery, world) = (&self.known.discovery, self.world());
        match (self.spot.pane, self.table()) {
            (_, Some(table)) => screen::of_table(table, discovery, world),
            (Pane::Overview, None) => screen::of_overview(&self.overview, discovery, world),
            (Pane::Logs, None) => screen::of_logs(&self.logs),
            (Pane::Operations, None) => screen::of_operations(&self.operations),
            (
                Pane::Nodes
                | Pane::Services
                | Pane::Tasks
                | Pane::Health
                | Pane::Pipelines
                | Pane::Backing
                | Pane::Objects,
                None,
            ) => Screen::Rows,
        }
    }

    /// The overview.
    pub const fn overview(&self) -> &Overview {
        &self.overview
    }

    /// The logs pane.
    pub const fn logs(&self) -> &Logs {
        &self.logs
    }

    /// The operations pane.
    pub const fn operations(&self) -> &Operations {
        &self.operations
    }

    /// What lies over the pane, topmost last.
    pub fn overlays(&self) -> &[Overlay] {
        &self.overlays
    }

    /// What was said.
    pub const fn messages(&self) -> &Messages {
        &self.messages
    }

    /// What was drawn, so that a page is as long as what was seen.
    pub fn drawn(&mut self, areas: Areas) {
        self.areas = areas;
        let height = areas.body.lines();
        match self.spot.pane {
            Pane::Overview => self.overview.drawn(height),
            Pane::Operations => self.operations.drawn(height),
            Pane::Logs => self.logs.drawn(height, areas.body_content),
            Pane::Nodes
            | Pane::Services
            | Pane::Tasks
            | Pane::Health
            | Pane::Pipelines
            | Pane::Backing
            | Pane::Objects => {
                if let Some(table) = self.table_mut() {
                    table.drawn(height);
                }
            }
        }
        if let Some(overlay) = self.overlays.last_mut() {
            overlay.drawn(areas);
        }
        self.find_next();
    }

    fn table_mut(&mut self) -> Option<&mut Table> {
        match &mut self.spot.drilled {
            Some(table) => Some(table),
            None => self.tables.get_mut(&self.spot.pane.kind()?),
        }
    }
}

impl Spot {
    fn of(pane: Pane) -> Self {
        Self { pane, drilled: None, name: Text::clean(pane.title()) }
    }
}
