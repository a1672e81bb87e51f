//! Sorting rows by a field: fast for 100,000 of them, in an order that does not depend on how they arrived.

use std::cmp::Ordering;

use super::{Context, Field, Value, value::natural_into};
use crate::fleet::resource::Resource;

/// Which end stands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// The smallest first.
    #[default]
    Ascending,
    /// The largest first.
    Descending,
}

impl Order {
    /// The other order.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }

    /// `ascending` as it is in this order.
    pub const fn of(self, ascending: Ordering) -> Ordering {
        match self {
            Self::Ascending => ascending,
            Self::Descending => ascending.reverse(),
        }
    }
}

/// Puts `rows` in `order` of `field`; equals go by name, then by id, ascending in either order.
///
/// Values are read once each and become numbers, so that almost every comparison is one of two of them. Names are read
/// only where the field does not tell rows apart.
pub fn sort<'a, R: Copy + Into<&'a Resource>>(rows: &mut Vec<R>, field: Field, order: Order, context: Context<'a>) {
    let keys = Keys::new(rows, |row| field.of(row, context));
    let (mut known, mut unknown) = keys.entries();
    keys.sort(&mut known, order, |_, _| Ordering::Equal);
    let told_apart = |a: &Entry, b: &Entry| keys.compare(a, b, order).is_ne();
    if unknown.len() > 1 || known.windows(2).any(|pair| matches!(pair, [a, b] if !told_apart(a, b))) {
        // Read in the order of `rows`, which is that of memory, and not in the order just made.
        let names = Keys::new(rows, |row| Value::text(row.name()));
        let by_id = |a: &Entry, b: &Entry| {
            let id = |entry: &Entry| rows.get(entry.index as usize).map(|row| (*row).into().id());
            id(a).cmp(&id(b))
        };
        let runs = known.chunk_by_mut(|a, b| !told_apart(a, b)).chain(std::iter::once(unknown.as_mut_slice()));
        for run in runs.filter(|run| run.len() > 1) {
            for entry in &mut *run {
                entry.key = names.head(entry.index);
            }
            names.sort(run, Order::Ascending, by_id);
        }
    }
    *rows = known.iter().chain(&unknown).filter_map(|entry| rows.get(entry.index as usize).copied()).collect();
}

/// One row while it is sorted.
#[derive(Clone, Copy)]
struct Entry {
    key: u64,
    index: u32,
}

/// What rows are compared by. Words lie in one buffer in the form of [`natural`](super::natural); the bytes that all of
/// them share are skipped, so that eight more tell most of them apart.
struct Keys {
    /// Nothing where nothing is known.
    ranks: Vec<Option<u64>>,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    shared: usize,
}

