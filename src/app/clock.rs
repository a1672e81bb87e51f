//! Time: what it changes on screen, and how often somebody has to look. Idle means no ticks at all.

use std::{borrow::Cow, time::Duration};

use super::{
    App, Effect, Outcome, Overlay, Pane, Redraw, Subscription, connection::Condition, operations::State,
    overlay::PlanStage, overview, table::Urgency,
};
use crate::fleet::{
    Field, Kind, Timestamp, Value,
    field::{Context, Room},
};

/// While a merged change waits to be shown.
const SOON: Duration = Duration::from_millis(40);
/// While a filter has more of a log to look at: as soon as keys have had their turn.
const AT_ONCE: Duration = Duration::from_millis(5);
/// From this many cells on tables show more columns than the most important ones.
const WIDE: u16 = 100;
/// While a plan waits to be armed.
const ARMING: Duration = Duration::from_millis(100);
/// Otherwise one of these: the longest that is not longer than what is waited for.
const PERIODS: [Duration; 4] =
    [Duration::from_mins(1), Duration::from_secs(15), Duration::from_secs(5), Duration::from_secs(1)];

impl App {
    /// Time passed.
    pub(super) fn tick(&mut self, now: Timestamp, out: &mut Outcome) {
        self.known.now = now;
        let confirm_after = self.settings.confirm_after;
        for overlay in &mut self.overlays {
            if let Overlay::Plan(view) = overlay
                && let PlanStage::Ready(_, confirm) = &mut view.stage
                && confirm.tick(now, confirm_after)
            {
                out.redraw = Redraw::Frame;
            }
        }
        self.cover(now, out);
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let (look, change) = (due(self.next.look), due(self.next.change));
        if due(self.operations.reads_next(self.spot.pane == Pane::Operations)) {
            self.operations.reading(now);
            out.effects.push(Effect::ReadJournal);
        }
        if look || change || self.deferred {
            self.settle(Urgency::Soon, out);
        }
        if change {
            out.redraw = Redraw::Frame;
            // Until the frame is drawn and says anew.
            self.next.change = None;
        }
        if look {
            self.find_next();
        }
    }

