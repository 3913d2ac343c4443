//! Maps and sets that nobody can iterate: so where an entry lies in memory, which differs from run to run, can decide
//! nothing. They are for names that are as good as random, as digests are: a look-up in a large ordered map misses the cache
//! once for each of its levels, in one of these once or twice.
//!
//! The hash is keyed anew in each process, so that nobody can choose names that lie together. It is one of a few multiplications,
//! where the standard one took a third of a look-up.

#![expect(
    clippy::disallowed_types,
    reason = "what is wrong with them is their order, and none can be seen from here"
)]

use ahash::RandomState;
use std::{
    collections::{HashMap, HashSet},
    fmt::{Debug, Formatter, Result},
    hash::Hash,
};

/// The capacity of what has held far more than it holds: it is given back by halves, so that each entry is moved a bounded
/// number of times.
const fn roomy(len: usize, capacity: usize) -> Option<usize> {
    if capacity > ROOM_MIN && len < capacity / 4 {
        Some(capacity / 2)
    } else {
        None
    }
}

/// Room that is never given back.
const ROOM_MIN: usize = 1 << 10;

/// A map without an order.
#[derive(Clone, PartialEq, Eq)]
pub struct Map<K: Eq + Hash, V>(HashMap<K, V, RandomState>);

impl<K: Eq + Hash, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

/// Says how many there are: what is in it would come in some order.
impl<K: Eq + Hash, V> Debug for Map<K, V> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "Map of {}", self.0.len())
    }
}

impl<K: Eq + Hash, V> Map<K, V> {
    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.0.get(key)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key)
    }

    /// The value of a key, which gets one if it has none.
    pub fn or_default(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        self.0.entry(key).or_default()
    }

    /// Gives a key a value, and gives back the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Takes a key away, and gives back its value.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.0.remove(key);
        if let Some(capacity) = roomy(self.0.len(), self.0.capacity()) {
            self.0.shrink_to(capacity);
        }
        value
    }

    /// Whether a key has a value.
    pub fn contains_key(&self, key: &K) -> bool {
        self.0.contains_key(key)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A set without an order.
#[derive(Clone)]
pub struct Set<K: Eq + Hash>(HashSet<K, RandomState>);

impl<K: Eq + Hash> Default for Set<K> {
    fn default() -> Self {
        Self(HashSet::default())
    }
}

/// Says how many there are.
impl<K: Eq + Hash> Debug for Set<K> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Result {
        write!(formatter, "Set of {}", self.0.len())
    }
}

impl<K: Eq + Hash> Set<K> {
    /// A set that takes so many without being moved.
    pub fn with_capacity(len: usize) -> Self {
        Self(HashSet::with_capacity_and_hasher(
            len,
            RandomState::default(),
        ))
    }

    /// Says whether it is new.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key)
    }

    /// Says whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        let was_there = self.0.remove(key);
        if let Some(capacity) = roomy(self.0.len(), self.0.capacity()) {
            self.0.shrink_to(capacity);
        }
        was_there
    }

    /// Whether it is there.
    pub fn contains(&self, key: &K) -> bool {
        self.0.contains(key)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
