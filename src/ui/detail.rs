//! What is under the cursor, in more room than a row has. One file per kind that has a picture to show.

mod endpoint;
mod node;
mod pipeline;
mod service;
mod task;

use ratatui::{layout::Rect, style::Style};

use super::{
    canvas::{Canvas, Line},
    cell::STALE,
};
use crate::{app::World, fleet::Resource};

/// Rows a detail strip takes, its rule included.
pub(crate) const HEIGHT: u16 = 8;

/// How wide the names of facts are.
const NAME: u16 = 10;

/// Draws the strip for `resource` with its name in the rule above.
pub(crate) fn detail(canvas: &mut Canvas<'_>, area: Rect, resource: &Resource, world: World<'_>) {
    let theme = canvas.theme;
    let (sign, role) = match world.stale_for(resource.id()) {
        Some(_) => (STALE, theme.stale),
        None => (resource.health().sign(), theme.health(resource.health())),
    };
    let mut rule = canvas.line(area, 0);
    rule.put("─", theme.border).gap(1).put(sign, role).gap(1).put(resource.name(), theme.title).gap(1);
    rule.put(&resource.id().connection.0, theme.muted).gap(1).rest("─", theme.border);
    let inside = Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(1),
    };
    match resource {
        Resource::Service(it) => service::service(canvas, inside, it, world),
        Resource::Node(it) => node::node(canvas, inside, it, world),
        Resource::Task(it) => task::task(canvas, inside, it, world),
        Resource::Pipeline(it) => pipeline::pipeline(canvas, inside, it, world),
        Resource::Endpoint(it) => endpoint::endpoint(canvas, inside, it, world),
        Resource::Backing(it) => {
            Facts::new(canvas, inside).words("detail", &it.detail, theme.text).words("group", &it.group, theme.muted);
        }
        Resource::Cluster(_) | Resource::Lock(_) | Resource::Definition(_) | Resource::Object(_) => {}
    }
}

/// Names and values, one row each, as long as there are rows.
pub(crate) struct Facts<'c, 'a> {
    canvas: &'c mut Canvas<'a>,
    area: Rect,
    row: u16,
}

impl<'c, 'a> Facts<'c, 'a> {
    pub(crate) const fn new(canvas: &'c mut Canvas<'a>, area: Rect) -> Self {
        Self { canvas, area, row: 0 }
    }

    /// A row that begins with `name`; `write` does the rest.
    pub(crate) fn fact(&mut self, name: &str, write: impl FnOnce(&mut Line<'_, '_>)) -> &mut Self {
        if self.row < self.area.height {
            let theme = self.canvas.theme;
            let mut line = self.canvas.line(self.area, self.row);
            line.within(NAME, name, theme.muted).to(self.area.x + NAME + 1);
            write(&mut line);
            self.row += 1;
        }
        self
    }

    /// A row that begins with `name` and goes on with `words`; none where there are no words.
    pub(crate) fn words(&mut self, name: &str, words: &str, role: Style) -> &mut Self {
        if words.is_empty() {
            return self;
        }
        self.fact(name, |line| {
            line.put(words, role);
        })
    }
}
