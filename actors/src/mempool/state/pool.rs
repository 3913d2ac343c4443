//! The transactions held, and every index and sum over them.

use crate::{
    mempool::{Amount, PoolConfig, Source},
    transaction::{Account, Transaction},
    unordered,
};
use drystone_engine::types::Digest;
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
    sync::Arc,
};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The application has not checked it yet.
    Unchecked,
    /// It may be packed.
    Ready,
    /// It may be packed at a time by the local clock.
    Delayed(u64),
    /// It may be packed at a chain time.
    Held(u64),
    /// It may be packed after the next block: admission refused it.
    Barred,
    /// It is being packed, or in a live chunk of this node.
    Packed,
}

impl Place {
    /// Checked, and carried by no chunk which this node answers for or which is certified: what such a chunk carries reaches
    /// everybody with it.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Ready | Self::Delayed(_) | Self::Barred)
    }
}

/// One transaction.
#[derive(Debug)]
pub struct Entry<P> {
    pub transaction: Arc<Transaction>,
    pub source: Source<P>,
    /// The earliest time to pack it, by the local clock, whatever chunks hold it.
    pub ready_ms: u64,
    /// Whether admission holds a charge for it.
    pub charged: bool,
    /// Whether it was taken for a build that has not ended.
    pub building: bool,
    /// Whether it came back from a chunk, and the application has not looked at it since.
    pub stale: bool,
    place: Place,
}

impl<P> Entry<P> {
    pub const fn place(&self) -> Place {
        self.place
    }

    fn amount(&self) -> Amount {
        amount(&self.transaction)
    }
}

fn amount(transaction: &Transaction) -> Amount {
    Amount {
        items: 1,
        bytes: transaction.bytes.len(),
    }
}

impl Amount {
    const fn add(&mut self, other: Self) {
        self.items += other.items;
        self.bytes += other.bytes;
    }

    const fn sub(&mut self, other: Self) {
        self.items -= other.items;
        self.bytes -= other.bytes;
    }

    const fn fits(self, other: Self, max: Self) -> bool {
        self.items + other.items <= max.items && self.bytes + other.bytes <= max.bytes
    }
}

/// What each of several holds. Whoever holds nothing takes no entry.
#[derive(PartialEq, Eq)]
struct Shares<K: Eq + Hash>(unordered::Map<K, Amount>);

impl<K: Eq + Hash> Default for Shares<K> {
    fn default() -> Self {
        Self(unordered::Map::default())
    }
}

impl<K: Eq + Hash + Clone> Shares<K> {
    fn of(&self, key: &K) -> Amount {
        self.0.get(key).copied().unwrap_or_default()
    }

    fn add(&mut self, key: &K, amount: Amount) {
        self.0.or_default(key.clone()).add(amount);
    }

    fn sub(&mut self, key: &K, amount: Amount) {
        let held = self.0.get_mut(key).expect("it was added");
        held.sub(amount);
        if held.items == 0 {
            self.0.remove(key);
        }
    }
}

/// The transactions held, in the order of their arrival.
pub struct Pool<P: Eq + Hash> {
    entries: BTreeMap<u64, Entry<P>>,
    arrivals: unordered::Map<Digest, u64>,
    expiries: BTreeSet<(u64, u64)>,
    ready: BTreeSet<u64>,
    delayed: BTreeSet<(u64, u64)>,
    held: BTreeSet<(u64, u64)>,
    barred: BTreeSet<u64>,
    /// Checked, and carried by no chunk that this node relies on.
    pending: BTreeSet<u64>,
    total: Amount,
    ready_total: Amount,
    accounts: Shares<Account>,
    peers: Shares<P>,
    /// What all peers together delivered.
    delivered: Amount,
    next: u64,
}

