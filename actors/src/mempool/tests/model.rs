//! Whatever happens in whatever order, no sum drifts and nothing is lost.

use super::node::{GENESIS_MS, Node};
use crate::{
    mempool::{Activity, Built, Message, Verdict, wire},
    testing::payments::{config, payment},
    transaction::Transaction,
};
use drystone_engine::types::Digest;
use proptest::{collection::vec, prelude::*, sample::Index};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

#[derive(Clone, Debug)]
enum Step {
    Submit(Index),
    Announce(usize, Vec<Index>),
    Sight(usize, Vec<Index>, u64),
    Certify(usize),
    Execute(u64, Vec<Index>, Vec<usize>),
    Take,
    Seal(u64),
    Fail,
    Wait(u64),
    Refuse(Index),
    Charge(Index),
    BlocksOnly(bool),
    Hold(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || vec(any::<Index>(), 1..6);
    prop_oneof![
        8 => any::<Index>().prop_map(Step::Submit),
        6 => (1..6_usize, some()).prop_map(|(from, ids)| Step::Announce(from, ids)),
        3 => (1..4_usize, some(), 1..3_000_u64)
            .prop_map(|(who, ids, life)| Step::Sight(who, ids, life)),
        2 => (1..4_usize).prop_map(Step::Certify),
        4 => (1..300_u64, some(), vec(0..4_usize, 0..3))
            .prop_map(|(after, ids, lanes)| Step::Execute(after, ids, lanes)),
        5 => Just(Step::Take),
        3 => (1..3_000_u64).prop_map(Step::Seal),
        1 => Just(Step::Fail),
        4 => (1..200_u64).prop_map(Step::Wait),
        1 => any::<Index>().prop_map(Step::Refuse),
        1 => any::<Index>().prop_map(Step::Charge),
        1 => any::<bool>().prop_map(Step::BlocksOnly),
        1 => any::<bool>().prop_map(Step::Hold),
    ]
}

/// A node, and what a reader of its reports knows.
struct Model {
    node: Node,
    universe: Vec<Arc<Transaction>>,
    /// Accepted and not left.
    held: BTreeSet<Digest>,
    executed: BTreeSet<Digest>,
    refused_once: BTreeSet<Digest>,
    /// What is being built.
    building: Vec<Digest>,
    /// Lanes that have a chunk.
    lanes: BTreeSet<usize>,
}

impl Model {
    fn new() -> Self {
        let payments = (0..60).map(|salt| {
            let life_ms = 50 * (salt % 20 + 1);
            payment((salt % 7) as u8, GENESIS_MS + life_ms * 4, salt)
        });
        Self {
            node: Node::new(),
            universe: payments.collect(),
            held: BTreeSet::new(),
            executed: BTreeSet::new(),
            refused_once: BTreeSet::new(),
            building: Vec::new(),
            lanes: BTreeSet::from([0]),
        }
    }

    fn pick(&self, index: &Index) -> Arc<Transaction> {
        index.get(&self.universe).clone()
    }

    fn ids(&self, indices: &[Index]) -> Vec<Digest> {
        indices.iter().map(|it| self.pick(it).facts.id).collect()
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Submit(index) => _ = self.node.submit(&self.pick(&index)),
            Step::Announce(from, indices) => {
                let ids = self.ids(&indices);
                self.node.announce(from, &ids);
                self.node.wait(3);
            }
            Step::Sight(who, indices, life_ms) => {
                let (ids, expiry_ms) = (self.ids(&indices), self.node.chain_ms + life_ms);
                self.lanes.insert(who);
                self.node.sight(who, &ids, expiry_ms);
            }
            Step::Certify(who) if self.lanes.contains(&who) => self.node.certify(who),
            Step::Certify(_) => {}
            Step::Execute(after_ms, indices, lanes) => {
                let picked = indices.iter().map(|it| self.pick(it).facts);
                let picked: Vec<_> = picked.map(|it| (it.id, it.expiry_ms)).collect();
                self.executed.extend(picked.iter().map(|it| it.0));
                let lanes = lanes.into_iter();
                let lanes = lanes.filter(|it| *it != 0 && self.lanes.contains(it));
                let lanes: Vec<_> = lanes.collect();
                self.node.execute(after_ms, &picked, &lanes);
            }
            Step::Take if self.building.is_empty() => self.building = self.node.take(),
            Step::Take => {}
            Step::Seal(life_ms) if !self.building.is_empty() => {
                let ids = std::mem::take(&mut self.building);
                let expiry_ms = self.node.chain_ms + life_ms;
                self.node.seal(&ids, expiry_ms);
            }
            Step::Fail if !self.building.is_empty() => {
                self.building.clear();
                self.node.tell(Message::Built(Built::Failed));
            }
            Step::Seal(_) | Step::Fail => {}
            Step::Wait(ms) => self.node.wait(ms),
            Step::Refuse(index) => {
                let id = self.pick(&index).facts.id;
                self.refused_once.insert(id);
                if !self.node.refused.remove(&id) {
                    self.node.refused.insert(id);
                }
            }
            Step::Charge(index) => {
                let id = self.pick(&index).facts.id;
                let mut refused = self.node.ledger.refused.lock();
                if !refused.remove(&id) {
                    refused.insert(id);
                }
            }
            Step::BlocksOnly(on) => self.node.tell(Message::BlocksOnly(on)),
            Step::Hold(on) => self.hold(on),
        }
        self.serve();
        self.read();
        self.check();
    }

