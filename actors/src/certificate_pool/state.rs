//! All decisions of the pool. Pure: no clock, no disk, no await.

use super::{Config, Message};
use crate::{
    Canary,
    block::parameters::{is_expired, moves_on},
};
use drystone_engine::{
    Horizon,
    types::{Certificate, Digest, Genesis, Limits, Signed, Tip, Types},
};
use std::{collections::BTreeMap, sync::Arc};

/// The block that tips are wanted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection<P> {
    /// Its timestamp.
    pub at_ms: u64,
    /// Its epoch: certificates of this one and of the one before fit.
    pub epoch: u64,
    /// The newest inclusion of each lane among its ancestors that are not finalized.
    pub ancestors: BTreeMap<P, Tip>,
}

/// What a block may include.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<T: Types> {
    /// The certificate.
    pub certificate: Arc<Certificate<T>>,
    /// The header it certifies.
    pub header: Arc<Signed<T>>,
    /// When the oldest chunk that it would include expires.
    pub oldest_expiry_ms: u64,
    /// The headers that it would include, expired ones too.
    pub headers: u64,
    /// What of them is unexpired at the block's time.
    pub live: Limits,
}

/// What a certificate stands for above a place of its lane.
struct Run {
    oldest_expiry_ms: u64,
    headers: u64,
    live: Limits,
}

/// Height, then epoch: the order in which certificates of a lane replace each other.
type Rank = (u64, u64);

struct Lane<T: Types> {
    /// The last inclusion in a finalized block.
    included: Tip,
    certificates: BTreeMap<Rank, Arc<Certificate<T>>>,
    headers: BTreeMap<(u64, Digest), Arc<Signed<T>>>,
    /// The highest certificate known to link to `included`.
    linked: Option<(Rank, Tip)>,
}

/// See the [module](super).
pub struct State<T: Types> {
    config: Config,
    /// One entry for each sequencer that was ever heard of, as in the chain's own lane table.
    lanes: BTreeMap<T::PublicKey, Lane<T>>,
    finalized_ms: u64,
}

impl<T: Types> State<T> {
    /// An empty pool.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn new(config: Config) -> Self {
        config.check();
        Self {
            config,
            lanes: BTreeMap::new(),
            finalized_ms: 0,
        }
    }

    /// Takes one message.
    pub fn apply(&mut self, message: Message<T>) {
        match message {
            Message::Certified(certificate) => self.certified(certificate),
            Message::Seen(header) => self.seen(header),
            Message::Advanced(horizon) => self.advanced(horizon),
        }
    }

    /// What a block can include: at most one certificate of a lane, the newest that fits; the lane whose oldest chunk
    /// not included expires first comes first, then by sequencer.
    pub fn select(&self, selection: &Selection<T::PublicKey>) -> Vec<Candidate<T>> {
        let genesis = &self.config.genesis;
        let mut candidates: Vec<_> = self
            .lanes
            .iter()
            .filter_map(|(sequencer, lane)| {
                let ancestor = selection.ancestors.get(sequencer);
                let base = ancestor.map_or(lane.included, |it| lane.included.max(*it));
                let above = lane.certificates.range((base.height + 1, 0)..).rev();
                above
                    .filter(|(_, it)| {
                        it.epoch <= selection.epoch && it.epoch + 1 >= selection.epoch
                    })
                    .find_map(|(_, it)| {
                        let at_ms = self.judged_at(selection.at_ms);
                        lane.candidate(genesis, base, it, at_ms)
                    })
            })
            .collect();
        candidates.sort_by(|a, b| {
            (a.oldest_expiry_ms, &a.certificate.sequencer)
                .cmp(&(b.oldest_expiry_ms, &b.certificate.sequencer))
        });
        candidates
    }

    /// Certificates held, of all lanes.
    pub fn certificates_held(&self) -> usize {
        self.lanes.values().map(|it| it.certificates.len()).sum()
    }

    /// Headers held, of all lanes.
    pub fn headers_held(&self) -> usize {
        self.lanes.values().map(|it| it.headers.len()).sum()
    }

    /// The time by which expiry is judged.
    fn judged_at(&self, at_ms: u64) -> u64 {
        if self.config.canary.is(Canary::KeepExpired) {
            return 0;
        }
        at_ms
    }

    fn lane(&mut self, sequencer: &T::PublicKey) -> &mut Lane<T> {
        let root = || Lane::new(self.config.genesis.root(sequencer));
        self.lanes.entry(sequencer.clone()).or_insert_with(root)
    }

    fn certified(&mut self, certificate: Arc<Certificate<T>>) {
        let (genesis, finalized_ms) = (self.config.genesis.clone(), self.finalized_ms);
        let certificates_max = self.config.certificates_max;
        let lane = self.lane(&certificate.sequencer);
        if !lane.is_useful(&genesis, &certificate, finalized_ms) {
            return;
        }
        let rank = certificate.rank();
        // A certificate with other signers over the same place says nothing new.
        lane.certificates.entry(rank).or_insert(certificate);
        lane.link(rank);
        if lane.certificates.len() > certificates_max {
            // Headers that came since may link one that did not.
            lane.relink();
            let linked = lane.linked.map(|(rank, _)| rank);
            let lowest = lane.certificates.keys().find(|it| Some(**it) != linked);
            let lowest = *lowest.expect("at least two are kept, one of them is the linked one");
            lane.certificates.remove(&lowest);
        }
    }

    fn seen(&mut self, header: Arc<Signed<T>>) {
        let headers_max = self.config.headers_max();
        let lane = self.lane(&header.header().sequencer);
        // More than the engine ever holds: only a report that should not be could make it more.
        if header.height() > lane.included.height && lane.headers.len() < headers_max {
            lane.headers
                .insert((header.height(), header.digest()), header);
        }
    }

    fn advanced(&mut self, horizon: Horizon<T::PublicKey>) {
        self.finalized_ms = self.finalized_ms.max(horizon.finalized_ms);
        for (sequencer, tip) in horizon.included {
            let lane = self.lane(&sequencer);
            if tip > lane.included {
                lane.include(tip);
            }
        }
        let finalized_ms = self.judged_at(self.finalized_ms);
        let genesis = &self.config.genesis;
        for lane in self.lanes.values_mut() {
            lane.expire(genesis, finalized_ms);
        }
    }
}

