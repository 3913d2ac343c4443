//! What is gathered, and in which order blocks are executed. Pure: no clock, no disk, no await.

use super::{
    Broken,
    message::{Block, Body, Effect, Message, Ready},
};
use crate::{Canary, reference::Reference};
use drystone_engine::types::{Genesis, Signed, Tip, Types};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// By slot, then by sequencer: in the order of execution.
type Chunks<P> = BTreeMap<(u64, P), (Reference<P>, Option<Body>)>;

/// How far a block has come.
enum Stage<T: Types> {
    /// It stands too far behind.
    Queued,
    /// Its headers are on their way.
    Walking {
        runs: BTreeMap<T::PublicKey, Vec<Arc<Signed<T>>>>,
        above: BTreeMap<T::PublicKey, Tip>,
    },
    /// Its bodies are on their way.
    Gathering {
        runs: BTreeMap<T::PublicKey, Vec<Arc<Signed<T>>>>,
        chunks: Chunks<T::PublicKey>,
        missing: usize,
    },
    /// It was handed out.
    Executing,
}

struct Slot<T: Types> {
    block: Block<T::PublicKey>,
    stage: Stage<T>,
    /// Of the bodies that are, or will be, in memory.
    bytes: u64,
}

/// What is known at the start.
#[derive(Clone, Debug)]
pub struct Start<P> {
    /// The newest executed block.
    pub height: u64,
    /// Its time.
    pub time_ms: u64,
    /// Its lane table.
    pub lanes: BTreeMap<P, Tip>,
}

/// See the module.
pub struct State<T: Types> {
    genesis: Arc<Genesis>,
    ahead_blocks: usize,
    ahead_bytes: u64,
    canary: Canary,
    /// The newest block that was queued.
    newest: (u64, u64),
    /// The lane table after the newest block whose headers were asked for.
    lanes: BTreeMap<T::PublicKey, Tip>,
    queue: VecDeque<Slot<T>>,
    bytes: u64,
}

impl<T: Types> State<T> {
    /// Starts behind an executed block.
    pub fn new(
        genesis: Arc<Genesis>,
        ahead_blocks: usize,
        ahead_bytes: u64,
        start: Start<T::PublicKey>,
        canary: Canary,
    ) -> Self {
        Self {
            genesis,
            ahead_blocks,
            ahead_bytes,
            canary,
            newest: (start.height, start.time_ms),
            lanes: start.lanes,
            queue: VecDeque::new(),
            bytes: 0,
        }
    }

    /// The height of the next block that was not queued yet.
    pub const fn next(&self) -> u64 {
        self.newest.0 + 1
    }

    /// Blocks that wait or are executed.
    pub fn queued(&self) -> usize {
        self.queue.len()
    }

    /// Bytes of bodies that are, or will be, in memory.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes a fact in.
    ///
    /// # Errors
    /// If what was finalized can be no chain: more than f validators are faulty, or this node's disk is.
    pub fn apply(&mut self, message: Message<T>) -> Result<Vec<Effect<T>>, Broken> {
        match message {
            Message::Finalized(block) => self.enqueue(block)?,
            Message::Walked {
                height,
                sequencer,
                run,
            } => self.walked(height, sequencer, run)?,
            Message::Gathered {
                height,
                reference,
                body,
            } => self.gathered(height, &reference, body),
            Message::Executed => {
                let slot = self.queue.pop_front().expect("a block was handed out");
                assert!(matches!(slot.stage, Stage::Executing), "handed out");
                self.bytes -= slot.bytes;
            }
        }
        self.proceed()
    }

    fn enqueue(&mut self, block: Block<T::PublicKey>) -> Result<(), Broken> {
        let (height, time_ms) = (block.height, block.time_ms);
        if height != self.next() {
            let expected = self.next();
            return Err(Broken::Gap { height, expected });
        }
        if time_ms <= self.newest.1 {
            return Err(Broken::Time { height });
        }
        self.newest = (height, time_ms);
        self.queue.push_back(Slot {
            block,
            stage: Stage::Queued,
            bytes: 0,
        });
        Ok(())
    }

    fn slot(&mut self, height: u64) -> &mut Slot<T> {
        let first = self.queue.front().map_or(0, |it| it.block.height);
        let slot = usize::try_from(height - first).ok();
        let slot = slot.and_then(|it| self.queue.get_mut(it));
        slot.expect("only blocks that are queued are asked about")
    }

