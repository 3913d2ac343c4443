//! What happens to a chunk store.

use super::{Driver, P, account::Account, chain::Block, restore};
use crate::{
    nouns::NODES,
    states::bodies::{HEIGHTS, body, body_of, reference},
};
use arbitrary::{Result, Unstructured};
use drystone_actors::{
    Place, Reference,
    chunk::{self, Chunk},
    chunk_store::{Message, Record, Restored, Source},
};
use drystone_engine::{
    Horizon,
    types::{Digest, Tip},
};

/// Slots by which a header of a fork is later, and what is so of its body.
const INVALID: u64 = 3;
const SAME_BODY: u64 = 4;
const MISSTATED: u64 = 5;
/// Slots between the chunks of one lane that is not this node's.
const SLOTS: u64 = 7;

/// Whether the application finds a chunk of another node invalid.
pub const fn is_invalid(reference: &Reference<P>) -> bool {
    reference.place.slot % SLOTS == INVALID
}

impl Driver {
    /// What a header of a lane says: of the branch that the chain executes, of a fork, or something untrue.
    fn spoken(&self, u: &mut Unstructured<'_>) -> Result<Reference<P>> {
        let lane = u.int_in_range(0..=NODES - 1)?;
        if lane == 0 && !self.own.is_empty() {
            return Ok(u.choose(&self.own)?.clone());
        }
        let (lane, height) = (lane.max(1), u.int_in_range(1..=HEIGHTS)?);
        let mut spoken = reference(self.world, lane, height);
        match u.int_in_range(0..=9)? {
            0 => {
                let other = body(self.world, (lane + 1) % NODES, height).payload();
                spoken.place.slot += INVALID;
                spoken.place.digest = other.digest;
            }
            1 => spoken.place.slot += SAME_BODY,
            2 => {
                spoken.place.slot += MISSTATED;
                spoken.items += 1;
            }
            3 => spoken.bytes += 1,
            _ => {}
        }
        Ok(spoken)
    }

