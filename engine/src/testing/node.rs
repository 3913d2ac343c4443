//! A tip manager's state with the journal and the application played by the test.

use super::{NOW_MS, Nouns, World, judged, to_check, to_judge};
use crate::{
    activity::Verdict,
    canary::Canary,
    horizon::Horizon,
    record::Record,
    tip_manager::{self, Effect, Message, State, entered},
    types::{Certificate, Signed, Tip},
    wire::{Envelope, Gossip},
};
use commonware_parallel::Sequential;
use commonware_utils::test_rng;
use std::sync::Arc;

/// One validator's tip manager.
pub struct Node {
    pub me: usize,
    pub state: State<Nouns>,
    pub now_ms: u64,
    /// Everything journaled, in order, since the disk was new.
    pub written: Vec<Record<Nouns>>,
    /// How many of them are durable.
    durable: usize,
    /// How many the state found when it started: its positions count from there.
    found: usize,
    /// What the application says of every chunk, or `None` while it says nothing.
    pub verdict: Option<Verdict>,
}

impl Node {
    /// A new validator in epoch 0, whose application accepts everything.
    pub fn new(world: &World, me: usize) -> Self {
        Self::restored(world, me, vec![Record::Entered { epoch: 0 }])
    }

    /// A validator that starts from a journal.
    pub fn restored(world: &World, me: usize, records: Vec<Record<Nouns>>) -> Self {
        let epoch = entered(&records).expect("an epoch was entered");
        let config = tip_manager::StateConfig {
            genesis: world.genesis.clone(),
            me: world.key(me),
            epochs: world.epochs(me, epoch),
            canary: Canary::None,
        };
        Self {
            me,
            state: State::restore(config, &records),
            now_ms: NOW_MS,
            durable: records.len(),
            found: records.len(),
            written: records,
            verdict: Some(Verdict::Valid),
        }
    }

    /// Stops and starts again. What was not synced is lost.
    pub fn restart(mut self, world: &World) -> Self {
        self.written.truncate(self.durable);
        let mut node = Self::restored(world, self.me, self.written);
        (node.now_ms, node.verdict) = (self.now_ms, self.verdict);
        node
    }

    /// Applies one message. Nothing answers the effects; the records are kept, not yet durable.
    pub fn tell(&mut self, message: Message<Nouns>) -> Vec<Effect<Nouns>> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        for effect in &effects {
            if let Effect::Journal(record) = effect {
                self.written.push(record.clone());
            }
        }
        let position = self.state.position();
        assert_eq!(
            position,
            (self.written.len() - self.found) as u64,
            "one position a record"
        );
        effects
    }

    /// Applies a message and all that follows from it: verdicts, checks, syncs.
    pub fn settle(&mut self, message: Message<Nouns>) -> Vec<Effect<Nouns>> {
        let effects = self.tell(message);
        self.follow(effects)
    }

    /// Answers effects until nothing follows from them any more. Returns all of them.
    pub fn follow(&mut self, effects: Vec<Effect<Nouns>>) -> Vec<Effect<Nouns>> {
        let mut all = Vec::new();
        let mut fresh = effects;
        while !fresh.is_empty() {
            let mut next = self.judge_all(&fresh);
            for batch in to_check(&fresh) {
                let results = batch.into_iter().map(|it| {
                    let valid = self.is_valid(&it.certificate);
                    (it, valid)
                });
                let results = results.collect();
                next.extend(self.tell(Message::Checked(results)));
            }
            next.extend(self.sync());
            all.extend(fresh);
            fresh = next;
        }
        all
    }

    fn judge_all(&mut self, effects: &[Effect<Nouns>]) -> Vec<Effect<Nouns>> {
        let Some(verdict) = self.verdict else {
            return Vec::new();
        };
        let headers = to_judge(effects);
        assert_eq!(
            headers.len(),
            judged(effects).len(),
            "every question has a header"
        );
        headers
            .iter()
            .flat_map(|it| self.judge(it, verdict))
            .collect()
    }

    fn is_valid(&self, certificate: &Certificate<Nouns>) -> bool {
        let committee = self.state.epochs().committee(certificate.epoch);
        committee.is_some_and(|it| certificate.verify(&it, &mut test_rng(), &Sequential))
    }

    /// Makes everything journaled durable.
    pub fn sync(&mut self) -> Vec<Effect<Nouns>> {
        self.sync_to(self.written.len())
    }

    /// Makes the first `count` records durable.
    pub fn sync_to(&mut self, count: usize) -> Vec<Effect<Nouns>> {
        if count <= self.durable {
            return Vec::new();
        }
        self.durable = count;
        self.tell(Message::Synced((count - self.found) as u64))
    }

    /// How many records are durable.
    pub const fn durable(&self) -> usize {
        self.durable
    }

    pub fn judge(&mut self, header: &Signed<Nouns>, verdict: Verdict) -> Vec<Effect<Nouns>> {
        self.tell(Message::Judged {
            sequencer: header.header().sequencer.clone(),
            height: header.height(),
            digest: header.digest(),
            verdict,
        })
    }

    /// An envelope, delivered but not answered.
    pub fn hear(
        &mut self,
        world: &World,
        from: usize,
        envelope: Envelope<Nouns>,
    ) -> Vec<Effect<Nouns>> {
        self.tell(Message::Delivered {
            from: world.key(from),
            envelope,
        })
    }

    /// Headers from their sequencer, and all that follows.
    pub fn receive(&mut self, world: &World, headers: &[Arc<Signed<Nouns>>]) -> Vec<Effect<Nouns>> {
        let from = world.who(&headers[0].header().sequencer);
        let effects = self.hear(world, from, world.envelope(headers, None));
        self.follow(effects)
    }

    /// A certificate from a peer, and all that follows.
    pub fn learn(
        &mut self,
        world: &World,
        from: usize,
        certificate: &Arc<Certificate<Nouns>>,
    ) -> Vec<Effect<Nouns>> {
        let gossip = Gossip::Certificates {
            reply: true,
            certificates: vec![certificate.clone()],
        };
        self.settle(Message::Gossiped {
            from: world.key(from),
            gossip,
        })
    }

    /// A request for headers, and the answer.
    pub fn asked(
        &mut self,
        world: &World,
        from: usize,
        sequencer: usize,
        heights: (u64, u64),
    ) -> Vec<Effect<Nouns>> {
        let gossip = Gossip::Fetch {
            sequencer: world.key(sequencer),
            from: heights.0,
            to: heights.1,
        };
        self.tell(Message::Gossiped {
            from: world.key(from),
            gossip,
        })
    }

    /// The chain's time, nothing included.
    pub fn at_chain_time(&mut self, finalized_ms: u64) -> Vec<Effect<Nouns>> {
        let horizon = Horizon {
            finalized_ms,
            ..Horizon::default()
        };
        self.settle(Message::Advanced(horizon))
    }

    /// The lane is included in a finalized block and executed up to a place.
    pub fn executed(&mut self, world: &World, sequencer: usize, tip: Tip) -> Vec<Effect<Nouns>> {
        let lane = [(world.key(sequencer), tip)];
        let horizon = Horizon {
            included: lane.clone().into(),
            executed: lane.into(),
            ..Horizon::default()
        };
        self.settle(Message::Advanced(horizon))
    }
}
