//! A simulated network.

use super::{Key, World};
use commonware_p2p::simulated::{Config, Control, Link, Network, Oracle, Receiver, Sender};
use commonware_runtime::{Supervisor as _, deterministic::Context};
use commonware_utils::NZUsize;
use drystone_engine::Channels;

/// How nodes reach each other.
pub type Sim = Channels<Sender<Key, Context>, Receiver<Key>, Control<Key, Context>>;

/// The first so many of the world's keys, each linked to each.
pub async fn connect(
    context: &Context,
    world: &World,
    count: usize,
    max_size: u32,
    link: Link,
) -> Oracle<Key, Context> {
    let keys: Vec<_> = (0..count).map(|it| world.key(it)).collect();
    let config = Config {
        max_size,
        max_peers_per_set: NZUsize!(8),
        disconnect_on_block: true,
        tracked_peer_sets: NZUsize!(1),
    };
    let (network, oracle) =
        Network::new_with_peers(context.child("network"), config, keys.clone()).await;
    network.start();
    for a in &keys {
        for b in keys.iter().filter(|it| *it != a) {
            oracle
                .add_link(a.clone(), b.clone(), link.clone())
                .await
                .expect("a new link");
        }
    }
    oracle
}
