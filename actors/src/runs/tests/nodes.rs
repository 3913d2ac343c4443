//! Whole actors, over a simulated network.

use super::{
    Answer, HEIGHT, Question, Request, compact, config, lane, question, record, run as run_of,
};
use crate::{
    executor::{Lanes, Record},
    runs::{self, Actor, Config, Mailbox, Rate, Records, Run, message_size_max, wire::Message},
    testing::{Key, Nouns, World},
    tests::cluster::{Cluster, Net},
};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Runner as _, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{NZU64, Probability, channel::oneshot, sync::Mutex};
use drystone_engine::{alarm::now_ms, types::Tip};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What an engine and an executor have.
#[derive(Default)]
struct Desk {
    /// Questions that the engine drops before it takes one.
    dropped: usize,
    /// Whether it finds every run.
    finds: bool,
    waiting: Vec<oneshot::Sender<Run<Nouns>>>,
    times: usize,
    records: BTreeMap<u64, Record<Nouns>>,
    read: usize,
}

/// Stands in for both.
#[derive(Clone, Default)]
struct Stand(Arc<Mutex<Desk>>);

impl Lanes<Nouns> for Stand {
    fn run(&self, _: u64, _: &Key, _: Tip, _: Tip) -> oneshot::Receiver<Run<Nouns>> {
        let (responder, answer) = oneshot::channel();
        let mut desk = self.0.lock();
        desk.times += 1;
        if desk.dropped > 0 {
            desk.dropped -= 1;
        } else if desk.finds {
            let _ = responder.send(run_of(&World::new()));
        } else {
            desk.waiting.push(responder);
        }
        answer
    }
}

impl Records<Nouns> for Stand {
    fn record(&self, height: u64) -> oneshot::Receiver<Option<Record<Nouns>>> {
        let (responder, answer) = oneshot::channel();
        let mut desk = self.0.lock();
        desk.read += 1;
        let _ = responder.send(desk.records.get(&height).cloned());
        answer
    }
}

impl Stand {
    /// An executor that executed the block.
    fn executed(world: &World) -> Self {
        let stand = Self::default();
        let record = record(world, HEIGHT);
        stand.0.lock().records.insert(HEIGHT, record);
        stand
    }

    /// Questions to the engine that were not withdrawn.
    fn open(&self) -> usize {
        let desk = self.0.lock();
        desk.waiting.iter().filter(|it| !it.is_closed()).count()
    }
}

struct Node;

impl runs::Types for Node {
    type Engine = Nouns;
    type Lanes = Stand;
    type Records = Stand;
}

async fn start(cluster: &Cluster, who: usize, stand: &Stand) -> Mailbox<Nouns> {
    start_with(cluster, who, stand, config(&cluster.world)).await
}

async fn start_with(
    cluster: &Cluster,
    who: usize,
    stand: &Stand,
    config: Config,
) -> Mailbox<Nouns> {
    let context = cluster.context.child("runs").with_attribute("node", who);
    let (actor, mailbox) = Actor::<_, Net, Node>::new(
        context,
        config,
        cluster.channel(who).await,
        cluster.blocker(who),
        stand.clone(),
        stand.clone(),
    );
    actor.start();
    let others = (0..4).filter(|it| *it != who);
    mailbox.entered(others.map(|it| cluster.world.key(it)).collect());
    mailbox
}

/// A peer that answers every question with what it is told to; how often it was asked.
async fn play(
    cluster: &Cluster,
    who: usize,
    answer: impl Fn(&Question<Key>) -> Option<Run<Nouns>> + Send + 'static,
) -> Arc<Mutex<usize>> {
    let (mut sender, mut receiver) = cluster.channel(who).await;
    let (times, genesis) = (Arc::new(Mutex::new(0)), cluster.world.genesis.clone());
    let asked = times.clone();
    let context = cluster.context.child("played").with_attribute("node", who);
    context.spawn(move |_| async move {
        while let Ok((from, bytes)) = receiver.recv().await {
            let message = Message::decode::<Nouns>(bytes, &genesis).expect("honest");
            let Message::Request(Request { number, question }) = message else {
                panic!("nothing was asked");
            };
            *asked.lock() += 1;
            let run = answer(&question).map(|it| compact(&it));
            let message = Message::<Key>::Answer(Answer { number, run });
            sender.send(Recipients::One(from), message.encode(), false);
        }
    });
    times
}

