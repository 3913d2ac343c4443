//! What leaves, and with what verdict.

use super::{Activity, Answer, Effect, Effects, Executed, Place, State, Verdict};
use crate::{
    Canary,
    transaction::{Admission as _, Invalid},
    types::Types,
};

impl<T: Types> State<T> {
    pub(super) fn answer(&mut self, arrival: u64, answer: Answer, effects: &mut Effects<T>) {
        if let Some(client) = self.clients.remove(&arrival) {
            effects.push(Effect::Answer { client, answer });
        }
    }

    /// A transaction leaves, with a verdict: an accepted one's is reported, a client still waiting is told.
    pub(super) fn leave(&mut self, arrival: u64, verdict: Verdict, effects: &mut Effects<T>) {
        let accepted = self
            .pool
            .get(arrival)
            .is_some_and(|it| it.place() != Place::Unchecked);
        let Some(entry) = self.pool.remove(arrival) else {
            return;
        };
        let id = entry.transaction.facts.id;
        if entry.charged {
            self.admission.release(&entry.transaction);
        }
        self.known.remove(&id);
        if accepted {
            let silent = self.config.canary.is(Canary::DropSilently) && verdict == Verdict::Expired;
            if !silent {
                effects.push(Effect::Report(Activity::Left { id, verdict }));
            }
            return;
        }
        let answer = match verdict {
            Verdict::Executed => Answer::Duplicate,
            Verdict::Expired => Answer::Invalid(Invalid::because("the transaction has expired")),
            Verdict::Invalid(invalid) => Answer::Invalid(invalid),
        };
        self.answer(arrival, answer, effects);
    }

    /// A chunk that held a transaction is there no more and did not execute it, or is waited for no longer. What blocks made of it
    /// meanwhile nobody has looked at: until somebody has, it is not packed again.
    pub(super) fn come_back(&mut self, arrival: u64) {
        let is_pending = |it: &Self| {
            it.pool
                .get(arrival)
                .is_some_and(|it| it.place().is_pending())
        };
        let before = is_pending(self);
        self.settle_arrival(arrival);
        if !before && is_pending(self) {
            self.pool.get_mut(arrival).expect("it is pending").stale = true;
            if let Some(check) = &mut self.check {
                check.overtaken.insert(arrival);
            }
            self.settle_arrival(arrival);
        }
    }

    pub(super) fn executed(&mut self, executed: Executed<T::PublicKey>, effects: &mut Effects<T>) {
        let Executed {
            time_ms,
            transactions,
            lanes,
        } = executed;
        self.chain_ms = self.chain_ms.max(time_ms);
        self.executed.advance(self.chain_ms);
        for (id, expiry_ms) in transactions {
            self.fetches.forget(&id, &mut self.peers);
            if let Some(arrival) = self.pool.arrival(&id) {
                self.leave(arrival, Verdict::Executed, effects);
            }
            if expiry_ms > self.chain_ms {
                self.executed.insert(id, expiry_ms);
            }
        }
        for arrival in self.pool.expired(self.chain_ms) {
            self.leave(arrival, Verdict::Expired, effects);
        }
        let changed = self.chunks.executed(&lanes, self.chain_ms);
        if !self.config.canary.is(Canary::LoseReturned) {
            for arrival in changed
                .iter()
                .filter_map(|id| self.pool.arrival(id))
                .collect::<Vec<_>>()
            {
                self.come_back(arrival);
            }
        }
        self.refused.clear();
        // A round under way is finished first, so that none of many is passed over for ever.
        self.recheck_again = self.recheck.is_some();
        self.recheck = self.recheck.or(Some(0));
    }
}