    /// What should be streaming right now.
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let watches = self.known.connections.iter().flat_map(|connection| {
            let kinds = connection.profile().kinds.iter();
            kinds.map(|(kind, _)| Subscription::Watch(connection.id().clone(), *kind))
        });
        let logs = self.logs.requests().iter().cloned().map(Subscription::Logs);
        let objects = self.definitions_looked_at().into_iter().map(Subscription::Objects);
        watches.chain(objects).chain(logs).chain(self.period().map(Subscription::Clock)).collect()
    }

    fn period(&self) -> Option<Duration> {
        if self.deferred {
            let filters = self.spot.pane == Pane::Logs && self.logs.is_filtering();
            return Some(if filters { AT_ONCE } else { SOON });
        }
        let arming = |overlay: &Overlay| matches!(overlay, Overlay::Plan(view) if matches!(&view.stage, PlanStage::Ready(_, confirm) if !confirm.is_armed()));
        if self.overlays.iter().any(arming) {
            return Some(ARMING);
        }
        let next = [self.next.look, self.next.change].into_iter().flatten().min()?;
        let wait = self.known.now.age(next);
        PERIODS.into_iter().find(|period| *period <= wait).or(PERIODS.last().copied())
    }

    /// Finds out when something on screen will look different although nothing happens, or may.
    pub(super) fn find_next(&mut self) {
        let mut next = Next { now: self.known.now, change: None, look: None };
        if self.known.frozen_at.is_none() {
            self.rows_change(&mut next);
        }
        self.connections_change(&mut next);
        self.operations_change(&mut next);
        for reveal in &self.overlays {
            if let Overlay::Reveal(reveal) = reveal
                && let Some(until) = reveal.until()
            {
                next.due(until);
            }
        }
        self.next = next;
    }

    fn rows_change(&self, next: &mut Next) {
        let world = self.world();
        let context: Context<'_> = world.context();
        if let Some(table) = self.table() {
            for row in table.visible(self.areas.body.lines(), world) {
                // What the cursor is on is told in full below the table.
                let shown = if row.cursor { context.fields(table.kind()) } else { self.columns_shown(table.kind()) };
                for field in shown.iter() {
                    next.value(&field.of(row.resource, context));
                }
                if let Some(run) =
                    row.resource.as_pipeline().and_then(|it| it.runs.first()).filter(|it| it.ended_at.is_none())
                {
                    next.age(run.started_at);
                }
                if let Some(silence) = row.stale {
                    next.age(next.now.before(silence));
                }
            }
            if table.depends_on_time() {
                next.look(next.now.after(Duration::from_secs(15)));
            }
        }
        if self.spot.pane == Pane::Overview {
            // Rules say that something has lasted too long, or that a lock has ended, without anything being heard.
            next.look(next.now.after(overview::AGED));
            for attention in self.overview.attention() {
                if let Some(since) = attention.since {
                    next.age(since);
                }
            }
            for lock in self.overview.stages().iter().filter_map(|stage| stage.lock.as_ref()) {
                next.due(lock.until);
            }
        }
        // The header says on every pane for how many minutes a lock holds.
        for lock in world.store.locks().filter(|lock| lock.holds(world.now)) {
            let left = world.now.age(lock.until).as_millis() % Duration::from_mins(1).as_millis();
            next.at(next.now.after(Duration::from_millis(u64::try_from(left).unwrap_or(0) + 1)));
        }
    }

    /// The columns that are probably shown. A wrong guess costs a look at a frame in which nothing changed.
    fn columns_shown(&self, kind: Kind) -> Cow<'static, [Field]> {
        self.world().context().columns(kind, self.room())
    }

    /// The room that columns have.
    pub(super) const fn room(&self) -> Room {
        if self.areas.body.width < WIDE { Room::Narrow } else { Room::Wide }
    }

    /// When a list will have been silent for too long, and when a countdown to the next try changes.
    fn connections_change(&self, next: &mut Next) {
        let world = self.world();
        for connection in world.shown() {
            for kind in Kind::ALL {
                if let Some(limit) = connection.limit(kind)
                    && let Some(silence) = world.store.silence(connection.id(), kind, next.now)
                    && silence <= limit
                {
                    next.look(next.now.before(silence).after(limit + Duration::from_millis(1)));
                }
            }
            if self.shows_connections() {
                match connection.condition(world) {
                    Condition::Partly { at, .. } | Condition::Down { at, .. } => next.due(at),
                    Condition::Stale { silence, .. } => next.age(next.now.before(silence)),
                    Condition::Connecting | Condition::Live => {}
                }
            }
        }
    }

    fn operations_change(&self, next: &mut Next) {
        if let Some(at) = self.operations.reads_next(self.spot.pane == Pane::Operations) {
            next.look(at);
        }
        if self.overlays.iter().any(|overlay| matches!(overlay, Overlay::Forwards(_))) {
            self.operations.forwards().for_each(|it| next.age(it.approved_at));
        }
        if self.spot.pane != Pane::Operations {
            return;
        }
        let shown = self.operations.all().get(self.operations.window(self.areas.body.lines())).unwrap_or_default();
        for operation in shown {
            next.age(operation.approved_at);
            match operation.state {
                State::UnderWay | State::Stopping | State::Elsewhere | State::Open => {
                    let since =
                        operation.subjects.iter().map(|it| it.since).chain(operation.tasks.iter().map(|it| it.since));
                    since.chain(operation.waiting.iter().map(|it| it.since)).for_each(|since| next.age(since));
                }
                State::Ended(_) | State::Refused(_) => {}
            }
        }
    }

    /// Whether the lines about connections are on screen.
    pub(super) fn shows_connections(&self) -> bool {
        let listed = |overlay: &Overlay| matches!(overlay, Overlay::Connections(_));
        self.spot.pane == Pane::Overview || self.overlays.iter().any(listed)
    }
}

/// The earliest instants at which time alone matters.
#[derive(Debug, Default)]
pub(super) struct Next {
    now: Timestamp,
    /// Something shown will read differently.
    change: Option<Timestamp>,
    /// Something may have become true that has to be looked for: a list is silent, a row is too old for the filter.
    look: Option<Timestamp>,
}

impl Next {
    fn at(&mut self, at: Timestamp) {
        self.change = Some(self.change.map_or(at, |known| known.min(at)));
    }

    fn look(&mut self, at: Timestamp) {
        self.look = Some(self.look.map_or(at, |known| known.min(at)));
    }

    fn value(&mut self, value: &Value<'_>) {
        match value {
            Value::When(at) => self.age(*at),
            Value::Due(at) => self.due(*at),
            Value::None
            | Value::Text(_)
            | Value::Number(_)
            | Value::Bytes(_)
            | Value::Percent(_)
            | Value::Ratio(..)
            | Value::Millis(_)
            | Value::Cores { .. }
            | Value::Memory { .. }
            | Value::Health(_) => {}
        }
    }

    /// The age of `since` is shown.
    fn age(&mut self, since: Timestamp) {
        let age = since.age(self.now);
        let unit = unit(age);
        let passed = u32::try_from(age.as_millis() / unit.as_millis()).unwrap_or(u32::MAX);
        self.at(since.after(unit.saturating_mul(passed.saturating_add(1))));
    }

    /// The time until `at` is shown.
    fn due(&mut self, at: Timestamp) {
        if at <= self.now {
            self.age(at);
            return;
        }
        let left = self.now.age(at);
        let rest = left.as_millis() % unit(left).as_millis();
        self.at(self.now.after(Duration::from_millis(u64::try_from(rest).unwrap_or(0) + 1)));
    }
}

/// The smallest unit in which a duration is told; see `time::brief`.
fn unit(duration: Duration) -> Duration {
    match duration.as_secs() {
        0..600 => Duration::from_secs(1),
        600..86_400 => Duration::from_mins(1),
        _ => Duration::from_hours(1),
    }
}