    pub fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms += u.int_in_range(0..=10)?;
        match u.int_in_range(0..=19)? {
            0..=4 => {
                let reference = self.spoken(u)?;
                self.asked(reference);
            }
            5..=7 => self.arrived(u)?,
            8 | 9 => {
                let checking: Vec<_> = self.checking.keys().cloned().collect();
                if let Ok(reference) = u.choose(&checking) {
                    let chunk = self.checking.remove(reference).expect("just seen");
                    self.checked(reference.clone(), chunk);
                }
            }
            10 => {
                let chunk = body(self.world, 0, u.int_in_range(1..=HEIGHTS)?);
                self.persisting.insert(chunk.payload().digest);
                self.apply(Message::Packed(chunk.clone()));
            }
            11 => self.sealed(u)?,
            12 => self.start_sync(),
            13 | 14 => self.synced(),
            15 => self.block(u)?,
            16 => self.accept(),
            17 => self.advance(),
            18 => {
                let sequencer = self.world.names[u.int_in_range(0..=NODES - 1)?].clone();
                let height = u.int_in_range(0..=HEIGHTS)?;
                self.apply(Message::Certified { sequencer, height });
            }
            _ => self.restarted(u)?,
        }
        self.check();
        Ok(())
    }

    /// A question about a chunk that has no quota yet gets it, or is answered with "pending".
    fn asked(&mut self, reference: Reference<P>) {
        let known = self.account.knows(&reference);
        self.judging.insert(reference.clone());
        let pending = self.apply(Message::Asked(reference.clone()));
        if !known && !pending && reference.sequencer != self.world.names[0] {
            let expiry_ms = self.expiry_ms(&reference);
            self.account.grant(&reference, expiry_ms, true);
        }
    }

    /// A body comes because it is looked for, or because its producer pushes it.
    fn arrived(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let wanted: Vec<_> = self.wanted.iter().cloned().collect();
        let reference = if wanted.is_empty() || u.ratio(1, 3)? {
            self.spoken(u)?
        } else {
            u.choose(&wanted)?.clone()
        };
        let body = body_of(self.world, &reference.place.digest);
        let (claimed, found) = (reference.payload(), body.payload());
        let chunk = if claimed == found {
            Ok(body.clone())
        } else {
            Err(chunk::Error::OtherPayload { claimed, found })
        };
        let pushed = u.arbitrary()?;
        self.apply(Message::Arrived {
            reference,
            chunk,
            pushed,
        });
        Ok(())
    }

    pub fn checked(&mut self, reference: Reference<P>, chunk: Chunk) {
        let valid = self.truth(&reference) == Some(true);
        self.apply(Message::Checked {
            reference,
            chunk,
            valid,
        });
    }

    /// The engine signs a header for an own body, once or, after a crash, again.
    fn sealed(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let drafted: Vec<_> = self.drafted.iter().copied().collect();
        let Ok(digest) = u.choose(&drafted) else {
            return Ok(());
        };
        let payload = body_of(self.world, digest).payload();
        let slot = self.own.last().map_or(0, |it| it.place.slot + 1);
        let place = Place {
            height: self.own.len() as u64 + 1,
            slot: slot.max(self.world.genesis.slot_at(self.now_ms)),
            digest: *digest,
        };
        self.own.push(Reference {
            sequencer: self.world.names[0].clone(),
            place,
            bytes: payload.bytes,
            items: payload.items,
        });
        if u.ratio(3, 4)? {
            self.drafted.remove(digest);
        }
        Ok(())
    }

    pub fn start_sync(&mut self) {
        if self.sync.is_none() {
            self.sync = Some((self.state.position(), self.disk.written()));
        }
    }

    pub fn synced(&mut self) {
        if let Some((position, written)) = self.sync.take() {
            self.disk.sync(written);
            self.apply(Message::Synced(position));
        }
    }

    /// The chain finalizes a block of the first branch of some lanes.
    fn block(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        if self.chain.block.is_some() {
            return Ok(());
        }
        let time_ms = self.chain.time_ms + u.int_in_range(1..=400)?;
        self.now_ms = self.now_ms.max(time_ms);
        let (mut lanes, mut references) = (self.chain.lanes, Vec::new());
        for (lane, upto) in lanes.iter_mut().enumerate() {
            let known = if lane == 0 {
                self.own.len() as u64
            } else {
                HEIGHTS
            };
            let from = *upto;
            *upto = (from + u.int_in_range(0..=4)?).min(known);
            for height in from + 1..=*upto {
                references.push(match lane {
                    0 => self.own[height as usize - 1].clone(),
                    _ => reference(self.world, lane, height),
                });
            }
        }
        references.retain(|it| self.expiry_ms(it) >= time_ms);
        self.chain.block = Some(Block {
            height: self.chain.height + 1,
            time_ms,
            lanes,
            references,
        });
        Ok(())
    }

    /// The executor has the block's bodies kept.
    fn accept(&mut self) {
        let Some(block) = self.chain.block.as_ref().filter(|_| !self.chain.asked) else {
            return;
        };
        let (height, references) = (block.height, block.references.clone());
        for reference in &references {
            let body = body_of(self.world, &reference.place.digest).body();
            if let Source::Stored(location) = self.state.source(reference, Some(body.clone())) {
                let stored = self.disk.at(&location).cloned();
                let stored = stored.and_then(Record::into_body);
                assert_eq!(stored.as_ref(), Some(body), "no body at {location:?}");
            }
            self.disk.accept(height, reference.clone());
        }
        self.chain.asked = true;
        self.apply(Message::Kept { height, references });
    }

    /// The block's bodies are durable: it is executed.
    pub fn accepted(&mut self, height: u64) {
        let block = self.chain.block.as_ref().filter(|_| self.chain.asked);
        let block = block.expect("nothing was to be accepted");
        assert_eq!(block.height, height, "another block is accepted");
        for reference in &block.references {
            let durable = self.disk.has_accepted(&reference.place.digest);
            assert!(durable, "accepted before it is durable: {reference:?}");
            self.account.release(reference);
        }
        self.chain.commit();
    }

    /// The store is told what was executed.
    pub fn advance(&mut self) {
        let executed_ms = self.chain.time_ms;
        self.chain.told_ms = executed_ms;
        let tip = |height| Tip {
            height,
            slot: 0,
            digest: Digest::from([0; 32]),
        };
        let lanes = self.world.names.iter().zip(self.chain.lanes);
        for (name, height) in lanes.clone() {
            self.account.execute(name, height);
        }
        self.account.expire(executed_ms);
        let executed = lanes.map(|(name, height)| (name.clone(), tip(height)));
        self.apply(Message::Advanced(Horizon {
            finalized_ms: executed_ms,
            executed_ms,
            executed: executed.collect(),
            ..Horizon::default()
        }));
    }

    /// A crash, and another start: what was executed is told at once.
    fn restarted(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let kept = u.int_in_range(0..=self.disk.unsynced())?;
        self.disk.crash(kept);
        self.sync = None;
        self.judging.clear();
        self.persisting.clear();
        self.wanted.clear();
        self.checking.clear();
        self.chain.asked = false;
        let disk = &self.disk;
        self.drafted.retain(|it| disk.holds(it));
        let restored = Restored {
            executed_ms: self.chain.time_ms,
            executed_height: self.chain.height,
            lanes: self
                .world
                .names
                .iter()
                .cloned()
                .zip(self.chain.lanes)
                .collect(),
            residents: self.disk.residents(),
        };
        self.state = restore(self.world, self.canary, restored);
        self.account = Account::default();
        for (_, record) in self.disk.records() {
            if let Record::Body { reference, .. } = record
                && reference.sequencer != self.world.names[0]
            {
                let names = &self.world.names;
                let lane = names.iter().position(|it| *it == reference.sequencer);
                let executed = self.chain.lanes[lane.expect("a producer")];
                let held = reference.place.height > executed;
                let expiry_ms = self.expiry_ms(reference);
                self.account.grant(reference, expiry_ms, held);
            }
        }
        self.advance();
        Ok(())
    }
}
