//! The lanes of a node.

#[cfg(all(test, feature = "mocks"))]
mod tests;

use super::lane::Lane;
use crate::types::Types;

/// Lanes by sequencer, in the order of keys. A message is about one lane and looks it up a dozen times: the lane that was
/// changed last is found by one comparison for equality, which costs a fifth of one for order.
pub struct Lanes<T: Types> {
    entries: Vec<(T::PublicKey, Lane<T>)>,
    /// The place of the lane that was changed last.
    recent: usize,
}

impl<T: Types> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            recent: 0,
        }
    }
}

impl<T: Types> Lanes<T> {
    /// Where a lane is, or where it would be.
    fn place(&self, sequencer: &T::PublicKey) -> Result<usize, usize> {
        match self.entries.get(self.recent) {
            Some((recent, _)) if recent == sequencer => Ok(self.recent),
            _ => self.entries.binary_search_by(|(it, _)| it.cmp(sequencer)),
        }
    }

    pub fn get(&self, sequencer: &T::PublicKey) -> Option<&Lane<T>> {
        let place = self.place(sequencer).ok()?;
        Some(&self.entries[place].1)
    }

    pub fn get_mut(&mut self, sequencer: &T::PublicKey) -> Option<&mut Lane<T>> {
        self.recent = self.place(sequencer).ok()?;
        Some(&mut self.entries[self.recent].1)
    }

    /// A lane, made if it is not there.
    pub fn get_or_insert_with(
        &mut self,
        sequencer: &T::PublicKey,
        make: impl FnOnce() -> Lane<T>,
    ) -> &mut Lane<T> {
        self.recent = self.place(sequencer).unwrap_or_else(|place| {
            self.entries.insert(place, (sequencer.clone(), make()));
            place
        });
        &mut self.entries[self.recent].1
    }

    pub fn keys(&self) -> impl Iterator<Item = &T::PublicKey> {
        self.entries.iter().map(|(it, _)| it)
    }

    pub fn values(&self) -> impl Iterator<Item = &Lane<T>> {
        self.entries.iter().map(|(_, it)| it)
    }

    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Lane<T>> {
        self.entries.iter_mut().map(|(_, it)| it)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&T::PublicKey, &mut Lane<T>)> {
        self.entries.iter_mut().map(|(key, lane)| (&*key, lane))
    }
}
