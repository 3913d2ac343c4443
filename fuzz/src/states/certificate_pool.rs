//! The certificate pool's state.

use super::{
    drive,
    lanes::{FORK, HEIGHTS, lanes},
};
use crate::nouns::{Deployed, NODES, Name, Nouns, World};
use arbitrary::{Result, Unstructured};
use commonware_utils::NZUsize;
use drystone_actors::{
    Canary,
    certificate_pool::{Candidate, Config, Message, Selection, State},
};
use drystone_engine::{
    Horizon,
    scheme::fixture::Free,
    types::{Digest, Limits, Tip},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

type T = Nouns<Free>;

/// Certificates kept of a lane.
const CERTIFICATES_MAX: usize = 3;
/// Epochs there are. Those of even number certify the first branch of each lane, the others the second.
const EPOCHS: u64 = 4;

/// Height, then epoch.
type Rank = (u64, u64);

/// What the pool was told of a lane.
struct Lane {
    included: Tip,
    /// Whether the inclusion is above the fork, and on which branch.
    branch: Option<usize>,
    /// Those that are kept: above the inclusion, and within the bound of a lane.
    headers: BTreeSet<Digest>,
    certified: BTreeSet<Rank>,
    /// The highest certificate that linked to the inclusion when it came: only a higher one that links pushes it out.
    promised: Option<(Rank, Tip)>,
}

/// Plays the engine and the chain.
struct Driver {
    world: &'static Arc<World<Free>>,
    state: State<T>,
    lanes: Vec<Lane>,
    headers_max: usize,
    finalized_ms: u64,
}

/// The branch that an epoch certifies.
const fn branch_of(epoch: u64) -> usize {
    (epoch % 2) as usize
}

impl Driver {
    fn new(canary: Canary) -> Self {
        let world = Free::world();
        let genesis = &world.genesis;
        let config = Config {
            genesis: genesis.clone(),
            certificates_max: CERTIFICATES_MAX,
            mailbox_size: NZUsize!(1),
            canary,
        };
        let lane = |name| Lane {
            included: genesis.root(name),
            branch: None,
            headers: BTreeSet::new(),
            certified: BTreeSet::new(),
            promised: None,
        };
        Self {
            state: State::new(config),
            lanes: world.names.iter().map(lane).collect(),
            // Twice what a lane may hold above its inclusion, and the window.
            headers_max: 2 * (genesis.lane_headers_max + genesis.window()) as usize,
            world,
            finalized_ms: 0,
        }
    }

    fn tip(&self, lane: usize, branch: usize, height: u64) -> Tip {
        match height.checked_sub(1) {
            Some(index) => lanes(self.world)[lane][branch][index as usize].tip(),
            None => self.world.genesis.root(&self.world.names[lane]),
        }
    }

    /// Whether headers that were told lead from one place down to another.
    fn links(&self, lane: usize, branch: usize, from: Tip, to: Tip) -> bool {
        let run = &lanes(self.world)[lane][branch];
        let told = |it: u64| {
            self.lanes[lane]
                .headers
                .contains(&run[it as usize].digest())
        };
        from.height > to.height
            && self.tip(lane, branch, to.height) == to
            && (to.height..from.height).all(told)
    }

    fn is_expired(&self, slot: u64, at_ms: u64) -> bool {
        let expiry_ms = self.world.genesis.expiry_ms(slot);
        expiry_ms.is_none_or(|it| it < at_ms)
    }

    /// Whether a block of a time may include a tip that so many headers lead to.
    fn fits(&self, tip: Tip, headers: u64, at_ms: u64) -> bool {
        let moves_on = headers >= self.world.genesis.lane_headers_max.div_ceil(2);
        moves_on || !self.is_expired(tip.slot, at_ms)
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=9)? {
            0..=3 => self.seen(u)?,
            4..=6 => self.certified(u)?,
            7 => self.advanced(u)?,
            _ => self.selected(u)?,
        }
        let certificates = self.state.certificates_held();
        let max = NODES * CERTIFICATES_MAX;
        assert!(certificates <= max, "{certificates} certificates held");
        let headers: usize = self.lanes.iter().map(|it| it.headers.len()).sum();
        assert_eq!(self.state.headers_held(), headers, "headers held");
        Ok(())
    }

    fn seen(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let (lane, branch) = (u.int_in_range(0..=NODES - 1)?, u.int_in_range(0..=1)?);
        let start = if u.arbitrary()? {
            0
        } else {
            u.int_in_range(0..=HEIGHTS - 1)?
        };
        let count = u.int_in_range(0..=HEIGHTS)?;
        let headers = lanes(self.world)[lane][branch][start..].iter().take(count);
        for header in headers {
            let told = &mut self.lanes[lane];
            if header.height() > told.included.height && told.headers.len() < self.headers_max {
                told.headers.insert(header.digest());
            }
            self.state.apply(Message::Seen(header.clone()));
        }
        self.reconsider(lane);
        Ok(())
    }

    fn certified(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let lane = u.int_in_range(0..=NODES - 1)?;
        let height = u.int_in_range(1..=HEIGHTS as u64)?;
        let epoch = u.int_in_range(0..=EPOCHS - 1)?;
        let branch = branch_of(epoch);
        let (rank, tip) = ((height, epoch), self.tip(lane, branch, height));
        let certificate = self.world.certificate(epoch, lane, tip);
        self.state.apply(Message::Certified(certificate));
        let included = self.lanes[lane].included;
        self.lanes[lane].certified.insert(rank);
        let headers = height.saturating_sub(included.height);
        if self.fits(tip, headers, self.finalized_ms) && self.links(lane, branch, tip, included) {
            let promised = &mut self.lanes[lane].promised;
            *promised = (*promised).max(Some((rank, tip)));
        }
        self.reconsider(lane);
        Ok(())
    }

    /// A higher certificate may have come to link through headers that came later: if it is still there, it is the one
    /// that stays.
    fn reconsider(&mut self, lane: usize) {
        let Lane {
            included,
            promised: Some((promised, _)),
            ..
        } = self.lanes[lane]
        else {
            return;
        };
        let higher = self.lanes[lane].certified.range(promised..).skip(1);
        let surpassed = higher.into_iter().any(|(height, epoch)| {
            let branch = branch_of(*epoch);
            self.links(lane, branch, self.tip(lane, branch, *height), included)
        });
        if surpassed {
            self.lanes[lane].promised = None;
        }
    }

    /// The chain moves. Some reports are late.
    fn advanced(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let late: bool = u.ratio(1, 8)?;
        let step_ms = if late { 0 } else { u.int_in_range(0..=400)? };
        self.finalized_ms += step_ms;
        let lane = u.int_in_range(0..=NODES - 1)?;
        let branch = self.lanes[lane].branch.unwrap_or(u.int_in_range(0..=1)?);
        let included = self.lanes[lane].included.height;
        let height = if late {
            u.int_in_range(0..=included)?
        } else {
            (included + u.int_in_range(0..=6)?).min(HEIGHTS as u64)
        };
        let tip = self.tip(lane, branch, height);
        let horizon = Horizon {
            finalized_ms: if late { 0 } else { self.finalized_ms },
            included: [(self.world.names[lane].clone(), tip)].into(),
            ..Horizon::default()
        };
        self.state.apply(Message::Advanced(horizon));
        if height > included {
            let above = lanes(self.world)[lane].iter().flatten();
            let above = above.filter(|it| it.height() > height);
            let above: BTreeSet<_> = above.map(|it| it.digest()).collect();
            let it = &mut self.lanes[lane];
            it.included = tip;
            it.branch = (height > FORK as u64).then_some(branch);
            it.headers.retain(|digest| above.contains(digest));
        }
        for lane in 0..NODES {
            let Lane {
                included, promised, ..
            } = self.lanes[lane];
            let keeps = promised.filter(|(rank, tip)| {
                let headers = tip.height.saturating_sub(included.height);
                self.links(lane, branch_of(rank.1), *tip, included)
                    && self.fits(*tip, headers, self.finalized_ms)
            });
            self.lanes[lane].promised = keeps;
        }
        Ok(())
    }

    fn selected(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let mut ancestors = BTreeMap::new();
        for lane in 0..NODES {
            if u.ratio(1, 4)? {
                let (branch, height) = (u.int_in_range(0..=1)?, u.int_in_range(0..=HEIGHTS)?);
                let tip = self.tip(lane, branch, height as u64);
                ancestors.insert(self.world.names[lane].clone(), tip);
            }
        }
        let selection = Selection {
            at_ms: self.finalized_ms + u.int_in_range(0..=200)?,
            epoch: u.int_in_range(0..=EPOCHS)?,
            ancestors,
        };
        let candidates = self.state.select(&selection);
        let order = |it: &Candidate<T>| (it.oldest_expiry_ms, it.certificate.sequencer.clone());
        assert!(
            candidates.is_sorted_by(|a, b| order(a) < order(b)),
            "who expires first comes first"
        );
        let mut picked = BTreeMap::new();
        for candidate in &candidates {
            let lane = self.judge(&selection, candidate);
            let before = picked.insert(lane, candidate.certificate.rank());
            assert!(before.is_none(), "two certificates of a lane");
        }
        self.keeps();
        Ok(())
    }

    /// The highest certificate that links is there, whatever epoch it is of.
    fn keeps(&self) {
        let mut highest = BTreeMap::new();
        for epoch in (1..=EPOCHS).step_by(2) {
            let candidates = self.state.select(&Selection {
                at_ms: self.finalized_ms,
                epoch,
                ancestors: BTreeMap::new(),
            });
            for Candidate { certificate, .. } in candidates {
                let rank = highest.entry(certificate.sequencer.clone()).or_default();
                *rank = certificate.rank().max(*rank);
            }
        }
        for (name, told) in self.world.names.iter().zip(&self.lanes) {
            let kept = highest.get(name).copied();
            assert!(
                kept >= told.promised.map(|(rank, _)| rank),
                "{:?} linked, now {kept:?} is the highest that does",
                told.promised
            );
        }
    }

    /// Whether a candidate may be included, and says of itself what is so.
    fn judge(&self, selection: &Selection<Name<Free>>, it: &Candidate<T>) -> usize {
        let (certificate, tip) = (&it.certificate, it.certificate.tip);
        let mut names = self.world.names.iter();
        let lane = names.position(|name| *name == certificate.sequencer);
        let lane = lane.expect("one of the lanes");
        let told = &self.lanes[lane];
        assert!(told.certified.contains(&certificate.rank()), "never told");
        let epoch = certificate.epoch;
        assert!(epoch <= selection.epoch && epoch + 1 >= selection.epoch);
        assert_eq!(it.header.tip(), tip);
        let ancestor = selection.ancestors.get(&certificate.sequencer);
        let base = ancestor.map_or(told.included, |it| told.included.max(*it));
        let branch = branch_of(epoch);
        assert!(self.links(lane, branch, tip, base), "it does not link");
        assert_eq!(it.headers, tip.height - base.height);
        assert!(self.fits(tip, it.headers, selection.at_ms), "it is expired");
        let run = &lanes(self.world)[lane][branch][base.height as usize..tip.height as usize];
        let live = run.iter().map(|it| it.header());
        let live = live.filter(|it| !self.is_expired(it.slot, selection.at_ms));
        let live = live.fold(Limits::default(), |sum, it| Limits {
            chunks: sum.chunks + 1,
            bytes: sum.bytes + u64::from(it.payload.bytes),
            items: sum.items + u64::from(it.payload.items),
        });
        assert_eq!(it.live, live);
        let oldest_ms = self.world.genesis.expiry_ms(run[0].header().slot);
        assert_eq!(Some(it.oldest_expiry_ms), oldest_ms);
        lane
    }
}

/// The certificate pool without a planted bug.
pub fn certificate_pool(data: &[u8]) {
    certificate_pool_with(Canary::None, data);
}

/// The certificate pool with one.
pub fn certificate_pool_with(canary: Canary, data: &[u8]) {
    let mut driver = Driver::new(canary);
    drive(data, |u| driver.step(u));
}
