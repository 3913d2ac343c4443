//! Four nodes with their engines, their stores and relays, over a simulated network: chunks with real bodies.

mod nouns;

use super::{Outlets, Owner, Reports};
use crate::{
    Canary,
    certificate_pool::{self, Candidate, Selection},
    chunk_store::{self, Disk, Executed, Found, Limits, open},
    reference::Reference,
    relay,
    testing::{
        Key, Letters, World,
        network::{self, Sim},
    },
};
use commonware_p2p::simulated::{Control, Link, Oracle};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Quota, Runner as _, Supervisor as _,
    deterministic::{self, Context},
};
use commonware_utils::{NZU32, NZU64, NZUsize, probability};
use drystone_engine::{
    Channel, Config, Engine, Horizon, Network, alarm, journal,
    types::{Bounds, Header},
};
use nouns::{Bits, Book, Nouns, Seats, Writer};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

struct Node {
    engine: Engine<Nouns>,
    store: chunk_store::Mailbox<Key>,
    relay: relay::Mailbox<Key>,
    pool: certificate_pool::Mailbox<Nouns>,
    book: Book,
}

async fn channel(control: &Control<Key, Context>, number: u64) -> Channel<Sim> {
    let quota = Quota::per_second(NZU32!(100_000));
    control.register(number, quota).await.expect("registered")
}

async fn start(
    context: &Context,
    oracle: &Oracle<Key, Context>,
    world: &World,
    who: usize,
) -> Node {
    let context = context.child("node").with_attribute("index", who);
    let control = oracle.control(world.key(who));
    let genesis = &world.genesis;
    let relaying = relay::Config {
        genesis: genesis.clone(),
        me: world.key(who),
        patience_ms: 100,
        timeout_ms: 100,
        backoff_min_ms: 100,
        backoff_max_ms: 1_000,
        asking_max: 64,
        serving: relay::Rate {
            bytes_per_second: NZU64!(1_000_000),
            burst_bytes: 1_000_000,
        },
        pushed: relay::Rate {
            bytes_per_second: NZU64!(1_000_000),
            burst_bytes: 1_000_000,
        },
        requests_max: 64,
        reading_max: 8,
        opening_max: 8,
        mailbox_size: NZUsize!(64),
        canary: Canary::None,
    };
    let (relay, inbox) = relay::mailbox(&context, &relaying);
    let engine = Arc::new(OnceLock::new());
    let book = Book::default();
    let outlets = Outlets {
        genesis: genesis.clone(),
        mempool: book.clone(),
        relay: relay.clone(),
        engine: engine.clone(),
    };
    let storing = chunk_store::Config {
        genesis: genesis.clone(),
        me: world.key(who),
        limits: Limits::recommended(genesis),
        recent_bytes_max: 1 << 20,
        bucket_ms: NZU64!(500),
        retention_blocks: 10,
        mailbox_size: NZUsize!(64),
        disk: Disk::recommended(format!("node-{who}-chunks")),
        canary: Canary::None,
    };
    let (actor, store) = open::<_, Nouns>(
        context.child("store"),
        storing,
        Executed::default(),
        Letters,
        Sequential,
        outlets,
    )
    .await
    .expect("a new disk");
    actor.start();
    let network = relay::Network {
        requests: channel(&control, 4).await,
        bodies: channel(&control, 5).await,
        blocker: control.clone(),
    };
    let actor = relay::Actor::<_, Sim, _>::new(
        context.child("relay"),
        relaying,
        inbox,
        network,
        store.clone(),
        Sequential,
    );
    actor.start();
    let keys = |count| (0..count).map(|it| world.key(it)).collect();
    relay.entered(keys(4), keys(4));
    let pooling = certificate_pool::Config {
        genesis: genesis.clone(),
        certificates_max: 4,
        mailbox_size: NZUsize!(64),
        canary: Canary::None,
    };
    let (actor, pool) = certificate_pool::Actor::<_, Nouns>::new(context.child("pool"), pooling);
    actor.start();

    let committee = Arc::new(world.seats::<Nouns>(who, 0));
    let proposer = Writer {
        store: store.clone(),
        context: Arc::new(context.child("proposer")),
        who: who as u64,
    };
    let journal = journal::Config::recommended(format!("node-{who}-journal"), ());
    Engine::<Nouns>::initialise(&context, &journal)
        .await
        .expect("a new disk");
    let config = Config {
        genesis: genesis.clone(),
        key: world.keys[who].clone(),
        provider: Arc::new(Seats(committee.clone())),
        epoch: 0,
        bounds: Bounds { past: 1, future: 1 },
        automaton: Owner {
            proposer,
            store: store.clone(),
            relay: relay.clone(),
        },
        reporter: Reports {
            mempool: book.clone(),
            pool: pool.clone(),
            store: store.clone(),
            relay: relay.clone(),
            signers: Bits(committee),
        },
        strategy: Sequential,
        rebroadcast: Duration::from_millis(200),
        certificate_linger: Duration::from_millis(5),
        certificate_interval: Duration::from_millis(20),
        priority_proposals: true,
        priority_acks: true,
        mailbox_size: NZUsize!(64),
        journal,
        canary: drystone_engine::Canary::None,
    };
    let network = Network::<Sim> {
        headers: channel(&control, 0).await,
        acks: channel(&control, 1).await,
        gossip: channel(&control, 2).await,
        answers: channel(&control, 3).await,
        blocker: control,
    };
    let started = Engine::start(context.child("engine"), config, network).await;
    let (running, _) = started.expect("a sound start");
    assert!(engine.set(running.clone()).is_ok(), "set once");
    Node {
        engine: running,
        store,
        relay,
        pool,
        book,
    }
}

