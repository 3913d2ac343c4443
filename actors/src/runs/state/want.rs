//! What is looked for, and whom it is asked of.

use super::{Answer, Effect, Question, Refusal, Request, State};
use drystone_engine::types::Types;
use rand::seq::IteratorRandom as _;
use std::collections::BTreeSet;

/// Where a want stands.
#[derive(Debug)]
enum Stage<P> {
    /// For the engine, or for a new round.
    Waiting { until_ms: u64 },
    /// The next peer is to be asked, once there is room.
    Ready,
    /// A peer is asked.
    Asking { peer: P, until_ms: u64 },
}

/// A run that is looked for.
#[derive(Debug)]
pub(super) struct Want<P> {
    question: Question<P>,
    stage: Stage<P>,
    /// Asked in this round.
    tried: BTreeSet<P>,
    /// Asked at any time, and not answered: an answer of theirs is looked at, once.
    owing: BTreeSet<P>,
    /// Everybody was asked this often.
    rounds: u32,
}

impl<T: Types> State<T> {
    /// The engine may have it. What no block can stand for it is asked for alone.
    pub(super) fn wanted(&mut self, number: u64, question: Question<T::PublicKey>) {
        if !question.is_possible(&self.config.genesis) {
            return;
        }
        let want = Want {
            question,
            stage: Stage::Ready,
            tried: BTreeSet::new(),
            owing: BTreeSet::new(),
            rounds: 0,
        };
        let until_ms = self.now_ms.saturating_add(self.config.patience_ms);
        let before = self.wants.insert(number, want);
        assert!(before.is_none(), "the number {number} was used twice");
        self.enter(number, Stage::Waiting { until_ms });
    }

    pub(super) fn ended(&mut self, number: u64) {
        if self.wants.contains_key(&number) {
            self.leave(number);
            self.wants.remove(&number);
        }
    }

    /// What a want waited for is over.
    fn leave(&mut self, number: u64) {
        let want = &self.wants[&number];
        match &want.stage {
            Stage::Waiting { until_ms } => {
                self.schedule.remove(&(*until_ms, number));
            }
            Stage::Ready => {
                self.ready.remove(&(want.question.height, number));
            }
            Stage::Asking { until_ms, .. } => {
                self.schedule.remove(&(*until_ms, number));
                self.asking -= 1;
            }
        }
    }

    fn enter(&mut self, number: u64, stage: Stage<T::PublicKey>) {
        let want = self.wants.get_mut(&number).expect("it is looked for");
        want.stage = stage;
        match &want.stage {
            Stage::Waiting { until_ms } => {
                self.schedule.insert((*until_ms, number));
            }
            Stage::Ready => {
                self.ready.insert((want.question.height, number));
            }
            Stage::Asking { until_ms, .. } => {
                self.schedule.insert((*until_ms, number));
                self.asking += 1;
            }
        }
    }

    /// Whose time has come is ready for the next peer.
    pub(super) fn due(&mut self) {
        while let Some((at_ms, number)) = self.schedule.first().copied()
            && at_ms <= self.now_ms
        {
            self.leave(number);
            self.enter(number, Stage::Ready);
        }
    }

    /// Asks for as many as there is room for: what is executed first comes first.
    pub(super) fn ask(&mut self, effects: &mut Vec<Effect<T>>) {
        while self.asking < self.config.asking_max
            && let Some((_, number)) = self.ready.first().copied()
        {
            self.leave(number);
            let stage = self.next(number, effects);
            self.enter(number, stage);
        }
    }

    /// Asks a peer that was not asked in this round. When all were: a new round after a back-off, for ever.
    fn next(&mut self, number: u64, effects: &mut Vec<Effect<T>>) -> Stage<T::PublicKey> {
        let config = &self.config;
        let want = self.wants.get_mut(&number).expect("it is looked for");
        let faulty = &self.faulty;
        let left = self.peers.iter();
        let left = left.filter(|it| !want.tried.contains(*it) && !faulty.contains(*it));
        let Some(peer) = left.choose(&mut self.rng).cloned() else {
            want.tried.clear();
            let backoff_ms = config
                .backoff_min_ms
                .saturating_mul(1 << want.rounds.min(32));
            want.rounds = want.rounds.saturating_add(1);
            let backoff_ms = backoff_ms.min(config.backoff_max_ms);
            let until_ms = self.now_ms.saturating_add(backoff_ms);
            return Stage::Waiting { until_ms };
        };
        want.tried.insert(peer.clone());
        want.owing.insert(peer.clone());
        let question = want.question.clone();
        let request = Request { number, question };
        effects.push(Effect::Ask(peer.clone(), request));
        let until_ms = self.now_ms.saturating_add(config.timeout_ms);
        Stage::Asking { peer, until_ms }
    }

    /// A right answer ends the want, however late it is. Any other moves it on to the next peer, if it was waited for.
    pub(super) fn answered(
        &mut self,
        from: T::PublicKey,
        answer: Answer,
        effects: &mut Vec<Effect<T>>,
    ) {
        let Answer { number, run } = answer;
        let want = self.wants.get_mut(&number);
        let Some(want) = want.filter(|it| it.owing.contains(&from)) else {
            effects.push(Effect::Refuse(from, Refusal::Unasked(number)));
            return;
        };
        want.owing.remove(&from);
        let is_waited_for = matches!(&want.stage, Stage::Asking { peer, .. } if *peer == from);
        match run.map(|it| want.question.open::<T>(it)) {
            Some(Ok(run)) => {
                self.ended(number);
                effects.push(Effect::Give(number, run));
                return;
            }
            Some(Err(refusal)) => {
                self.faulty.insert(from.clone());
                effects.push(Effect::Refuse(from, refusal));
            }
            None => {}
        }
        if is_waited_for {
            self.leave(number);
            self.enter(number, Stage::Ready);
        }
    }
}
