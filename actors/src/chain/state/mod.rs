//! All decisions about blocks. Pure: no clock, no disk.

mod building;
mod execution;
mod overlooks;
mod question;
mod verified;

pub use execution::Divergence;
pub use question::{Missing, Verdict};

use super::{
    Basis, Config, Id, Judged, Lanes, Message, Order, Question, Table,
    state::{
        building::Building,
        execution::Execution,
        overlooks::overlooks,
        question::{Open, Questions, unchecked},
        verified::Verified,
    },
};
use crate::{
    Canary,
    block::{Block, Included, rules},
    certificate_pool::Selection,
};
use drystone_engine::types::{Certificate, Committee, Digest, Tip, Types};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Blocks remembered with the lanes after them: more than consensus works on at once.
const RECENT_MAX: usize = 16;

/// What the state wants done.
#[derive(Debug)]
pub enum Effect<T: Types> {
    /// Tell who asked.
    Answer(Id, Judged<T>),
    /// Tell who ordered.
    Propose(Id, Block<T>),
    /// Check certificates, together.
    Check(Id, Vec<Arc<Certificate<T>>>),
    /// Find the headers above a place, up to a tip.
    Walk {
        /// The question.
        id: Id,
        /// The block's height.
        height: u64,
        /// The lane's last inclusion.
        above: Tip,
        /// The tip.
        included: Included<T>,
    },
    /// Ask the certificate pool.
    Select(Id, Selection<T::PublicKey>),
    /// Stop the node.
    Diverged(Divergence),
}

/// What a node starts from: the newest state it has executed.
#[derive(Clone, Debug)]
pub struct Start<P> {
    /// The lanes up to the block executed last.
    pub table: Table<P>,
    /// The roots known here by height: of that block at least, and of those below it as far as they are kept.
    pub roots: BTreeMap<u64, Digest>,
}

/// See the [module](super).
pub struct State<T: Types> {
    config: Config<T>,
    table: Table<T::PublicKey>,
    recent: Arc<VecDeque<(Digest, Lanes<T::PublicKey>)>>,
    verified: Verified<T>,
    execution: Execution<T>,
    questions: Questions<T>,
    orders: BTreeMap<Id, Building<T>>,
}

impl<T: Types> State<T> {
    /// Starts from what was executed.
    ///
    /// # Panics
    /// If the configuration contradicts itself, or the root of the newest block is missing.
    pub fn new(config: Config<T>, start: Start<T::PublicKey>) -> Self {
        config.check();
        assert_eq!(
            start.roots.last_key_value().map(|(height, _)| *height),
            Some(start.table.height),
            "the newest root is that of the block the table belongs to"
        );
        Self {
            table: start.table,
            recent: Arc::default(),
            verified: Verified::new(config.verified_max),
            execution: Execution::new(start.roots),
            questions: BTreeMap::new(),
            orders: BTreeMap::new(),
            config,
        }
    }

    /// What the lanes below a block can be told from.
    pub fn basis(&self) -> Basis<T::PublicKey> {
        Basis {
            table: self.table.clone(),
            recent: self.recent.clone(),
        }
    }

    /// Questions and orders that are open.
    pub fn open(&self) -> usize {
        self.questions.len() + self.orders.len()
    }

    /// What is known of a block that was asked about; `None` once it was answered.
    pub fn verdict(&self, id: Id, now_ms: u64) -> Option<Verdict<T::PublicKey>> {
        let open = self.questions.get(&id)?;
        Some(open.verdict(&self.config.parameters, &self.execution, now_ms))
    }

    /// When to say [`Message::Woken`].
    pub fn wake_ms(&self, now_ms: u64) -> Option<u64> {
        let parameters = &self.config.parameters;
        let questions = self.questions.values();
        let questions = questions.filter_map(|it| it.wake_ms(parameters, now_ms));
        let orders = self.orders.values().filter_map(Building::wake_ms);
        questions.chain(orders).min()
    }

    /// Takes one message.
    pub fn apply(&mut self, now_ms: u64, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        match message {
            Message::Asked(id, mut question) => {
                if self.config.canary.is(Canary::ForgetAncestors) {
                    question.lanes.forget();
                }
                self.asked(now_ms, id, question, effects);
            }
            Message::Ordered(id, mut order) => {
                if self.config.canary.is(Canary::ForgetAncestors) {
                    order.lanes.forget();
                }
                self.ordered(now_ms, id, order, effects);
            }
            Message::Withdrawn(id) => {
                self.questions.remove(&id);
                self.orders.remove(&id);
            }
            Message::Finalized(block) => self.finalized(&block, effects),
            Message::Executed(executed) => {
                let divergence = self.execution.executed(executed);
                effects.extend(divergence.map(Effect::Diverged));
                self.settle_all(now_ms, effects);
            }
            Message::Claimed(who, height) => self.claimed(who, height),
            Message::Certified(certificate) => {
                self.verified.insert(certificate);
                self.orders.values_mut().for_each(Building::stir);
                self.turn_all(now_ms, effects);
            }
            Message::Checked(id, results) => self.checked(now_ms, id, results, effects),
            Message::Walked(id, sequencer, headers) => {
                if let Some(open) = self.questions.get_mut(&id) {
                    open.arrived(&self.config.parameters, &sequencer, &headers);
                    self.settle(now_ms, id, effects);
                }
            }
            Message::Selected(id, at_ms, candidates) => {
                if let Some(order) = self.orders.get_mut(&id) {
                    let parameters = &self.config.parameters;
                    let proposed = order.selected(id, parameters, at_ms, candidates);
                    match proposed {
                        Some(effect) => self.proposed(id, effect, effects),
                        None => self.turn(now_ms, id, effects),
                    }
                }
            }
            Message::Woken => {
                self.settle_all(now_ms, effects);
                self.turn_all(now_ms, effects);
            }
        }
    }