    fn hold(&mut self, on: bool) {
        self.node.hold_checks = on;
        while !on && !self.node.held.is_empty() {
            self.node.check();
        }
    }

    /// Peers answer what they are asked, even numbers late.
    fn serve(&mut self) {
        let by_id: BTreeMap<_, _> = self.universe.iter().map(|it| (it.facts.id, it)).collect();
        let mut answers = Vec::new();
        for (to, message) in std::mem::take(&mut self.node.sent) {
            if let wire::Message::Get { request, ids } = message
                && (to[0] % 2 == 1 || request % 2 == 1)
            {
                let found: Vec<_> = ids.iter().map(|it| by_id[it].clone()).collect();
                answers.push((to[0], request, found));
            }
        }
        for (from, request, found) in answers {
            self.node.deliver(from, request, &found);
        }
    }

    /// Reads the reports: each transaction is accepted before it leaves, and has a reason to leave.
    fn read(&mut self) {
        for activity in std::mem::take(&mut self.node.activities) {
            match activity {
                Activity::Accepted { id, .. } => assert!(self.held.insert(id), "accepted twice"),
                Activity::Left { id, verdict } => {
                    assert!(self.held.remove(&id), "left without being accepted");
                    let all = self.universe.iter();
                    let of = all.map(|it| it.facts).find(|it| it.id == id);
                    let expiry_ms = of.expect("one of all").expiry_ms;
                    match verdict {
                        Verdict::Executed => assert!(self.executed.contains(&id)),
                        Verdict::Expired => assert!(expiry_ms <= self.node.chain_ms),
                        Verdict::Invalid(_) => assert!(self.refused_once.contains(&id)),
                    }
                }
            }
        }
    }

    fn check(&self) {
        let (config, total) = (config(), self.node.state.total());
        let max = config.pool.pool_max;
        assert!(total.items <= max.items && total.bytes <= max.bytes);
        assert!(self.held.len() <= total.items, "dropped without a verdict");
        if !self.node.hold_checks {
            assert_eq!(self.held.len(), total.items, "kept without being accepted");
        }
        assert!(self.node.state.wanted() <= 5 * config.gossip.wanted_max);
        // Of this node's own lane all is remembered, and it is in the pool: at most one chunk for each.
        let own = max.items.pow(2);
        assert!(self.node.state.marks() <= 3 * config.pool.lane_marks_max + own);
        assert!(self.node.charged() <= total.items);
    }

    /// When all has expired, nothing is left of anything.
    fn finish(mut self) {
        if !self.building.is_empty() {
            self.apply(Step::Fail);
        }
        self.hold(false);
        self.node.execute(20_000, &[], &[]);
        // Nobody answers any more: one announcer after another is given up, each after a longer time than the last.
        for _ in 0..100 {
            let wake_ms = self.node.state.wake_ms();
            if self.node.state.wanted() > 0 {
                self.node.wait(wake_ms.saturating_sub(self.node.now_ms));
            }
        }
        self.read();
        assert!(self.held.is_empty(), "{:?}", self.held);
        let state = &self.node.state;
        assert_eq!((state.total().items, state.marks()), (0, 0));
        assert_eq!((self.node.charged(), state.wanted()), (0, 0));
    }
}

proptest! {
    // K-34, D-40, D-02: sums are added up again at each step, see `Pool::audit`.
    #[test]
    fn nothing_is_lost_and_no_sum_drifts(steps in vec(step(), 1..120)) {
        let mut model = Model::new();
        for step in steps {
            model.apply(step);
        }
        model.finish();
    }
}
