//! One block that is wanted.

use super::Effect;
use crate::{
    Canary,
    block::{
        Block, Body, Executed, Included, Parameters,
        rules::{self, Load},
    },
    certificate_pool::{Candidate, Selection},
    chain::{
        Config,
        ingress::{Id, Order},
    },
};
use drystone_engine::types::Types;

/// See the module.
pub(super) struct Building<T: Types> {
    order: Order<T>,
    executed: Executed,
    ready_ms: u64,
    deadline_ms: u64,
    /// Whether it may have tips at all.
    carries_tips: bool,
    /// The pool was asked at this time, and has not answered.
    asked_ms: Option<u64>,
    /// Something was certified since the pool was asked.
    stirred: bool,
    canary: Canary,
}

impl<T: Types> Building<T> {
    pub(super) fn new(
        config: &Config<T>,
        order: Order<T>,
        executed: Executed,
        now_ms: u64,
    ) -> Self {
        let height = order.parent.height + 1;
        // By the parent's time, but a parent from the future holds nobody up.
        let after_ms = order.parent.timestamp_ms.min(now_ms);
        Self {
            ready_ms: after_ms.saturating_add(config.interval_ms),
            deadline_ms: now_ms.saturating_add(config.empty_gap_ms),
            carries_tips: rules::carries_tips(&config.parameters, height, executed.height),
            order,
            executed,
            asked_ms: None,
            stirred: true,
            canary: config.canary,
        }
    }

    /// What is built.
    pub(super) const fn order(&self) -> &Order<T> {
        &self.order
    }

    /// When there may be something to do.
    pub(super) fn wake_ms(&self) -> Option<u64> {
        if self.asked_ms.is_some() {
            None
        } else if self.carries_tips && self.stirred {
            Some(self.ready_ms)
        } else {
            Some(self.deadline_ms)
        }
    }

    /// Something was certified, so the pool may have more.
    pub(super) const fn stir(&mut self) {
        self.stirred = true;
    }

    /// Asks the pool, if it may have something, or proposes an empty block, if it has been long enough.
    pub(super) fn turn(&mut self, id: Id, now_ms: u64) -> Option<Effect<T>> {
        if self.asked_ms.is_some() {
            return None;
        }
        let late = now_ms >= self.deadline_ms;
        let after_ms = if self.canary.is(Canary::ProposeByClock) {
            0
        } else {
            self.order.parent.timestamp_ms.saturating_add(1)
        };
        let at_ms = now_ms.max(after_ms);
        if !self.carries_tips {
            return late.then(|| Effect::Propose(id, self.block(at_ms, Vec::new())));
        }
        if late || (self.stirred && now_ms >= self.ready_ms) {
            self.stirred = false;
            self.asked_ms = Some(now_ms);
            return Some(Effect::Select(
                id,
                Selection {
                    at_ms,
                    epoch: self.order.epoch,
                    ancestors: self.order.lanes.included(),
                },
            ));
        }
        None
    }

    /// The pool answered.
    pub(super) fn selected(
        &mut self,
        id: Id,
        parameters: &Parameters,
        at_ms: u64,
        candidates: Vec<Candidate<T>>,
    ) -> Option<Effect<T>> {
        let asked_ms = self.asked_ms.take().expect("the pool answers once");
        let tips = self.choose(parameters, at_ms, candidates);
        let proposes = !tips.is_empty() || asked_ms >= self.deadline_ms;
        proposes.then(|| Effect::Propose(id, self.block(at_ms, tips)))
    }

    /// Takes what fits, in the order of the pool. Every check is the voters' own. What is refused now is left to a later
    /// block: the pool may know less or more of the chain than this order does.
    fn choose(
        &self,
        parameters: &Parameters,
        at_ms: u64,
        candidates: Vec<Candidate<T>>,
    ) -> Vec<Included<T>> {
        let mut load = Load::default();
        let mut tips = Vec::new();
        for candidate in candidates {
            let header = candidate.header.header().clone();
            let included = Included::new(header, candidate.certificate);
            let base = self.order.lanes.last(included.sequencer());
            let fits = rules::tip(parameters, self.order.epoch, at_ms, base, &included).is_ok()
                && base.height + candidate.headers == included.tip().height;
            let more = load.plus(Load {
                headers: candidate.headers,
                live: candidate.live,
            });
            if fits && rules::load::<T::PublicKey>(parameters, more).is_ok() {
                load = more;
                tips.push(included);
            }
        }
        tips.sort_by(|a, b| a.sequencer().cmp(b.sequencer()));
        tips
    }

    fn block(&self, timestamp_ms: u64, tips: Vec<Included<T>>) -> Block<T> {
        Block::new(Body {
            parent: self.order.parent.digest(),
            height: self.order.parent.height + 1,
            timestamp_ms,
            executed: self.executed,
            tips,
        })
    }
}
