//! A service: what it runs, how its rollout goes, where its tasks lie, what it publishes and who is in its way.

use std::collections::BTreeMap;

use ratatui::layout::Rect;

use super::{Facts, node::cpus, task::amounts};
use crate::{
    app::World,
    fleet::{Kind, Port, PortMode, Resource, ResourceId, Service, Spread, Text, Usage, Value, counted, time::brief},
    ui::{
        canvas::{Canvas, Line},
        cell::{rollout_role, rollout_sign},
        widget::{
            spread::{Place, spread},
            steps::progress,
        },
    },
};

/// From this width on the spread has room beside the facts.
const WIDE: u16 = 90;

pub(super) fn service(canvas: &mut Canvas<'_>, area: Rect, service: &Service, world: World<'_>) {
    let (left, right) = if area.width >= WIDE {
        let right = (area.width / 3).clamp(30, 50);
        let left = Rect { width: area.width - right - 3, ..area };
        (left, Some(Rect { x: area.right() - right, width: right, ..area }))
    } else {
        (area, None)
    };
    facts(canvas, left, service, world);
    if let Some(right) = right {
        places(canvas, right, service, world);
    }
}

fn facts(canvas: &mut Canvas<'_>, area: Rect, service: &Service, world: World<'_>) {
    let theme = canvas.theme;
    let mut facts = Facts::new(canvas, area);
    if let Some(image) = &service.image {
        facts.fact("image", |line| {
            line.put(&image.reference, theme.text);
            if let Some(digest) = image.short_digest() {
                line.put(" @ ", theme.muted).put(digest, theme.source(digest));
            } else {
                line.put(" without a digest", theme.warning);
            }
        });
    }
    if let Some(rollout) = &service.rollout {
        let role = rollout_role(theme, rollout.state);
        facts.fact("rollout", |line| {
            line.put(rollout_sign(rollout.state), role).gap(1).put(rollout.state.word(), role).gap(1);
            progress(line, 12, service.replicas.updated, service.replicas.desired);
            if let Some(at) = rollout.ended_at.or(rollout.started_at) {
                line.gap(1).put(&format!("{} ago", brief(at.age(world.now))), theme.muted);
            }
            if let Some(message) = &rollout.message {
                line.gap(1).put(message, role);
            }
        });
    }
    if let Some(Usage { used, requested, limit, .. }) = Usage::of(service, world.store) {
        let bytes = |bytes: u64| Value::Bytes(bytes).display(world.now).into_owned();
        facts.fact("uses", |line| {
            amounts(line, "cpu", [used.cpu_millis, requested.cpu_millis, limit.cpu_millis], cpus);
            line.put(", ", theme.muted);
            amounts(line, "memory", [used.memory_bytes, requested.memory_bytes, limit.memory_bytes], bytes);
        });
    }
    if let Some(bounds) = &service.bounds {
        facts.fact("bounds", |line| {
            line.put(&format!("{} to {}", bounds.least, bounds.most), theme.text).put(" scaled by itself", theme.muted);
            if let Some(trouble) = &bounds.trouble {
                line.put(": ", theme.muted).put(trouble, theme.warning);
            }
        });
    }
    for budget in &service.budgets {
        facts.fact("budget", |line| {
            let role = if budget.allowed == 0 { theme.warning } else { theme.text };
            line.put(&format!("{} may go now", budget.allowed), role);
            let (healthy, needed) = (budget.healthy, budget.needed);
            line.put(&format!(" ({}: {healthy} healthy, {needed} needed)", budget.name), theme.muted);
        });
    }
    if !service.ports.is_empty() {
        facts.fact("ports", |line| ports(line, service, world));
    }
    for route in &service.routes {
        facts.fact("route", |line| {
            line.put(if route.tls { "https " } else { "http " }, theme.muted).put(&route.rule, theme.link);
            if let Some(port) = route.port {
                line.put(&format!(" → {port}"), theme.muted);
            }
        });
    }
    let older = |changed_at| {
        let tasks = world.store.tasks_of_service(&service.id.connection, &service.id.key);
        tasks.filter(|task| task.counts_as_running() && task.started_at.is_some_and(|at| at < changed_at)).count()
    };
    for configuration in &service.configuration {
        let older = older(configuration.changed_at);
        facts.fact("config", |line| {
            let age = brief(configuration.changed_at.age(world.now));
            line.put(&configuration.name, theme.text).put(&format!(" written {age} ago"), theme.muted);
            if older > 0 {
                line.put(&format!("  ▲ {} started before that", counted(older, "task")), theme.warning);
            }
        });
    }
    facts.words("networks", &joined(&service.networks), theme.text);
    facts.words("placement", &joined(&service.constraints), theme.text);
    facts.words("bears", &joined(&service.tolerations), theme.text);
}

