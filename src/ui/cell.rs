//! One value in one cell of a table: a picture where there is room for one, words where not.

use std::time::Duration;

use ratatui::{layout::Rect, style::Style};

use super::{
    canvas::{Canvas, cells, tail},
    columns::LATENCY,
    theme::Theme,
    widget::{gauge, sparkline::sparkline},
};
use crate::{
    app::{World, table::Row},
    fleet::{
        Field, Health, Node, Purchase, Resource, RolloutState, Service, Task, TaskState, Value, field::Align,
        time::brief,
    },
};

/// A certificate that ends sooner is a warning: two weeks are what people and renewals need.
const CERTIFICATE: Duration = Duration::from_hours(14 * 24);
/// A bar narrower than this says less than its number.
const BAR: u16 = 4;

/// Draws `field` of `row` in `area`, one row high.
pub(crate) fn cell(canvas: &mut Canvas<'_>, area: Rect, field: Field, row: Row<'_>, world: World<'_>) {
    let theme = canvas.theme;
    if field == Field::Health {
        return health(canvas, area, row);
    }
    let value = field.of(row.resource, world.context());
    let role = if row.stale.is_some() { theme.stale } else { role(theme, field, row.resource, &value, world) };
    let words = value.display(world.now);
    match (field, &value) {
        (Field::Cpu | Field::Memory | Field::CpuUsed | Field::MemoryUsed, Value::Percent(percent)) => {
            let number = 5.min(area.width);
            let bar = area.width - number;
            if bar >= BAR {
                gauge::gauge(canvas, Rect { width: bar, ..area }, *percent);
            }
            right(canvas, area, &words, role);
        }
        (Field::Replicas, Value::Ratio(part, whole)) => {
            let bar = area.width.saturating_sub(cells(&words).max(4) + 1);
            // A bar that is full says nothing, and a column of them would be the loudest thing on screen.
            if bar >= BAR && part < whole {
                #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
                let share = *part as f32 / *whole as f32;
                gauge::bar(canvas, Rect { width: bar, ..area }, share, role);
            }
            right(canvas, area, &words, role);
        }
        (Field::Latency, _) => {
            if let Some(endpoint) = row.resource.as_endpoint()
                && area.width > LATENCY + 3
            {
                sparkline(canvas, Rect { width: area.width - LATENCY, ..area }, &endpoint.latency_ms);
            }
            right(canvas, area, &words, role);
        }
        (Field::Rollout, Value::Text(_)) => {
            let sign =
                row.resource.as_service().and_then(|it| it.rollout.as_ref()).map_or("", |it| rollout_sign(it.state));
            let mut line = canvas.line(area, 0);
            line.put(sign, role).gap(1).put(&words, role);
        }
        // Zones of one region differ in their last letters.
        (Field::Zone, _) => {
            canvas.put(area.x, area.y, area.width, &tail(&words, area.width), role);
        }
        _ if world.context().align(field) == Align::Right => right(canvas, area, &words, role),
        _ => {
            canvas.put(area.x, area.y, area.width, &words, role);
        }
    }
}

/// Writes a number at the right end of its column.
fn right(canvas: &mut Canvas<'_>, area: Rect, words: &str, role: Style) {
    let blank = area.width.saturating_sub(cells(words));
    canvas.put(area.x + blank, area.y, area.width - blank, words, role);
}

/// Sign and word; of stale rows how old they are, since nobody knows how they are now.
fn health(canvas: &mut Canvas<'_>, area: Rect, row: Row<'_>) {
    let theme = canvas.theme;
    let mut line = canvas.line(area, 0);
    if let Some(silence) = row.stale {
        line.put(STALE, theme.stale).gap(1).whole(&format!("old {}", brief(silence)), theme.stale);
        return;
    }
    let health = row.resource.health();
    let role = theme.health(health);
    line.put(health.sign(), role).gap(1).whole(health.word(), role);
}

/// The sign of what nobody has heard of for too long.
pub(crate) const STALE: &str = "◌";

/// The sign of a rollout's state.
pub(crate) const fn rollout_sign(state: RolloutState) -> &'static str {
    match state {
        RolloutState::Completed => "✔",
        RolloutState::Updating => "◐",
        RolloutState::Stalled | RolloutState::Held => "‖",
        RolloutState::Paused | RolloutState::RollbackPaused => "✖",
        RolloutState::RollingBack | RolloutState::RolledBack => "↶",
    }
}

/// The role of a rollout's state.
pub(crate) const fn rollout_role(theme: &Theme, state: RolloutState) -> Style {
    match state {
        RolloutState::Completed => theme.muted,
        RolloutState::Updating => theme.progressing,
        RolloutState::Stalled | RolloutState::Held | RolloutState::RollingBack | RolloutState::RolledBack => {
            theme.degraded
        }
        RolloutState::Paused | RolloutState::RollbackPaused => theme.failing,
    }
}

/// The role of running of desired tasks.
pub(crate) fn replicas_role(theme: &Theme, running: u64, desired: u64) -> Style {
    match running {
        _ if running >= desired => theme.healthy,
        0 => theme.failing,
        _ => theme.degraded,
    }
}

