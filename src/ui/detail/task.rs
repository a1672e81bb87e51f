//! A task: why it waits or ended, in the platform's own words, and what it runs.

use ratatui::layout::Rect;

use super::Facts;
use crate::{
    app::World,
    fleet::{Task, time::brief},
    ui::{canvas::Canvas, page::broken},
};

pub(super) fn task(canvas: &mut Canvas<'_>, area: Rect, task: &Task, world: World<'_>) {
    let theme = canvas.theme;
    let role = theme.health(task.health);
    let mut facts = Facts::new(canvas, area);
    facts.fact("state", |line| {
        line.put(task.state.word(), role);
        if *task.native_state != *task.state.word() {
            line.put(&format!(" ({})", task.native_state), theme.muted);
        }
        if let Some(code) = task.exit_code {
            line.put(&format!(", exit {code}"), theme.warning);
        }
        if task.restarts > 0 {
            line.put(&format!(", started again {} times", task.restarts), theme.warning);
        }
        if let Some(at) = task.changed_at {
            line.put(&format!(", since {}", brief(at.age(world.now))), theme.muted);
        }
    });
    if let Some(message) = &task.message {
        for (number, part) in broken(message, area.width.saturating_sub(11)).into_iter().take(3).enumerate() {
            facts.words(if number == 0 { "message" } else { "" }, part, role);
        }
    }
    if let Some(image) = &task.image {
        facts.fact("image", |line| {
            line.put(&image.reference, theme.text);
            if let Some(digest) = image.short_digest() {
                line.put(" @ ", theme.muted).put(digest, theme.source(digest));
            }
        });
    }
    let node = task.node_name.as_deref().or(task.node.as_deref()).unwrap_or("none yet");
    facts.words("node", node, theme.text).words("group", &task.group, theme.muted);
}
