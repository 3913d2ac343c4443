//! Engines that run together, and what they have said.

use super::{Application, Nouns, Said, config, journal_config};
use commonware_cryptography::ed25519;
use commonware_macros::select;
use commonware_parallel::Rayon;
use commonware_runtime::{Clock, Handle};
use drystone_engine::{Config, Engine, Environment, Error, Network, Transport};
use futures::{StreamExt as _, channel::mpsc};
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

type Key = ed25519::PublicKey;

/// As few as certify anything, and neither does without the other.
pub const NODES: usize = 2;

/// Far above what each step takes, since the machine may be busy. A step that works never waits for it.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Engines that run, and what they have said.
pub struct Cluster {
    pub engines: Vec<Engine<Nouns>>,
    pub handles: Vec<Handle<Result<(), Error>>>,
    heard: mpsc::UnboundedReceiver<(usize, Said)>,
    pub willing: Arc<AtomicBool>,
    pub nodes: Vec<Node>,
}

/// What one engine has said.
#[derive(Debug, Default)]
pub struct Node {
    pub judged: u64,
    pub locked: u64,
    pub acked: u64,
    pub certificates: u64,
    pub relayed: Vec<u64>,
    pub proposed: Vec<u64>,
    /// The newest certificate of each lane.
    pub certified: BTreeMap<Key, u64>,
}

impl Node {
    fn note(&mut self, said: Said) {
        match said {
            Said::Judge => self.judged += 1,
            Said::Relay(height) => self.relayed.push(height),
            Said::Proposed(height) => self.proposed.push(height),
            Said::Locked => self.locked += 1,
            Said::Acked => self.acked += 1,
            Said::Certified { lane, height } => {
                self.certificates += 1;
                self.certified.insert(lane, height);
            }
        }
    }
}

impl Cluster {
    /// Starts an engine for each network, with its configuration changed as the test likes.
    pub async fn start<E, N>(
        context: &E,
        (life, strategy): (u64, Rayon),
        networks: Vec<Network<N>>,
        change: impl Fn(&mut Config<Nouns>),
    ) -> Self
    where
        E: Environment,
        N: Transport<PublicKey = Key>,
    {
        let (says, heard) = mpsc::unbounded();
        let willing = Arc::new(AtomicBool::new(true));
        let (mut engines, mut handles) = (Vec::new(), Vec::new());
        for (node, network) in networks.into_iter().enumerate() {
            let context = context.child("node").with_attribute("index", node);
            if life == 0 {
                let done = Engine::<Nouns>::initialise(&context, &journal_config(node)).await;
                done.expect("the disk is healthy");
            }
            let application = Application {
                node,
                life,
                willing: willing.clone(),
                says: says.clone(),
            };
            let mut config = config(NODES as u32, strategy.clone(), application);
            change(&mut config);
            let started = Engine::start(context, config, network).await;
            let (engine, handle) = started.expect("a healthy node starts");
            engines.push(engine);
            handles.push(handle);
        }
        Self {
            engines,
            handles,
            heard,
            willing,
            nodes: (0..NODES).map(|_| Node::default()).collect(),
        }
    }

    /// Listens until all that was said so far is enough.
    pub async fn until(&mut self, context: &impl Clock, enough: impl Fn(&[Node]) -> bool) {
        let deadline = context.current() + PATIENCE;
        while !enough(&self.nodes) {
            select! {
                said = self.heard.next() => {
                    let (node, said) = said.expect("the engines run");
                    self.nodes[node].note(said);
                },
                _ = context.sleep_until(deadline) => panic!("not enough: {:?}", self.nodes),
            }
        }
    }

    /// Listens to what was said already.
    pub fn drain(&mut self) {
        while let Ok((node, said)) = self.heard.try_recv() {
            self.nodes[node].note(said);
        }
    }
}
