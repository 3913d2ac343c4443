//! The two doors to the outside world. Nothing in the engine reaches it any other way.

use commonware_cryptography::PublicKey;
use commonware_p2p::{Blocker, Receiver, Sender};
use commonware_runtime::{Clock, Metrics, Spawner, Storage};
use rand_core::CryptoRng;
use std::marker::PhantomData;

/// Everything an actor may ask of its machine: tasks, time, files, metrics, randomness.
///
/// Implemented for whatever has the commonware runtime traits: `deterministic::Context`,
/// `tokio::Context`, the simulator's `Host`.
pub trait Environment: Spawner + Clock + Storage + Metrics + CryptoRng {}

impl<E: Spawner + Clock + Storage + Metrics + CryptoRng> Environment for E {}

/// The peer-to-peer channels a node is given.
pub trait Transport: Send + Sync + 'static {
    /// How peers are named, and what the transport authenticates.
    type PublicKey: PublicKey;
    /// Sends on one channel.
    type Sender: Sender<PublicKey = Self::PublicKey>;
    /// Receives on one channel.
    type Receiver: Receiver<PublicKey = Self::PublicKey>;
    /// Cuts off a peer that is proven faulty.
    type Blocker: Blocker<PublicKey = Self::PublicKey>;
}

/// The transport made of a sender, a receiver and a blocker that agree on the public key.
pub struct Channels<S, R, B>(PhantomData<fn(S, R, B)>);

impl<S, R, B> Transport for Channels<S, R, B>
where
    S: Sender,
    R: Receiver<PublicKey = S::PublicKey> + 'static,
    B: Blocker<PublicKey = S::PublicKey>,
    S: 'static,
    B: 'static,
{
    type PublicKey = S::PublicKey;
    type Sender = S;
    type Receiver = R;
    type Blocker = B;
}

/// One registered channel.
pub type Channel<N> = (<N as Transport>::Sender, <N as Transport>::Receiver);
