//! What one list said last, so that only differences have to be told.

use std::collections::HashMap;

use crate::fleet::{Delta, Resource, ResourceId, Scope};

/// Rows that one delta may hold.
const CHUNK: usize = 1_000;

/// The rows of one scope as they were told last.
#[derive(Debug)]
pub struct Listing {
    scope: Scope,
    rows: HashMap<ResourceId, Resource>,
}

impl Listing {
    /// A list that has said nothing yet.
    pub fn new(scope: Scope) -> Self {
        Self { scope, rows: HashMap::new() }
    }

    /// Takes `rows` as all there is, and says what differs from before; the last delta is a sign of life.
    pub fn differences(&mut self, rows: Vec<Resource>) -> Vec<Delta> {
        let mut before = std::mem::take(&mut self.rows);
        let mut changed = Vec::new();
        for row in rows {
            let id = row.id().clone();
            if before.remove(&id).is_none_or(|old| old != row) {
                changed.push(row.clone());
            }
            self.rows.insert(id, row);
        }
        let mut deltas = chunks(&self.scope, changed);
        if !before.is_empty() {
            let mut gone: Vec<ResourceId> = before.into_keys().collect();
            gone.sort();
            deltas.push(Delta::Gone(gone));
        }
        deltas.push(Delta::Complete(self.scope.clone()));
        deltas
    }

    /// Everything, as a fresh listing.
    pub fn whole(&self) -> Vec<Delta> {
        let mut rows: Vec<Resource> = self.rows.values().cloned().collect();
        rows.sort_by(|a, b| a.id().cmp(b.id()));
        let mut deltas = vec![Delta::Begin(self.scope.clone())];
        deltas.extend(chunks(&self.scope, rows));
        deltas.push(Delta::Complete(self.scope.clone()));
        deltas
    }
}

fn chunks(scope: &Scope, mut rows: Vec<Resource>) -> Vec<Delta> {
    let mut deltas = Vec::new();
    while !rows.is_empty() {
        let rest = rows.split_off(rows.len().min(CHUNK));
        deltas.push(Delta::Seen(scope.clone(), std::mem::replace(&mut rows, rest)));
    }
    deltas
}