fn ports(line: &mut Line<'_, '_>, service: &Service, world: World<'_>) {
    let theme = line.theme();
    let (text, muted, failing) = (theme.text, theme.muted, theme.failing);
    for port in &service.ports {
        let published = port.published.map_or("?".to_owned(), |port| port.to_string());
        let mode = match port.mode {
            PortMode::Ingress | PortMode::Address => "",
            PortMode::Host => " on its node",
        };
        line.put(&format!("{published}→{}", port.target), text).put(&format!("/{}{mode}", port.protocol), muted);
        if let Some(other) = conflict(service, port, world) {
            line.put(&format!(" ✖ also {other}"), failing);
        }
        line.gap(2);
    }
}

/// Another service that publishes the same port through the routing mesh: a swarm refuses the second one.
fn conflict<'a>(service: &Service, port: &Port, world: World<'a>) -> Option<&'a Text> {
    let published = port.published.filter(|_| port.mode != PortMode::Address)?;
    let others = world.store.services().filter(|it| it.id != service.id && it.id.connection == service.id.connection);
    let clashes = |other: &&Port| {
        other.published == Some(published)
            && other.mode != PortMode::Address
            && other.protocol == port.protocol
            && (other.mode == PortMode::Ingress || port.mode == PortMode::Ingress)
    };
    others.filter(|other| other.ports.iter().any(|it| clashes(&it))).map(|other| &other.name).min()
}

fn places(canvas: &mut Canvas<'_>, area: Rect, service: &Service, world: World<'_>) {
    let theme = canvas.theme;
    let found = Spread::of(service, world.store);
    let Some(words) = found.words() else {
        canvas.line(area, 0).put("no task has a node", theme.muted);
        return;
    };
    let nodes: BTreeMap<&str, u32> = found
        .nodes
        .iter()
        .map(|(key, count)| {
            let id = ResourceId::new(service.id.connection.clone(), Kind::Node, (*key).clone());
            let name = world.store.get(&id).map(Resource::name);
            (name.map_or(&***key, |name| &**name), *count)
        })
        .collect();
    let mut line = canvas.line(area, 0);
    line.put(&words, theme.text);
    if !found.zones.is_empty() {
        let zones: Vec<String> = found.zones.iter().map(|(zone, count)| format!("{zone} {count}")).collect();
        line.put(&format!("  ({})", zones.join(", ")), theme.muted);
    }
    let places: Vec<Place<'_>> = nodes.into_iter().map(|(name, count)| Place { name, count }).collect();
    // With at least as many nodes as tasks, a second task on one node is one too many.
    let nodes = world.store.nodes().filter(|node| node.id.connection == service.id.connection && node.takes_work());
    let ready = nodes.filter(|node| service.admits(node) != Some(false)).count();
    let ready = u32::try_from(ready).unwrap_or(u32::MAX).max(1);
    let fair = found.tasks().div_ceil(ready);
    spread(canvas, Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }, &places, fair);
}

fn joined(texts: &[Text]) -> String {
    texts.iter().map(|text| &**text).collect::<Vec<_>>().join(", ")
}
