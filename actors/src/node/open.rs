//! Opens the parts, each once what it needs is there.

use super::{
    Config, Deployment, Network, Nouns, Schemes, Watcher as _,
    epochs::{Epochs, Parties},
    handle::{Error, Node, Tasks},
    mark,
    ports::{Delivery, Headers, Outlets, Progress, Reporter, Shelf, Transactions},
    step::Step,
};
use crate::{
    application::Gate,
    block::Bounds,
    builder, certificate_pool, chain,
    chunk_store::{self, Executed},
    claims, executor,
    lane::{self, Owner, Reports},
    mempool,
    orderer::{Orderer as _, simplex},
    relay, runs,
    state::State,
};
use drystone_engine::{Engine, Environment, Transport};
use std::sync::{Arc, OnceLock};

/// Opens and starts every part, as a child of the context.
pub(super) async fn open<E, N, D>(
    context: &E,
    config: Config<D>,
    network: Network<N>,
) -> Result<(Node<D>, Tasks), Error>
where
    E: Environment,
    N: Transport<PublicKey = D::PublicKey>,
    D: Deployment,
{
    config.check();
    let Config {
        key,
        application,
        admission,
        watcher,
        voters,
        elector,
        signers,
        genesis,
        validators_max,
        lanes_max,
        lanes,
        mempool: mempool_config,
        builder: builder_config,
        store: store_config,
        relay: relay_config,
        pool: pool_config,
        chain: chain_config,
        orderer: settings,
        state: state_config,
        executor: executor_config,
        runs: runs_config,
        claims_repeat_ms,
        followers,
        retention_blocks,
    } = config;
    let (me, parameters) = (chain_config.me.clone(), chain_config.parameters.clone());
    let (provider, strategy) = (chain_config.provider.clone(), chain_config.strategy.clone());

    // What was executed.
    let partition = state_config.partition.clone();
    let state = State::open(context.child("state"), state_config, strategy.clone()).await?;
    let has_state = state.head().is_some();
    mark::check(
        context.child("mark"),
        &partition,
        genesis.digest(),
        has_state,
    )
    .await?;
    if !has_state {
        let found = executor::root(&state, &parameters.genesis, &application).await?;
        let expected = genesis.executed.root;
        if found != expected {
            return Err(Error::Genesis { expected, found });
        }
    }
    let reader = state.reader();
    let (height, executed_ms) = state.head().map_or((0, 0), |it| (it.height, it.time_ms));
    watcher.opened(height);
    let included = state.lanes::<D::PublicKey>().await?.into_iter();
    let executed = Executed {
        height,
        time_ms: executed_ms,
        lanes: included.map(|(lane, it)| (lane, it.height)).collect(),
    };
    let gate = Gate::new(application.clone(), reader.clone());

    // Mailboxes come first: the parts know each other.
    let (mempool, mempool_inbox) =
        mempool::mailbox::<_, Nouns<D>>(&context.child("mempool"), &mempool_config, gate.clone());
    let (builder, builder_inbox) =
        builder::mailbox(&context.child("builder"), mempool_config.mailbox_size);
    let (relay, relay_inbox) = relay::mailbox(&context.child("relay"), &relay_config);
    let (chain, chain_inbox) = chain::mailbox(&context.child("chain"), &chain_config);
    let (executor, executor_inbox) = executor::mailbox(context.child("executor"), &executor_config);
    let (engine_cell, orderer_cell) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));

    // Bodies.
    let outlets = Outlets::<D> {
        inner: lane::Outlets {
            genesis: parameters.genesis.clone(),
            relay: relay.clone(),
            mempool: mempool.clone(),
            engine: engine_cell.clone(),
        },
        watcher: watcher.clone(),
    };
    let (store_actor, store) = chunk_store::open::<_, Nouns<D>>(
        context.child("store"),
        store_config,
        executed,
        gate.clone(),
        strategy.clone(),
        outlets,
    )
    .await?;
    let store_task = store_actor.start();
    let (pool_actor, pool) =
        certificate_pool::Actor::<_, Nouns<D>>::new(context.child("pool"), pool_config);
    let relay_actor = relay::Actor::<_, N, _>::new(
        context.child("relay"),
        relay_config,
        relay_inbox,
        network.bodies,
        store.clone(),
        strategy.clone(),
    );
    let mempool_actor = mempool::Actor::<_, N, Nouns<D>>::new(
        context.child("mempool"),
        mempool_config,
        mempool::Start {
            me: me.clone(),
            // Before the first block it is the genesis's time.
            chain_ms: executed_ms.max(genesis.timestamp_ms),
        },
        mempool::Application {
            rules: gate.clone(),
            admission,
            observer: Transactions(watcher.clone()),
        },
        mempool_inbox,
        mempool::Peers {
            channel: network.transactions,
            blocker: network.blocker.clone(),
        },
        builder.clone(),
    );
    let builder_actor = builder::Actor::<_, Nouns<D>>::new(
        context.child("builder"),
        builder_config,
        builder_inbox,
        mempool.clone(),
        Shelf {
            store: store.clone(),
            watcher: watcher.clone(),
        },
    );
    let mut parts = vec![
        pool_actor.start(),
        relay_actor.start(),
        mempool_actor.start(),
        builder_actor.start(),
    ];

    // Lanes.
    let epoch = parameters.epoch(height + 1);
    let automaton = Owner {
        proposer: builder,
        store: store.clone(),
        relay: relay.clone(),
    };
    let reporter = Reporter {
        inner: Reports {
            mempool: mempool.clone(),
            pool: pool.clone(),
            store: store.clone(),
            relay: relay.clone(),
            signers,
        },
        chain: chain.clone(),
        watcher: watcher.clone(),
    };
    let engine_config = lanes.engine(key, epoch, &chain_config, automaton, reporter);
    let (engine, engine_task) =
        Engine::start(context.child("lanes"), engine_config, network.lanes).await?;
    assert!(engine_cell.set(engine.clone()).is_ok(), "set once");
    let schemes = Schemes::<D> {
        voters,
        muted_until: engine.muted_until(),
    };
    let (runs_actor, runs) = runs::Actor::<_, N, Nouns<D>>::new(
        context.child("runs"),
        runs_config,
        network.runs,
        network.blocker.clone(),
        engine.clone(),
        executor.clone(),
    );
    parts.push(runs_actor.start());
    let epochs = Epochs::enter(
        epoch,
        Parties {
            me: me.clone(),
            parameters: parameters.clone(),
            provider: provider.clone(),
            engine: engine.clone(),
            relay: relay.clone(),
            runs: runs.clone(),
            mempool: mempool.clone(),
            followers,
        },
    );

    // Execution.
    let (claims_actor, claims) = claims::Actor::<_, N, _>::new(
        context.child("claims"),
        claims_repeat_ms,
        chain_config.mailbox_size,
        network.claims,
        network.blocker,
        chain.clone(),
    );
    let step = Step::new(parameters.execution_lag_max, mempool.clone());
    let progress = Progress::<D> {
        engine: engine.clone(),
        store: store.clone(),
        pool: pool.clone(),
        chain: chain.clone(),
        claims,
        mempool: mempool.clone(),
        step: step.clone(),
        watcher: watcher.clone(),
        orderer: orderer_cell.clone(),
        retention_blocks,
    };
    let executor_actor = executor::open::<_, Nouns<D>>(
        context.child("executor"),
        executor_config,
        state,
        application,
        executor::Ports {
            lanes: runs,
            store: store.clone(),
            fetcher: relay.clone(),
            outlets: progress,
        },
        executor_inbox,
    )
    .await?;
    let newest = executor
        .progress()
        .newest()
        .expect("told when it was opened");
    let head = newest.head;
    let executor_task = executor_actor.start();
    parts.push(claims_actor.start());

    // Blocks.
    let start = chain::Start {
        table: chain::Table {
            height: head.height,
            // The state of height 0 is there before the block that names it.
            digest: if head.height == 0 {
                genesis.digest()
            } else {
                head.digest
            },
            lanes: newest.lanes,
        },
        roots: newest.roots.as_ref().clone(),
    };
    let empty_gap_ms = chain_config.empty_gap_ms;
    let chain_actor = chain::Actor::new(
        context.child("chain"),
        chain_config,
        start,
        chain_inbox,
        pool,
        Headers {
            engine,
            watcher: watcher.clone(),
        },
    );
    parts.push(chain_actor.start());
    let bounds = Bounds {
        provider: provider.clone(),
        validators_max,
        lanes_max,
    };
    let orderer_config = simplex::Config {
        me,
        provider,
        schemes,
        elector,
        strategy,
        genesis,
        bounds,
        epoch_blocks: parameters.epoch_blocks,
        settings,
        empty_gap_ms,
    };
    let delivery = Delivery {
        executor: executor.clone(),
        epochs: epochs.clone(),
        step: step.clone(),
        watcher,
    };
    let (orderer, orderer_task) = simplex::start(
        context.child("orderer"),
        orderer_config,
        network.orderer,
        parameters.genesis.clone(),
        chain,
        delivery,
    )
    .await?;
    assert!(orderer_cell.set(orderer.clone()).is_ok(), "set once");
    step.began(orderer.newest().await.unwrap_or(0));
    parts.push(orderer_task);

    let tasks = Tasks {
        engine: engine_task,
        store: store_task,
        executor: executor_task,
        parts,
    };
    let node = Node {
        mempool,
        store,
        relay,
        executor,
        orderer,
        gate,
        state: reader,
        epochs,
        step,
    };
    Ok((node, tasks))
}
