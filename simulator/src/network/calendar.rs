//! Messages on their way, ordered by (arrival time, order of sending).

use commonware_runtime::IoBuf;
use std::collections::BTreeMap;

/// Emptied lists kept for reuse. Enough for the times that are due together; more would only hold
/// memory after a burst.
const SPARE_MAX: usize = 1024;

/// One copy of a message on its way to one inbox. The body is shared, never copied.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) from: u32,
    pub(super) inbox: u32,
    /// [`severed`](super::link::State::severed) of the link when this was sent.
    pub(super) severed: u32,
    pub(super) duplicate: bool,
    pub(super) priority: bool,
    /// Number of the message on its link.
    pub(super) sequence: u64,
    pub(super) body: IoBuf,
}

/// A priority queue for times that many entries share: one list for each distinct time. It is also
/// the set of times for which an alarm is set.
#[derive(Default)]
pub(super) struct Calendar {
    days: BTreeMap<u64, Vec<Flight>>,
    spare: Vec<Vec<Flight>>,
    len: usize,
}

impl Calendar {
    /// Returns whether `at_us` is a new time, for which an alarm must be set.
    pub(super) fn insert(&mut self, at_us: u64, flight: Flight) -> bool {
        let mut new = false;
        let day = self.days.entry(at_us).or_insert_with(|| {
            new = true;
            self.spare.pop().unwrap_or_default()
        });
        day.push(flight);
        self.len += 1;
        new
    }

    /// Removes the earliest list due at `now_us`. Give it back, emptied, to [`Calendar::reuse`].
    pub(super) fn pop_due(&mut self, now_us: u64) -> Option<Vec<Flight>> {
        let earliest = self.days.first_entry()?;
        if *earliest.key() > now_us {
            return None;
        }
        let day = earliest.remove();
        self.len -= day.len();
        Some(day)
    }

    pub(super) fn reuse(&mut self, day: Vec<Flight>) {
        debug_assert!(day.is_empty());
        if self.spare.len() < SPARE_MAX {
            self.spare.push(day);
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }
}
