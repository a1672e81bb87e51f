//! The list of operations: which columns fit, how wide each is, and what stands in them.

use super::look;
use crate::{
    app::{App, operations::Operation},
    fleet::{EnvironmentId, time::brief},
    ui::{
        canvas::{Line, cells},
        widget::steps::progress,
    },
};

/// Cells between two columns.
const GAP: u16 = 2;
/// Cells of a bar.
const BAR: u16 = 8;
/// What an operation is called gets so much before others are left out for its sake, and at most so much.
const TITLE: (u16, u16) = (28, 52);

/// How wide each column is; 0 leaves it out.
#[derive(Debug)]
pub(super) struct Columns {
    state: u16,
    title: u16,
    environment: u16,
    progress: u16,
    connection: u16,
    operator: u16,
    age: u16,
}

impl Columns {
    /// The columns of `shown` that fit `width` cells. Who did it goes first where there is no room, then where.
    pub(super) fn of(shown: &[Operation], width: u16, app: &App) -> Self {
        let widest = |of: &dyn Fn(&Operation) -> u16| shown.iter().map(of).max().unwrap_or(0);
        let headed = |of: &dyn Fn(&Operation) -> u16, heading: &str, most: u16| match widest(of) {
            0 => 0,
            wide => wide.max(cells(heading)).min(most),
        };
        let mut columns = Self {
            state: headed(&|it| cells(it.state.word()), "STATE", 15) + 2,
            title: 0,
            environment: headed(&|it| cells(environment(it)), "ENV", 12),
            progress: headed(
                &|it| counts(it).map_or(0, |(done, all)| BAR + 1 + cells(&format!("{done}/{all}"))),
                "DONE",
                20,
            ),
            connection: headed(&|it| cells(&it.plan.connection.0), "CONNECTION", 16),
            operator: headed(&|it| cells(operator(it)), "BY", 24),
            age: headed(&|it| cells(&age(it, app)), "AGE", 8),
        };
        let title = headed(&|it| cells(&it.title()), "OPERATION", TITLE.1);
        for spared in 0..4 {
            if width >= columns.beside() + title.min(TITLE.0) {
                break;
            }
            match spared {
                0 => columns.operator = 0,
                1 => columns.connection = 0,
                2 => columns.progress = 0,
                _ => columns.environment = 0,
            }
        }
        columns.title = title.min(width.saturating_sub(columns.beside()));
        columns
    }

    /// What all but the title take, with the gaps.
    fn beside(&self) -> u16 {
        let all = [self.state, self.environment, self.progress, self.connection, self.operator, self.age];
        all.into_iter().filter(|wide| *wide > 0).map(|wide| wide + GAP).sum()
    }

    /// Writes what stands above the columns.
    pub(super) fn headings(&self, line: &mut Line<'_, '_>) {
        let role = line.theme().heading;
        line.right("AGE", role).gap(2);
        let titles = ["STATE", "OPERATION", "ENV", "DONE", "CONNECTION", "BY"];
        let widths = [self.state - 2, self.title, self.environment, self.progress, self.connection, self.operator];
        for (title, width) in titles.into_iter().zip(widths).filter(|(_, width)| *width > 0) {
            let end = line.at().0 + width + GAP;
            line.within(width, title, role).to(end);
        }
    }

    /// Writes one operation.
    pub(super) fn entry(&self, line: &mut Line<'_, '_>, operation: &Operation, app: &App) {
        let theme = line.theme();
        let (sign, role) = look(theme, &operation.state);
        line.right(&age(operation, app), theme.muted);
        line.put(sign, role).gap(1);
        let place = if operation.plan.protected { theme.protected } else { theme.muted };
        let title = operation.title();
        let texts = [
            (self.state - 2, operation.state.word(), role),
            (self.title, title.as_str(), theme.text),
            (self.environment, environment(operation), place),
        ];
        for (width, text, role) in texts.into_iter().filter(|(width, ..)| *width > 0) {
            let end = line.at().0 + width + GAP;
            line.within(width, text, role).to(end);
        }
        if self.progress > 0 {
            let end = line.at().0 + self.progress + GAP;
            if let Some((done, all)) = counts(operation) {
                progress(line, BAR, done, all);
            }
            line.to(end);
        }
        let texts = [(self.connection, &*operation.plan.connection.0), (self.operator, operator(operation))];
        for (width, text) in texts.into_iter().filter(|(width, _)| *width > 0) {
            let end = line.at().0 + width + GAP;
            line.within(width, text, theme.muted).to(end);
        }
    }
}

fn environment(operation: &Operation) -> &str {
    operation.plan.environment.as_ref().map_or("", |EnvironmentId(name)| name)
}

/// Who agreed; here and now, whoever reads this.
fn operator(operation: &Operation) -> &str {
    operation.operator.as_ref().map_or("you", |operator| operator)
}

/// How far it is, as long as that is news.
fn counts(operation: &Operation) -> Option<(u32, u32)> {
    operation.progress().filter(|_| operation.state.under_way())
}

fn age(operation: &Operation, app: &App) -> String {
    brief(operation.approved_at.age(app.world().clock))
}
