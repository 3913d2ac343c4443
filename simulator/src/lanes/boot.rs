//! Boots one node: its engine, its doubles, its misbehaviour.

use super::{
    automaton::{Bodies, Library},
    byzantine::{self, Outlet},
    chain::Feed,
    genesis::{Committees, Nouns, World},
    machine::On,
    observation::{Seen, Short},
    options::Role,
    system::{Lanes, Named},
};
use crate::{Observer, Seat, Stop};
use commonware_cryptography::{certificate::Verifier as _, sha256};
use commonware_p2p::Sender as _;
use commonware_parallel::Sequential;
use commonware_runtime::{Quota, deterministic};
use commonware_utils::{NZU32, NZUsize, TestRng, sync::Mutex};
use drystone_engine::{
    Activity, Channels, Config, Engine, Environment, Network, Reporter, Transport, journal,
    scheme::fixture::Fixture,
    types::{Bounds, Certificate, Committee, Evidence, Signed, Tip},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The transport of a simulated node.
pub type Simulated<P> = Channels<
    crate::network::Sender<P, deterministic::Context>,
    crate::network::Receiver<P, deterministic::Context>,
    crate::network::Control<P, deterministic::Context>,
>;

/// Epochs that nodes take part in around their own.
pub const BOUNDS: Bounds = Bounds { past: 1, future: 1 };

/// No limit on what a node may send: the workload is its own.
const QUOTA: Quota = Quota::per_second(NZU32!(u32::MAX));

/// What the nodes of a run share.
pub struct Shared<F: Fixture> {
    pub world: Arc<World<F>>,
    pub library: Arc<Mutex<Library>>,
    /// The engines that run, by node, with their lives.
    pub engines: Arc<Mutex<BTreeMap<usize, Engine<Nouns<F>>>>>,
    /// Certificates that nodes reported since the chain last looked: node, lane, place.
    pub certified: Arc<Mutex<Vec<(usize, usize, Tip)>>>,
    /// The last certificate of each lane that the harness verified: the other nodes report the same one.
    pub genuine: Arc<Mutex<BTreeMap<usize, Arc<Certificate<Nouns<F>>>>>>,
    /// What each node has learned of the chain, kept over its lives.
    pub feeds: Arc<Mutex<Vec<Feed<F>>>>,
    /// Nodes whose directories were initialised. Their operator repeats that until it is done: a crash in the middle of
    /// it is no lost disk.
    pub initialised: Arc<Mutex<BTreeSet<usize>>>,
    /// Seed of the doubles' draws.
    pub seed: u64,
}

impl<F: Fixture> Clone for Shared<F> {
    fn clone(&self) -> Self {
        Self {
            world: self.world.clone(),
            library: self.library.clone(),
            engines: self.engines.clone(),
            certified: self.certified.clone(),
            genuine: self.genuine.clone(),
            feeds: self.feeds.clone(),
            initialised: self.initialised.clone(),
            seed: self.seed,
        }
    }
}

/// Turns activities into observations, and shows own headers to what misbehaves.
pub struct Report<F: Fixture> {
    life: Arc<Reporting<F>>,
}

struct Reporting<F: Fixture> {
    node: usize,
    shared: Shared<F>,
    observer: Observer<Seen>,
    proposed: Option<byzantine::Tap<F>>,
    /// The harness's own view of each epoch met in this life.
    committees: Mutex<BTreeMap<u64, Committee<Nouns<F>>>>,
}

impl<F: Fixture> Clone for Report<F> {
    fn clone(&self) -> Self {
        Self {
            life: self.life.clone(),
        }
    }
}

impl<F: Fixture> Report<F> {
    fn lane(&self, sequencer: &F::PublicKey) -> usize {
        self.life.shared.world.nodes[sequencer]
    }

    /// Whether the harness, which has the scheme but not the engine's code, verifies it too.
    fn genuine(&self, lane: usize, certificate: &Arc<Certificate<Nouns<F>>>) -> bool {
        let mut last = self.life.shared.genuine.lock();
        if last.get(&lane).is_some_and(|it| it == certificate) {
            return true;
        }
        let mut committees = self.life.committees.lock();
        let world = &self.life.shared.world;
        let committee = committees
            .entry(certificate.epoch)
            .or_insert_with(|| world.committee(certificate.epoch, None));
        let subject = drystone_engine::scheme::AckSubject {
            epoch: certificate.epoch,
            sequencer: &certificate.sequencer,
            height: certificate.tip.height,
            slot: certificate.tip.slot,
            digest: &certificate.tip.digest,
        };
        let genuine = committee.scheme().verify_certificate::<_, sha256::Digest>(
            &mut TestRng::new(0),
            subject,
            &certificate.proof,
            &Sequential,
        );
        if genuine {
            last.insert(lane, certificate.clone());
        }
        genuine
    }

    fn locked(&self, header: &Signed<Nouns<F>>) -> Seen {
        let it = header.header();
        Seen::Locked {
            lane: self.lane(&it.sequencer),
            height: it.height,
            slot: it.slot,
            digest: Short::of(&header.digest()),
            previous: Short::of(&it.previous),
            payload: Short::of(&it.payload.digest),
        }
    }
}

impl<F: Fixture> Reporter<Nouns<F>> for Report<F> {
    fn report(&self, activity: Activity<Nouns<F>>) {
        let seen = match &activity {
            Activity::Proposed(header) => {
                if let Some(tap) = &self.life.proposed {
                    tap.show(header.clone());
                }
                Seen::Proposed {
                    lane: self.lane(&header.header().sequencer),
                    height: header.height(),
                    slot: header.header().slot,
                    digest: Short::of(&header.digest()),
                }
            }
            Activity::Tip(header) => self.locked(header),
            Activity::Acked {
                epoch,
                sequencer,
                tip,
            } => Seen::Acked {
                epoch: *epoch,
                lane: self.lane(sequencer),
                height: tip.height,
                slot: tip.slot,
                digest: Short::of(&tip.digest),
            },
            Activity::Certified(certificate) => {
                if let Some(tap) = &self.life.proposed {
                    tap.certified(certificate);
                }
                let lane = self.lane(&certificate.sequencer);
                self.life
                    .shared
                    .certified
                    .lock()
                    .push((self.life.node, lane, certificate.tip));
                Seen::Certified {
                    epoch: certificate.epoch,
                    lane,
                    height: certificate.tip.height,
                    digest: Short::of(&certificate.tip.digest),
                    genuine: self.genuine(lane, certificate),
                }
            }
            Activity::Evidence(evidence) => {
                let world = &self.life.shared.world;
                let committee = match evidence {
                    Evidence::Certified(_, certificate) => {
                        Some(world.committee(certificate.epoch, None))
                    }
                    Evidence::Headers(..) => None,
                };
                let namespace = world.genesis.header_namespace();
                let mut rng = TestRng::new(0);
                Seen::Evidence {
                    lane: self.lane(evidence.sequencer()),
                    height: evidence.height(),
                    genuine: evidence.verify(&namespace, committee.as_ref(), &mut rng, &Sequential),
                }
            }
            Activity::Entered(epoch) => Seen::Entered { epoch: *epoch },
        };
        self.life.observer.report(seen);
    }
}

/// How a node's journal lies on its disk: small pages, since the simulated disk pays by the byte.
pub fn journal_config(partition: &str, section_bytes: u64) -> journal::Config<()> {
    let mut config = journal::Config::recommended(partition, ());
    config.page_bytes = commonware_runtime::buffer::paged::page_size(1024);
    config.write_buffer_bytes = NZUsize!(1 << 16);
    config.section_bytes_max = section_bytes;
    config
}

/// Boots a node of the simulated world and lives as long as its engine.
pub async fn boot<F: Named>(shared: Shared<F>, seat: Seat<Lanes<F>>) -> Result<(), Stop> {
    let open = |channel| seat.network.register(channel, QUOTA);
    let network = Network::<Simulated<F::PublicKey>> {
        headers: open(0),
        acks: open(1),
        gossip: open(2),
        answers: open(3),
        blocker: seat.network.control(),
    };
    let life = Life {
        shared,
        node: seat.node,
        incarnation: seat.incarnation,
        role: seat.role,
        observer: seat.observer,
    };
    life.live("lanes", seat.host, network).await
}

/// One life of one node, to be lived in any world.
pub struct Life<F: Fixture> {
    pub(super) shared: Shared<F>,
    pub(super) node: usize,
    pub(super) incarnation: u32,
    pub(super) role: Role,
    pub(super) observer: Observer<Seen>,
}

impl<F: Fixture> Life<F> {
    /// Lives it, as long as the engine runs, and reports how it ended. The future must be polled by a task spawned from
    /// `context`'s tree, or by its runtime's root: dropping it with that tree is a crash.
    pub async fn run<E, N>(self, partition: &str, context: E, network: Network<N>)
    where
        E: Environment,
        N: Transport<PublicKey = F::PublicKey>,
    {
        let observer = self.observer.clone();
        observer.ended(&self.live(partition, context, network).await);
    }

    async fn live<E, N>(self, partition: &str, context: E, network: Network<N>) -> Result<(), Stop>
    where
        E: Environment,
        N: Transport<PublicKey = F::PublicKey>,
    {
        let Self {
            shared,
            node,
            incarnation,
            role,
            observer,
        } = self;
        let options = shared.world.options.clone();
        let journal = journal_config(partition, options.section_bytes);
        if !shared.initialised.lock().contains(&node) {
            Engine::<Nouns<F>>::initialise(&context, &journal).await?;
            shared.initialised.lock().insert(node);
        }
        let reporter = Report {
            life: Arc::new(Reporting {
                node,
                shared: shared.clone(),
                observer: observer.clone(),
                proposed: byzantine::misbehave(&shared, node, role, outlet(&network)),
                committees: Mutex::default(),
            }),
        };
        let machine = On {
            context: context.child("bodies"),
            start: shared.world.start,
        };
        let automaton = Bodies::<F>::new(
            (node, incarnation, role),
            shared.seed,
            shared.world.clone(),
            shared.library.clone(),
            Box::new(machine),
            observer,
        );
        let epoch = match role {
            Role::ClaimsEpoch { epoch } => epoch,
            _ => shared.feeds.lock()[node].epoch(),
        };
        let config = Config {
            genesis: shared.world.genesis.clone(),
            key: shared.world.keys[node].clone(),
            provider: Arc::new(Committees::new(shared.world.clone(), Some(node))),
            epoch,
            bounds: BOUNDS,
            automaton: automaton.clone(),
            reporter,
            strategy: Sequential,
            rebroadcast: Duration::from_millis(options.rebroadcast_ms),
            certificate_linger: Duration::from_millis(options.linger_ms),
            certificate_interval: Duration::from_millis(options.interval_ms),
            priority_proposals: false,
            priority_acks: false,
            mailbox_size: NZUsize!(64),
            journal,
            canary: options.bug,
        };
        let (engine, handle) = Engine::start(context.child("node"), config, network).await?;
        if options.sequencers.contains(&node) {
            let work = context.child("work");
            work.spawn(move |context| automaton.work(context));
        }
        // The chain's state survives a crash: it is all there when the engine starts.
        shared.feeds.lock()[node].catch_up(&engine);
        shared.engines.lock().insert(node, engine);
        let ended = handle.await;
        shared.engines.lock().remove(&node);
        Ok(ended??)
    }
}

/// What misbehaviour sends with.
fn outlet<N: Transport>(network: &Network<N>) -> Outlet<N::PublicKey> {
    let mut senders: [_; byzantine::CHANNELS] = [
        network.headers.0.clone(),
        network.acks.0.clone(),
        network.gossip.0.clone(),
        network.answers.0.clone(),
    ];
    Box::new(move |channel, to, bytes| {
        senders[channel].send(to, bytes, false);
    })
}
