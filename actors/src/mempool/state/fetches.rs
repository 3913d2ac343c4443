//! What is announced but not here: one request for each id, whoever announces it.

use super::peers::Peers;
use crate::mempool::{GossipConfig, Refusal, wire};
use drystone_engine::types::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// The timeout of a peer doubles no more often than this.
const STRIKES_MAX: u32 = 6;

/// An id that a peer has and this node has not.
struct Wanted<P> {
    /// In which order it was first announced.
    order: u64,
    /// Who announced it and was not asked yet, in order.
    announcers: Vec<P>,
    /// Whom it is asked of, by the number of the request.
    asked: Option<u64>,
}

/// Ids asked of one peer in one message.
struct Request<P> {
    to: P,
    /// Each, and whether it was answered: an answer that the network repeats is no lie.
    ids: BTreeMap<Digest, bool>,
    due_ms: u64,
}

/// A message to a peer.
pub type Ask<P> = (P, wire::Message);

/// The fetches under way. An id is in `idle` exactly if it is wanted and asked of nobody.
pub struct Fetches<P> {
    wanted: BTreeMap<Digest, Wanted<P>>,
    idle: BTreeSet<(u64, Digest)>,
    requests: BTreeMap<u64, Request<P>>,
    /// When each request is given up.
    due: BTreeSet<(u64, u64)>,
    /// When what is idle is asked for.
    ask_ms: Option<u64>,
    order: u64,
    next_request: u64,
}

impl<P: Ord + Clone> Fetches<P> {
    /// Requests are numbered from a number that no earlier start of the node has used, and that is so low
    /// that they never start again at 0.
    pub const fn new(first_request: u64) -> Self {
        Self {
            wanted: BTreeMap::new(),
            idle: BTreeSet::new(),
            requests: BTreeMap::new(),
            due: BTreeSet::new(),
            ask_ms: None,
            order: 0,
            next_request: first_request,
        }
    }

    /// A peer has what is not here. Says whether it is remembered.
    pub fn announced(
        &mut self,
        now_ms: u64,
        from: &P,
        id: Digest,
        peers: &mut Peers<P>,
        config: &GossipConfig,
    ) -> bool {
        let Some(peer) = peers.get_mut(from) else {
            return false;
        };
        if let Some(wanted) = self.wanted.get_mut(&id) {
            let asked = wanted.asked.and_then(|it| self.requests.get(&it));
            if wanted.announcers.contains(from) || asked.is_some_and(|it| it.to == *from) {
                return true;
            }
            let room = wanted.announcers.len() < config.announcers_max;
            if room && peer.wanted < config.wanted_max {
                wanted.announcers.push(from.clone());
                peer.wanted += 1;
            }
            return true;
        }
        if peer.wanted >= config.wanted_max {
            return false;
        }
        peer.wanted += 1;
        let wanted = Wanted {
            order: self.order,
            announcers: vec![from.clone()],
            asked: None,
        };
        self.idle.insert((wanted.order, id));
        self.order += 1;
        self.wanted.insert(id, wanted);
        let at_ms = now_ms.saturating_add(config.fetch_linger_ms);
        self.ask_ms = Some(self.ask_ms.map_or(at_ms, |it| it.min(at_ms)));
        true
    }

    /// It came some other way, or is not wanted any more.
    pub fn forget(&mut self, id: &Digest, peers: &mut Peers<P>) {
        let Some(wanted) = self.wanted.remove(id) else {
            return;
        };
        self.idle.remove(&(wanted.order, *id));
        for announcer in &wanted.announcers {
            peers.unwant(announcer);
        }
        let asked = wanted.asked.and_then(|it| self.requests.get(&it));
        if let Some(request) = asked {
            peers.unwant(&request.to);
        }
    }

    /// Nothing is fetched any more.
    pub fn clear(&mut self, peers: &mut Peers<P>) {
        let ids: Vec<_> = self.wanted.keys().copied().collect();
        for id in ids {
            self.forget(&id, peers);
        }
        // Who answers now is late, and is not blamed for it.
        let numbers: Vec<_> = self.requests.keys().copied().collect();
        for number in numbers {
            self.give_up(number, peers);
        }
        self.ask_ms = None;
    }

    /// A peer left.
    pub fn left(&mut self, gone: &P, peers: &mut Peers<P>) {
        let numbers = self.requests.iter().filter(|(_, it)| it.to == *gone);
        let numbers: Vec<_> = numbers.map(|(number, _)| *number).collect();
        for number in numbers {
            self.give_up(number, peers);
        }
        let mut orphans = Vec::new();
        for (id, wanted) in &mut self.wanted {
            wanted.announcers.retain(|it| it != gone);
            if wanted.announcers.is_empty() && wanted.asked.is_none() {
                orphans.push(*id);
            }
        }
        for id in orphans {
            self.forget(&id, peers);
        }
    }

    fn close(&mut self, number: u64) -> Option<Request<P>> {
        let request = self.requests.remove(&number)?;
        self.due.remove(&(request.due_ms, number));
        Some(request)
    }

    /// Ends a request: what it left unanswered is asked of somebody else.
    fn give_up(&mut self, number: u64, peers: &mut Peers<P>) {
        let Some(request) = self.close(number) else {
            return;
        };
        for (id, _) in request.ids.iter().filter(|(_, answered)| !**answered) {
            if let Some(peer) = peers.get_mut(&request.to) {
                peer.requested -= 1;
            }
            self.elsewhere(id, number, &request.to, peers);
        }
        if !self.idle.is_empty() {
            // There is room again.
            self.ask_ms = Some(0);
        }
    }