/// Fields that are there to be looked up, not to be read with every row.
const QUIET: [Field; 14] = [
    Field::Age,
    Field::Changed,
    Field::Started,
    Field::Checked,
    Field::Id,
    Field::Connection,
    Field::Group,
    Field::Native,
    Field::Version,
    Field::Address,
    Field::Mode,
    Field::Url,
    Field::Commit,
    Field::Took,
];

/// What a value looks like: plain, unless it says something that somebody should see.
fn role(theme: &Theme, field: Field, resource: &Resource, value: &Value<'_>, world: World<'_>) -> Style {
    if QUIET.contains(&field) || *value == Value::Number(0) {
        return theme.muted;
    }
    match (field, value) {
        // An instant is an age here, and those are there to be looked up.
        (Field::Cell(_), Value::When(_)) => theme.muted,
        // What makes it unwell is said by one of its cells.
        (Field::Cell(_), Value::Text(word)) if resource.as_object().is_some_and(|it| it.is_unwell(word)) => {
            theme.health(resource.health())
        }
        (Field::State | Field::Availability, _) => state_role(theme, resource),
        (Field::Role, _) => role_of_node(theme, resource.as_node()),
        (Field::Purchase, _) => purchase(theme, resource.as_node()),
        (Field::Replicas | Field::Updated | Field::Managers, Value::Ratio(part, whole)) => {
            replicas_role(theme, *part, *whole)
        }
        (Field::Rollout, _) => rollout(theme, resource.as_service()),
        (Field::Pending, _) => theme.progressing,
        // Memory is taken away by killing, CPU by waiting.
        (Field::MemoryUsed, Value::Memory { used, most })
            if *most > 0 && used.saturating_mul(10) >= most.saturating_mul(9) =>
        {
            theme.warning
        }
        (Field::ExitCode | Field::Reachability, _) if resource.health() == Health::Failing => theme.failing,
        (Field::Restarts | Field::ExitCode | Field::Until | Field::Holder, _) => theme.warning,
        (Field::Tests, Value::Ratio(part, whole)) if part < whole => theme.failing,
        (Field::Status, Value::Number(status)) if *status >= 400 => theme.failing,
        (Field::Message | Field::Conditions, _) => message(theme, resource),
        (Field::Gate, _) => theme.degraded,
        (Field::Environment, _) => match resource.environment() {
            Some(environment) if world.environments.protected(environment) => theme.protected,
            Some(_) | None => theme.muted,
        },
        (Field::Certificate, Value::Due(until)) => match world.now.age(*until) {
            left if left.is_zero() => theme.failing,
            left if left < CERTIFICATE => theme.warning,
            _ => theme.muted,
        },
        // The same digits look the same, wherever they are: that is what digests are compared for.
        (Field::Digest, Value::Text(digest)) => theme.source(digest),
        _ => theme.text,
    }
}

fn rollout(theme: &Theme, service: Option<&Service>) -> Style {
    let rollout = service.and_then(|service| service.rollout.as_ref());
    rollout.map_or(theme.muted, |rollout| rollout_role(theme, rollout.state))
}

fn state_role(theme: &Theme, resource: &Resource) -> Style {
    match resource {
        Resource::Task(task) => task_role(theme, task),
        Resource::Node(node) if node.health() == Health::Idle => theme.warning,
        Resource::Cluster(_)
        | Resource::Node(_)
        | Resource::Service(_)
        | Resource::Pipeline(_)
        | Resource::Endpoint(_)
        | Resource::Backing(_)
        | Resource::Lock(_)
        | Resource::Definition(_)
        | Resource::Object(_) => match resource.health() {
            Health::Healthy => theme.text,
            health @ (Health::Idle | Health::Progressing | Health::Unknown | Health::Degraded | Health::Failing) => {
                theme.health(health)
            }
        },
    }
}

fn task_role(theme: &Theme, task: &Task) -> Style {
    match task.state {
        TaskState::Running => theme.text,
        TaskState::Pending | TaskState::Starting => theme.progressing,
        TaskState::Stopping | TaskState::Complete => theme.idle,
        TaskState::Failed | TaskState::Lost => theme.failing,
    }
}

fn role_of_node(theme: &Theme, node: Option<&Node>) -> Style {
    match node {
        Some(node) if node.role.votes() => theme.strong,
        Some(_) | None => theme.muted,
    }
}

/// A manager on a machine that can be taken away at two minutes' notice is a fault.
fn purchase(theme: &Theme, node: Option<&Node>) -> Style {
    match node.and_then(|node| Some((node.purchase?, node.role.votes()))) {
        Some((Purchase::Spot, true)) => theme.failing,
        Some((Purchase::Spot, false)) => theme.accent,
        Some((Purchase::OnDemand, _)) | None => theme.muted,
    }
}

fn message(theme: &Theme, resource: &Resource) -> Style {
    match resource.health() {
        Health::Failing => theme.error,
        Health::Degraded => theme.warning,
        Health::Healthy | Health::Idle | Health::Progressing | Health::Unknown => theme.text,
    }
}