    fn committee(&self, epoch: u64) -> Arc<Committee<T>> {
        let committee = self.config.provider.committee(epoch);
        committee.expect("whoever judges or builds in an epoch knows its committee")
    }

    fn asked(&mut self, now_ms: u64, id: Id, question: Question<T>, effects: &mut Vec<Effect<T>>) {
        let Question {
            block,
            parent,
            epoch,
            lanes,
        } = &question;
        self.arrived(block.digest(), *epoch, lanes.after(block));
        let base = |sequencer: &T::PublicKey| lanes.last(sequencer);
        let (parameters, canary) = (&self.config.parameters, self.config.canary);
        if let Err(invalid) = rules::form(parameters, parent, *epoch, block, base)
            && !overlooks(canary, &invalid)
        {
            effects.push(Effect::Answer(id, Err(invalid)));
            return;
        }
        let unchecked = unchecked(&question, |it| self.verified.contains(it));
        let mut open = Open::new(question, unchecked, canary);
        let certificates = open.certificates();
        if certificates.is_empty() {
            open.walk(id, parameters, effects);
        } else {
            effects.push(Effect::Check(id, certificates));
        }
        self.questions.insert(id, open);
        self.settle(now_ms, id, effects);
    }

    /// A block is here: its child may be asked about, or built, next.
    fn arrived(&mut self, block: Digest, epoch: u64, after: Lanes<T::PublicKey>) {
        let committee = self.committee(epoch);
        self.execution.arrived(block, &self.config.me, &committee);
        let recent = Arc::make_mut(&mut self.recent);
        if recent.iter().all(|(it, _)| *it != block) {
            if recent.len() == RECENT_MAX {
                recent.pop_front();
            }
            recent.push_back((block, after));
        }
    }

    fn ordered(&mut self, now_ms: u64, id: Id, order: Order<T>, effects: &mut Vec<Effect<T>>) {
        let committee = self.committee(order.epoch);
        let me = &self.config.me;
        let (parent, nullified) = (&order.parent, order.nullified);
        let executed = self.execution.choose(parent, nullified, me, &committee);
        let building = Building::new(&self.config, order, executed, now_ms);
        self.orders.insert(id, building);
        self.turn(now_ms, id, effects);
    }

    fn finalized(&mut self, block: &Block<T>, effects: &mut Vec<Effect<T>>) {
        let epoch = self.config.parameters.epoch(self.table.height + 1);
        if !self.table.advance(block) {
            return;
        }
        let next = self.config.parameters.epoch(self.table.height + 1);
        if next != epoch
            && let Some(committee) = self.config.provider.committee(next)
        {
            self.execution.entered(&committee);
        }
        let divergence = self.execution.finalized(block);
        effects.extend(divergence.map(Effect::Diverged));
    }

    fn claimed(&mut self, who: T::PublicKey, height: u64) {
        let epoch = self.config.parameters.epoch(self.table.height + 1);
        let committee = self.config.provider.committee(epoch);
        if committee.is_some_and(|it| it.validator_index(&who).is_some()) {
            self.execution.claimed(who, height);
        }
    }

    fn checked(
        &mut self,
        now_ms: u64,
        id: Id,
        results: Vec<(Arc<Certificate<T>>, bool)>,
        effects: &mut Vec<Effect<T>>,
    ) {
        let mut open = self.questions.get_mut(&id);
        for (certificate, holds) in results {
            if let Some(open) = &mut open {
                open.checked(&certificate, holds);
            }
            if holds {
                self.verified.insert(certificate);
            }
        }
        if let Some(open) = open {
            open.walk(id, &self.config.parameters, effects);
            self.settle(now_ms, id, effects);
        }
    }

    fn settle(&mut self, now_ms: u64, id: Id, effects: &mut Vec<Effect<T>>) {
        let answer = match self.verdict(id, now_ms) {
            Some(Verdict::Valid) => Ok(()),
            Some(Verdict::Invalid(invalid)) => Err(invalid),
            Some(Verdict::Open(_)) | None => return,
        };
        self.questions.remove(&id);
        effects.push(Effect::Answer(id, answer));
    }

    fn settle_all(&mut self, now_ms: u64, effects: &mut Vec<Effect<T>>) {
        let ids: Vec<_> = self.questions.keys().copied().collect();
        ids.into_iter()
            .for_each(|id| self.settle(now_ms, id, effects));
    }

    fn turn(&mut self, now_ms: u64, id: Id, effects: &mut Vec<Effect<T>>) {
        let order = self.orders.get_mut(&id);
        if let Some(effect) = order.and_then(|it| it.turn(id, now_ms)) {
            self.proposed(id, effect, effects);
        }
    }

    fn turn_all(&mut self, now_ms: u64, effects: &mut Vec<Effect<T>>) {
        let ids: Vec<_> = self.orders.keys().copied().collect();
        ids.into_iter()
            .for_each(|id| self.turn(now_ms, id, effects));
    }

    /// A proposal ends its order.
    fn proposed(&mut self, id: Id, effect: Effect<T>, effects: &mut Vec<Effect<T>>) {
        if let Effect::Propose(_, block) = &effect
            && let Some(order) = self.orders.remove(&id)
        {
            let order = order.order();
            self.arrived(block.digest(), order.epoch, order.lanes.after(block));
        }
        effects.push(effect);
    }
}
