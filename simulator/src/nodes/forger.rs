//! A leader that lies: what it proposes is well-formed, and breaks one rule.

use super::{
    deployment::{Block, Key, Nouns, World},
    settings,
};
use crate::{draw::Draw, lanes::Short};
use commonware_codec::Encode as _;
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_actors::{
    block::{Body, Included, Parameters, rules},
    chain::Order,
};
use drystone_engine::types::{Certificate, Digest, Header, Tip};
use serde::Serialize;
use std::sync::Arc;

/// Proposals that are left as they were built, of a million: a forger's blocks are in the chain as well.
const TRUE_PPM: u32 = 300_000;
/// Further ahead than any clock of a run.
const HOUR_MS: u64 = 3_600_000;

/// What a forged block breaks. One that stands for too much needs no forging: a forger's builder knows no limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Forgery {
    /// It is built on another block than consensus builds on.
    OtherParent,
    /// It is no child by its height.
    OtherHeight,
    /// Its time is not above its parent's.
    PastTime,
    /// Its time is ahead of every clock.
    FutureTime,
    /// It names an older state than its parent.
    OlderState,
    /// It names its own state, or one to come.
    OwnState,
    /// It names a root that is not the state's.
    OtherRoot,
    /// It names its parent's state, which nobody has reached when it is proposed, and a root that it is not going to have.
    EarlyState,
    /// It has tips, and names a state too far below.
    LateState,
    /// A tip's certificate is of the next epoch, or of the last but one.
    OtherEpoch,
    /// A tip was included before.
    StandingTip,
    /// A tip's slot is ahead of the block.
    FutureTip,
    /// A tip is expired.
    ExpiredTip,
    /// A tip does not link to the lane's last inclusion.
    LooseTip,
    /// Nobody certified a tip.
    BareTip,
    /// A tip has the certificate of another lane.
    BorrowedTip,
    /// A tip skips more headers than a block may stand for.
    FarTip,
}

impl Forgery {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::OtherParent,
        Self::OtherHeight,
        Self::PastTime,
        Self::FutureTime,
        Self::OlderState,
        Self::OwnState,
        Self::OtherRoot,
        Self::EarlyState,
        Self::LateState,
        Self::OtherEpoch,
        Self::StandingTip,
        Self::FutureTip,
        Self::ExpiredTip,
        Self::LooseTip,
        Self::BareTip,
        Self::BorrowedTip,
        Self::FarTip,
    ];
}

/// Forges what its node builds.
pub struct Forger {
    world: Arc<World>,
    /// What the others keep to.
    parameters: Parameters,
    draw: Draw,
}

impl Forger {
    pub fn new(shared: &super::shared::Shared, draw: &Draw) -> Self {
        Self {
            world: shared.world.clone(),
            parameters: settings::parameters(&shared.options, &shared.world.genesis),
            draw: draw.split("forger"),
        }
    }

    /// What is proposed in a block's place, if it is another one, and what is wrong with that. Drawn by what it is about, so
    /// that a proposal more or less changes no other.
    pub fn forge(&self, order: &Order<Nouns>, block: &Block) -> Option<(Forgery, Block)> {
        let mut draw = self.draw.split_at(Short::of(&block.digest()).0);
        if draw.chance(TRUE_PPM) {
            return None;
        }
        let count = Forgery::ALL.len();
        let kinds = draw.distinct(count, count).into_iter();
        // Not every block can be forged in every way: one without tips has none to bend.
        kinds.map(|it| Forgery::ALL[it]).find_map(|kind| {
            let forged = self.body(kind, order, Body::clone(block), &mut draw)?;
            Some((kind, Block::new(forged)))
        })
    }