    /// An announcer has not got an id after all.
    fn elsewhere(&mut self, id: &Digest, number: u64, from: &P, peers: &mut Peers<P>) {
        let Some(wanted) = self.wanted.get_mut(id) else {
            return;
        };
        if wanted.asked != Some(number) {
            return;
        }
        wanted.asked = None;
        peers.unwant(from);
        if wanted.announcers.is_empty() {
            self.wanted.remove(id);
        } else {
            self.idle.insert((wanted.order, *id));
            // The other announcers have waited long enough.
            self.ask_ms = Some(0);
        }
    }

    /// Takes an answer: the ids of contents, or of what is missing. Returns those that are wanted.
    ///
    /// # Errors
    /// If the request is not open, or did not ask for one of them: then the whole answer is refused.
    pub fn answered(
        &mut self,
        from: &P,
        number: u64,
        ids: &[Digest],
        found: bool,
        peers: &mut Peers<P>,
    ) -> Result<Vec<Digest>, Refusal> {
        let request = self.requests.get_mut(&number);
        let Some(request) = request.filter(|it| it.to == *from) else {
            return Err(Refusal::Late(number));
        };
        if let Some(other) = ids.iter().find(|it| !request.ids.contains_key(it)) {
            let refusal = Refusal::Unasked(*other);
            self.failed(from, number, peers);
            return Err(refusal);
        }
        let mut fresh = Vec::new();
        for id in ids {
            let answered = request.ids.get_mut(id).expect("just seen");
            if !std::mem::replace(answered, true) {
                fresh.push(*id);
            }
        }
        if request.ids.values().all(|answered| *answered) {
            // What is still looked up below is not in need of the request itself.
            self.close(number);
        }
        if let Some(peer) = peers.get_mut(from) {
            peer.requested -= fresh.len();
            peer.strikes = 0;
        }
        if !self.idle.is_empty() {
            // There is room again.
            self.ask_ms = Some(0);
        }
        if !found {
            for id in &fresh {
                self.elsewhere(id, number, from, peers);
            }
            return Ok(Vec::new());
        }
        fresh.retain(|id| match self.wanted.get(id) {
            Some(wanted) if wanted.asked == Some(number) => {
                peers.unwant(from);
                for announcer in &wanted.announcers {
                    peers.unwant(announcer);
                }
                self.wanted.remove(id);
                true
            }
            _ => false,
        });
        Ok(fresh)
    }

    /// An answer was no answer: the rest is asked of somebody else.
    pub fn failed(&mut self, from: &P, number: u64, peers: &mut Peers<P>) {
        if self.requests.get(&number).is_some_and(|it| it.to == *from) {
            if let Some(peer) = peers.get_mut(from) {
                peer.strikes = peer.strikes.saturating_add(1);
            }
            self.give_up(number, peers);
        }
    }

    /// Gives up on who is late, and asks for what is due.
    pub fn wake(
        &mut self,
        now_ms: u64,
        peers: &mut Peers<P>,
        ids_max: usize,
        config: &GossipConfig,
    ) -> Vec<Ask<P>> {
        while let Some((due_ms, number)) = self.due.first().copied()
            && due_ms <= now_ms
        {
            let to = self.requests[&number].to.clone();
            self.failed(&to, number, peers);
        }
        if self.ask_ms.is_none_or(|it| it > now_ms) {
            return Vec::new();
        }
        // What finds nobody with room waits for an answer or a request given up, and both ask again.
        self.ask_ms = None;
        let mut asks: BTreeMap<P, Vec<Digest>> = BTreeMap::new();
        let mut messages = Vec::new();
        let idle: Vec<_> = self.idle.iter().copied().collect();
        for (order, id) in idle {
            let wanted = self.wanted.get_mut(&id).expect("idle ids are wanted");
            let with_room = wanted.announcers.iter().enumerate().filter_map(|(at, it)| {
                let peer = peers.get(it)?;
                (peer.requested < config.requested_max).then_some((
                    peer.strikes,
                    peer.requested,
                    at,
                ))
            });
            let Some((_, _, at)) = with_room.min() else {
                continue;
            };
            let to = wanted.announcers.remove(at);
            self.idle.remove(&(order, id));
            peers.get_mut(&to).expect("it has room").requested += 1;
            let ids = asks.entry(to.clone()).or_default();
            ids.push(id);
            if ids.len() == ids_max {
                let ids = std::mem::take(ids);
                messages.push(self.request(now_ms, to, ids, peers, config));
            }
        }
        for (to, ids) in asks {
            if !ids.is_empty() {
                messages.push(self.request(now_ms, to, ids, peers, config));
            }
        }
        messages
    }

    /// Who left requests without an answer has longer for the next: it may be far away.
    fn request(
        &mut self,
        now_ms: u64,
        to: P,
        ids: Vec<Digest>,
        peers: &Peers<P>,
        config: &GossipConfig,
    ) -> Ask<P> {
        let number = self.next_request;
        self.next_request += 1;
        for id in &ids {
            self.wanted.get_mut(id).expect("just asked").asked = Some(number);
        }
        let strikes = peers.get(&to).map_or(0, |it| it.strikes.min(STRIKES_MAX));
        let timeout_ms = config.fetch_timeout_ms.saturating_mul(1 << strikes);
        let request = Request {
            to: to.clone(),
            ids: ids.iter().map(|id| (*id, false)).collect(),
            due_ms: now_ms.saturating_add(timeout_ms),
        };
        self.due.insert((request.due_ms, number));
        self.requests.insert(number, request);
        let request = number;
        (to, wire::Message::Get { request, ids })
    }

    /// When there is something to do.
    pub fn wake_ms(&self) -> Option<u64> {
        let due = self.due.first().map(|(due_ms, _)| *due_ms);
        due.into_iter().chain(self.ask_ms).min()
    }

    pub fn len(&self) -> usize {
        self.wanted.len()
    }
}
