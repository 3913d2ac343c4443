//! What leaves, and with what verdict.

use super::{Activity, Answer, Effect, Effects, Executed, Place, State, Verdict};
use crate::{
    transaction::{Admission as _, Invalid},
    types::Types,
};

impl<T: Types> State<T> {
    pub(super) fn answer(&mut self, arrival: u64, answer: Answer, effects: &mut Effects<T>) {
        // Those who wait came in the order of arrival.
        if let Ok(at) = self.clients.binary_search_by_key(&arrival, |it| it.0) {
            let (_, client) = self.clients.remove(at);
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
            effects.push(Effect::Report(Activity::Left { id, verdict }));
            return;
        }
        let answer = match verdict {
            Verdict::Executed => Answer::Duplicate,
            Verdict::Expired => Answer::Invalid(Invalid::because("the transaction has expired")),
            Verdict::Invalid(invalid) => Answer::Invalid(invalid),
        };
        self.answer(arrival, answer, effects);
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
        self.settle(&changed);
        for arrival in self.pool.barred() {
            self.pool.settle(arrival, Place::Ready);
            self.settle_arrival(arrival);
        }
        self.refused.clear();
        // A round under way is finished first, so that none of many is passed over for ever.
        self.recheck_again = self.recheck.is_some();
        self.recheck = self.recheck.or(Some(0));
    }
}
