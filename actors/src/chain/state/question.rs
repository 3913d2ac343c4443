//! One block whose validity is asked for.

use super::{Effect, Execution, overlooks::overlooks};
use crate::{
    Canary,
    block::{
        Included, Parameters,
        rules::{self, Fault, Invalid, Load},
    },
    chain::ingress::{Id, Question},
};
use drystone_engine::types::{Certificate, Signed, Types};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Arc,
};

/// What is known of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<P: Debug> {
    /// For ever.
    Valid,
    /// For ever.
    Invalid(Invalid<P>),
    /// It may still become either.
    Open(Missing<P>),
}

/// What a verdict waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing<P> {
    /// Lanes whose certificates are not checked yet.
    pub certificates: BTreeSet<P>,
    /// Lanes whose headers down to the last inclusion are not all here.
    pub headers: BTreeSet<P>,
    /// The height that this node has to execute.
    pub executed: Option<u64>,
    /// The time that its clock has to reach, in milliseconds since the Unix epoch.
    pub time_ms: Option<u64>,
}

/// See the module. Its form was judged before.
pub(super) struct Open<T: Types> {
    question: Question<T>,
    unchecked: BTreeSet<T::PublicKey>,
    unwalked: BTreeSet<T::PublicKey>,
    load: Load,
    fault: Option<Invalid<T::PublicKey>>,
    canary: Canary,
}

impl<T: Types> Open<T> {
    /// Certificates of the lanes that are `unchecked` have to be checked.
    pub(super) fn new(
        question: Question<T>,
        unchecked: BTreeSet<T::PublicKey>,
        canary: Canary,
    ) -> Self {
        let lanes = question.block.tips.iter();
        let mut open = Self {
            unwalked: lanes.map(|it| it.sequencer().clone()).collect(),
            unchecked,
            question,
            load: Load::default(),
            fault: None,
            canary,
        };
        if canary.is(Canary::OverlookTips) {
            open.unchecked.clear();
            open.unwalked.clear();
        }
        open
    }

    /// It can never become valid.
    fn fails(&mut self, invalid: Invalid<T::PublicKey>) {
        if !overlooks(self.canary, &invalid) {
            self.fault.get_or_insert(invalid);
        }
    }

    /// A certificate was checked.
    pub(super) fn checked(&mut self, certificate: &Certificate<T>, holds: bool) {
        self.unchecked.remove(&certificate.sequencer);
        if !holds {
            self.fails(Invalid::Tip {
                sequencer: certificate.sequencer.clone(),
                fault: Fault::Certificate,
            });
        }
    }

    /// Follows the tips down, once it is known that they are certified: nothing is fetched for what is not.
    pub(super) fn walk(&mut self, id: Id, parameters: &Parameters, effects: &mut Vec<Effect<T>>) {
        if !self.unchecked.is_empty() || self.unwalked.is_empty() || self.fault.is_some() {
            return;
        }
        let block = self.question.block.clone();
        for it in &block.tips {
            let above = self.question.lanes.last(it.sequencer());
            if it.tip().height == above.height + 1 {
                self.walked(parameters, it, &[]);
            } else {
                let included = it.clone();
                effects.push(Effect::Walk {
                    id,
                    height: block.height,
                    above,
                    included,
                });
            }
        }
    }

    /// The headers up to a tip are here, its own the last.
    pub(super) fn arrived(
        &mut self,
        parameters: &Parameters,
        sequencer: &T::PublicKey,
        headers: &[Arc<Signed<T>>],
    ) {
        let (_, between) = headers.split_last().expect("the tip's own at least");
        let block = self.question.block.clone();
        let tip = block.tips.iter().find(|it| it.sequencer() == sequencer);
        self.walked(parameters, tip.expect("what was asked for"), between);
    }

    fn walked(
        &mut self,
        parameters: &Parameters,
        included: &Included<T>,
        between: &[Arc<Signed<T>>],
    ) {
        let base = self.question.lanes.last(included.sequencer());
        let at_ms = self.question.block.timestamp_ms;
        match rules::run(parameters, at_ms, base, included, between) {
            Ok(load) => {
                if self.unwalked.remove(included.sequencer()) {
                    self.load = self.load.plus(load);
                }
            }
            Err(invalid) => self.fails(invalid),
        }
        if let Err(invalid) = rules::load(parameters, self.load) {
            self.fails(invalid);
        }
    }

    /// When this node's clock may be asked again.
    pub(super) fn wake_ms(&self, parameters: &Parameters, now_ms: u64) -> Option<u64> {
        let block_ms = self.question.block.timestamp_ms;
        let at_ms = block_ms.saturating_sub(parameters.skew_ms);
        (at_ms > now_ms && !self.canary.is(Canary::OverlookTime)).then_some(at_ms)
    }

    /// What is known by now.
    pub(super) fn verdict(
        &self,
        parameters: &Parameters,
        execution: &Execution<T>,
        now_ms: u64,
    ) -> Verdict<T::PublicKey> {
        if let Some(invalid) = &self.fault {
            return Verdict::Invalid(invalid.clone());
        }
        let (named, before) = (self.question.block.executed, self.question.parent.executed);
        let mut missing = Missing {
            certificates: self.unchecked.clone(),
            headers: self.unwalked.clone(),
            executed: None,
            time_ms: self.wake_ms(parameters, now_ms),
        };
        // What equals the parent's was compared with it, and needs no execution here.
        if named.height > before.height && !self.canary.is(Canary::OverlookExecuted) {
            match execution.root(named.height) {
                Some(other) if other != named.root => {
                    return Verdict::Invalid(Invalid::ExecutedRoot {
                        height: named.height,
                        named: named.root,
                        other,
                    });
                }
                Some(_) => {}
                None => missing.executed = Some(named.height),
            }
        }
        let settled = missing.certificates.is_empty()
            && missing.headers.is_empty()
            && missing.executed.is_none()
            && missing.time_ms.is_none();
        if settled {
            Verdict::Valid
        } else {
            Verdict::Open(missing)
        }
    }
}

impl<T: Types> Open<T> {
    /// The certificates that have to be checked.
    pub(super) fn certificates(&self) -> Vec<Arc<Certificate<T>>> {
        let tips = self.question.block.tips.iter();
        tips.filter(|it| self.unchecked.contains(it.sequencer()))
            .map(|it| it.certificate().clone())
            .collect()
    }
}

/// Lanes of a block whose certificates `known` does not know.
pub(super) fn unchecked<T: Types>(
    question: &Question<T>,
    known: impl Fn(&Certificate<T>) -> bool,
) -> BTreeSet<T::PublicKey> {
    let tips = question.block.tips.iter();
    tips.filter(|it| !known(it.certificate()))
        .map(|it| it.sequencer().clone())
        .collect()
}

/// Open questions by their names.
pub(super) type Questions<T> = BTreeMap<Id, Open<T>>;