impl Keys {
    fn new<'a, R: Copy + Into<&'a Resource>>(rows: &[R], value: impl Fn(&'a Resource) -> Value<'a>) -> Self {
        let mut keys = Self {
            ranks: Vec::with_capacity(rows.len()),
            bytes: Vec::new(),
            ends: Vec::with_capacity(rows.len()),
            shared: 0,
        };
        let mut first: Option<usize> = None;
        for row in rows {
            let value = value((*row).into());
            keys.ranks.push((!value.is_none()).then(|| value.rank()));
            let start = keys.bytes.len();
            if let Value::Text(text) = &value {
                natural_into(text, &mut keys.bytes);
            }
            keys.ends.push(keys.bytes.len());
            if value.is_none() {
                continue;
            }
            let (before, own) = keys.bytes.split_at(start);
            if let Some(first) = first {
                let other = before.get(first..first + keys.shared).unwrap_or_default();
                if !own.starts_with(other) {
                    keys.shared = own.iter().zip(other).take_while(|(a, b)| a == b).count();
                }
            } else {
                first = Some(start);
                keys.shared = own.len();
            }
        }
        keys
    }

    /// The rows of which something is known, and the others.
    fn entries(&self) -> (Vec<Entry>, Vec<Entry>) {
        let mut known = Vec::with_capacity(self.ranks.len());
        let mut unknown = Vec::new();
        for (index, rank) in (0..).zip(&self.ranks) {
            match rank {
                None => unknown.push(Entry { key: 0, index }),
                Some(_) if self.is_words() => known.push(Entry { key: self.head(index), index }),
                Some(rank) => known.push(Entry { key: *rank, index }),
            }
        }
        (known, unknown)
    }

    fn sort(&self, entries: &mut [Entry], order: Order, equal: impl Fn(&Entry, &Entry) -> Ordering) {
        let compare = |a: &Entry, b: &Entry| self.compare(a, b, order).then_with(|| equal(a, b));
        let turns = entries.windows(2).filter(|pair| matches!(pair, [a, b] if order.of(a.key.cmp(&b.key)).is_gt()));
        if entries.len() < MANY || turns.count() < entries.len() / 32 {
            // Quick on what is almost in order.
            entries.sort_by(compare);
            return;
        }
        by_key(entries, order);
        for run in entries.chunk_by_mut(|a, b| a.key == b.key).filter(|run| run.len() > 1) {
            run.sort_by(compare);
        }
    }

    fn compare(&self, a: &Entry, b: &Entry, order: Order) -> Ordering {
        let ascending = a.key.cmp(&b.key).then_with(|| {
            // No character of a text is zero, so a head that ends in one holds all of it.
            let whole = !self.is_words() || a.key.trailing_zeros() >= 8;
            if whole { Ordering::Equal } else { self.rest(a.index).cmp(self.rest(b.index)) }
        });
        order.of(ascending)
    }

    /// Values of one field are all words or all something else.
    fn is_words(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// The first eight bytes that may differ.
    fn head(&self, index: u32) -> u64 {
        let own = self.text(index).get(self.shared..).unwrap_or_default();
        if let Some(head) = own.first_chunk::<8>() {
            return u64::from_be_bytes(*head);
        }
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(own) {
            *to = *from;
        }
        u64::from_be_bytes(head)
    }

    /// What the head leaves out.
    fn rest(&self, index: u32) -> &[u8] {
        self.text(index).get(self.shared + 8..).unwrap_or_default()
    }

    fn text(&self, index: u32) -> &[u8] {
        let index = index as usize;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }
}

/// From so many rows on, counting is quicker than comparing. Tests have few rows and count all the same.
const MANY: usize = if cfg!(test) { 8 } else { 1_000 };

/// Sorts by the keys alone, byte by byte from the lowest, in as many rounds as bytes differ.
#[expect(clippy::indexing_slicing, reason = "a byte is below 256, and there are as many places as entries")]
fn by_key(entries: &mut [Entry], order: Order) {
    let flip = match order {
        Order::Ascending => 0,
        Order::Descending => u64::MAX,
    };
    let first = entries.first().map_or(0, |entry| entry.key);
    let differing = entries.iter().fold(0, |all, entry| all | (entry.key ^ first));
    let mut from = entries.to_vec();
    let mut to = from.clone();
    for byte in (0..8).filter(|byte| (differing >> (byte * 8)) & 0xff != 0) {
        let digit = |entry: &Entry| usize::from((entry.key ^ flip).to_le_bytes()[byte]);
        let mut places = [0_usize; 256];
        for entry in &from {
            places[digit(entry)] += 1;
        }
        let mut before = 0;
        for place in &mut places {
            before += std::mem::replace(place, before);
        }
        for entry in &from {
            let place = &mut places[digit(entry)];
            to[*place] = *entry;
            *place += 1;
        }
        std::mem::swap(&mut from, &mut to);
    }
    entries.copy_from_slice(&from);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::{
        field::natural,
        ids::Kind,
        sample::{self, NOW},
    };
    use proptest::prelude::*;

    fn names(rows: &[&Resource]) -> Vec<String> {
        rows.iter().map(|row| row.name().to_string()).collect()
    }

    #[test]
    fn equals_go_by_name_in_either_order() {
        let mut idle = sample::service("web-10", 0);
        idle.health = crate::fleet::Health::Idle;
        let store =
            sample::store(vec![sample::service("web-11", 1).into(), sample::service("web-2", 1).into(), idle.into()]);
        let context = Context { store: &store, now: NOW };
        let mut rows: Vec<&Resource> = store.all(Kind::Service).collect();
        sort(&mut rows, Field::Health, Order::Ascending, context);
        assert_eq!(names(&rows), ["web-2", "web-11", "web-10"]);
        sort(&mut rows, Field::Health, Order::Descending, context);
        assert_eq!(names(&rows), ["web-10", "web-2", "web-11"]);
    }

    proptest! {
        #[test]
        fn counting_bytes_gives_the_order_of_comparing(
            keys in prop::collection::vec(prop_oneof![any::<u64>(), 0..4_u64, 0..70_000_u64], 0..3_000),
            order in prop::sample::select(vec![Order::Ascending, Order::Descending]),
        ) {
            let entry = |(index, key): (u32, &u64)| Entry { key: *key, index };
            let mut counted: Vec<Entry> = (0..).zip(&keys).map(entry).collect();
            let mut compared = counted.clone();
            by_key(&mut counted, order);
            compared.sort_by(|a, b| order.of(a.key.cmp(&b.key)));
            let parts = |it: Vec<Entry>| it.into_iter().map(|it| (it.key, it.index)).collect::<Vec<_>>();
            prop_assert_eq!(parts(counted), parts(compared));
        }

        #[test]
        fn fast_keys_give_the_same_order_as_comparing_values(
            rows in prop::collection::vec(("[aA-c0-9-]{0,24}", prop::option::of("[ab]{0,20}"), 0_u32..4), 0..40),
            field in prop::sample::select(vec![Field::Name, Field::Message, Field::Restarts, Field::Health]),
            order in prop::sample::select(vec![Order::Ascending, Order::Descending]),
        ) {
            let resources = rows.iter().enumerate().map(|(n, (name, message, restarts))| {
                let mut task = sample::task(&format!("{n}"), "auth", "worker-1");
                task.name = format!("newswatch_{name}").into();
                task.message = message.as_deref().map(Into::into);
                task.restarts = *restarts;
                task.into()
            });
            let store = sample::store(resources.collect());
            let context = Context { store: &store, now: NOW };
            let mut fast: Vec<&Resource> = store.all(Kind::Task).collect();
            let mut plain = fast.clone();
            sort(&mut fast, field, order, context);
            plain.sort_by(|a, b| {
                field.of(a, context).compare(&field.of(b, context), order)
                    .then_with(|| natural(a.name()).cmp(natural(b.name())))
                    .then_with(|| a.id().cmp(b.id()))
            });
            prop_assert_eq!(names(&fast), names(&plain));
        }
    }
}
