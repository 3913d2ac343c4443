//! How clients reach the journal.

use super::{
    Grouped as _, Record,
    live::{Group, Place},
};
use commonware_actor::{
    Feedback,
    mailbox::{Policy, Sender},
};
use std::{
    collections::VecDeque,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// What a client did.
pub(super) enum Message<R: Record> {
    /// Records were appended, in this order; `urgent` if somebody waits for them.
    Appended {
        client: usize,
        records: Vec<R>,
        urgent: bool,
    },
    /// A range of a group's keys is not needed any more.
    Forgotten {
        client: usize,
        group: Group<R>,
        range: RangeInclusive<Place<R>>,
    },
}

/// Nothing may be dropped: a position was promised. What waits is bounded by `unsynced_max` for each client, since
/// every message carries at least one entry of that budget.
impl<R: Record> Policy for Message<R> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        overflow.push_back(message);
    }
}

/// One client's entries on their way: counted up by its [`Writer`], down by the actor.
pub(super) type Budget = Arc<AtomicUsize>;

/// One client's access to the journal.
pub struct Writer<R: Record> {
    client: usize,
    position: u64,
    sender: Sender<Message<R>>,
    budget: Budget,
    unsynced_max: usize,
}

impl<R: Record> Writer<R> {
    pub(super) const fn new(
        client: usize,
        sender: Sender<Message<R>>,
        budget: Budget,
        unsynced_max: usize,
    ) -> Self {
        Self {
            client,
            position: 0,
            sender,
            budget,
            unsynced_max,
        }
    }

    /// Appends records and returns the position that stands for them: the number of records this client has
    /// appended since it subscribed. When `notify` is called with that position or a higher one, they are durable.
    ///
    /// If the journal has ended, nothing is appended and nothing will be notified.
    ///
    /// # Panics
    ///
    /// If more than `unsynced_max` entries are on their way: see [`room`](Self::room).
    pub fn append(&mut self, records: impl Into<Vec<R>>) -> u64 {
        self.enqueue(records.into(), true)
    }

    /// As [`append`](Self::append), but nobody waits for these records: they become durable with the next sync that
    /// somebody does wait for, or when enough of them have gathered.
    pub fn append_lazily(&mut self, records: impl Into<Vec<R>>) -> u64 {
        self.enqueue(records.into(), false)
    }

    fn enqueue(&mut self, records: Vec<R>, urgent: bool) -> u64 {
        let count = records.len();
        if count > 0 {
            self.position += count as u64;
            let client = self.client;
            self.send(
                count,
                Message::Appended {
                    client,
                    records,
                    urgent,
                },
            );
        }
        self.position
    }

    /// Lets go of the records whose keys lie in `range`, which is of one [group](super::Grouped); an empty range is none.
    /// Later appends are not affected.
    ///
    /// This is not durable: until the journal rolls, a restart may show them again. It needs no sync of its own and
    /// is not notified. Clients should only forget keys of their own.
    ///
    /// # Panics
    ///
    /// As [`append`](Self::append); a range counts as one entry. If its ends are of two groups.
    pub fn forget(&self, range: RangeInclusive<R::Key>) {
        let (from, to) = range.into_inner();
        if from <= to {
            let ((group, from), (other, to)) = (from.split(), to.split());
            assert!(group == other, "a range of two groups is forgotten");
            assert!(from <= to, "places are not in the order of their keys");
            self.send(
                1,
                Message::Forgotten {
                    client: self.client,
                    group,
                    range: from..=to,
                },
            );
        }
    }

    /// How many more entries may be sent before some are durable.
    pub fn room(&self) -> usize {
        self.unsynced_max.saturating_sub(self.budget.load(Relaxed))
    }

    fn send(&self, count: usize, message: Message<R>) {
        let waiting = self.budget.fetch_add(count, Relaxed) + count;
        if self.sender.enqueue(message) != Feedback::Closed {
            assert!(
                waiting <= self.unsynced_max,
                "{waiting} entries wait for the journal, the client must keep them to {}",
                self.unsynced_max
            );
        }
    }
}