fn ask(mailbox: &Mailbox<Nouns>, world: &World) -> oneshot::Receiver<Run<Nouns>> {
    let it = question(world);
    // As the executor asks.
    Lanes::run(mailbox, it.height, &it.sequencer, it.above, it.to)
}

fn run<F: Future<Output = ()>>(seed: u64, test: impl FnOnce(Cluster) -> F) {
    let config = deterministic::Config::new().with_seed(seed);
    let config = config.with_timeout(Some(Duration::from_secs(60)));
    deterministic::Runner::new(config).start(|context| async move {
        let cluster = Cluster::new(context, 6).await;
        cluster.link_all(Probability::new(1, 1).expect("one")).await;
        test(cluster).await;
    });
}

// D-18
#[test]
fn a_node_whose_engine_has_forgotten_gets_a_run_from_a_peers_record() {
    for seed in 0..8 {
        run(seed, |cluster| async move {
            let world = cluster.world.clone();
            let behind = Stand::default();
            let mailbox = start(&cluster, 0, &behind).await;
            // Two are behind as well. Their executors were asked, and not their engines.
            let (one, two) = (Stand::default(), Stand::default());
            let _others = [
                start(&cluster, 1, &one).await,
                start(&cluster, 2, &two).await,
            ];
            let ahead = Stand::executed(&world);
            let _ahead = start(&cluster, 3, &ahead).await;
            let found = ask(&mailbox, &world).await.expect("the actor runs");
            assert_eq!(found, run_of(&world));
            assert_eq!(ahead.0.lock().read, 1);
            for it in [&one, &two, &ahead] {
                assert_eq!(it.0.lock().times, 0);
            }
            // The engine's question is withdrawn.
            cluster.sleep(1).await;
            assert_eq!(behind.open(), 0);
            assert_eq!(behind.0.lock().times, 1);
            assert_eq!(cluster.blocked().await, []);
        });
    }
}

#[test]
fn nobody_is_asked_while_the_engine_answers_in_time() {
    run(1, |cluster| async move {
        let world = cluster.world.clone();
        let stand = Stand::default();
        let mailbox = start(&cluster, 0, &stand).await;
        let mut times = Vec::new();
        for who in 1..4 {
            times.push(play(&cluster, who, |_| None).await);
        }
        // It takes most of the patience of 100 ms.
        let found = ask(&mailbox, &world);
        cluster.sleep(90).await;
        let responder = stand.0.lock().waiting.pop().expect("it was asked");
        responder.send(run_of(&world)).expect("it is waited for");
        assert_eq!(found.await.expect("the actor runs"), run_of(&world));
        // It drops the question twice, which takes 40 ms.
        {
            let mut desk = stand.0.lock();
            (desk.dropped, desk.finds) = (2, true);
        }
        let found = ask(&mailbox, &world).await.expect("the actor runs");
        assert_eq!(found, run_of(&world));
        assert_eq!(stand.0.lock().times, 4);
        // Somebody leaves before the answer.
        stand.0.lock().finds = false;
        drop(ask(&mailbox, &world));
        cluster.sleep(1_000).await;
        assert_eq!(stand.open(), 0);
        assert!(times.iter().all(|it| *it.lock() == 0));
    });
}

