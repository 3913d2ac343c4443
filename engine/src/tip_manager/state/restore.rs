//! The state as the journal left it.

use super::{
    Config, State,
    lane::{Base, Lane, Lock, Opinion},
    lanes::Lanes,
};
use crate::{canary::Canary, record::Record, types::Types};
use std::collections::{BTreeMap, VecDeque};

impl<T: Types> State<T> {
    /// Rebuilds the state from the journal, in the order it was written. `config.epochs` stands at
    /// the newest epoch the journal names (see [`entered`]).
    pub fn restore(config: Config<T>, records: &[Record<T>]) -> Self {
        let Config {
            genesis,
            me,
            epochs,
            canary,
        } = config;
        let mut state = Self {
            header_namespace: genesis.header_namespace(),
            genesis,
            me,
            epochs,
            canary,
            entering: None,
            muted_until: 0,
            lanes: Lanes::default(),
            finalized_ms: 0,
            executed_ms: 0,
            now_ms: 0,
            position: 0,
            durable: 0,
            unsynced: VecDeque::new(),
            candidates: BTreeMap::new(),
            checking: false,
            evidence: BTreeMap::new(),
            walks: Vec::new(),
            wake_ms: None,
        };
        for record in records {
            state.replay(record);
        }
        let genesis = state.genesis.clone();
        for lane in state.lanes.values_mut() {
            lane.settle(&genesis);
        }
        state
    }

    fn replay(&mut self, record: &Record<T>) {
        match record {
            Record::Lock { epoch, header } => {
                if self.canary.is(Canary::ForgetLocks) {
                    return;
                }
                let current = *epoch == self.epochs.epoch();
                let genesis = self.genesis.clone();
                let lane = self.lane(&header.header().sequencer);
                let height = header.height();
                let expiry_ms = genesis
                    .expiry_ms(header.header().slot)
                    .expect("it was locked");
                if !current {
                    lane.spare.insert((height, header.digest()), header.clone());
                    return;
                }
                let (header, opinion) = (header.clone(), Opinion::Pending);
                lane.locks.insert(
                    height,
                    Lock {
                        header,
                        position: 0,
                        opinion,
                        expiry_ms,
                        ack: None,
                    },
                );
            }
            Record::Base {
                sequencer,
                tip,
                certificate,
            } => {
                let (tip, certificate) = (*tip, certificate.clone());
                let base = Base {
                    tip,
                    certificate,
                    position: 0,
                    contested: false,
                    ack: None,
                };
                self.lane(sequencer).base = base;
            }
            Record::Muted { until } => self.muted_until = self.muted_until.max(*until),
            Record::Evidence { epoch, evidence } => {
                *self
                    .evidence
                    .entry((*epoch, evidence.sequencer().clone()))
                    .or_insert(0) += 1;
            }
            Record::Entered { .. } | Record::Own { .. } => {}
        }
    }
}

impl<T: Types> Lane<T> {
    /// Sorts what was replayed: the last base stands, and what it covers is no lock any more.
    fn settle(&mut self, genesis: &crate::types::Genesis) {
        let (tip, certificate) = (self.base.tip, self.base.certificate.take());
        self.rebase(genesis, tip, certificate, 0);
        // The headers of earlier epochs' locks that the base descends from.
        let mut expected = (tip.height, tip.digest);
        while let Some(header) = self
            .chain
            .get(&expected.0)
            .cloned()
            .or_else(|| self.spare.remove(&expected))
        {
            expected = (header.height().saturating_sub(1), header.header().previous);
            self.chain.insert(header.height(), header);
        }
        self.recount(genesis);
    }
}

/// The newest epoch that a journal entered.
pub fn entered<T: Types>(records: &[Record<T>]) -> Option<u64> {
    let epochs = records.iter().filter_map(|it| match it {
        Record::Entered { epoch } => Some(*epoch),
        _ => None,
    });
    epochs.max()
}

/// The first epoch in which a journal lets its node sign.
pub fn muted_until<T: Types>(records: &[Record<T>]) -> u64 {
    let until = records.iter().filter_map(|it| match it {
        Record::Muted { until } => Some(*until),
        _ => None,
    });
    until.max().unwrap_or(0)
}