impl<P: Eq + Hash + Clone> Pool<P> {
    pub fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            arrivals: unordered::Map::default(),
            expiries: BTreeSet::new(),
            ready: BTreeSet::new(),
            delayed: BTreeSet::new(),
            held: BTreeSet::new(),
            barred: BTreeSet::new(),
            pending: BTreeSet::new(),
            total: Amount { items: 0, bytes: 0 },
            ready_total: Amount { items: 0, bytes: 0 },
            accounts: Shares::default(),
            peers: Shares::default(),
            delivered: Amount { items: 0, bytes: 0 },
            next: 0,
        }
    }

    pub const fn total(&self) -> Amount {
        self.total
    }

    pub const fn ready_total(&self) -> Amount {
        self.ready_total
    }

    /// Whether a transaction fits every share it would take from.
    pub fn has_room(
        &self,
        transaction: &Transaction,
        source: &Source<P>,
        config: &PoolConfig,
    ) -> bool {
        let amount = amount(transaction);
        let account = self.accounts.of(&transaction.facts.account);
        let from_peer = match source {
            Source::Client => true,
            Source::Peer(peer) => {
                self.peers.of(peer).fits(amount, config.peer_max)
                    && self.delivered.fits(amount, config.delivered_max())
            }
        };
        from_peer
            && account.fits(amount, config.account_max)
            && self.total.fits(amount, config.pool_max)
    }

    /// Keeps a transaction, unchecked. Returns its place in the order of arrival.
    pub fn insert(
        &mut self,
        transaction: Arc<Transaction>,
        source: Source<P>,
        ready_ms: u64,
    ) -> u64 {
        let (facts, amount, arrival) = (transaction.facts, amount(&transaction), self.next);
        self.next += 1;
        let previous = self.arrivals.insert(facts.id, arrival);
        assert!(previous.is_none(), "{} is held already", facts.id);
        self.expiries.insert((facts.expiry_ms, arrival));
        self.total.add(amount);
        self.accounts.add(&facts.account, amount);
        if let Source::Peer(peer) = &source {
            self.peers.add(peer, amount);
            self.delivered.add(amount);
        }
        let entry = Entry {
            transaction,
            source,
            ready_ms,
            charged: false,
            building: false,
            stale: false,
            place: Place::Unchecked,
        };
        self.entries.insert(arrival, entry);
        arrival
    }

    pub fn remove(&mut self, arrival: u64) -> Option<Entry<P>> {
        if self.entries.contains_key(&arrival) {
            self.settle(arrival, Place::Unchecked);
        }
        let entry = self.entries.remove(&arrival)?;
        let (facts, amount) = (entry.transaction.facts, entry.amount());
        self.arrivals.remove(&facts.id);
        self.expiries.remove(&(facts.expiry_ms, arrival));
        self.total.sub(amount);
        self.accounts.sub(&facts.account, amount);
        if let Source::Peer(peer) = &entry.source {
            self.peers.sub(peer, amount);
            self.delivered.sub(amount);
        }
        Some(entry)
    }

    pub fn arrival(&self, id: &Digest) -> Option<u64> {
        self.arrivals.get(id).copied()
    }

    pub fn get(&self, arrival: u64) -> Option<&Entry<P>> {
        self.entries.get(&arrival)
    }

    pub fn get_mut(&mut self, arrival: u64) -> Option<&mut Entry<P>> {
        self.entries.get_mut(&arrival)
    }

    /// Puts a transaction where it stands now.
    pub fn settle(&mut self, arrival: u64, place: Place) {
        let entry = self.entries.get_mut(&arrival).expect("it is held");
        let before = std::mem::replace(&mut entry.place, place);
        let amount = entry.amount();
        match (before.is_pending(), place.is_pending()) {
            (false, true) => _ = self.pending.insert(arrival),
            (true, false) => _ = self.pending.remove(&arrival),
            _ => {}
        }
        match before {
            Place::Ready => {
                self.ready.remove(&arrival);
                self.ready_total.sub(amount);
            }
            Place::Delayed(at) => _ = self.delayed.remove(&(at, arrival)),
            Place::Held(at) => _ = self.held.remove(&(at, arrival)),
            Place::Barred => _ = self.barred.remove(&arrival),
            Place::Unchecked | Place::Packed => {}
        }
        match place {
            Place::Ready => {
                self.ready.insert(arrival);
                self.ready_total.add(amount);
            }
            Place::Delayed(at) => _ = self.delayed.insert((at, arrival)),
            Place::Held(at) => _ = self.held.insert((at, arrival)),
            Place::Barred => _ = self.barred.insert(arrival),
            Place::Unchecked | Place::Packed => {}
        }
    }

    /// What may be packed, in the order of arrival.
    pub fn ready(&self) -> impl Iterator<Item = (u64, &Arc<Transaction>)> {
        let ready = self.ready.iter();
        ready.map(|it| (*it, &self.entries[it].transaction))
    }

    /// What was checked and no chunk carries that this node relies on, from a place in the order of arrival on.
    pub fn pending(&self, from: u64) -> impl Iterator<Item = u64> {
        self.pending.range(from..).copied()
    }

    /// What no block after this time can take.
    pub fn expired(&self, chain_ms: u64) -> Vec<u64> {
        let due = self.expiries.range(..=(chain_ms, u64::MAX));
        due.map(|(_, arrival)| *arrival).collect()
    }

    /// What waited for a time that has come.
    pub fn due(&self, now_ms: u64, chain_ms: u64) -> Vec<u64> {
        let delayed = self.delayed.range(..=(now_ms, u64::MAX));
        let held = self.held.range(..=(chain_ms, u64::MAX));
        delayed.chain(held).map(|(_, arrival)| *arrival).collect()
    }

    /// What admission refused since the last round of checks.
    pub fn barred(&self) -> Vec<u64> {
        self.barred.iter().copied().collect()
    }

    /// When the next one that waits for the local clock may be packed.
    pub fn wake_ms(&self) -> Option<u64> {
        self.delayed.first().map(|(at, _)| *at)
    }

    /// Adds everything up again and compares it with the sums that are kept.
    #[cfg(any(test, feature = "mocks"))]
    pub fn audit(&self) {
        let (mut total, mut ready) = (Amount::default(), Amount::default());
        let (mut accounts, mut peers) = (Shares::default(), Shares::default());
        for (arrival, entry) in &self.entries {
            total.add(entry.amount());
            accounts.add(&entry.transaction.facts.account, entry.amount());
            if let Source::Peer(peer) = &entry.source {
                peers.add(peer, entry.amount());
            }
            if entry.place == Place::Ready {
                ready.add(entry.amount());
            }
            assert_eq!(self.ready.contains(arrival), entry.place == Place::Ready);
            assert_eq!(self.barred.contains(arrival), entry.place == Place::Barred);
            assert_eq!(self.pending.contains(arrival), entry.place.is_pending());
            let known = self.arrivals.get(&entry.transaction.facts.id);
            assert_eq!(known, Some(arrival));
        }
        assert_eq!((total, ready), (self.total, self.ready_total));
        assert!(accounts == self.accounts, "what accounts hold");
        assert!(peers == self.peers, "what peers hold");
        let count = self.entries.len();
        assert_eq!((self.arrivals.len(), self.expiries.len()), (count, count));
        let waiting = |of: fn(&Place) -> bool| {
            let entries = self.entries.values();
            entries.filter(|it| of(&it.place)).count()
        };
        let delayed = waiting(|it| matches!(it, Place::Delayed(_)));
        let held = waiting(|it| matches!(it, Place::Held(_)));
        assert_eq!((self.delayed.len(), self.held.len()), (delayed, held));
        assert_eq!(
            (self.ready.len(), ready.items),
            (ready.items, self.ready.len())
        );
    }
}
