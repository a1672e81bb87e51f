//! A task: why it waits or ended, in the platform's own words, and what it runs.

use ratatui::layout::Rect;

use super::Facts;
use crate::{
    app::World,
    fleet::{Task, Value, time::brief},
    ui::{
        canvas::{Canvas, Line},
        page::broken,
    },
};

/// Writes what is used beside what was asked for and what is allowed, where anything was.
pub(super) fn amounts(line: &mut Line<'_, '_>, what: &str, amounts: [u64; 3], words: impl Fn(u64) -> String) {
    let (text, muted) = (line.theme().text, line.theme().muted);
    let [used, requested, limit] = amounts;
    line.put(what, muted).gap(1).put(&words(used), text);
    if requested > 0 {
        line.put(&format!(" of {} asked for", words(requested)), muted);
    }
    if limit > 0 {
        line.put(&format!(", {} at most", words(limit)), muted);
    }
}

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
    if let Some(used) = task.used {
        let bytes = |bytes: u64| Value::Bytes(bytes).display(world.now).into_owned();
        facts.fact("uses", |line| {
            amounts(line, "cpu", [used.cpu_millis, task.requested.cpu_millis, task.limit.cpu_millis], |it| {
                format!("{it}m")
            });
            line.put(", ", theme.muted);
            amounts(line, "memory", [used.memory_bytes, task.requested.memory_bytes, task.limit.memory_bytes], bytes);
        });
    }
    let node = task.node_name.as_deref().or(task.node.as_deref()).unwrap_or("none yet");
    facts.words("node", node, theme.text).words("group", &task.group, theme.muted);
}
