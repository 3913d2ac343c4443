//! Whom to serve next: each peer has a queue of its own and a rate, and few are served at once. Pure.

mod bucket;
#[cfg(test)]
mod tests;

pub(crate) use bucket::Bucket;

use commonware_cryptography::PublicKey;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU64;
use std::ops::Bound;

/// What reading for a request costs a peer beyond what it is sent.
pub(crate) const OVERHEAD_BYTES: u64 = 512;

/// Bytes that a peer may have, over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Each second.
    pub bytes_per_second: NonZeroU64,
    /// At once.
    pub burst_bytes: u64,
}

/// How much is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// What each peer is served.
    pub rate: Rate,
    /// Requests of one peer that wait.
    pub requests_max: usize,
    /// Requests that are served at once.
    pub reading_max: usize,
}

/// One peer's requests.
#[derive(Debug)]
struct Client<Q> {
    /// With the bytes that each asks for.
    queue: VecDeque<(Q, u64)>,
    bucket: Bucket,
    /// When its next request can be afforded.
    ready_ms: u64,
}

/// All peers' requests. A peer without a request is forgotten once its rate is unused again.
#[derive(Debug)]
pub(crate) struct Serving<P, Q> {
    limits: Limits,
    clients: BTreeMap<P, Client<Q>>,
    /// Served last: the next one is after it.
    last: Option<P>,
    reading: usize,
    wake_ms: Option<u64>,
}

impl<P: PublicKey, Q: PartialEq> Serving<P, Q> {
    /// Nobody has asked.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            clients: BTreeMap::new(),
            last: None,
            reading: 0,
            wake_ms: None,
        }
    }

    /// A peer asks for something of this length. One that asks for too much at once has its request back.
    pub fn asked(&mut self, now_ms: u64, from: &P, request: Q, bytes: u64) -> Result<(), Q> {
        let rate = self.limits.rate;
        let client = self.clients.entry(from.clone()).or_insert_with(|| Client {
            queue: VecDeque::new(),
            bucket: Bucket::full(&rate, now_ms),
            ready_ms: now_ms,
        });
        if client.queue.iter().any(|(it, _)| *it == request) {
            return Ok(());
        }
        if client.queue.len() >= self.limits.requests_max {
            return Err(request);
        }
        client.queue.push_back((request, bytes));
        Ok(())
    }

    /// The next request that is to be served, if there is room for one: of those to be served first, and among equals in
    /// turns. To be asked until there is none.
    pub fn next(&mut self, now_ms: u64, first: &BTreeSet<P>) -> Option<(P, Q)> {
        let rate = self.limits.rate;
        while self.reading < self.limits.reading_max
            && let Some(peer) = self.next_client(now_ms, first)
        {
            let client = self.clients.get_mut(&peer).expect("just found");
            let (_, bytes) = client.queue.front().expect("it waits");
            // A burst holds the largest answer; the overhead must not keep it out for ever.
            let cost = OVERHEAD_BYTES.saturating_add(*bytes).min(rate.burst_bytes);
            if !client.bucket.take(&rate, now_ms, cost) {
                client.ready_ms = client.bucket.ready_ms(&rate, cost);
                continue;
            }
            let (request, _) = client.queue.pop_front().expect("just seen");
            self.reading += 1;
            self.last = Some(peer.clone());
            return Some((peer, request));
        }
        self.tidy(now_ms);
        None
    }

    fn tidy(&mut self, now_ms: u64) {
        let rate = self.limits.rate;
        self.clients
            .retain(|_, it| !it.queue.is_empty() || !it.bucket.is_full(&rate, now_ms));
        // With all reads under way, the end of one wakes.
        let waiting = self.clients.values().filter(|it| !it.queue.is_empty());
        let later = waiting.map(|it| it.ready_ms).filter(|it| *it > now_ms);
        self.wake_ms = later.min();
    }

    /// A request was served. The peer owes for what was read beyond what it has paid.
    pub fn served(&mut self, peer: &P, unpaid_bytes: u64) {
        self.reading = self.reading.checked_sub(1).expect("every read began");
        if let Some(client) = self.clients.get_mut(peer) {
            client.bucket.owe(unpaid_bytes);
        }
    }

    /// When to ask for the [next](Self::next) again.
    pub const fn wake_ms(&self) -> Option<u64> {
        self.wake_ms
    }

    /// Requests that wait, of all peers.
    pub fn queued(&self) -> usize {
        self.clients.values().map(|it| it.queue.len()).sum()
    }

    fn next_client(&self, now_ms: u64, first: &BTreeSet<P>) -> Option<P> {
        let is_ready = |it: &Client<Q>| !it.queue.is_empty() && it.ready_ms <= now_ms;
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let turn = || {
            let behind = self.clients.range((after, Bound::Unbounded));
            behind.chain(self.clients.iter())
        };
        let ready = || turn().filter(|(_, it)| is_ready(it)).map(|(peer, _)| peer);
        let preferred = ready().find(|it| first.contains(*it));
        preferred.or_else(|| ready().next()).cloned()
    }
}
