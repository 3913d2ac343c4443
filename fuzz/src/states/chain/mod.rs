//! The chain actor's state: one node builds, another that knows as much judges.

mod start;

use super::{
    drive,
    lanes::{HEIGHTS, lanes},
};
use crate::nouns::{Deployed, NODES, Nouns, World};
use arbitrary::{Result, Unstructured};
use commonware_parallel::Sequential;
use commonware_utils::{NZUsize, TestRng};
use drystone_actors::{
    Canary,
    block::{Block, Body},
    certificate_pool,
    chain::{Descent, Effect, Id, Lanes, Message, Order, Question, State, Walk},
};
use drystone_engine::{
    Horizon,
    scheme::fixture::Free,
    types::{Certificate, Tip},
};
use start::{executed, root, state};
use std::sync::Arc;

type T = Nouns<Free>;
type Name = crate::nouns::Name<Free>;

struct Driver {
    world: &'static Arc<World<Free>>,
    builder: State<T>,
    voter: State<T>,
    pool: certificate_pool::State<T>,
    /// By height.
    blocks: Vec<Arc<Block<T>>>,
    finalized: u64,
    executed: u64,
    now_ms: u64,
    last: Id,
}

impl Driver {
    fn new(canary: Canary) -> Self {
        let world = Free::world();
        let genesis = Block::genesis(world.genesis.digest, 100, root(0));
        let pool = certificate_pool::Config {
            genesis: world.genesis.clone(),
            certificates_max: 3,
            mailbox_size: NZUsize!(1),
            canary: Canary::None,
        };
        Self {
            builder: state(world, &genesis, canary),
            voter: state(world, &genesis, Canary::None),
            pool: certificate_pool::State::new(pool),
            blocks: vec![Arc::new(genesis)],
            finalized: 0,
            executed: 0,
            now_ms: 90,
            last: 0,
            world,
        }
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=11)? {
            0..=2 => self.certified(u)?,
            3 => self.now_ms += u.int_in_range(0..=100)?,
            4..=6 => self.extend(u)?,
            7 => self.finalized(),
            8 => self.execute(),
            9 => {
                let who = self.world.names[u.int_in_range(0..=NODES - 1)?].clone();
                self.tell(&Message::Claimed(who, u.int_in_range(0..=self.finalized)?));
            }
            _ => self.hostile(u)?,
        }
        Ok(())
    }

    /// Tells both nodes.
    fn tell(&mut self, message: &Message<T>) {
        let copy = || match message {
            Message::Claimed(who, height) => Message::Claimed(who.clone(), *height),
            Message::Finalized(block) => Message::Finalized(block.clone()),
            Message::Executed(executed) => Message::Executed(*executed),
            other => unreachable!("{other:?} is for one of them"),
        };
        for state in [&mut self.builder, &mut self.voter] {
            let mut effects = Vec::new();
            state.apply(self.now_ms, copy(), &mut effects);
            assert!(effects.is_empty(), "nothing is open: {effects:?}");
        }
    }

    fn certified(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let (lane, branch) = (u.int_in_range(0..=NODES - 1)?, usize::from(u.ratio(1, 8)?));
        let height = u.int_in_range(1..=HEIGHTS)?;
        let run = &lanes(self.world)[lane][branch][..height];
        for header in run {
            self.pool
                .apply(certificate_pool::Message::Seen(header.clone()));
        }
        let certificate = self.world.certificate(0, lane, run[height - 1].tip());
        self.pool
            .apply(certificate_pool::Message::Certified(certificate.clone()));
        if u.arbitrary()? {
            let mut effects = Vec::new();
            let message = Message::Certified(certificate);
            self.voter.apply(self.now_ms, message, &mut effects);
        }
        Ok(())
    }

    fn finalized(&mut self) {
        let Some(block) = self.blocks.get(self.finalized as usize + 1).cloned() else {
            return;
        };
        self.finalized += 1;
        self.tell(&Message::Finalized(block.clone()));
        let tips = block.tips.iter();
        self.pool
            .apply(certificate_pool::Message::Advanced(Horizon {
                finalized_ms: block.timestamp_ms,
                included: tips.map(|it| (it.sequencer().clone(), it.tip())).collect(),
                ..Horizon::default()
            }));
    }

    fn execute(&mut self) {
        if self.executed < self.finalized {
            self.executed += 1;
            self.tell(&Message::Executed(executed(self.executed)));
        }
    }

    /// The lanes below a child of the newest block, as a node tells them.
    fn below(&self, state: &State<T>) -> Lanes<Name> {
        let mut walk = Walk::new(self.world.genesis.clone(), state.basis());
        let mut ancestors = self.blocks.iter().rev();
        let known = ancestors.find_map(|it| match walk.descend(it) {
            Descent::Known(lanes) => Some(lanes),
            Descent::Further => None,
            Descent::Aside => unreachable!("there is one chain"),
        });
        known.expect("the table belongs to one of them")
    }

    /// What is built is valid to whoever knows as much.
    fn extend(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let block = self.build(u.arbitrary()?);
        // A leader's clock runs ahead of nobody here.
        self.now_ms = self.now_ms.max(block.timestamp_ms);
        assert_eq!(self.judge(&block), Some(true), "{block:?} was built");
        self.is_sound(&block);
        self.blocks.push(Arc::new(block));
        Ok(())
    }

    fn build(&mut self, nullified: bool) -> Block<T> {
        self.last += 1;
        let order = Order {
            parent: self.blocks[self.blocks.len() - 1].clone(),
            epoch: 0,
            nullified,
            lanes: self.below(&self.builder),
        };
        let mut effects = Vec::new();
        let ordered = Message::Ordered(self.last, order);
        self.builder.apply(self.now_ms, ordered, &mut effects);
        loop {
            let message = match effects.pop() {
                Some(Effect::Propose(_, block)) => return block,
                Some(Effect::Select(id, selection)) => {
                    let candidates = self.pool.select(&selection);
                    Message::Selected(id, selection.at_ms, candidates)
                }
                Some(other) => unreachable!("a builder does not want {other:?}"),
                None => {
                    let wake_ms = self.builder.wake_ms(self.now_ms);
                    self.now_ms = wake_ms.expect("an order is open");
                    Message::Woken
                }
            };
            self.builder.apply(self.now_ms, message, &mut effects);
        }
    }

    /// The verdict on a child of the newest block, if it does not stay open.
    fn judge(&mut self, block: &Block<T>) -> Option<bool> {
        self.last += 1;
        let question = Question {
            block: Arc::new(block.clone()),
            parent: self.blocks[self.blocks.len() - 1].clone(),
            epoch: 0,
            lanes: self.below(&self.voter),
        };
        let (mut effects, mut answer) = (Vec::new(), None);
        let asked = Message::Asked(self.last, question);
        self.voter.apply(self.now_ms, asked, &mut effects);
        while let Some(effect) = effects.pop() {
            let message = match effect {
                Effect::Answer(_, judged) => {
                    assert!(answer.is_none(), "answered twice");
                    answer = Some(judged.is_ok());
                    continue;
                }
                Effect::Check(id, certificates) => {
                    let checked = certificates.into_iter().map(|it| self.checked(it));
                    Message::Checked(id, checked.collect())
                }
                Effect::Walk {
                    id,
                    above,
                    included,
                    ..
                } => {
                    let (lane, branch) = self.place(included.tip()).expect("certified");
                    let run = &lanes(self.world)[lane][branch];
                    let run = &run[above.height as usize..included.tip().height as usize];
                    Message::Walked(id, included.sequencer().clone(), run.to_vec())
                }
                other => unreachable!("a voter does not want {other:?}"),
            };
            self.voter.apply(self.now_ms, message, &mut effects);
        }
        if answer.is_none() {
            let withdrawn = Message::Withdrawn(self.last);
            self.voter.apply(self.now_ms, withdrawn, &mut effects);
        }
        assert_eq!(self.voter.open(), 0);
        answer
    }

    fn checked(&self, certificate: Arc<Certificate<T>>) -> (Arc<Certificate<T>>, bool) {
        let committee = self.world.committee(certificate.epoch, 0);
        let holds = certificate.verify(&committee, &mut TestRng::new(0), &Sequential);
        (certificate, holds)
    }

    /// The lane and branch of a header.
    fn place(&self, tip: Tip) -> Option<(usize, usize)> {
        let index = usize::try_from(tip.height).ok()?.checked_sub(1)?;
        let all = (0..NODES).flat_map(|lane| [(lane, 0), (lane, 1)]);
        let mut found = all.filter(|(lane, branch)| {
            let header = lanes(self.world)[*lane][*branch].get(index);
            header.is_some_and(|it| it.tip() == tip)
        });
        found.next()
    }

    /// What a block may say, told from all its ancestors by counting.
    fn is_sound(&self, block: &Block<T>) {
        let parent = &self.blocks[self.blocks.len() - 1];
        assert!(block.timestamp_ms > parent.timestamp_ms);
        assert!(block.executed.height >= parent.executed.height);
        assert!(block.executed.height <= self.executed.max(parent.executed.height));
        assert_eq!(block.executed, executed(block.executed.height));
        let lag = block.height - block.executed.height;
        assert!(block.tips.is_empty() || lag <= 4, "{lag} blocks behind");
        let mut chunks = 0;
        for it in &block.tips {
            let (lane, branch) = self.place(it.tip()).expect("certified");
            let before = self.blocks.iter().flat_map(|it| &it.tips);
            let before = before.filter(|other| other.sequencer() == it.sequencer());
            let base = before.map(|it| it.tip()).max_by_key(|it| it.height);
            let run = &lanes(self.world)[lane][branch];
            let from = base.map_or(0, |it| it.height as usize);
            assert!(from < it.tip().height as usize, "included before");
            assert!(
                base.is_none_or(|it| run[from - 1].tip() == it),
                "another branch"
            );
            let live = run[from..it.tip().height as usize].iter().filter(|it| {
                let expiry_ms = self.world.genesis.expiry_ms(it.header().slot);
                expiry_ms.is_some_and(|it| it >= block.timestamp_ms)
            });
            chunks += live.count();
        }
        assert!(chunks <= 12, "{chunks} chunks");
    }

    /// A block that is not what a builder makes of it: whatever is called valid is sound.
    fn hostile(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let mut body = Body::clone(&self.build(false));
        match u.int_in_range(0..=5)? {
            0 => body.parent = root(u.int_in_range(0..=3)?),
            1 => body.height = u.int_in_range(0..=u64::from(u16::MAX))?,
            2 => body.timestamp_ms = u.int_in_range(0..=2_000)?,
            3 => body.executed = executed(u.int_in_range(0..=body.height)?),
            4 => body.executed.root = root(u.int_in_range(0..=body.height)?),
            _ => {
                body.tips = self.blocks.iter().flat_map(|it| it.tips.clone()).collect();
                body.tips.sort_by(|a, b| a.sequencer().cmp(b.sequencer()));
                body.tips.dedup_by(|a, b| a.sequencer() == b.sequencer());
            }
        }
        let block = Block::new(body);
        if self.judge(&block) == Some(true) {
            self.is_sound(&block);
        }
        Ok(())
    }
}

/// The chain actor without a planted bug.
pub fn chain(data: &[u8]) {
    chain_with(Canary::None, data);
}

/// The chain actor with one, in the node that builds.
pub fn chain_with(canary: Canary, data: &[u8]) {
    let mut driver = Driver::new(canary);
    drive(data, |u| driver.step(u));
}
