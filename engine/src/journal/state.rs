//! What is live, what is durable, and when to sync. Pure: no disk, no await.

use super::{
    Record,
    entry::{Entry, Header},
    live::{Group, Live, Place},
};
use std::ops::RangeInclusive;

/// Records that nobody waits for gather up to this number before they are synced.
const LAZY_MAX: u64 = 64;

/// How far one client has come. Positions count its records.
#[derive(Clone, Copy, Debug, Default)]
struct Client {
    appended: u64,
    /// What the sync in flight covers.
    syncing: u64,
    durable: u64,
}

/// A client whose records became durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Whose.
    pub client: usize,
    /// Its highest durable position.
    pub position: u64,
    /// How many became durable just now.
    pub records: u64,
}

/// See the [module](self). Entries are named by their numbers; 0 stands for none.
pub(super) struct State<R: Record> {
    live: Live<R>,
    /// The entry written last; in a new log, a floor for the numbers.
    newest: u64,
    /// The entry up to which all are durable.
    durable: u64,
    /// Records written that no sync covers.
    dirty: u64,
    /// Whether somebody waits for one of them.
    urgent: bool,
    /// The entry up to which all will be when the sync in flight ends.
    syncing: Option<u64>,
    clients: Vec<Client>,
}

impl<R: Record> State<R> {
    /// From the live entries of an opened log and the number of its last entry, live or not. A log without entries
    /// is numbered from above `floor`.
    pub(super) fn new(live: Live<R>, found: u64, floor: u64) -> Self {
        let newest = if found == 0 { floor } else { found };
        Self {
            live,
            newest,
            durable: found,
            dirty: 0,
            urgent: false,
            syncing: None,
            clients: Vec::new(),
        }
    }

    /// Adds a client.
    pub(super) fn subscribe(&mut self) -> usize {
        self.clients.push(Client::default());
        self.clients.len() - 1
    }

    const fn header(&mut self) -> Header {
        self.newest += 1;
        self.dirty += 1;
        Header {
            number: self.newest,
            durable: self.durable,
        }
    }

    /// Numbers a record and keeps it as the newest of its key. The result is to be written.
    pub(super) fn append(&mut self, client: usize, record: R, urgent: bool) -> &Entry<R> {
        self.urgent |= urgent;
        self.clients[client].appended += 1;
        let header = self.header();
        let key = record.key();
        let record = Some(record);
        self.live.insert(key, Entry { header, record })
    }

    /// Lets go of a range of a group's keys.
    pub(super) fn forget(&mut self, group: &Group<R>, range: RangeInclusive<Place<R>>) {
        self.live.forget(group, range);
    }

    /// The live entries in append order, and an end mark behind them, to be written to a new section. The end mark
    /// has a number of its own: so the log still knows how far it had come if its last entries were forgotten.
    pub(super) fn roll(&mut self) -> (Vec<&Entry<R>>, Entry<R>) {
        let end = Entry {
            header: self.header(),
            record: None,
        };
        let durable = self.durable;
        let mut copies: Vec<_> = self
            .live
            .values_mut()
            .map(|entry| {
                entry.header.durable = durable;
                &*entry
            })
            .collect();
        copies.sort_unstable_by_key(|entry| entry.header.number);
        (copies, end)
    }

    /// Whether a sync is due: something that somebody waits for, or much, is not covered by one, and none is in
    /// flight.
    pub(super) const fn wants_sync(&self) -> bool {
        (self.urgent || self.dirty >= LAZY_MAX) && self.syncing.is_none()
    }

    /// Whether something is not covered by a sync.
    pub(super) const fn is_dirty(&self) -> bool {
        self.dirty > 0
    }

    /// A sync was started: it covers all that was written so far.
    pub(super) fn sync_started(&mut self) {
        assert!(
            self.is_dirty() && self.syncing.is_none(),
            "one sync at a time, and only with something to sync"
        );
        self.dirty = 0;
        self.urgent = false;
        self.syncing = Some(self.newest);
        for client in &mut self.clients {
            client.syncing = client.appended;
        }
    }

    /// The sync in flight succeeded: who is to be told what.
    pub(super) fn sync_finished(&mut self) -> Vec<Progress> {
        self.durable = self.syncing.take().expect("a sync was in flight");
        let advance = |(index, client): (usize, &mut Client)| {
            let records = client.syncing - client.durable;
            client.durable = client.syncing;
            (records > 0).then_some(Progress {
                client: index,
                position: client.durable,
                records,
            })
        };
        self.clients
            .iter_mut()
            .enumerate()
            .filter_map(advance)
            .collect()
    }
}
