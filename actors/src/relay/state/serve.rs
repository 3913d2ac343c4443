//! Whom to serve next.

use super::{Bucket, Effect, Request, State};
use commonware_cryptography::PublicKey;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;

/// What reading for a request costs a peer beyond the body.
const OVERHEAD_BYTES: u64 = 512;

/// One peer's requests.
#[derive(Debug)]
struct Client<P> {
    queue: VecDeque<Request<P>>,
    bucket: Bucket,
    /// When its next request can be afforded.
    ready_ms: u64,
}

/// All peers' requests. A peer without a request is forgotten once its rate is unused again.
#[derive(Debug)]
pub(super) struct Serving<P> {
    clients: BTreeMap<P, Client<P>>,
    /// Served last: the next one is after it.
    last: Option<P>,
    reading: usize,
    wake_ms: Option<u64>,
}

impl<P> Default for Serving<P> {
    fn default() -> Self {
        Self {
            clients: BTreeMap::new(),
            last: None,
            reading: 0,
            wake_ms: None,
        }
    }
}

impl<P> Serving<P> {
    /// A read is over.
    pub const fn read(&mut self) {
        self.reading = self.reading.checked_sub(1).expect("every read began");
    }

    pub const fn wake_ms(&self) -> Option<u64> {
        self.wake_ms
    }

    pub fn queued(&self) -> usize {
        self.clients.values().map(|it| it.queue.len()).sum()
    }
}

impl<P: PublicKey> State<P> {
    pub(super) fn asked(&mut self, from: P, request: Request<P>, effects: &mut Vec<Effect<P>>) {
        let (now_ms, rate) = (self.now_ms, self.config.serving);
        let client = self
            .serving
            .clients
            .entry(from.clone())
            .or_insert_with(|| Client {
                queue: VecDeque::new(),
                bucket: Bucket::full(&rate, now_ms),
                ready_ms: now_ms,
            });
        if client.queue.contains(&request) {
            return;
        }
        if client.queue.len() >= self.config.requests_max {
            effects.push(Effect::TurnAway(from, request.reference));
            return;
        }
        client.queue.push_back(request);
        self.serve(effects);
    }

    /// Starts as many reads as there is room for: validators first, and among equals in turns.
    pub(super) fn serve(&mut self, effects: &mut Vec<Effect<P>>) {
        let (now_ms, rate) = (self.now_ms, self.config.serving);
        while self.serving.reading < self.config.reading_max {
            let Some(peer) = self.next_client() else {
                break;
            };
            let client = self.serving.clients.get_mut(&peer).expect("just found");
            let request = client.queue.front().expect("it waits");
            let cost = OVERHEAD_BYTES + u64::from(request.reference.bytes);
            // A burst holds a body; the overhead must not keep the largest out for ever.
            let cost = cost.min(rate.burst_bytes);
            if !client.bucket.take(&rate, now_ms, cost) {
                client.ready_ms = client.bucket.ready_ms(&rate, cost);
                continue;
            }
            let request = client.queue.pop_front().expect("just seen");
            self.serving.reading += 1;
            self.serving.last = Some(peer.clone());
            effects.push(Effect::Read(peer, request));
        }
        self.serving
            .clients
            .retain(|_, it| !it.queue.is_empty() || !it.bucket.is_full(&rate, now_ms));
        // With all reads under way, the end of one wakes.
        let waiting = self
            .serving
            .clients
            .values()
            .filter(|it| !it.queue.is_empty());
        let later = waiting.map(|it| it.ready_ms).filter(|it| *it > now_ms);
        self.serving.wake_ms = later.min();
    }

    fn next_client(&self) -> Option<P> {
        let is_ready = |it: &Client<P>| !it.queue.is_empty() && it.ready_ms <= self.now_ms;
        let after = self
            .serving
            .last
            .as_ref()
            .map_or(Bound::Unbounded, Bound::Excluded);
        let clients = &self.serving.clients;
        let turn = || {
            clients
                .range((after, Bound::Unbounded))
                .chain(clients.iter())
        };
        let ready = || turn().filter(|(_, it)| is_ready(it)).map(|(peer, _)| peer);
        let validator = ready().find(|it| self.validators.contains(*it));
        validator.or_else(|| ready().next()).cloned()
    }
}
