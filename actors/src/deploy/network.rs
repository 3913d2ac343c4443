//! The network of a deployment: authenticated connections, and whom they are made to.

use super::{
    config::bounds,
    genesis::Agreement,
    nouns::{Sets, Standard},
    settings::{Exchange, NetworkSettings},
};
use crate::{
    application::Application,
    node::{self, Channel, Nouns},
    orderer::simplex,
    relay, runs,
    transaction::Admission,
};
use commonware_cryptography::{
    ChaCha20Poly1305, Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{
    Ingress, Manager as _, TrackedPeers,
    authenticated::discovery::{self, Oracle},
};
use commonware_runtime::{Handle, Network, Quota, Resolver};
use commonware_stream::{
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{Hostname, NZUsize, ordered::Set};
use drystone_engine::{self as engine, Channels, Environment, Transport};
use std::{
    net::SocketAddr,
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

/// Messages of a channel that one peer may send in a second, and at once. A burst is kept in memory for every peer.
const fn burst(channel: Channel) -> u32 {
    match channel {
        // One for every few chunks of each lane, or one for each block.
        Channel::Headers | Channel::Acks | Channel::Votes => 2_048,
        Channel::Requests | Channel::Bodies | Channel::Transactions => 1_024,
        Channel::Certificates | Channel::Resolver | Channel::Blocks | Channel::Backfill => 512,
        Channel::Gossip | Channel::Claims | Channel::Runs => 256,
        Channel::Answers => 64,
    }
}

/// See [`burst`].
pub(super) const fn quota(channel: Channel) -> Quota {
    Quota::per_second(NonZeroU32::new(burst(channel)).expect("positive"))
}

/// Messages that wait for the connection to one peer, of each of two priorities: what goes to it on all channels stands in one
/// queue, which drops what finds no room. A burst of each channel that carries bodies, transactions or answers finds room beside the
/// others; and a peer that reads nothing cannot have more than this many messages kept for it.
const OUTGOING: NonZeroUsize = NZUsize!(4_096);

/// The largest message that a node sends on any channel.
pub fn message_size_max<A, M>(agreement: &Agreement, config: &node::Config<Standard<A, M>>) -> usize
where
    A: Application,
    M: Admission,
{
    let validators = agreement.validators_max();
    let bounds = bounds::<A, M>(agreement, Sets::new(agreement, Some(&config.key)));
    let sizes = [
        engine::wire::message_size_max::<Nouns<Standard<A, M>>>(validators),
        relay::message_size_max::<PublicKey>(&agreement.parameters.genesis),
        runs::message_size_max::<Nouns<Standard<A, M>>>(&agreement.parameters.genesis),
        config.mempool.wire.message_size_max(),
        simplex::message_size_max::<Nouns<Standard<A, M>>>(&bounds, validators),
    ];
    sizes.into_iter().max().expect("there are some")
}

/// Where a peer listens: `address:port` or `host:port`.
fn ingress(text: &str) -> Result<Ingress, String> {
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Ok(Ingress::Socket(socket));
    }
    let wanted = || format!("{text:?} is no address: it must be address:port or host:port");
    let (host, port) = text.rsplit_once(':').ok_or_else(wanted)?;
    Ok(Ingress::Dns {
        host: Hostname::new(host).map_err(|_| wanted())?,
        port: port.parse().map_err(|_| wanted())?,
    })
}

/// A node's place on the network, and whom it may talk to.
pub struct Door<N: Transport> {
    /// The channels.
    pub network: node::Network<N>,
    /// Ends when the network does.
    pub handle: Handle<()>,
}

/// How nodes prove to each other who they are.
type Handshake = Cups<Sake<PrivateKey>, ChaCha20Poly1305>;

/// Proves that this node has its key.
pub(super) const fn handshake(signer: PrivateKey) -> Handshake {
    Cups::new(
        Sake {
            signer,
            synchrony_bound: Duration::from_secs(5),
            max_handshake_age: Duration::from_secs(10),
            version: sake::Version::V1,
        },
        cups::Version::V1,
    )
}

/// Under which name the nodes of a deployment speak.
pub(super) fn namespace(agreement: &Agreement) -> Vec<u8> {
    [agreement.digest().as_ref(), b"_P2P"].concat()
}

/// Opens the network. Validators are primary peers, other sequencers and followers secondary ones: they are dialed by nobody, and
/// nobody is told where they are.
///
/// # Errors
/// If an address is none.
pub fn connect<E>(
    context: &E,
    agreement: &Agreement,
    settings: &NetworkSettings,
    key: PrivateKey,
    message_size_max: usize,
) -> Result<Door<impl Transport<PublicKey = PublicKey> + use<E>>, String>
where
    E: Environment + Network + Resolver,
{
    let (mut network, oracle) = transport(context, agreement, settings, key, message_size_max)?;
    let channels = node::Network::<Channels<_, _, Oracle<PublicKey>>>::open(oracle, |channel| {
        network.register(channel as u64, quota(channel))
    });
    Ok(Door {
        network: channels,
        handle: network.start(),
    })
}

/// The transport before its channels are opened, which knows whom it may talk to.
pub(super) fn transport<E>(
    context: &E,
    agreement: &Agreement,
    settings: &NetworkSettings,
    key: PrivateKey,
    message_size_max: usize,
) -> Result<(discovery::Network<E, Handshake>, Oracle<PublicKey>), String>
where
    E: Environment + Network + Resolver,
{
    let me = key.public_key();
    let mut bootstrappers = Vec::new();
    for peer in &settings.peers {
        if peer.key.0 != me {
            bootstrappers.push((peer.key.0.clone(), ingress(&peer.address)?));
        }
    }
    let primary = agreement.validators.clone();
    let others = agreement.sequencers.iter().cloned();
    let others = others.chain(settings.followers.iter().map(|it| it.0.clone()));
    let secondary = Set::from_iter_dedup(others.filter(|it| primary.position(it).is_none()));
    let members = NonZeroUsize::new(primary.len() + secondary.len() + 1).expect("positive");
    let config = discovery::Config {
        allow_private_ips: settings.private_addresses,
        // A node that comes back is let in at once, and several may share an address.
        peer_connection_cooldown: Duration::from_secs(1),
        allowed_handshake_rate_per_ip: Quota::per_second(NonZeroU32::new(16).expect("positive")),
        dial_frequency: Duration::from_millis(500),
        gossip_bit_vec_frequency: Duration::from_secs(5),
        tracked_peer_sets: NZUsize!(1),
        peer_gossip_max_count: match settings.exchange {
            Exchange::On => 32,
            Exchange::Off => 0,
        },
        ..discovery::Config::recommended(
            handshake(key),
            &namespace(agreement),
            settings.listen,
            ingress(&settings.address)?,
            bootstrappers,
            members,
            u32::try_from(message_size_max).expect("far below 4 GiB"),
            OUTGOING,
        )
    };
    let (network, oracle) = discovery::Network::new(context.child("network"), config);
    let mut manager: Oracle<PublicKey> = oracle.clone();
    let _ = manager.track(0, TrackedPeers::new(primary, secondary));
    Ok((network, oracle))
}
