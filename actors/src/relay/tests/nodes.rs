//! Whole relays with their chunk stores, over a simulated network.

use super::{ME, config};
use crate::{
    Bodies as _, Canary,
    chunk::Chunk,
    chunk_store::{self, Disk, Executed, Limits, Outlets},
    reference::Reference,
    relay::{Actor, Answer, Mailbox, Network, Parcel, Request, mailbox, message_size_max},
    testing::{
        Key, Letters, World, chunk,
        network::{self, Sim},
    },
};
use commonware_p2p::{
    Receiver as _, Recipients, Sender as _,
    simulated::{Link, Oracle},
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Metrics as _, Quota, Runner as _, Spawner as _, Supervisor as _,
    deterministic::{self, Context},
};
use commonware_utils::{NZU32, NZUsize, probability};
use drystone_engine::{
    Judgement, Verdict,
    types::{Digest, Header},
};
use std::time::Duration;

/// What the chunk store tells goes to the relay.
struct ToRelay(Mailbox<Key>);

impl Outlets<Key> for ToRelay {
    fn want(&mut self, reference: &Reference<Key>) {
        self.0.want(reference.clone());
    }

    fn settle(&mut self, reference: &Reference<Key>) {
        self.0.settle(reference.clone());
    }

    fn sighted(&mut self, _: &Reference<Key>, _: Vec<Digest>) {}

    fn stir(&mut self) {}
}

/// The nouns of these tests.
struct Nouns;

impl chunk_store::Types for Nouns {
    type PublicKey = Key;
    type Rules = Letters;
    type Strategy = Sequential;
    type Outlets = ToRelay;
}

struct Node {
    relay: Mailbox<Key>,
    store: chunk_store::Mailbox<Key>,
}

impl Node {
    /// The header is locked here.
    async fn judge(&self, header: &Header<Key>) -> Verdict {
        let Judgement::Later(verdict) = self.store.judge(header) else {
            panic!("the store answers later");
        };
        verdict.await.unwrap_or(Verdict::Pending)
    }
}

/// Links everybody: 10 ms.
async fn connect(context: &Context, world: &World) -> Oracle<Key, Context> {
    let size_max = message_size_max::<Key>(&world.genesis);
    let link = Link {
        latency: Duration::from_millis(10),
        jitter: Duration::ZERO,
        success_rate: probability!(1.0),
    };
    network::connect(
        context,
        world,
        5,
        u32::try_from(size_max).expect("small"),
        link,
    )
    .await
}

async fn channels(oracle: &Oracle<Key, Context>, world: &World, who: usize) -> Network<Sim> {
    let quota = Quota::per_second(NZU32!(10_000));
    let control = oracle.control(world.key(who));
    Network {
        requests: control.register(0, quota).await.expect("registered"),
        bodies: control.register(1, quota).await.expect("registered"),
        blocker: control,
    }
}

async fn start(
    context: &Context,
    oracle: &Oracle<Key, Context>,
    world: &World,
    who: usize,
) -> Node {
    let context = context.child("node").with_attribute("index", who);
    let network = channels(oracle, world, who).await;
    let config = super::Config {
        me: world.key(who),
        ..config(world)
    };
    let (relay, inbox) = mailbox(&context, &config);
    let store = chunk_store::Config {
        genesis: world.genesis.clone(),
        me: world.key(who),
        limits: Limits::recommended(&world.genesis),
        recent_bytes_max: 1 << 20,
        bucket_ms: commonware_utils::NZU64!(1_000),
        retention_blocks: 10,
        mailbox_size: NZUsize!(16),
        disk: Disk::recommended(format!("node-{who}")),
        canary: Canary::None,
    };
    let (actor, store) = chunk_store::open::<_, Nouns>(
        context.child("store"),
        store,
        Executed::default(),
        Letters,
        Sequential,
        ToRelay(relay.clone()),
    )
    .await
    .expect("a new disk");
    actor.start();
    let actor = Actor::<_, Sim, _>::new(
        context.child("relay"),
        config,
        inbox,
        network,
        store.clone(),
        Sequential,
    );
    actor.start();
    let keys = |count| (0..count).map(|it| world.key(it)).collect();
    relay.entered(keys(4), keys(5));
    Node { relay, store }
}

/// A chunk of `who`, durable there.
async fn pack(
    context: &Context,
    world: &World,
    node: &mut Node,
    who: usize,
    height: u64,
) -> (Header<Key>, Chunk) {
    let body = chunk(height, 700);
    assert!(node.store.persist(body.clone()).await.is_ok());
    let header = Header {
        sequencer: world.key(who),
        height,
        slot: u64::try_from(
            context
                .current()
                .duration_since(std::time::UNIX_EPOCH)
                .expect("later")
                .as_millis(),
        )
        .expect("soon"),
        previous: Digest::from([0; 32]),
        payload: body.payload(),
    };
    (header, body)
}

fn runner(seed: u64) -> deterministic::Runner {
    deterministic::Runner::new(
        deterministic::Config::new()
            .with_seed(seed)
            .with_cycle(Duration::from_micros(10))
            .with_timeout(Some(Duration::from_secs(60))),
    )
}

fn now_ms(context: &Context) -> u128 {
    context
        .current()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("later")
        .as_millis()
}

