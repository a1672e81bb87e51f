//! A node: how full it is, what weighs on it, whose tasks it runs.

use std::collections::BTreeMap;

use ratatui::layout::Rect;

use super::Facts;
use crate::{
    app::World,
    fleet::{Kind, Node, Resource, ResourceId, Value, counted},
    ui::{
        canvas::{Canvas, Line},
        widget::{
            gauge,
            spread::{Place, spread},
        },
    },
};

/// From this width on its services have room beside the facts.
const WIDE: u16 = 90;

pub(super) fn node(canvas: &mut Canvas<'_>, area: Rect, node: &Node, world: World<'_>) {
    let theme = canvas.theme;
    let right = if area.width >= WIDE { (area.width / 3).clamp(30, 50) } else { 0 };
    let left = Rect { width: area.width - right - if right > 0 { 3 } else { 0 }, ..area };
    let mut facts = Facts::new(canvas, left);
    if node.capacity.cpu_millis > 0 {
        facts.fact("cpu", |line| {
            share(line, node.reserved.cpu_millis, node.capacity.cpu_millis, "reserved", cpus);
        });
        if let Some(used) = node.used {
            facts.fact("", |line| share(line, used.cpu_millis, node.capacity.cpu_millis, "used", cpus));
        }
    }
    if node.capacity.memory_bytes > 0 {
        let bytes = |bytes: u64| Value::Bytes(bytes).display(world.now).into_owned();
        facts.fact("memory", |line| {
            share(line, node.reserved.memory_bytes, node.capacity.memory_bytes, "reserved", bytes);
        });
        if let Some(used) = node.used {
            facts.fact("", |line| share(line, used.memory_bytes, node.capacity.memory_bytes, "used", bytes));
        }
    }
    let conditions: Vec<&str> = node.conditions.iter().map(|condition| &**condition).collect();
    facts.words("weighs", &conditions.join(", "), theme.warning);
    let address = node.address.as_deref().unwrap_or_default();
    facts.words("address", address, theme.text).words("version", &node.version, theme.text);
    let labels: Vec<String> = node.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    facts.words("labels", &labels.join(" "), theme.muted);
    if right > 0 {
        services(canvas, Rect { x: area.right() - right, width: right, ..area }, node, world);
    }
}

/// Writes a bar and the amounts it stands for.
fn share(line: &mut Line<'_, '_>, part: u64, whole: u64, how: &str, words: impl Fn(u64) -> String) {
    let text = line.theme().text;
    #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
    let percent = part as f32 / whole as f32 * 100.0;
    line.draw(20, |canvas, area| gauge::gauge(canvas, area, percent));
    line.gap(1).put(&format!("{} of {} {how}", words(part), words(whole)), text);
}

/// Cores: `1.2`.
pub(super) fn cpus(millis: u64) -> String {
    format!("{}.{}", millis / 1000, millis % 1000 / 100)
}

fn services(canvas: &mut Canvas<'_>, area: Rect, node: &Node, world: World<'_>) {
    let theme = canvas.theme;
    let connection = &node.id.connection;
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for task in world.store.tasks_of_node(connection, &node.id.key).filter(|task| task.counts_as_running()) {
        let named = task.service.as_ref().map(|key| {
            let id = ResourceId::new(connection.clone(), Kind::Service, key.clone());
            world.store.get(&id).map_or(&**key, |service| &**Resource::name(service))
        });
        *counts.entry(named.unwrap_or("no service")).or_default() += 1;
    }
    let tasks: u32 = counts.values().sum();
    canvas
        .line(area, 0)
        .put(&format!("{} of {}", counted(tasks, "task"), counted(counts.len(), "service")), theme.text);
    let mut places: Vec<Place<'_>> = counts.into_iter().map(|(name, count)| Place { name, count }).collect();
    places.sort_by_key(|place| std::cmp::Reverse(place.count));
    spread(canvas, Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }, &places, u32::MAX);
}
