//! The newest entry of each key. Pure.

use super::{Grouped, Record, entry::Entry};
use std::{collections::BTreeMap, ops::RangeInclusive};

pub(super) type Group<R> = <<R as Record>::Key as Grouped>::Group;
pub(super) type Place<R> = <<R as Record>::Key as Grouped>::Place;

/// By group, then by place: with a map of whole keys, a node of many lanes spends what it does here on comparing lanes' names.
pub(super) struct Live<R: Record>(BTreeMap<Group<R>, BTreeMap<Place<R>, Entry<R>>>);

impl<R: Record> Live<R> {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Keeps an entry in place of the one its key had.
    pub(super) fn insert(&mut self, key: R::Key, entry: Entry<R>) -> &Entry<R> {
        let (group, place) = key.split();
        let places = self.0.entry(group).or_default();
        places.entry(place).insert_entry(entry).into_mut()
    }

    /// The number of a key's entry.
    pub(super) fn number(&self, key: R::Key) -> Option<u64> {
        let (group, place) = key.split();
        let entry = self.0.get(&group)?.get(&place)?;
        Some(entry.header.number)
    }

    /// Lets go of a range of a group's keys.
    pub(super) fn forget(&mut self, group: &Group<R>, range: RangeInclusive<Place<R>>) {
        if let Some(places) = self.0.get_mut(group) {
            places.extract_if(range, |_, _| true).for_each(drop);
            if places.is_empty() {
                self.0.remove(group);
            }
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Entry<R>> {
        self.0.values().flat_map(BTreeMap::values)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Entry<R>> {
        self.0.values_mut().flat_map(BTreeMap::values_mut)
    }
}
