//! The order of names: made once, and mended where a few of them came, went or changed.

use super::{natural, sort};

/// The slots of a shelf in the order of their names, and where each name stands.
#[derive(Debug)]
pub(in crate::fleet) struct Names {
    order: Vec<u32>,
    ranks: Vec<u32>,
}

impl Names {
    /// Orders `slots` slots; `name` says what is in one, if anything is.
    pub(in crate::fleet) fn of<'n>(slots: u32, name: impl Fn(u32) -> Option<&'n str>) -> Self {
        let mut entries: Vec<sort::Entry> =
            (0..slots).filter(|slot| name(*slot).is_some()).map(|index| sort::Entry { key: 0, index }).collect();
        sort::number(&mut entries, &|slot| name(slot).unwrap_or_default());
        let mut ranks = vec![0; slots as usize];
        for entry in &entries {
            if let Some(rank) = ranks.get_mut(entry.index as usize) {
                // There are no more of them than slots.
                *rank = u32::try_from(entry.key).unwrap_or(u32::MAX);
            }
        }
        Self { order: entries.into_iter().map(|entry| entry.index).collect(), ranks }
    }

    /// The same order after the names in `touched` have become others: only those are compared.
    pub(in crate::fleet) fn mended<'n>(
        &self,
        touched: &[u32],
        slots: u32,
        name: impl Fn(u32) -> Option<&'n str>,
    ) -> Self {
        let mut is_new = vec![false; slots as usize];
        for slot in touched {
            if let Some(is_new) = is_new.get_mut(*slot as usize) {
                *is_new = true;
            }
        }
        let is_new = |slot: u32| is_new.get(slot as usize).copied().unwrap_or(true);
        let word = |slot: u32| natural(name(slot).unwrap_or_default());
        let left: Vec<u32> = self.order.iter().copied().filter(|slot| !is_new(*slot)).collect();
        let mut came: Vec<u32> = (0..slots).filter(|slot| is_new(*slot) && name(*slot).is_some()).collect();
        came.sort_by(|a, b| word(*a).cmp(word(*b)));

        let mut order = Vec::with_capacity(left.len() + came.len());
        let mut rest = left.as_slice();
        for slot in came {
            let (before, after) = rest.split_at(rest.partition_point(|it| word(*it).lt(word(slot))));
            order.extend_from_slice(before);
            order.push(slot);
            rest = after;
        }
        order.extend_from_slice(rest);

        let known = |slot: u32| if is_new(slot) { None } else { self.ranks.get(slot as usize) };
        let same = |a: u32, b: u32| match (known(a), known(b)) {
            (Some(a), Some(b)) => a == b,
            _ => word(a).eq(word(b)),
        };
        let mut ranks = vec![0; slots as usize];
        for (number, equals) in (0..).zip(order.chunk_by(|a, b| same(*a, *b))) {
            for slot in equals {
                if let Some(rank) = ranks.get_mut(*slot as usize) {
                    *rank = number;
                }
            }
        }
        Self { order, ranks }
    }

    /// For each slot where its name stands; equal names share one rank.
    pub(in crate::fleet) fn ranks(&self) -> &[u32] {
        &self.ranks
    }

    /// How many names there are.
    pub(in crate::fleet) fn len(&self) -> usize {
        self.order.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Where each name that is there stands.
    fn standing(names: &Names, words: &[Option<String>]) -> Vec<Option<u32>> {
        words.iter().zip(names.ranks()).map(|(word, rank)| word.as_ref().map(|_| *rank)).collect()
    }

    proptest! {
        #[test]
        fn what_is_mended_is_what_is_made_anew(
            before in prop::collection::vec(prop::option::of("[aA0-3]{0,3}|web-[0-9]{1,3}"), 0..30),
            changes in prop::collection::vec((0_usize..34, prop::option::of("[aA0-3]{0,3}|web-[0-9]{1,3}")), 0..12),
        ) {
            let mut words = before;
            let slots = |words: &[Option<String>]| u32::try_from(words.len()).expect("few");
            let mut names = {
                let words = &words;
                Names::of(slots(words), |slot| words.get(slot as usize)?.as_deref())
            };
            // In two steps, so that what was mended is mended again.
            for changes in changes.chunks(6) {
                let mut touched = Vec::new();
                for (at, word) in changes {
                    if *at >= words.len() {
                        words.resize(at + 1, None);
                    }
                    words[*at].clone_from(word);
                    touched.push(u32::try_from(*at).expect("few"));
                }
                let of = |slot: u32| words.get(slot as usize)?.as_deref();
                names = names.mended(&touched, slots(&words), of);
                let anew = Names::of(slots(&words), of);
                prop_assert_eq!(names.len(), anew.len());
                prop_assert_eq!(standing(&names, &words), standing(&anew, &words));
            }
        }
    }
}
