//! A node as those outside of it have it.

use super::{Deployment, Nouns, epochs::Epochs, step::Step};
use crate::{
    application::Gate,
    chunk_store, executor, mempool,
    orderer::{
        Orderer as _,
        simplex::{self, Simplex},
    },
    relay,
    state::{self, State},
};
use commonware_macros::select;
use commonware_runtime::{Error as RuntimeError, Handle, Storage};
use drystone_engine::{
    self as engine, Engine, Environment, journal,
    types::{Digest, Genesis},
};
use thiserror::Error;

/// Why a node cannot start, or stopped.
#[derive(Debug, Error)]
pub enum Error {
    /// The lanes.
    #[error(transparent)]
    Lanes(#[from] engine::Error),
    /// The state.
    #[error(transparent)]
    State(#[from] state::Error),
    /// The chunk store.
    #[error(transparent)]
    Store(#[from] chunk_store::Error),
    /// The executor.
    #[error(transparent)]
    Executor(#[from] executor::Error),
    /// The orderer.
    #[error(transparent)]
    Orderer(#[from] simplex::Error),
    /// The node is not of this deployment.
    #[error(
        "the state at height 0 has root {found}, the genesis block names {expected}: the application or its genesis is not \
         the one that the deployment was made with"
    )]
    Genesis {
        /// What the genesis block names.
        expected: Digest,
        /// What is on the disk.
        found: Digest,
    },
    /// The directory is another deployment's.
    #[error(
        "the directory belongs to the deployment whose chain begins with block {found}, this one's begins with {expected}: \
         start with the genesis that the directory was made with, or in another directory"
    )]
    Deployment {
        /// The genesis block that the node was started with.
        expected: Digest,
        /// The one that the directory was made with.
        found: Digest,
    },
    /// A part of the directory is gone.
    #[error(
        "the directory has a state and does not say of which deployment: a part of it is missing; restore it, or start in an \
         empty one"
    )]
    Nameless,
    /// The name of the deployment.
    #[error("the name of the deployment cannot be read or written: {0}")]
    Name(#[from] commonware_storage::metadata::Error),
    /// It was asked to stop before it had started.
    #[error("the node was asked to stop before it had started")]
    Stopped,
    /// A task ended that should have gone on.
    #[error("a part of the node ended early: {0}")]
    Part(&'static str),
    /// A task was lost.
    #[error("a task of the node was lost: {0}")]
    Task(#[from] RuntimeError),
}

/// A node that runs: how those outside of it reach its parts.
pub struct Node<D: Deployment> {
    /// Takes transactions.
    pub mempool: mempool::Mailbox<Nouns<D>>,
    /// Has bodies of chunks.
    pub store: chunk_store::Mailbox<D::PublicKey>,
    /// Fetches bodies of chunks.
    pub relay: relay::Mailbox<D::PublicKey>,
    /// Knows what was executed.
    pub executor: executor::Mailbox<Nouns<D>>,
    /// Knows what is final.
    pub orderer: Simplex<Nouns<D>>,
    /// Answers queries from the newest executed state.
    pub gate: Gate<D::Application>,
    /// Proves what is in it.
    pub state: state::Reader,
    pub(super) epochs: Epochs<D>,
    pub(super) step: Step<D>,
}

impl<D: Deployment> Clone for Node<D> {
    fn clone(&self) -> Self {
        Self {
            mempool: self.mempool.clone(),
            store: self.store.clone(),
            relay: self.relay.clone(),
            executor: self.executor.clone(),
            orderer: self.orderer.clone(),
            gate: self.gate.clone(),
            state: self.state.clone(),
            epochs: self.epochs.clone(),
            step: self.step.clone(),
        }
    }
}

impl<D: Deployment> Node<D> {
    /// Whether this node is in step with the chain, and so takes transactions, unless it follows blocks only for good.
    pub fn is_in_step(&self) -> bool {
        !self.step.is_behind()
    }

    /// The providers know an epoch's committee and voters now.
    pub fn known(&self, epoch: u64) {
        self.epochs.known();
        self.orderer.known(epoch);
    }
}

/// Marks a new node's directory as initialised. Without the mark, a start takes the disk for lost: see
/// [`Engine::initialise`].
///
/// # Errors
/// If the disk fails.
pub async fn initialise<D: Deployment>(
    context: &impl Storage,
    journal: &journal::Config<()>,
) -> Result<(), Error> {
    Ok(Engine::<Nouns<D>>::initialise(context, journal).await?)
}

/// The root of an application's first state, which the genesis block names. The state is made in the partitions of the
/// configuration, which should be nobody else's; they can be removed afterwards.
///
/// # Errors
/// If the disk or the application fails.
pub async fn root<E: Environment, D: Deployment>(
    context: E,
    config: state::Config,
    genesis: &Genesis,
    application: &D::Application,
    strategy: D::Strategy,
) -> Result<Digest, Error> {
    let state = State::open(context, config, strategy).await?;
    Ok(executor::root(&state, genesis, application).await?)
}

/// What a node lives by.
pub(super) struct Tasks {
    pub(super) engine: Handle<Result<(), engine::Error>>,
    pub(super) store: Handle<Result<(), chunk_store::Error>>,
    pub(super) executor: Handle<Result<(), executor::Error>>,
    /// The others: they end when the node does.
    pub(super) parts: Vec<Handle<()>>,
}

impl Tasks {
    /// Resolves when one of them ends, or when the node was asked to stop and has.
    pub(super) async fn outlive<E: Environment>(self, context: E) -> Result<(), Error> {
        let Self {
            mut engine,
            mut store,
            mut executor,
            parts,
        } = self;
        let mut stopped = context.stopped();
        select! {
            _ = &mut stopped => {
                // Whatever was promised is durable, and what is under way is done again: nothing is waited for but the ends.
                engine.await??;
                store.await??;
                executor.await??;
                Ok(())
            },
            ended = &mut engine => {
                ended??;
                Err(Error::Part("the lanes"))
            },
            ended = &mut store => {
                ended??;
                Err(Error::Part("the chunk store"))
            },
            ended = &mut executor => {
                ended??;
                Err(Error::Part("the executor"))
            },
            ended = Handle::select(parts) => {
                ended?;
                Err(Error::Part("an actor"))
            },
        }
    }
}
