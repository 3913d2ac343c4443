//! What is looked for, and whom it is asked of.

use super::{Effect, Refusal, Request, State};
use crate::Canary;
use crate::reference::Reference;
use commonware_cryptography::PublicKey;
use rand::seq::IteratorRandom as _;
use std::collections::BTreeSet;

/// Asked at once: one may be slow, or lie.
const PAIR: usize = 2;

/// Who signed the newest certificate of a lane, and what it covers.
#[derive(Debug)]
pub(super) struct Hint<P> {
    pub height: u64,
    pub signers: Vec<P>,
}

/// A body that is looked for.
#[derive(Debug)]
pub(super) struct Want<P> {
    /// Whether the chunk store wants it.
    pub stored: bool,
    /// The finalized block that the executor needs it for.
    pub height: Option<u64>,
    /// Asked last, and not answered.
    current: BTreeSet<P>,
    /// Whether those count among the requests that are limited.
    counted: bool,
    /// Asked in this round.
    tried: BTreeSet<P>,
    /// Asked at any time, and not answered: an answer of theirs is looked at, once.
    owing: BTreeSet<P>,
    /// Everybody was asked this often.
    rounds: u32,
    at_ms: u64,
}

impl<P: PublicKey> State<P> {
    /// The chunk store's wants wait for the push first.
    pub(super) fn wanted(&mut self, reference: Reference<P>) {
        let at_ms = self.now_ms.saturating_add(self.config.patience_ms);
        self.want(&reference, at_ms).stored = true;
    }

    /// What a finalized block needs is asked for at once.
    pub(super) fn needed(
        &mut self,
        reference: Reference<P>,
        height: u64,
        effects: &mut Vec<Effect<P>>,
    ) {
        let now_ms = self.now_ms;
        let want = self.want(&reference, now_ms);
        want.height = Some(height);
        if want.current.is_empty() {
            self.ask(&reference, effects);
        }
    }

    fn want(&mut self, reference: &Reference<P>, at_ms: u64) -> &mut Want<P> {
        let schedule = &mut self.schedule;
        self.wants.entry(reference.clone()).or_insert_with(|| {
            schedule.insert((at_ms, reference.clone()));
            Want {
                stored: false,
                height: None,
                current: BTreeSet::new(),
                counted: false,
                tried: BTreeSet::new(),
                owing: BTreeSet::new(),
                rounds: 0,
                at_ms,
            }
        })
    }

    /// One of those who want a body wants it no more.
    pub(super) fn unwanted(&mut self, reference: &Reference<P>, who: impl FnOnce(&mut Want<P>)) {
        if let Some(want) = self.wants.get_mut(reference) {
            who(want);
            self.tidy(reference);
        }
    }

    fn tidy(&mut self, reference: &Reference<P>) {
        let want = &self.wants[reference];
        if !want.stored && want.height.is_none() {
            self.forget_current(reference);
            let want = self.wants.remove(reference).expect("just seen");
            self.schedule.remove(&(want.at_ms, reference.clone()));
        }
    }

    fn forget_current(&mut self, reference: &Reference<P>) {
        let want = self.wants.get_mut(reference).expect("it is looked for");
        if std::mem::take(&mut want.counted) {
            self.asking -= want.current.len();
        }
        want.current.clear();
    }

    fn set(&mut self, reference: &Reference<P>, at_ms: u64) {
        let want = self.wants.get_mut(reference).expect("it is looked for");
        self.schedule.remove(&(want.at_ms, reference.clone()));
        want.at_ms = at_ms;
        self.schedule.insert((at_ms, reference.clone()));
    }

    /// Asks for all whose time has come.
    pub(super) fn due(&mut self, effects: &mut Vec<Effect<P>>) {
        while let Some((at_ms, reference)) = self.schedule.first().cloned()
            && at_ms <= self.now_ms
        {
            self.ask(&reference, effects);
        }
    }

