//! Boots one node: the deployed actors, the doubles around them, its misbehaviour.

use super::{
    byzantine::{Liar, Owner, Packer, Spammer, Tap},
    configs::{mempool_config, relay_config, store_config},
    door::Door,
    executor::Executor,
    genesis::{Key, Nouns},
    options::Role,
    payment::{Charges, Till},
    report::{Hints, Mempool, Outlets, Report, Reporting, Shelf},
    shared::{Running, Shared, asked},
    system::Chunks,
};
use crate::{
    Seat, Stop,
    draw::Draw,
    lanes::{BOUNDS, Committees, QUOTA, Simulated, Witness, journal_config},
};
use commonware_parallel::Sequential;
use commonware_runtime::{Spawner as _, Supervisor as _};
use commonware_utils::{NZUsize, channel::mpsc, sync::Mutex};
use drystone_actors::{
    builder, certificate_pool,
    chunk::Limits as ChunkLimits,
    chunk_store,
    lane::{self, Reports, Unattributed},
    mempool::{self, Application, Peers, Start},
    relay,
};
use drystone_engine::{Config, Engine, Network};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Boots a node and lives as long as its engine and its chunk store.
pub async fn boot(shared: Shared, seat: Seat<Chunks>) -> Result<(), Stop> {
    let Seat {
        node,
        incarnation,
        key: me,
        role,
        host,
        network,
        observer,
    } = seat;
    let (options, world) = (shared.options.clone(), shared.world.clone());
    let honest = role == Role::Honest;
    let (epoch, told, ledger) = {
        let feed = &shared.feeds.lock()[node];
        (feed.epoch, feed.finalized.subscribe(), feed.ledger.clone())
    };
    let executed = shared.executed(&ledger.lock());
    let open = |channel| network.register(channel, QUOTA);
    let rules = Till {
        ledger: ledger.clone(),
    };

    let relaying = relay_config(&options, &world.genesis, &me);
    let (relay, relay_inbox) = relay::mailbox(&host, &relaying);
    let pooling = mempool_config(&options);
    let (mempool, mempool_inbox) =
        mempool::mailbox::<_, Nouns>(&host.child("mempool"), &pooling, rules.clone());
    let (builder, builder_inbox) = builder::mailbox(&host.child("builder"), NZUsize!(64));
    let engine = Arc::new(OnceLock::new());
    let outlets = Outlets {
        world: world.clone(),
        observer: observer.clone(),
        inner: lane::Outlets {
            genesis: world.genesis.clone(),
            relay: relay.clone(),
            mempool: mempool.clone(),
            engine: engine.clone(),
        },
    };
    let (store_actor, store) = chunk_store::open::<_, Nouns>(
        host.child("store"),
        store_config(&options, &world.genesis, &me, role),
        executed.clone(),
        rules.clone(),
        Sequential,
        outlets,
    )
    .await?;
    let certificates = certificate_pool::Config {
        genesis: world.genesis.clone(),
        certificates_max: options.certificates_max,
        mailbox_size: NZUsize!(64),
        canary: options.bug,
    };
    let (pool_actor, pool) =
        certificate_pool::Actor::<_, Nouns>::new(host.child("pool"), certificates);

    let journal = journal_config("lanes", world.options.section_bytes);
    if !shared.initialised.lock().contains(&node) {
        Engine::<Nouns>::initialise(&host, &journal).await?;
        shared.initialised.lock().insert(node);
    }
    let (made, making) = mpsc::unbounded_channel();
    let committees = Arc::new(Committees::new(world.clone(), Some(node)));
    let promises = shared.feeds.lock()[node].promises.clone();
    let reporter = Report::new(Reporting {
        witness: Witness::new(world.clone(), shared.newest.clone()),
        world: world.clone(),
        me: me.clone(),
        observer: observer.clone(),
        headers: shared.headers.clone(),
        certified: shared.certified.clone(),
        promises,
        inner: Reports {
            mempool: mempool.clone(),
            pool: pool.clone(),
            store: store.clone(),
            relay: relay.clone(),
            signers: if options.unattributed {
                Hints::Nobody(Unattributed)
            } else {
                Hints::Bits(committees.clone())
            },
        },
        tap: (!honest).then_some(Tap { made }),
    });
    let proposer = if role == Role::Spams {
        Packer::Spammer(Spammer {
            node: node as u16,
            world: world.clone(),
            host: Arc::new(Mutex::new(host.child("spam"))),
            store: store.clone(),
        })
    } else {
        Packer::Builder(builder.clone())
    };
    let automaton = Owner {
        inner: lane::Owner {
            proposer,
            store: store.clone(),
            relay: relay.clone(),
        },
        me: (!honest).then(|| me.clone()),
    };
    let lanes = &world.options;
    let config = Config {
        genesis: world.genesis.clone(),
        key: world.keys[node].clone(),
        provider: committees,
        epoch,
        bounds: BOUNDS,
        automaton,
        reporter,
        strategy: Sequential,
        rebroadcast: Duration::from_millis(lanes.rebroadcast_ms),
        certificate_linger: Duration::from_millis(lanes.linger_ms),
        certificate_interval: Duration::from_millis(lanes.interval_ms),
        priority_proposals: lanes.priority_proposals,
        priority_acks: lanes.priority_acks,
        mailbox_size: NZUsize!(64),
        journal,
        canary: lanes.bug,
    };
    let lane_network = Network::<Simulated<Key>> {
        headers: open(0),
        acks: open(1),
        gossip: open(2),
        answers: open(3),
        blocker: network.control(),
    };
    let (requests, bodies, gossip) = (open(4), open(5), open(6));
    let store_handle = store_actor.start();
    if incarnation > 0 {
        for reference in shared.promised(node) {
            // A node whose disk fails now has nothing to say.
            if let Ok(found) = store.get(reference.clone(), None).await {
                observer.report(asked(&world, &reference, &found));
            }
        }
    }
    pool_actor.start();
    if honest {
        let actor = relay::Actor::<_, Simulated<Key>, _>::new(
            host.child("relay"),
            relaying,
            relay_inbox,
            relay::Network {
                requests,
                bodies,
                blocker: network.control(),
            },
            store.clone(),
            Sequential,
        );
        actor.start();
    } else {
        let liar = Liar {
            role,
            node,
            world: world.clone(),
            draw: Draw::new(shared.seed).split("liar").split_at(node as u64),
            made: making,
            requests,
            bodies,
            gossip: gossip.0.clone(),
            store: store.clone(),
        };
        host.child("liar").spawn(move |host| liar.run(host));
    }
    let mempool_actor = mempool::Actor::<_, Simulated<Key>, Nouns>::new(
        host.child("mempool"),
        pooling,
        Start {
            me: me.clone(),
            chain_ms: executed.time_ms,
        },
        Application {
            rules,
            admission: Charges::default(),
            observer: Mempool {
                observer: observer.clone(),
                payments: shared.payments.clone(),
            },
        },
        mempool_inbox,
        Peers {
            channel: gossip,
            blocker: network.control(),
        },
        builder,
    );
    mempool_actor.start();
    mempool.entered(shared.members(node));
    mempool.blocks_only(false);
    let packing = builder::Config {
        me: me.clone(),
        genesis: world.genesis.clone(),
        chunk: ChunkLimits::from(&*world.genesis),
        seal_ms: if options.packs {
            options.seal_ms
        } else {
            u64::MAX
        },
        retry_ms: 50,
        canary: options.bug,
    };
    let builder_actor = builder::Actor::<_, Nouns>::new(
        host.child("builder"),
        packing,
        builder_inbox,
        mempool.clone(),
        Shelf {
            observer: observer.clone(),
            store: store.clone(),
        },
    );
    builder_actor.start();

    let (running, engine_handle) = Engine::start(host.child("lanes"), config, lane_network).await?;
    assert!(engine.set(running.clone()).is_ok(), "set once");
    let (door, asks) = mpsc::unbounded_channel();
    let running = Running {
        engine: running,
        store: store.clone(),
        pool: pool.clone(),
        relay: relay.clone(),
        door,
    };
    // The chain's state survives a crash: it is all there when the node starts.
    let epoch = shared.feeds.lock()[node].epoch;
    let horizon = shared.horizon(*told.borrow(), executed.height);
    shared.enter(&running, epoch);
    running.pool.advanced(horizon.clone());
    running.store.advanced(horizon.clone());
    running.engine.advanced(horizon);
    let executor = Executor {
        world: world.clone(),
        observer: observer.clone(),
        ledger,
        blocks: shared.blocks.clone(),
        told,
        engine: running.engine.clone(),
        store: store.clone(),
        relay: relay.clone(),
        pool: pool.clone(),
        mempool: mempool.clone(),
    };
    host.child("executor").spawn(move |host| executor.run(host));
    let door = Door {
        world,
        observer,
        asks,
        picked: shared.picked.clone(),
        mempool,
        pool,
        store,
        relay,
    };
    host.child("door").spawn(move |_| door.run());
    shared.running.lock().insert(node, running);
    let ended = commonware_macros::select! {
        ended = engine_handle => Ok(ended??),
        ended = store_handle => Ok(ended??),
    };
    shared.running.lock().remove(&node);
    ended
}
