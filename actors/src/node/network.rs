//! The channels of a node.

#[cfg(test)]
mod tests;

use crate::{orderer::simplex, relay};
use drystone_engine::{self as engine, Transport};

/// What travels apart from everything else, so that a slow reader of one stalls no other. The number of a channel is part
/// of what the nodes of a deployment agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u64)]
pub enum Channel {
    /// Headers of lanes.
    Headers,
    /// Acks, to the sequencer.
    Acks,
    /// What validators ask each other about lanes.
    Gossip,
    /// What a node that lost its disk is told.
    Answers,
    /// Who asks for which body.
    Requests,
    /// Bodies.
    Bodies,
    /// Transactions.
    Transactions,
    /// How far a node has executed.
    Claims,
    /// Headers of executed blocks.
    Runs,
    /// Votes on blocks.
    Votes,
    /// What votes add up to.
    Certificates,
    /// What was missed of it.
    Resolver,
    /// Blocks, as they are proposed.
    Blocks,
    /// Blocks that were missed.
    Backfill,
}

/// All channels.
pub const CHANNELS: [Channel; 14] = [
    Channel::Headers,
    Channel::Acks,
    Channel::Gossip,
    Channel::Answers,
    Channel::Requests,
    Channel::Bodies,
    Channel::Transactions,
    Channel::Claims,
    Channel::Runs,
    Channel::Votes,
    Channel::Certificates,
    Channel::Resolver,
    Channel::Blocks,
    Channel::Backfill,
];

/// A node's place on the network.
pub struct Network<N: Transport> {
    pub(super) lanes: engine::Network<N>,
    pub(super) bodies: relay::Network<N>,
    pub(super) transactions: engine::Channel<N>,
    pub(super) claims: engine::Channel<N>,
    pub(super) runs: engine::Channel<N>,
    pub(super) orderer: simplex::Network<N>,
    pub(super) blocker: N::Blocker,
}

impl<N: Transport> Network<N> {
    /// Opens every channel.
    pub fn open(blocker: N::Blocker, mut open: impl FnMut(Channel) -> engine::Channel<N>) -> Self {
        Self {
            lanes: engine::Network {
                headers: open(Channel::Headers),
                acks: open(Channel::Acks),
                gossip: open(Channel::Gossip),
                answers: open(Channel::Answers),
                blocker: blocker.clone(),
            },
            bodies: relay::Network {
                requests: open(Channel::Requests),
                bodies: open(Channel::Bodies),
                blocker: blocker.clone(),
            },
            transactions: open(Channel::Transactions),
            claims: open(Channel::Claims),
            runs: open(Channel::Runs),
            orderer: simplex::Network {
                votes: open(Channel::Votes),
                certificates: open(Channel::Certificates),
                resolver: open(Channel::Resolver),
                blocks: open(Channel::Blocks),
                backfill: open(Channel::Backfill),
                blocker: blocker.clone(),
            },
            blocker,
        }
    }
}