// D-12, D-23
#[test]
fn a_pushed_body_is_valid_everywhere_one_hop_after_its_header() {
    runner(1).start(|context| async move {
        let world = World::new();
        let oracle = connect(&context, &world).await;
        let mut nodes = Vec::new();
        for who in 0..4 {
            nodes.push(start(&context, &oracle, &world, who).await);
        }
        context.sleep(Duration::from_millis(100)).await;
        let (header, body) = pack(&context, &world, &mut nodes[0], 0, 1).await;
        let began_ms = now_ms(&context);
        nodes[0].relay.relay(&header);
        // One node's header comes before the body, another's after it.
        assert_eq!(nodes[0].judge(&header).await, Verdict::Valid);
        assert_eq!(nodes[1].judge(&header).await, Verdict::Valid);
        context.sleep(Duration::from_millis(30)).await;
        assert_eq!(nodes[2].judge(&header).await, Verdict::Valid);
        assert!(now_ms(&context) - began_ms < 50, "no patience was needed");
        let found = nodes[2].store.get(Reference::from(&header), None).await;
        assert_eq!(found, Ok(chunk_store::Found::Body(body.body().clone())));
    });
}

// D-43, R-12
#[test]
fn a_body_that_was_withheld_is_fetched_from_who_has_it() {
    runner(2).start(|context| async move {
        let world = World::new();
        let oracle = connect(&context, &world).await;
        let mut nodes = Vec::new();
        for who in 0..4 {
            nodes.push(start(&context, &oracle, &world, who).await);
        }
        context.sleep(Duration::from_millis(100)).await;
        // Node 0 gives its body to node 1 only, and is gone.
        let (header, body) = pack(&context, &world, &mut nodes[0], 0, 1).await;
        let reference = Reference::from(&header);
        nodes[1]
            .store
            .arrived(reference.clone(), Ok(body.clone()), true);
        assert_eq!(nodes[1].judge(&header).await, Verdict::Valid);
        for other in 1..4 {
            oracle
                .remove_link(world.key(0), world.key(other))
                .await
                .expect("linked");
        }
        // Without any word who has it, the sequencer is asked in vain, then anyone.
        assert_eq!(nodes[2].judge(&header).await, Verdict::Valid);
        // The certificate says who signed.
        let signers = [0, 1, 2].map(|it| world.key(it)).to_vec();
        nodes[3].relay.certified(world.key(0), 5, signers);
        let fetched = nodes[3]
            .relay
            .fetch(reference.clone(), 1)
            .await
            .expect("found");
        assert_eq!(fetched.expect("a good chunk").body(), body.body());

        // Nobody has this one: the fetch goes on until it is cancelled, or until nobody waits.
        let mut lost = reference.clone();
        lost.place.digest = Digest::from([9; 32]);
        let waiting = nodes[3].relay.fetch(lost.clone(), 1);
        let abandoned = nodes[3].relay.fetch(reference, 1);
        drop(abandoned);
        context.sleep(Duration::from_secs(5)).await;
        nodes[3].relay.cancel(lost);
        assert!(waiting.await.is_err());
    });
}

/// Bodies that all relays look for.
fn wants(context: &Context) -> u64 {
    let metrics = context.encode();
    let gauges = metrics.lines().filter(|it| it.contains("relay_wants"));
    gauges
        .filter_map(|it| it.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

//
#[test]
fn a_fetch_ends_with_the_last_who_waits_for_it() {
    runner(3).start(|context| async move {
        let world = World::new();
        let oracle = connect(&context, &world).await;
        let mut holder = start(&context, &oracle, &world, 0).await;
        let asker = start(&context, &oracle, &world, 3).await;
        context.sleep(Duration::from_millis(100)).await;
        let (header, _) = pack(&context, &world, &mut holder, 0, 1).await;
        let mut lost = Reference::from(&header);
        lost.place.digest = Digest::from([9; 32]);
        let (abandoned, waiting) = (
            asker.relay.fetch(lost.clone(), 1),
            asker.relay.fetch(lost, 1),
        );
        drop(abandoned);
        context.sleep(Duration::from_secs(5)).await;
        assert_eq!(wants(&context), 1, "one waits still");
        drop(waiting);
        context.sleep(Duration::from_secs(5)).await;
        assert_eq!(wants(&context), 0);
    });
}

//
#[test]
fn a_liar_is_cut_off_and_the_body_comes_from_another() {
    for seed in 0..8 {
        runner(seed).start(|context| async move {
            let world = World::new();
            let oracle = connect(&context, &world).await;
            let mut honest = start(&context, &oracle, &world, 0).await;
            let victim = start(&context, &oracle, &world, 2).await;
            // Node 1 answers everything with a chunk that is valid, and another.
            let mut liar = channels(&oracle, &world, 1).await;
            let genesis = world.genesis.clone();
            context.child("liar").spawn(move |_| async move {
                while let Ok((from, message)) = liar.requests.1.recv().await {
                    let request = Request::<Key>::decode(message, &genesis).expect("honest");
                    let parcel = Parcel {
                        reference: request.reference,
                        answer: Answer::Body(chunk(66, 700).body().clone()),
                        pushed: false,
                    };
                    liar.bodies
                        .0
                        .send(Recipients::One(from), parcel.encode(), false);
                }
            });
            context.sleep(Duration::from_millis(100)).await;
            let (header, _) = pack(&context, &world, &mut honest, ME, 1).await;
            assert_eq!(honest.judge(&header).await, Verdict::Valid);
            let signers = [0, 1].map(|it| world.key(it)).to_vec();
            victim.relay.certified(world.key(0), 5, signers);
            assert_eq!(victim.judge(&header).await, Verdict::Valid);
            context.sleep(Duration::from_millis(100)).await;
            let blocked = oracle.blocked().await.expect("a network");
            assert_eq!(blocked, [(world.key(2), world.key(1))]);
        });
    }
}
