//! A client that wants bodies which no block has included: they can be had from the honest nodes.

use super::{door::Ask, genesis::Key, system::Chunks};
use crate::{draw::derive, time::secs};
use drystone_actors::Reference;

/// How often a client looks for bodies that are certified and that no block has included.
pub const EVERY_US: u64 = secs(1);
/// Bodies looked for at a time.
const AT_ONCE: usize = 4;

impl Chunks {
    /// Bodies that are certified and live, and that no block has included.
    fn certified(&self) -> Vec<Reference<Key>> {
        let certified = self.shared.certified.lock().clone();
        let mut wanted = Vec::new();
        for (sequencer, certificate) in &certified {
            let above = self.chain.included(sequencer);
            let headers = self.shared.headers.lock();
            let run = headers.above(sequencer, above, certificate.tip);
            let live = run.iter().filter(|it| {
                let expiry_ms = self.shared.world.genesis.expiry_ms(it.slot);
                expiry_ms.is_some_and(|it| it > self.chain.time_ms() + 1_000)
            });
            wanted.extend(live.map(Reference::from));
        }
        wanted
    }

    /// A client wants every one of them of every healthy node.
    pub(super) fn seek_all(&self) {
        for reference in self.certified() {
            for node in &self.healthy {
                self.ask(*node, Ask::Seek(reference.clone()));
            }
        }
    }

    /// A client looks for some of them, each at a node in turn.
    pub(super) fn seek(&mut self, now_us: u64) {
        if now_us < self.seek_us {
            return;
        }
        self.seek_us = now_us + EVERY_US;
        let wanted = self.certified();
        // Anywhere in what is certified, another part each time.
        for number in 0..AT_ONCE.min(wanted.len()) {
            let drawn = derive(self.shared.seed, self.seeks ^ number as u64);
            let reference = wanted[(drawn % wanted.len() as u64) as usize].clone();
            let healthy = self.healthy.len() as u64;
            let turn = usize::try_from(self.seeks % healthy.max(1)).expect("a small cluster");
            self.seeks += 1;
            if let Some(node) = self.healthy.iter().nth(turn).copied() {
                self.ask(node, Ask::Seek(reference));
            }
        }
    }
}
