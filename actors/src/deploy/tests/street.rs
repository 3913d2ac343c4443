//! Nodes that are neighbours: the transport of a deployment, over connections in memory.

use super::genesis;
use crate::{
    deploy::{
        Agreement, Exchange, Hexed, NetworkSettings, Peer,
        network::{quota, transport},
    },
    node::Channel,
};
use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_p2p::{Receiver as _, Recipients, Sender as _, authenticated::discovery::Oracle};
use commonware_runtime::{
    Clock as _, Handle, IoBuf, Metrics as _, Runner as _, Supervisor as _, deterministic,
};
use std::{collections::BTreeMap, future::Future, net::SocketAddr, time::Duration};

pub type Context = deterministic::Context;
type Sender = commonware_p2p::authenticated::discovery::Sender<PublicKey, Context>;
type Receiver = commonware_p2p::authenticated::discovery::Receiver<PublicKey>;

/// The channels that the tests open.
pub const OPEN: [Channel; 4] = [
    Channel::Votes,
    Channel::Bodies,
    Channel::Transactions,
    Channel::Answers,
];
/// The largest message.
pub const SIZE: usize = 1 << 16;
/// Far longer than it takes to meet.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How often one looks whether something has come about.
pub const LOOK: Duration = Duration::from_millis(100);

pub fn key(number: u64) -> PrivateKey {
    PrivateKey::from_seed(number)
}

pub fn name(number: u64) -> PublicKey {
    key(number).public_key()
}

pub fn address(number: u64) -> SocketAddr {
    let port = 7_000 + u16::try_from(number).expect("few nodes");
    ([127, 0, 0, 1], port).into()
}

/// A node that knows the addresses of some.
pub fn settings(me: u64, known: &[u64]) -> NetworkSettings {
    let peer = |it: &u64| Peer {
        key: Hexed(name(*it)),
        address: address(*it).to_string(),
    };
    NetworkSettings {
        listen: address(me),
        address: address(me).to_string(),
        peers: known.iter().map(peer).collect(),
        followers: Vec::new(),
        exchange: Exchange::On,
        private_addresses: true,
    }
}

/// One node's transport.
pub struct Neighbour {
    pub number: u64,
    /// Kept, as a node keeps it.
    _oracle: Oracle<PublicKey>,
    channels: BTreeMap<Channel, (Sender, Receiver)>,
    network: Handle<()>,
}

/// Where they live.
pub struct Street {
    pub context: Context,
    pub agreement: Agreement,
}

/// Runs a test over four validators, 0 to 3.
pub fn run<F: Future<Output = ()>>(test: impl FnOnce(Street) -> F) {
    let config = deterministic::Config::new()
        .with_timeout(Some(Duration::from_secs(3_600)))
        .with_start_time(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000));
    deterministic::Runner::new(config).start(|context| {
        test(Street {
            context,
            agreement: genesis().check().expect("it is right"),
        })
    });
}

impl Street {
    pub fn open(&self, number: u64, settings: &NetworkSettings) -> Neighbour {
        self.open_in(&self.agreement, number, settings)
    }

    /// One that may believe in another deployment.
    pub fn open_in(
        &self,
        agreement: &Agreement,
        number: u64,
        settings: &NetworkSettings,
    ) -> Neighbour {
        let context = self.context.child("node").with_attribute("number", number);
        let opened = transport(&context, agreement, settings, key(number), SIZE);
        let (mut network, oracle) = opened.expect("its addresses are right");
        let channels = OPEN.map(|it| (it, network.register(it as u64, quota(it))));
        Neighbour {
            number,
            _oracle: oracle,
            channels: channels.into(),
            network: network.start(),
        }
    }

    /// Nodes 0 and 1, connected.
    pub async fn pair(&self) -> (Neighbour, Neighbour) {
        let mut first = self.open(0, &settings(0, &[]));
        let mut second = self.open(1, &settings(1, &[0]));
        assert!(self.reaches(&mut second, &mut first, PATIENCE).await);
        (first, second)
    }

    pub async fn sleep(&self, duration: Duration) {
        self.context.sleep(duration).await;
    }

    /// How many connections a node has, as it counts them.
    pub fn connected(&self, number: u64) -> usize {
        let metrics = self.context.encode();
        let mine = format!("number=\"{number}\"");
        let lines = metrics.lines().filter(|it| {
            it.contains("tracker_directory_connected{") && it.contains(&mine) && !it.ends_with(" 0")
        });
        lines.count()
    }

    /// Whether what one says reaches the other, within a time.
    pub async fn reaches(
        &self,
        from: &mut Neighbour,
        to: &mut Neighbour,
        within: Duration,
    ) -> bool {
        let mut waited = Duration::ZERO;
        while waited < within {
            from.say(to.number, Channel::Votes, b"hello");
            self.sleep(LOOK).await;
            waited += LOOK;
            if to
                .heard(Channel::Votes)
                .iter()
                .any(|it| it.0 == from.number)
            {
                return true;
            }
        }
        false
    }
}

impl Neighbour {
    /// Says something; whether it was sent is not known. Votes go first, as consensus sends them: all else to one peer waits in
    /// one queue.
    pub fn say(&mut self, to: u64, channel: Channel, what: &[u8]) {
        let (sender, _) = self.channels.get_mut(&channel).expect("it is open");
        let what = IoBuf::from(what.to_vec());
        sender.send(Recipients::One(name(to)), what, channel == Channel::Votes);
    }

    /// What has arrived on a channel, from whom.
    pub fn heard(&mut self, channel: Channel) -> Vec<(u64, Vec<u8>)> {
        let (_, receiver) = self.channels.get_mut(&channel).expect("it is open");
        let mut heard = Vec::new();
        while let Some(Ok((from, what))) = futures::FutureExt::now_or_never(receiver.recv()) {
            let number = (0..10).find(|it| name(*it) == from).expect("one of ours");
            heard.push((number, what.as_ref().to_vec()));
        }
        heard
    }

    /// Its process ends.
    pub async fn ends(self) {
        self.network.abort();
        let _ = self.network.await;
    }
}
