//! What the application is asked to check, and what follows from its answers.

use super::{
    Activity, Answer, Effect, Effects, Place, Refusal, Source, State, Verdict, announcements::Kind,
};
use crate::{transaction::Checks, types::Types};
use drystone_engine::types::Digest;
use std::collections::BTreeSet;

/// A check under way: who of those handed out last is where in the order of arrival.
pub struct Check {
    again: bool,
    arrivals: Vec<u64>,
    /// Those that came back from a chunk since: what is being looked at is older than what became of them.
    pub overtaken: BTreeSet<u64>,
}

impl<T: Types> State<T> {
    /// Hands the next transactions to the application: new ones first, but while a round of checks after a block is under
    /// way in turns with it, so that no flood of new ones keeps what a block made invalid.
    pub(super) fn check(&mut self, effects: &mut Effects<T>) {
        if self.check.is_some() {
            return;
        }
        let max = self.config.pool.check_batch_max;
        let mut arrivals = Vec::new();
        let turn = std::mem::take(&mut self.recheck_turn) && self.recheck.is_some();
        while !turn
            && arrivals.len() < max
            && let Some(arrival) = self.unchecked.pop_front()
        {
            // It may have expired meanwhile.
            if self.pool.get(arrival).is_some() {
                arrivals.push(arrival);
            }
        }
        let again = arrivals.is_empty();
        self.recheck_turn = !again;
        if again {
            let Some(from) = self.recheck else { return };
            // What a chunk carries is executed or skipped with it. What comes back from one is barred until it is looked at.
            arrivals.extend(self.pool.pending(from).take(max));
            self.recheck = arrivals.last().map(|last| last + 1);
            if arrivals.is_empty() {
                // The round is over; a block that came during it starts another, and what is new waited for its turn.
                self.recheck = std::mem::take(&mut self.recheck_again).then_some(0);
                self.lift_bars();
                if self.recheck.is_some() || !self.unchecked.is_empty() {
                    self.check(effects);
                }
                return;
            }
        }
        let entries = arrivals.iter().filter_map(|it| self.pool.get(*it));
        let transactions = entries.map(|it| it.transaction.clone()).collect();
        self.check = Some(Check {
            again,
            arrivals,
            overtaken: BTreeSet::new(),
        });
        effects.push(Effect::Check {
            again,
            transactions,
        });
    }

    /// What admission left out is offered again, now that the application has looked at a newer state.
    fn lift_bars(&mut self) {
        for arrival in self.pool.barred() {
            self.pool.settle(arrival, Place::Ready);
            self.settle_arrival(arrival);
        }
    }

    pub(super) fn checked(&mut self, checks: Checks, effects: &mut Effects<T>) {
        let check = self.check.take().expect("a check is under way");
        assert_eq!(
            checks.len(),
            check.arrivals.len(),
            "the application answers once for each transaction"
        );
        for (arrival, result) in check.arrivals.into_iter().zip(checks) {
            // It may have left meanwhile; its client was answered then.
            let Some(entry) = self.pool.get(arrival) else {
                continue;
            };
            let (id, source) = (entry.transaction.facts.id, entry.source.clone());
            match result {
                Ok(()) if check.again => {
                    if entry.stale && !check.overtaken.contains(&arrival) {
                        self.pool.get_mut(arrival).expect("it is held").stale = false;
                        self.settle_arrival(arrival);
                    }
                }
                Ok(()) => {
                    self.answer(arrival, Answer::Accepted, effects);
                    self.pool.settle(arrival, Place::Ready);
                    self.settle(&[id]);
                    let kind = match (&source, self.rank) {
                        (Source::Client, Some(_)) => Kind::Packed,
                        (Source::Client, None) => Kind::Own,
                        (Source::Peer(_), _) => Kind::Fetched,
                    };
                    let config = &self.config.gossip;
                    self.announcements.push(self.now_ms, id, kind, config);
                    effects.push(Effect::Report(Activity::Accepted { id, source }));
                }
                Err(invalid) if check.again => {
                    self.leave(arrival, Verdict::Invalid(invalid), effects);
                }
                Err(invalid) => {
                    self.remember_refused(id);
                    if let Source::Peer(from) = source {
                        let invalid = invalid.clone();
                        let refusal = Refusal::Rejected { id, invalid };
                        effects.push(Effect::Refuse { from, refusal });
                    }
                    self.leave(arrival, Verdict::Invalid(invalid), effects);
                }
            }
        }
    }

    /// Bounded by what the pool may hold, since a refused one held a place in it.
    pub(super) fn remember_refused(&mut self, id: Digest) {
        if self.refused.len() < self.config.pool.pool_max.items {
            self.refused.insert(id);
        }
    }
}