/// Links everybody: about 10 ms, and one message in fifty is lost.
async fn connect(context: &Context, world: &World) -> Oracle<Key, Context> {
    let link = Link {
        latency: Duration::from_millis(10),
        jitter: Duration::from_millis(2),
        success_rate: probability!(0.98),
    };
    network::connect(context, world, 4, 1 << 20, link).await
}

/// Includes and executes what one node's pool hands out, and tells all nodes.
async fn include(nodes: &[Node], now_ms: u64, turn: usize) -> Vec<Candidate<Nouns>> {
    let selection = Selection {
        at_ms: now_ms,
        epoch: 0,
        ancestors: BTreeMap::new(),
    };
    let pool = &nodes[turn % nodes.len()].pool;
    let candidates = pool.select(selection).await.expect("a pool");
    let tips: BTreeMap<_, _> = candidates
        .iter()
        .map(|it| (it.certificate.sequencer.clone(), it.certificate.tip))
        .collect();
    let horizon = Horizon {
        finalized_ms: now_ms,
        executed_ms: now_ms,
        included: tips.clone(),
        executed: tips,
    };
    for node in nodes {
        node.pool.advanced(horizon.clone());
        node.store.advanced(horizon.clone());
        node.engine.advanced(horizon.clone());
    }
    candidates
}

async fn found(node: &Node, header: &Header<Key>) -> bool {
    let found = node.store.get(Reference::from(header), None).await;
    matches!(found, Ok(Found::Body(_)))
}

// D-12, D-22
#[test]
fn certified_chunks_have_their_bodies_with_a_quorum_and_anyone_can_fetch_them() {
    for seed in 0..3 {
        let config = deterministic::Config::new()
            .with_seed(seed)
            .with_cycle(Duration::from_micros(50))
            .with_timeout(Some(Duration::from_secs(60)));
        deterministic::Runner::new(config).start(|context| async move {
            let world = World::new();
            context.sleep(Duration::from_millis(10_000)).await;
            let oracle = connect(&context, &world).await;
            let mut nodes = Vec::new();
            for who in 0..4 {
                nodes.push(start(&context, &oracle, &world, who).await);
            }
            let mut chunks = 0;
            let mut lanes = BTreeMap::new();
            for turn in 0..30 {
                context.sleep(Duration::from_millis(50)).await;
                let now_ms = alarm::now_ms(&context);
                for candidate in include(&nodes, now_ms, turn).await {
                    chunks += candidate.live.chunks;
                    let header = candidate.header.header();
                    *lanes.entry(header.sequencer.clone()).or_insert(0_u64) += 1;
                    let mut here = 0;
                    for node in &nodes {
                        here += usize::from(found(node, header).await);
                    }
                    assert!(
                        here >= 3,
                        "only {here} nodes have the body at height {}",
                        header.height
                    );
                    let fetched = nodes[turn % 4]
                        .relay
                        .fetch(Reference::from(header), 1)
                        .await;
                    assert_eq!(
                        fetched.expect("a relay").expect("a chunk").payload(),
                        header.payload
                    );
                }
            }
            assert_eq!(lanes.len(), 4, "every lane was included");
            for node in &nodes {
                let sighted = node.book.sighted.lock().len();
                assert!(
                    sighted > 60,
                    "{sighted} transactions of others were sighted"
                );
                assert_eq!(node.book.certified.lock().len(), 4, "of every lane");
            }
            assert!(chunks > 100, "{chunks} chunks were certified and included");
        });
    }
}
