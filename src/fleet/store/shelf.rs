//! The rows of one kind, in slots that stay where they are: a list of rows is a list of small numbers.

use std::{collections::HashMap, sync::OnceLock};

use crate::fleet::{field::Names, ids::ResourceId, resource::Resource};

/// Where a row lies on its shelf. Given to another row only after this one is gone.
pub(super) type Slot = u32;

/// One name of so many may have changed for their order to be mended rather than made anew.
const FEW: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Shelf {
    slots: Vec<Option<Row>>,
    free: Vec<Slot>,
    by_id: HashMap<ResourceId, Slot>,
    /// How the names in the slots are ordered, once somebody asked.
    names: OnceLock<Names>,
    /// How they were ordered, and which slots have another name since.
    earlier: Option<(Names, Vec<Slot>)>,
    /// Grows with every change of a row.
    pub(super) revision: u64,
}

#[derive(Debug)]
pub(super) struct Row {
    pub(super) resource: Resource,
    /// The scope that saw it last.
    pub(super) scope: u32,
    /// The listing of that scope that saw it last, so that `Complete` can tell what was not seen again.
    pub(super) listing: u32,
}

impl Shelf {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Every row, in the order of slots: that of arrival, as long as nothing goes.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.slots.iter().flatten()
    }

    /// The same, with where each lies.
    pub(super) fn placed(&self) -> impl Iterator<Item = (Slot, &Row)> {
        (0..).zip(&self.slots).filter_map(|(slot, row)| Some((slot, row.as_ref()?)))
    }

    pub(super) fn slot(&self, id: &ResourceId) -> Option<Slot> {
        self.by_id.get(id).copied()
    }

    pub(super) fn at(&self, slot: Slot) -> Option<&Row> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, slot: Slot) -> Option<&mut Row> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// The rank of the name in each slot.
    pub(super) fn name_ranks(&self) -> &[u32] {
        let names = self.names.get_or_init(|| {
            // As many as `insert` made room for.
            let slots = Slot::try_from(self.slots.len()).unwrap_or(Slot::MAX);
            let name = |slot| self.at(slot).map(|row| row.resource.name().as_str());
            match &self.earlier {
                Some((names, touched)) => names.mended(touched, slots, name),
                None => Names::of(slots, name),
            }
        });
        names.ranks()
    }

    /// The name in `slot` is another now, or nobody's.
    pub(super) fn touch_name(&mut self, slot: Slot) {
        if let Some(names) = self.names.take() {
            self.earlier = Some((names, Vec::new()));
        }
        if let Some((names, touched)) = &mut self.earlier {
            touched.push(slot);
            if touched.len() > names.len() / FEW {
                self.earlier = None;
            }
        }
    }

    pub(super) fn insert(&mut self, row: Row) -> Slot {
        let id = row.resource.id().clone();
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            Slot::try_from(self.slots.len() - 1).expect("memory ends long before four thousand million rows")
        });
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Some(row);
        }
        self.by_id.insert(id, slot);
        self.touch_name(slot);
        self.revision += 1;
        slot
    }

    pub(super) fn remove(&mut self, id: &ResourceId) -> Option<(Slot, Row)> {
        let slot = self.by_id.remove(id)?;
        let row = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        self.touch_name(slot);
        self.revision += 1;
        if self.by_id.is_empty() {
            (self.slots, self.free, self.earlier) = (Vec::new(), Vec::new(), None);
        } else if self.by_id.capacity() > 4 * self.by_id.len() + 1024 {
            self.by_id.shrink_to(2 * self.by_id.len());
        }
        Some((slot, row))
    }
}