//
#[test]
fn a_peer_with_other_headers_is_cut_off_and_another_one_is_asked() {
    for seed in 0..8 {
        run(seed, |cluster| async move {
            let world = cluster.world.clone();
            let mailbox = start(&cluster, 0, &Stand::default()).await;
            let branch = lane(&world)[3..7].to_vec();
            let liar = play(&cluster, 1, move |_| Some(branch.clone())).await;
            let empty = play(&cluster, 2, |_| None).await;
            // The third has it too late for the first round.
            let ahead = Stand::default();
            let _ahead = start(&cluster, 3, &ahead).await;
            let found = ask(&mailbox, &world);
            cluster.sleep(350).await;
            assert_eq!((*liar.lock(), *empty.lock()), (1, 1));
            assert_eq!(cluster.blocked().await, [(0, 1)]);
            let late = record(&world, HEIGHT);
            ahead.0.lock().records.insert(HEIGHT, late);
            assert_eq!(found.await.expect("the actor runs"), run_of(&world));
            assert_eq!(*liar.lock(), 1);
            assert_eq!(cluster.blocked().await, [(0, 1)]);
        });
    }
}

//
#[test]
fn who_gives_up_ends_the_search() {
    run(1, |cluster| async move {
        let world = cluster.world.clone();
        let stand = Stand::default();
        let mailbox = start(&cluster, 0, &stand).await;
        let asked = play(&cluster, 1, |_| None).await;
        let found = ask(&mailbox, &world);
        // Nobody else is there. A round takes 120 ms: they begin after 100, 420 and 940 ms.
        cluster.sleep(1_100).await;
        assert_eq!((*asked.lock(), stand.open()), (3, 1));
        drop(found);
        cluster.sleep(20_000).await;
        assert_eq!((*asked.lock(), stand.open()), (3, 0));
    });
}

// D-22
#[test]
fn a_peer_is_served_at_its_rate() {
    run(1, |cluster| async move {
        let world = cluster.world.clone();
        let stand = Stand::executed(&world);
        let config = Config {
            requests_max: 20,
            serving: Rate {
                bytes_per_second: NZU64!(1_000),
                burst_bytes: message_size_max::<Nouns>(&world.genesis) as u64,
            },
            ..config(&world)
        };
        let _mailbox = start_with(&cluster, 0, &stand, config.clone()).await;
        let (mut sender, mut receiver) = cluster.channel(5).await;
        let began = now_ms(&cluster.context);
        for number in 0..10 {
            let question = question(&world);
            let message = Message::Request(Request { number, question });
            let to = Recipients::One(world.key(0));
            sender.send(to, message.encode(), false);
        }
        let mut bytes = 0;
        for _ in 0..10 {
            let (_, message) = receiver.recv().await.expect("the network runs");
            let message = Message::decode::<Nouns>(message, &world.genesis).expect("honest");
            let Message::Answer(Answer { run: Some(run), .. }) = message else {
                panic!("{message:?}");
            };
            bytes += run.len() as u64;
        }
        let took_ms = now_ms(&cluster.context) - began;
        let least_ms = bytes - config.serving.burst_bytes;
        assert!(took_ms >= least_ms, "{bytes} bytes in {took_ms} ms");
        assert_eq!(stand.0.lock().read, 1);
    });
}

// K-16
#[test]
fn who_sends_what_nobody_honest_sends_is_blocked() {
    let mut impossible = question(&World::new());
    impossible.height = 0;
    let impossible = Message::Request(Request {
        number: 1,
        question: impossible,
    });
    let impossible = bytes::Bytes::from(impossible.encode().coalesce());
    let garbage = [&b""[..], b"1234567", b"\x0212345678."].map(bytes::Bytes::from_static);
    for garbage in garbage.into_iter().chain([impossible]) {
        run(1, |cluster| async move {
            let _mailbox = start(&cluster, 0, &Stand::default()).await;
            let mut played = cluster.play(1).await;
            played.send_bytes(0, garbage);
            cluster.sleep(50).await;
            assert_eq!(cluster.blocked().await, [(0, 1)]);
        });
    }
}