    fn walked(
        &mut self,
        height: u64,
        sequencer: T::PublicKey,
        run: Vec<Arc<Signed<T>>>,
    ) -> Result<(), Broken> {
        let slot = self.slot(height);
        let Stage::Walking { runs, above } = &mut slot.stage else {
            unreachable!("each run is asked for once");
        };
        let mut place = above[&sequencer];
        for header in &run {
            if !header.extends(&place) || header.header().sequencer != sequencer {
                return Err(Broken::Run { height });
            }
            place = header.tip();
        }
        if place != slot.block.tips[&sequencer] {
            return Err(Broken::Run { height });
        }
        runs.insert(sequencer, run);
        Ok(())
    }

    fn gathered(&mut self, height: u64, reference: &Reference<T::PublicKey>, found: Body) {
        let key = (reference.place.slot, reference.sequencer.clone());
        let Stage::Gathering {
            chunks, missing, ..
        } = &mut self.slot(height).stage
        else {
            unreachable!("each body is asked for once");
        };
        let (_, body) = chunks.get_mut(&key).expect("asked for");
        assert!(body.replace(found).is_none(), "each body comes once");
        *missing -= 1;
    }

    /// Does whatever can be done now, oldest block first.
    fn proceed(&mut self) -> Result<Vec<Effect<T>>, Broken> {
        let mut effects = Vec::new();
        for index in 0..self.queue.len().min(self.ahead_blocks) {
            self.walk(index, &mut effects)?;
        }
        // In order, so that no later block has what the next one waits for.
        for index in 0..self.queue.len().min(self.ahead_blocks) {
            if !self.gather(index, &mut effects) {
                break;
            }
        }
        effects.extend(self.hand_out());
        Ok(effects)
    }

    fn walk(&mut self, index: usize, effects: &mut Vec<Effect<T>>) -> Result<(), Broken> {
        let slot = &mut self.queue[index];
        if !matches!(slot.stage, Stage::Queued) {
            return Ok(());
        }
        let height = slot.block.height;
        let mut places = BTreeMap::new();
        for (sequencer, to) in &slot.block.tips {
            let root = || self.genesis.root(sequencer);
            let above = self.lanes.get(sequencer).copied().unwrap_or_else(root);
            if to.height <= above.height {
                return Err(Broken::Run { height });
            }
            effects.push(Effect::Walk {
                height,
                sequencer: sequencer.clone(),
                above,
                to: *to,
            });
            places.insert(sequencer.clone(), above);
        }
        self.lanes.extend(slot.block.tips.clone());
        slot.stage = Stage::Walking {
            runs: BTreeMap::new(),
            above: places,
        };
        Ok(())
    }

    /// Whether the block's bodies are, now, on their way.
    fn gather(&mut self, index: usize, effects: &mut Vec<Effect<T>>) -> bool {
        let slot = &mut self.queue[index];
        let Stage::Walking { runs, .. } = &mut slot.stage else {
            return true;
        };
        if runs.len() < slot.block.tips.len() {
            return false;
        }
        let time_ms = slot.block.time_ms;
        let live = |it: &&Arc<Signed<T>>| {
            let expiry_ms = self.genesis.expiry_ms(it.header().slot);
            expiry_ms.is_some_and(|it| time_ms <= it) || self.canary.is(Canary::ExecuteExpired)
        };
        let references: Vec<_> = runs
            .values()
            .flatten()
            .filter(live)
            .map(|it| Reference::from(it.header()))
            .collect();
        let bytes = references.iter().map(|it| u64::from(it.bytes)).sum();
        if index > 0 && self.bytes.saturating_add(bytes) > self.ahead_bytes {
            return false;
        }
        let height = slot.block.height;
        let missing = references.len();
        let mut chunks = BTreeMap::new();
        for reference in references {
            let key = (reference.place.slot, reference.sequencer.clone());
            chunks.insert(key, (reference.clone(), None));
            effects.push(Effect::Gather { height, reference });
        }
        slot.bytes = bytes;
        slot.stage = Stage::Gathering {
            runs: std::mem::take(runs),
            chunks,
            missing,
        };
        self.bytes += bytes;
        true
    }

    fn hand_out(&mut self) -> Option<Effect<T>> {
        let slot = self.queue.front_mut()?;
        if !matches!(slot.stage, Stage::Gathering { missing: 0, .. }) {
            return None;
        }
        let stage = std::mem::replace(&mut slot.stage, Stage::Executing);
        let Stage::Gathering { runs, chunks, .. } = stage else {
            unreachable!("just looked at");
        };
        let gathered = |(reference, body): (_, Option<_>)| (reference, body.expect("none missing"));
        Some(Effect::Execute(Ready {
            block: slot.block.clone(),
            runs,
            chunks: chunks.into_values().map(gathered).collect(),
        }))
    }
}
