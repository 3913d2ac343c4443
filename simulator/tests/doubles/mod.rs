//! What stands around an engine that has no node: an application and a reporter in one, which tell the test everything,
//! and a sender that notes what is urgent.

pub mod cluster;

use commonware_cryptography::{Hasher as _, Sha256, Signer as _, ed25519};
use commonware_p2p::{CheckedSender, LimitedSender, Recipients};
use commonware_parallel::Rayon;
use commonware_runtime::{IoBufs, buffer::paged::page_size};
use commonware_utils::{
    NZUsize, TryFromIterator as _, channel::oneshot, ordered::Set, sync::Mutex,
};
use drystone_engine::{
    Activity, Automaton, Canary, Config, Judgement, Next, Reporter, Verdict, journal,
    scheme::{
        self,
        fixture::{Ed25519, Fixture as _},
    },
    types::{Bounds, Committee, Genesis, Header, Limits, Payload, Provider, Types},
};
use futures::channel::mpsc;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

/// The engine's nouns, with a strategy that may run in parallel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nouns;

impl Types for Nouns {
    type PublicKey = ed25519::PublicKey;
    type PrivateKey = ed25519::PrivateKey;
    type Scheme = scheme::ed25519::Scheme;
    type Strategy = Rayon;
    type Automaton = Application;
    type Reporter = Application;
}

/// What an engine said to its application or its reporter.
#[derive(Debug)]
pub enum Said {
    Judge,
    Relay(u64),
    Proposed(u64),
    Locked,
    Acked,
    Certified {
        lane: ed25519::PublicKey,
        height: u64,
    },
}

/// Always has a chunk, and finds everything valid once it is willing.
#[derive(Clone)]
pub struct Application {
    pub node: usize,
    pub life: u64,
    pub willing: Arc<AtomicBool>,
    pub says: mpsc::UnboundedSender<(usize, Said)>,
}

impl Application {
    fn says(&self, said: Said) {
        // A test that has seen enough listens no longer.
        let _ = self.says.unbounded_send((self.node, said));
    }
}

impl Automaton<Nouns> for Application {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        let (sender, receiver) = oneshot::channel();
        // Another life has other chunks: were a height forgotten, its second header would differ.
        let name = [self.node as u64, self.life, next.height].map(u64::to_be_bytes);
        let payload = Payload {
            digest: Sha256::hash(&[&name.concat()]),
            bytes: 1,
            items: 1,
        };
        assert!(sender.send(payload).is_ok(), "the receiver is held here");
        receiver
    }

    fn judge(&mut self, _: &Header<ed25519::PublicKey>) -> Judgement {
        self.says(Said::Judge);
        Judgement::Now(if self.willing.load(Relaxed) {
            Verdict::Valid
        } else {
            Verdict::Pending
        })
    }

    fn relay(&mut self, header: &Header<ed25519::PublicKey>) {
        self.says(Said::Relay(header.height));
    }
}

impl Reporter<Nouns> for Application {
    fn report(&self, activity: Activity<Nouns>) {
        self.says(match activity {
            Activity::Proposed(header) => Said::Proposed(header.height()),
            Activity::Tip(_) => Said::Locked,
            Activity::Acked { .. } => Said::Acked,
            Activity::Certified(certificate) => Said::Certified {
                lane: certificate.sequencer.clone(),
                height: certificate.tip.height,
            },
            Activity::Linked(_) | Activity::Evidence(_) | Activity::Entered(_) => return,
        });
    }
}

/// One epoch without end, in which everybody validates and sequences.
struct Forever(Arc<Committee<Nouns>>);

impl Provider<Nouns> for Forever {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns>>> {
        (epoch == 0).then(|| self.0.clone())
    }
}

/// How a node's journal lies on its disk.
pub fn journal_config(node: usize) -> journal::Config<()> {
    let mut config = journal::Config::recommended(format!("lanes-{node}"), ());
    config.page_bytes = page_size(1024);
    config.write_buffer_bytes = NZUsize!(1 << 16);
    config
}

fn genesis() -> Genesis {
    let ahead = 16_384;
    Genesis {
        digest: Sha256::hash(&[b"engine"]),
        // Fifty chunks a second and lane, at most.
        slot_ms: 20,
        window_ms: 60_000,
        in_flight_max: 8,
        lane_ahead_max: Limits {
            chunks: ahead,
            bytes: ahead,
            items: ahead,
        },
        lane_headers_max: 4 * ahead,
        chunk_bytes_max: 1,
        chunk_items_max: 1,
    }
}

/// How a node of a cluster of `nodes` is started.
pub fn config(nodes: u32, strategy: Rayon, automaton: Application) -> Config<Nouns> {
    let keys = Ed25519::identities(0, nodes);
    let genesis = Arc::new(genesis());
    let signers = Ed25519::committee(0, genesis.ack_namespace(), &keys);
    let key = keys[automaton.node].clone();
    let sequencers = keys.iter().map(|key| key.public_key());
    let sequencers = Set::try_from_iter(sequencers).expect("identities are distinct");
    let committee = Committee::new(0, signers.of(&key.public_key()).clone(), sequencers);
    Config {
        genesis,
        key,
        provider: Arc::new(Forever(Arc::new(committee))),
        epoch: 0,
        bounds: Bounds { past: 1, future: 1 },
        reporter: automaton.clone(),
        strategy,
        rebroadcast: Duration::from_millis(100),
        certificate_linger: Duration::from_millis(5),
        certificate_interval: Duration::ZERO,
        priority_proposals: false,
        priority_acks: false,
        mailbox_size: NZUsize!(64),
        journal: journal_config(automaton.node),
        canary: Canary::None,
        automaton,
    }
}

/// Which channels carried urgent messages, and which others.
pub type Urgency = Arc<Mutex<BTreeSet<(&'static str, bool)>>>;

/// A sender that notes the priority of what is sent.
#[derive(Clone, Debug)]
pub struct Noting<S> {
    pub inner: S,
    pub channel: &'static str,
    pub urgency: Urgency,
}

impl<S: LimitedSender> LimitedSender for Noting<S> {
    type PublicKey = S::PublicKey;
    type Checked<'a>
        = Noting<S::Checked<'a>>
    where
        Self: 'a;

    fn check(
        &mut self,
        recipients: Recipients<S::PublicKey>,
    ) -> Result<Self::Checked<'_>, SystemTime> {
        Ok(Noting {
            inner: self.inner.check(recipients)?,
            channel: self.channel,
            urgency: self.urgency.clone(),
        })
    }
}

impl<S: CheckedSender> CheckedSender for Noting<S> {
    type PublicKey = S::PublicKey;

    fn recipients(&self) -> Vec<S::PublicKey> {
        self.inner.recipients()
    }

    fn send(
        self,
        message: impl Into<IoBufs> + Send,
        priority: bool,
    ) -> commonware_actor::Unreliable<commonware_actor::Feedback> {
        self.urgency.lock().insert((self.channel, priority));
        self.inner.send(message, priority)
    }
}