impl<T: Types> Lane<T> {
    const fn new(root: Tip) -> Self {
        Self {
            included: root,
            certificates: BTreeMap::new(),
            headers: BTreeMap::new(),
            linked: None,
        }
    }

    /// Whether any block from now on could include it.
    fn is_useful(
        &self,
        genesis: &Genesis,
        certificate: &Certificate<T>,
        finalized_ms: u64,
    ) -> bool {
        let headers = certificate.tip.height.saturating_sub(self.included.height);
        headers > 0
            && (!is_expired(genesis, certificate.tip.slot, finalized_ms)
                || moves_on(genesis, headers))
    }

    /// The headers from a place downwards, as far as they are here, the place's own first.
    fn walk(&self, from: Tip) -> impl Iterator<Item = &Arc<Signed<T>>> {
        let first = self.headers.get(&(from.height, from.digest));
        std::iter::successors(first, |above| {
            let below = (above.height() - 1, above.header().previous);
            self.headers.get(&below)
        })
    }

    /// Whether the headers here lead from one place down to another.
    fn leads(&self, from: Tip, to: Tip) -> bool {
        let last = self.walk(from).find(|it| it.height() <= to.height + 1);
        last.is_some_and(|it| it.height() == to.height + 1 && it.header().previous == to.digest)
    }

    /// Notes a certificate as the highest that links, if it is. Only the headers above the one noted so far are
    /// walked; one on another branch than that is walked to the end.
    fn link(&mut self, rank: Rank) -> bool {
        if self.linked.is_some_and(|(linked, _)| linked >= rank) {
            return false;
        }
        let tip = self.certificates[&rank].tip;
        let onto = |it: Tip| tip == it || self.leads(tip, it);
        let links = self.linked.is_some_and(|(_, it)| onto(it)) || onto(self.included);
        if links {
            self.linked = Some((rank, tip));
        }
        links
    }

    /// Finds the highest certificate that links again.
    fn relink(&mut self) {
        let ranks: Vec<_> = self.certificates.keys().rev().copied().collect();
        for rank in ranks {
            if self.linked.is_some_and(|(linked, _)| linked >= rank) || self.link(rank) {
                return;
            }
        }
    }

    /// A finalized block included the lane up to a place.
    fn include(&mut self, tip: Tip) {
        self.included = tip;
        let above = tip.height.saturating_add(1);
        self.certificates = self.certificates.split_off(&(above, 0));
        let zero = Digest::from([0; 32]);
        self.headers = self.headers.split_off(&(above, zero));
        self.linked = None;
        // What is known to lead elsewhere can never be included.
        let departed: Vec<_> = self
            .certificates
            .iter()
            .filter(|(_, it)| self.departs(it.tip))
            .map(|(rank, _)| *rank)
            .collect();
        for rank in departed {
            self.certificates.remove(&rank);
        }
        self.relink();
    }

    /// Whether a place is known not to descend from the inclusion.
    fn departs(&self, tip: Tip) -> bool {
        let lowest = self
            .walk(tip)
            .find(|it| it.height() == self.included.height + 1);
        lowest.is_some_and(|it| it.header().previous != self.included.digest)
    }

    fn expire(&mut self, genesis: &Genesis, finalized_ms: u64) {
        let mut certificates = std::mem::take(&mut self.certificates);
        certificates.retain(|_, it| self.is_useful(genesis, it, finalized_ms));
        self.certificates = certificates;
        if self
            .linked
            .is_some_and(|(rank, _)| !self.certificates.contains_key(&rank))
        {
            self.linked = None;
            self.relink();
        }
    }

    /// What including a certificate above a place would mean, if it links to it and a block of that time may.
    fn candidate(
        &self,
        genesis: &Genesis,
        base: Tip,
        certificate: &Arc<Certificate<T>>,
        at_ms: u64,
    ) -> Option<Candidate<T>> {
        let tip = certificate.tip;
        let header = self.headers.get(&(tip.height, tip.digest))?;
        let run = self.run(genesis, base, tip, at_ms)?;
        if is_expired(genesis, tip.slot, at_ms) && !moves_on(genesis, run.headers) {
            return None;
        }
        Some(Candidate {
            certificate: certificate.clone(),
            header: header.clone(),
            oldest_expiry_ms: run.oldest_expiry_ms,
            headers: run.headers,
            live: run.live,
        })
    }

    /// What lies between two places, or `None` if the headers here do not lead from one to the other.
    fn run(&self, genesis: &Genesis, base: Tip, tip: Tip, at_ms: u64) -> Option<Run> {
        let mut live = Limits::default();
        for header in self.walk(tip) {
            let (slot, payload) = (header.header().slot, header.header().payload);
            if !is_expired(genesis, slot, at_ms) {
                live.chunks += 1;
                live.bytes += u64::from(payload.bytes);
                live.items += u64::from(payload.items);
            }
            if header.height() == base.height + 1 {
                return (header.header().previous == base.digest).then_some(Run {
                    oldest_expiry_ms: genesis.expiry_ms(slot).unwrap_or(u64::MAX),
                    headers: tip.height - base.height,
                    live,
                });
            }
        }
        None
    }
}
