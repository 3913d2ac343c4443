//! What a node's engine is built with, and why it stops.

use crate::{
    canary::Canary,
    environment::{Channel, Transport},
    journal,
    recovery::RecoveryError,
    types::{Bounds, Genesis, GenesisError, Provider, Types},
};
use commonware_runtime::Error as RuntimeError;
use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use thiserror::Error;

/// The four channels of the engine, registered with the transport by the node.
pub struct Network<N: Transport> {
    /// Headers from sequencers to validators.
    pub headers: Channel<N>,
    /// Acks from validators to sequencers.
    pub acks: Channel<N>,
    /// Certificates, fetches, questions.
    pub gossip: Channel<N>,
    /// Answers to questions.
    pub answers: Channel<N>,
    /// Cuts off faulty peers.
    pub blocker: N::Blocker,
}

/// Parameters of one node's engine.
pub struct Config<T: Types> {
    /// What the deployment agrees on.
    pub genesis: Arc<Genesis>,
    /// This node's key: its name on the network, and what signs its lane.
    pub key: T::PrivateKey,
    /// Knows the committees.
    pub provider: Arc<dyn Provider<T>>,
    /// The newest epoch the node knows of. An epoch that the journal has entered is never left for an
    /// earlier one.
    pub epoch: u64,
    /// Epochs around the current one that are taken part in.
    pub bounds: Bounds,
    /// Owns the chunks' bodies.
    pub automaton: T::Automaton,
    /// Takes what is reported.
    pub reporter: T::Reporter,
    /// Where expensive verification runs.
    pub strategy: T::Strategy,
    /// How often what is missing or uncertified is asked for or sent again.
    pub rebroadcast: Duration,
    /// How long a new certificate waits for a header to travel with before it is sent alone.
    pub certificate_linger: Duration,
    /// Least time from one certificate of this node's lane to the next, unless a quarter of the window waits for one.
    /// Every validator checks every certificate: the longer, the cheaper are chunks under load, and the later certified.
    pub certificate_interval: Duration,
    /// Whether new headers overtake other messages on the wire.
    pub priority_proposals: bool,
    /// Whether acks overtake other messages on the wire.
    pub priority_acks: bool,
    /// Messages an actor's mailbox holds before it coalesces them.
    pub mailbox_size: NonZeroUsize,
    /// Where and how the journal lies on the disk.
    pub journal: journal::Config<()>,
    /// The planted bug, if any.
    pub canary: Canary,
}

/// Why a node cannot start, or stopped.
#[derive(Debug, Error)]
pub enum Error {
    /// The parameters contradict each other.
    #[error("the genesis is refused: {0}")]
    Genesis(#[from] GenesisError),
    /// An epoch that is to be entered has no committee.
    #[error(
        "the committee of epoch {0} is not known: the provider must know an epoch before the node enters it"
    )]
    Epoch(u64),
    /// The disk failed.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A lost disk could not be recovered from.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// A task of the node ended early.
    #[error("a task of the node ended: {0}")]
    Task(RuntimeError),
    /// The transport closed a channel, though the node was not asked to stop.
    #[error(
        "the network closed a channel of the engine: without all of them a node cannot take part"
    )]
    Closed,
}
