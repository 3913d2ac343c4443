//! Ties the engine of the lanes to the actors around it.
//!
//! ```text
//!   engine: propose --> builder            engine: activities --> certificate pool (certificates, headers)
//!           judge ----> chunk store                          +--> chunk store (what is certified)
//!           relay ----> relay                                +--> relay (who signed), mempool
//!   chunk store: want, settle --> relay;  sighted --> mempool;  stir --> engine
//! ```
//!
//! Nothing here decides anything.

#[cfg(test)]
mod tests;

use crate::{
    builder, certificate_pool,
    chain::Source,
    chunk_store,
    executor::Lanes,
    mempool::{self, Sighting},
    reference::Reference,
    relay,
};
use commonware_cryptography::PublicKey;
use commonware_utils::channel::oneshot;
use drystone_engine::{
    Activity, Automaton, Engine, Judgement, Next, Reporter,
    types::{Certificate, Digest, Genesis, Header, Payload, Signed, Tip, Types},
};
use std::sync::{Arc, OnceLock};

/// Makes the chunks of this node's lane.
pub trait Proposer: Clone + Send + 'static {
    /// As [`Automaton::propose`].
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload>;
}

impl Proposer for builder::Mailbox {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        Self::propose(self, next)
    }
}

/// The owner of bodies, as the engine knows it.
#[derive(Clone)]
pub struct Owner<P: PublicKey, B> {
    /// Makes own chunks.
    pub proposer: B,
    /// Judges chunks.
    pub store: chunk_store::Mailbox<P>,
    /// Pushes bodies.
    pub relay: relay::Mailbox<P>,
}

impl<T: Types, B: Proposer> Automaton<T> for Owner<T::PublicKey, B> {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        self.proposer.propose(next)
    }

    fn judge(&mut self, header: &Header<T::PublicKey>) -> Judgement {
        self.store.judge(header)
    }

    fn relay(&mut self, header: &Header<T::PublicKey>) {
        self.relay.relay(header);
    }
}

/// Takes what a mempool learns of chunks: what they hold, and that they are certified.
pub trait Sightings<P>: Clone + Send + Sync + 'static {
    /// A chunk's body is here.
    fn sighted(&self, sighting: Sighting<P>);
    /// A lane is certified up to a height.
    fn certified(&self, sequencer: P, height: u64);
}

impl<T: crate::Types> Sightings<T::PublicKey> for mempool::Mailbox<T> {
    fn sighted(&self, sighting: Sighting<T::PublicKey>) {
        Self::sighted(self, sighting);
    }

    fn certified(&self, sequencer: T::PublicKey, height: u64) {
        Self::certified(self, sequencer, height);
    }
}

/// Whom the chunk store tells. The engine is set once it is started: before that nobody waits for a quota, and it asks about
/// everything it finds in its journal by itself.
pub struct Outlets<T: Types, M> {
    /// When a chunk expires.
    pub genesis: Arc<Genesis>,
    /// Looks for bodies.
    pub relay: relay::Mailbox<T::PublicKey>,
    /// Learns what chunks hold.
    pub mempool: M,
    /// Asks again.
    pub engine: Arc<OnceLock<Engine<T>>>,
}

impl<T: Types, M: Sightings<T::PublicKey>> chunk_store::Outlets<T::PublicKey> for Outlets<T, M> {
    fn want(&mut self, reference: &Reference<T::PublicKey>) {
        self.relay.want(reference.clone());
    }

    fn settle(&mut self, reference: &Reference<T::PublicKey>) {
        self.relay.settle(reference.clone());
    }

    fn sighted(&mut self, reference: &Reference<T::PublicKey>, ids: Vec<Digest>) {
        let expiry_ms = self.genesis.expiry_ms(reference.place.slot);
        self.mempool.sighted(Sighting {
            sequencer: reference.sequencer.clone(),
            height: reference.place.height,
            digest: reference.place.digest,
            expiry_ms: expiry_ms.expect("a chunk with a quota expires"),
            ids,
        });
    }

    fn stir(&mut self) {
        if let Some(engine) = self.engine.get() {
            engine.stirred();
        }
    }
}

impl<T: Types> Lanes<T> for Engine<T> {
    /// The engine knows lanes, and nothing of blocks.
    fn run(
        &self,
        _: u64,
        sequencer: &T::PublicKey,
        above: Tip,
        to: Tip,
    ) -> oneshot::Receiver<Vec<Arc<Signed<T>>>> {
        Self::run(self, sequencer.clone(), above.height, to)
    }
}

impl<T: Types> Source<T> for Engine<T> {
    fn certified(&self, certificate: Arc<Certificate<T>>) {
        Self::certified(self, certificate);
    }
}

/// Tells who signed a certificate.
pub trait Signers<T: Types>: Clone + Send + Sync + 'static {
    /// Those who signed; nobody if the scheme does not tell.
    fn of(&self, certificate: &Certificate<T>) -> Vec<T::PublicKey>;
}

/// A scheme that does not tell who signed, as threshold schemes do not.
#[derive(Clone, Copy, Debug)]
pub struct Unattributed;

impl<T: Types> Signers<T> for Unattributed {
    fn of(&self, _: &Certificate<T>) -> Vec<T::PublicKey> {
        Vec::new()
    }
}

/// Hands what the engine reports to those it concerns.
pub struct Reports<T: Types, M, S> {
    /// Learns what is certified.
    pub mempool: M,
    /// Takes certificates and headers.
    pub pool: certificate_pool::Mailbox<T>,
    /// Learns what nobody will ask about any more.
    pub store: chunk_store::Mailbox<T::PublicKey>,
    /// Learns who has what.
    pub relay: relay::Mailbox<T::PublicKey>,
    /// Tells who signed.
    pub signers: S,
}

impl<T: Types, M: Clone, S: Clone> Clone for Reports<T, M, S> {
    fn clone(&self) -> Self {
        Self {
            mempool: self.mempool.clone(),
            pool: self.pool.clone(),
            store: self.store.clone(),
            relay: self.relay.clone(),
            signers: self.signers.clone(),
        }
    }
}

impl<T: Types, M: Sightings<T::PublicKey>, S: Signers<T>> Reporter<T> for Reports<T, M, S> {
    fn report(&self, activity: Activity<T>) {
        match activity {
            Activity::Proposed(header) | Activity::Tip(header) | Activity::Linked(header) => {
                self.pool.seen(header);
            }
            Activity::Certified(certificate) => {
                let (sequencer, height) = (certificate.sequencer.clone(), certificate.tip.height);
                self.store.certified(sequencer.clone(), height);
                self.mempool.certified(sequencer.clone(), height);
                let signers = self.signers.of(&certificate);
                self.relay.certified(sequencer, height, signers);
                self.pool.certified(certificate);
            }
            Activity::Acked { .. } | Activity::Evidence(_) | Activity::Entered(_) => {}
        }
    }
}