    /// Asks the next peers. Those asked before have had their time.
    fn ask(&mut self, reference: &Reference<P>, effects: &mut Vec<Effect<P>>) {
        self.forget_current(reference);
        let now_ms = self.now_ms;
        let urgent = self.wants[reference].height.is_some();
        if !urgent && self.asking + PAIR > self.config.asking_max.max(PAIR) {
            self.set(reference, now_ms.saturating_add(self.config.backoff_min_ms));
            return;
        }
        let peers = self.next_peers(reference);
        let want = self.wants.get_mut(reference).expect("it is looked for");
        if peers.is_empty() {
            // Everybody was asked. A new round after a back-off, for ever.
            want.tried.clear();
            let backoff_ms = self
                .config
                .backoff_min_ms
                .saturating_mul(1 << want.rounds.min(32));
            want.rounds = want.rounds.saturating_add(1);
            let mut at_ms = now_ms.saturating_add(backoff_ms.min(self.config.backoff_max_ms));
            if self.config.canary.is(Canary::AskOnce) {
                at_ms = u64::MAX;
            }
            self.set(reference, at_ms);
            return;
        }
        for peer in peers {
            want.tried.insert(peer.clone());
            want.owing.insert(peer.clone());
            want.current.insert(peer.clone());
            let request = Request {
                reference: reference.clone(),
                height: want.height,
            };
            effects.push(Effect::Ask(peer, request));
        }
        if !urgent {
            want.counted = true;
            self.asking += want.current.len();
        }
        self.set(reference, now_ms.saturating_add(self.config.timeout_ms));
    }

    /// First the signers of the certificate in random pairs (all validators, if the scheme does not tell who signed),
    /// then the sequencer, then any validators in pairs.
    fn next_peers(&mut self, reference: &Reference<P>) -> Vec<P> {
        let want = &self.wants[reference];
        let (me, faulty) = (&self.config.me, &self.faulty);
        let is_left = |it: &&P| *it != me && !want.tried.contains(*it) && !faulty.contains(*it);
        let mut pair = |from: &mut dyn Iterator<Item = &P>| -> Vec<P> {
            from.filter(is_left).cloned().sample(&mut self.rng, PAIR)
        };
        let hint = self.hints.get(&reference.sequencer);
        let first = match hint.filter(|it| it.height >= reference.place.height) {
            Some(hint) if hint.signers.is_empty() => pair(&mut self.validators.iter()),
            Some(hint) => pair(&mut hint.signers.iter()),
            None => Vec::new(),
        };
        if !first.is_empty() {
            return first;
        }
        if is_left(&&reference.sequencer) {
            return vec![reference.sequencer.clone()];
        }
        pair(&mut self.validators.iter())
    }

    /// Whether a peer owes an answer: it is taken off its debt.
    pub(super) fn answered(&mut self, from: &P, reference: &Reference<P>) -> Result<(), Refusal> {
        let unasked = Refusal::Unasked(reference.place.height);
        let want = self
            .wants
            .get_mut(reference)
            .ok_or_else(|| unasked.clone())?;
        if !want.owing.remove(from) {
            return Err(unasked);
        }
        if want.current.remove(from) && want.counted {
            self.asking -= 1;
        }
        Ok(())
    }

    /// An answer was no use: if nobody else was asked, the next ones are.
    pub(super) fn go_on(&mut self, reference: &Reference<P>, effects: &mut Vec<Effect<P>>) {
        if self
            .wants
            .get(reference)
            .is_some_and(|it| it.current.is_empty() && !it.tried.is_empty())
        {
            self.ask(reference, effects);
        }
    }

    /// The body is here. Says whether the chunk store and whether the executor looked for it. The chunk store may have no
    /// room for it now: it is looked for until that says it has it.
    pub(super) fn arrived(&mut self, reference: &Reference<P>) -> (bool, bool) {
        let Some(want) = self.wants.get_mut(reference) else {
            return (false, false);
        };
        let sought = (want.stored, want.height.take().is_some());
        self.forget_current(reference);
        self.set(
            reference,
            self.now_ms.saturating_add(self.config.timeout_ms),
        );
        self.tidy(reference);
        sought
    }
}
