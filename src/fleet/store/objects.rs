//! Objects of kinds that platforms have by themselves: which columns they have, and which kind a word means.

use std::sync::Arc;

use super::Store;
use crate::fleet::{
    ids::{ConnectionId, Kind, ResourceId},
    object::{Columns, Definition},
};

impl Store {
    /// The columns of all objects that are known; lists of one kind may differ from platform to platform.
    pub const fn columns(&self) -> &Arc<Columns> {
        &self.columns
    }

    /// The kind that `word` means on `connection`, the likeliest where several are called so.
    pub fn definition(&self, connection: &ConnectionId, word: &str) -> Option<&Definition> {
        let called = self.definitions().filter(|it| it.id.connection == *connection && it.is_called(word));
        // `event` is the first of several, and `events.events.k8s.io` is nothing else.
        called.min_by_key(|it| (*it.id.key != *word, it.rank))
    }

    /// Objects are gone from here: nobody looks at them any more.
    pub fn forget_objects(&mut self) {
        let ids: Vec<ResourceId> = self.all(Kind::Object).map(|it| it.id().clone()).collect();
        self.remove_all(&ids, &mut |_| {});
        self.scopes.retain(|scope, _| scope.kind != Kind::Object);
        self.columns = Arc::default();
    }

    pub(super) fn learn(&mut self, columns: &Arc<Columns>) {
        if Arc::ptr_eq(&self.columns, columns) {
            return;
        }
        if self.columns.all.is_empty() {
            self.columns = Arc::clone(columns);
        } else if !self.columns.knows(columns) {
            Arc::make_mut(&mut self.columns).learn(columns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        Context, Field,
        field::Room,
        sample::{self, NOW},
    };

    #[test]
    fn columns_of_several_lists_stand_side_by_side_and_keep_their_numbers() {
        let one = sample::object("widgets", "first", &[("Size", "3"), ("Ready", "True")]);
        let other = sample::object("widgets", "second", &[("Ready", "False"), ("Phase", "Up")]);
        let store = sample::store(vec![one.into(), other.into()]);
        let context = Context { store: &store, now: NOW };
        let columns = context.columns(Kind::Object, Room::Narrow);
        let titles: Vec<&str> = columns.iter().map(|field| context.title(*field)).collect();
        assert_eq!(titles, ["NAME", "GROUP", "Size", "Ready", "Phase"]);
        let rows =
            |field: Field| store.all(Kind::Object).map(move |it| field.of(it, context).display(NOW).into_owned());
        assert_eq!(rows(Field::Cell(1)).collect::<Vec<_>>(), ["True", "False"]);
        assert_eq!(rows(Field::Cell(2)).collect::<Vec<_>>(), ["", "Up"]);
    }

    #[test]
    fn of_several_kinds_with_one_name_the_first_is_meant_unless_its_group_is_said() {
        let (core, mut other) = (sample::definition("events", ""), sample::definition("events", "events.k8s.io"));
        other.rank = 7;
        let store = sample::store(vec![other.into(), core.into()]);
        let key = |word: &str| store.definition(&sample::CONNECTION.into(), word).map(|it| it.id.key.to_string());
        assert_eq!(key("event").as_deref(), Some("events"));
        assert_eq!(key("Events").as_deref(), Some("events"));
        assert_eq!(key("events.events.k8s.io").as_deref(), Some("events.events.k8s.io"));
        assert_eq!(key("eve"), None);
    }

    #[test]
    fn forgotten_objects_leave_neither_rows_nor_columns_nor_scopes() {
        let mut store = sample::store(vec![sample::object("widgets", "first", &[("Size", "3")]).into()]);
        store.forget_objects();
        assert_eq!((store.count(Kind::Object), store.columns().all.len()), (0, 0));
        assert!(store.scopes().all(|(scope, _)| scope.kind != Kind::Object));
    }
}