    fn body(
        &self,
        kind: Forgery,
        order: &Order<Nouns>,
        mut body: Body<Nouns>,
        draw: &mut Draw,
    ) -> Option<Body<Nouns>> {
        let parent = &order.parent;
        match kind {
            Forgery::OtherParent => body.parent = other(&body.parent),
            Forgery::OtherHeight => {
                body.height = if draw.coin() {
                    body.height + 1
                } else {
                    parent.height
                }
            }
            Forgery::PastTime => {
                body.timestamp_ms = parent.timestamp_ms.saturating_sub(draw.below(2_000))
            }
            Forgery::FutureTime => {
                let ahead_ms = *draw.pick(&[HOUR_MS, 1_000 * HOUR_MS, u64::MAX]);
                body.timestamp_ms = body.timestamp_ms.saturating_add(ahead_ms);
            }
            Forgery::OlderState => {
                let older = parent.executed.height.checked_sub(1)?;
                body.executed.height = draw.within(0..=older);
            }
            Forgery::OwnState => {
                body.executed.height = body.height.saturating_add(*draw.pick(&[0, 1, u64::MAX]))
            }
            Forgery::OtherRoot => body.executed.root = other(&body.executed.root),
            Forgery::EarlyState => {
                let early = parent.height > body.executed.height;
                body.executed.height = early.then_some(parent.height)?;
                body.executed.root = other(&body.executed.root);
            }
            Forgery::LateState => {
                body.executed = parent.executed;
                let carries =
                    rules::carries_tips(&self.parameters, body.height, body.executed.height);
                (!body.tips.is_empty() && !carries).then_some(())?;
            }
            Forgery::StandingTip => {
                let standing =
                    (!parent.tips.is_empty()).then(|| draw.pick(&parent.tips).clone())?;
                body.tips
                    .retain(|it| it.sequencer() != standing.sequencer());
                body.tips.push(standing);
            }
            _ => {
                let index = (!body.tips.is_empty()).then(|| draw.index(body.tips.len()))?;
                let tip = body.tips.swap_remove(index);
                let bent = self.tip(kind, order, &body, &tip, draw)?;
                body.tips.push(bent);
            }
        }
        body.tips.sort_by(|a, b| a.sequencer().cmp(b.sequencer()));
        Some(body)
    }

    fn tip(
        &self,
        kind: Forgery,
        order: &Order<Nouns>,
        rest: &Body<Nouns>,
        tip: &Included<Nouns>,
        draw: &mut Draw,
    ) -> Option<Included<Nouns>> {
        let genesis = &self.parameters.genesis;
        let (mut header, mut certificate) =
            (tip.header().clone(), Certificate::clone(tip.certificate()));
        let base = order.lanes.last(tip.sequencer());
        match kind {
            Forgery::OtherEpoch => {
                let before = order.epoch.checked_sub(2).filter(|_| draw.coin());
                certificate.epoch = before.unwrap_or(order.epoch + 1);
            }
            Forgery::FutureTip => {
                let ahead_ms = rest.timestamp_ms.saturating_add(self.parameters.skew_ms);
                let slot = genesis.slot_at(ahead_ms) + 1;
                header.slot = slot.saturating_add(*draw.pick(&[0, 1_000, u64::MAX]));
            }
            Forgery::ExpiredTip => {
                // The next of its lane: what moves the lane on by much may be expired.
                follow(&mut header, base);
                let expired_ms = rest
                    .timestamp_ms
                    .checked_sub(genesis.window_ms + 2 * genesis.slot_ms)?;
                header.slot = draw.within(0..=genesis.slot_at(expired_ms));
            }
            Forgery::LooseTip => {
                follow(&mut header, base);
                header.previous = other(&base.digest);
            }
            Forgery::BareTip => header.payload.digest = other(&header.payload.digest),
            Forgery::BorrowedTip => {
                let sequencers = self.world.options.sequencers.iter();
                let others = sequencers.map(|it| self.world.names[*it].clone());
                let taken = |it: &Key| {
                    it == tip.sequencer() || rest.tips.iter().any(|tip| tip.sequencer() == it)
                };
                let others: Vec<_> = others.filter(|it| !taken(it)).collect();
                header.sequencer = (!others.is_empty()).then(|| draw.pick(&others).clone())?;
                let base = order.lanes.last(&header.sequencer);
                follow(&mut header, base);
            }
            _ => {
                let skips = self.parameters.headers_max + 1;
                let height = base.height.saturating_add(skips);
                header.height = height.saturating_add(*draw.pick(&[0, skips, u64::MAX]));
            }
        }
        certificate.sequencer = header.sequencer.clone();
        certificate.tip = Tip {
            height: header.height,
            slot: header.slot,
            digest: Sha256::hash(&[&header.encode()]),
        };
        Some(Included::new(header, Arc::new(certificate)))
    }
}

/// Makes a header the next one of its lane.
fn follow(header: &mut Header<Key>, base: Tip) {
    header.height = base.height + 1;
    header.previous = base.digest;
}

/// A digest of nothing.
fn other(digest: &Digest) -> Digest {
    Sha256::hash(&[b"forged", digest.as_ref()])
}
