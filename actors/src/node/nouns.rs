//! The nouns of a node, chosen once.

use super::ports::{Outlets, Progress, Reporter, Shelf, Transactions};
use crate::{
    application::{Application, Gate},
    block::{self, rules::Invalid},
    builder,
    chain::Order,
    chunk::Chunk,
    chunk_store, executor,
    lane::{Owner, Signers},
    mempool,
    orderer::simplex::Consensus,
    reference::Reference,
    relay, runs,
    transaction::Admission,
};
use commonware_consensus::{
    simplex::{elector, scheme::Scheme as VoteScheme},
    types::Epoch,
};
use commonware_cryptography::{
    PublicKey, Signer, Verifier,
    certificate::{Provider, Scoped},
};
use commonware_parallel::Strategy;
use drystone_engine::{
    Activity, Engine,
    scheme::Scheme,
    types::{self, Digest, Types},
};
use std::{fmt, marker::PhantomData, sync::Arc};

/// What a deployment chooses.
pub trait Deployment: Sized + Send + Sync + 'static {
    /// Names a node.
    type PublicKey: PublicKey;
    /// Signs the headers of this node's lane.
    type PrivateKey: Signer<PublicKey = Self::PublicKey, Signature = <Self::PublicKey as Verifier>::Signature>;
    /// Signs acks, and assembles the certificates of lanes.
    type Acks: Scheme<Self::PublicKey>;
    /// Signs votes on blocks.
    type Votes: VoteScheme<Digest, PublicKey = Self::PublicKey>;
    /// Knows who votes.
    type Voters: Voters<Self::Votes>;
    /// Chooses leaders.
    type Elector: elector::Config<Self::Votes> + Sync;
    /// Tells who signed the certificate of a lane.
    type Signers: Signers<Nouns<Self>>;
    /// Where expensive work runs.
    type Strategy: Strategy;
    /// What executes transactions.
    type Application: Application;
    /// What a place in a chunk is charged.
    type Admission: Admission;
    /// Sees what the node does; `()` looks away.
    type Watcher: Watcher<Nouns<Self>>;
}

/// Knows who votes in each epoch.
pub trait Voters<S>: Clone + Send + Sync + 'static {
    /// The scheme of an epoch's votes: one that signs for this node, if it is a validator and `signs`, else one that
    /// verifies. `None` while the epoch is not known. An answer for one epoch never changes.
    fn scheme(&self, epoch: u64, signs: bool) -> Option<Arc<S>>;
}

/// Sees what a node does. Every call must return at once.
pub trait Watcher<T: Types>: Clone + Send + Sync + 'static {
    /// The state is open, and stands at a height: told first of all. Where an application names validators, whoever knows
    /// them learns here of those that earlier blocks named.
    fn opened(&self, _height: u64) {}
    /// The engine of the lanes reports.
    fn lanes(&self, _activity: &Activity<T>) {}
    /// The mempool reports.
    fn transaction(&self, _activity: &mempool::Activity<T::PublicKey>) {}
    /// The builder packed a chunk.
    fn packed(&self, _chunk: &Chunk) {}
    /// The body of a live chunk is here, and counted: these are its transactions.
    fn kept(&self, _reference: &Reference<T::PublicKey>, _ids: &[Digest]) {}
    /// A block that this node was asked to vote for can never become valid.
    fn refused(&self, _invalid: &Invalid<T::PublicKey>) {}
    /// This node built a block, and is about to propose it: what comes back is proposed in its place. The others vote for
    /// none that breaks a rule.
    fn proposes(&self, _order: &Order<T>, block: block::Block<T>) -> block::Block<T> {
        block
    }
    /// A block is final. In the order of heights, each at least once.
    fn finalized(&self, _block: &block::Block<T>) {}
    /// A block was executed, and its state is durable. Said again at the start of what an earlier life executed last.
    fn executed(&self, _state: block::Executed) {}
}

impl<T: Types> Watcher<T> for () {}

/// The nouns of all actors, as a deployment's choices make them.
pub struct Nouns<D>(PhantomData<fn(D)>);

impl<D> Clone for Nouns<D> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<D> fmt::Debug for Nouns<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nouns")
    }
}

impl<D> PartialEq for Nouns<D> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<D> Eq for Nouns<D> {}

impl<D: Deployment> Types for Nouns<D> {
    type PublicKey = D::PublicKey;
    type PrivateKey = D::PrivateKey;
    type Scheme = D::Acks;
    type Strategy = D::Strategy;
    type Automaton = Owner<D::PublicKey, builder::Mailbox>;
    type Reporter = Reporter<D>;
}

impl<D: Deployment> crate::Types for Nouns<D> {
    type PublicKey = D::PublicKey;
    type Rules = Gate<D::Application>;
    type Admission = D::Admission;
    type Observer = Transactions<D>;
    type Bodies = Shelf<D>;
}

impl<D: Deployment> chunk_store::Types for Nouns<D> {
    type PublicKey = D::PublicKey;
    type Rules = Gate<D::Application>;
    type Strategy = D::Strategy;
    type Outlets = Outlets<D>;
}

impl<D: Deployment> executor::Types for Nouns<D> {
    type Engine = Self;
    type Application = D::Application;
    type Lanes = runs::Mailbox<Self>;
    type Store = chunk_store::Mailbox<D::PublicKey>;
    type Fetcher = relay::Mailbox<D::PublicKey>;
    type Outlets = Progress<D>;
}

impl<D: Deployment> runs::Types for Nouns<D> {
    type Engine = Self;
    type Lanes = Engine<Self>;
    type Records = executor::Mailbox<Self>;
}

impl<D: Deployment> Consensus for Nouns<D> {
    type Types = Self;
    type Scheme = D::Votes;
    type Schemes = Schemes<D>;
    type Elector = D::Elector;
}

/// The schemes of votes, as this start of the node may use them: after a disk was lost, it signs in no epoch in which it
/// may have voted before.
pub struct Schemes<D: Deployment> {
    pub(super) voters: D::Voters,
    pub(super) muted_until: u64,
}

impl<D: Deployment> Clone for Schemes<D> {
    fn clone(&self) -> Self {
        Self {
            voters: self.voters.clone(),
            muted_until: self.muted_until,
        }
    }
}

impl<D: Deployment> Provider for Schemes<D> {
    type Scope = Epoch;
    type Scheme = D::Votes;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<D::Votes>> {
        let signs = epoch.get() >= self.muted_until;
        let scheme = self.voters.scheme(epoch.get(), signs)?;
        Some(Scoped::scheme(scheme))
    }
}

/// A key of a deployment's.
pub(super) type Provided<D> = Arc<dyn types::Provider<Nouns<D>>>;
