//! The other world's network: authenticated connections between processes, here on loopback.

use commonware_cryptography::{ChaCha20Poly1305, Signer as _, ed25519};
use commonware_p2p::{
    Address, AddressableManager as _,
    authenticated::lookup::{self, Oracle},
};
use commonware_runtime::Quota;
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, NZUsize, TryFromIterator as _, ordered::Map};
use drystone_engine::{Channels, Environment, Network, Transport};
use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

pub type Key = ed25519::PublicKey;

/// A burst is kept in memory for every peer, so it is no larger than a busy lane needs.
pub const QUOTA: Quota = Quota::per_second(NZU32!(1_000));

/// The channels of one node over authenticated connections. They open when the network starts, at once.
pub fn connect<E>(
    context: &E,
    key: ed25519::PrivateKey,
    addresses: &[(Key, SocketAddr)],
    message_size_max: u32,
) -> Network<impl Transport<PublicKey = Key> + use<E>>
where
    E: Environment + commonware_runtime::Network + commonware_runtime::Resolver,
{
    let me = key.public_key();
    let (_, listen) = addresses
        .iter()
        .find(|(name, _)| *name == me)
        .expect("a node of the cluster");
    let handshake = Cups::<_, ChaCha20Poly1305>::new(
        Sake {
            signer: key,
            synchrony_bound: Duration::from_secs(5),
            max_handshake_age: Duration::from_secs(10),
            version: sake::Version::V1,
        },
        cups::Version::V1,
    );
    let config = lookup::Config::local(
        handshake,
        b"drystone loopback",
        *listen,
        NZUsize!(8),
        message_size_max,
        NZUsize!(1_024),
    );
    let (mut network, oracle) = lookup::Network::new(context.child("network"), config);
    let peers = addresses
        .iter()
        .map(|(name, address)| (name.clone(), Address::from(*address)));
    let mut manager: Oracle<Key> = oracle.clone();
    let _ = manager.track(0, Map::try_from_iter(peers).expect("names differ"));
    let mut open = |channel| network.register(channel, QUOTA);
    let channels = Network::<Channels<_, _, Oracle<Key>>> {
        headers: open(0),
        acks: open(1),
        gossip: open(2),
        answers: open(3),
        blocker: oracle,
    };
    network.start();
    channels
}

/// Addresses that nobody listens at. Another program might take one before its node does; then the test says so.
pub fn addresses(keys: &[ed25519::PrivateKey]) -> Vec<(Key, SocketAddr)> {
    // All are held before one is freed, so that they differ.
    let free: Vec<_> = keys
        .iter()
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
        .collect();
    keys.iter()
        .zip(&free)
        .map(|(key, socket)| (key.public_key(), socket.local_addr().expect("bound")))
        .collect()
}
