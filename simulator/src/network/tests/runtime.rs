//! The handles, on the deterministic runtime.

use super::lab::{CHANNEL, End, UNLIMITED};
use crate::network::{Closed, Config, Fate, Link, Network};
use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_p2p::{
    Blocker as _, CheckedSender as _, LimitedSender as _, Manager as _, Provider as _,
    Receiver as _, Recipients, Sender as _, TrackedPeers,
};
use commonware_runtime::{
    Clock as _, IoBuf, Quota, Runner as _, Spawner as _, Supervisor as _, deterministic,
};
use commonware_utils::{NZU32, ordered::Set, sync::Mutex};
use futures::{FutureExt as _, future::pending, select_biased};
use std::{future::Future, sync::Arc, time::Duration};

type Peer = ed25519::PublicKey;
/// Receiving node and body.
type Received = (usize, Vec<u8>);
type Net = Network<Peer, deterministic::Context>;

fn peers(nodes: u64) -> Vec<Peer> {
    (0..nodes)
        .map(|seed| ed25519::PrivateKey::from_seed(seed).public_key())
        .collect()
}

/// Runs `body` on a network of three nodes whose links take 1 ms.
fn run<Fut: Future>(body: impl FnOnce(deterministic::Context, Net) -> Fut) -> Fut::Output {
    let config = deterministic::Config::new()
        .with_cycle(Duration::from_micros(10))
        .with_timeout(Some(Duration::from_secs(60)));
    deterministic::Runner::new(config).start(|context| {
        let network = Network::new(context.child("network"), peers(3), Config::new(1));
        network.set_links(Link::new(1_000, 0));
        body(context, network)
    })
}

fn text(bytes: &'static str) -> IoBuf {
    IoBuf::from(bytes.as_bytes().to_vec())
}

#[test]
fn a_message_arrives_after_the_latency_without_a_copy() {
    run(|context, network| async move {
        let keys = network.peers().to_vec();
        let (mut sender, _receiver) = network.register(0, CHANNEL, UNLIMITED);
        let (_sender, mut receiver) = network.register(1, CHANNEL, UNLIMITED);
        let body = text("body");
        let sent = context.current();
        let reached = sender.send(Recipients::All, body.clone(), false);
        assert_eq!(reached, keys[1..]);
        let (from, received) = receiver.recv().await.expect("open");
        assert_eq!(from, keys[0]);
        assert_eq!(received.as_ref().as_ptr(), body.as_ref().as_ptr());
        let elapsed = context
            .current()
            .duration_since(sent)
            .expect("time advances");
        assert!(elapsed >= Duration::from_millis(1));
        assert!(elapsed <= Duration::from_micros(1_020));
        assert_eq!(network.stats().down, 1, "node 2 never registered");
    });
}

#[test]
fn what_is_in_flight_at_a_restart_reaches_the_new_generation() {
    run(|context, network| async move {
        let keys = network.peers().to_vec();
        let (mut sender, _receiver) = network.register(0, CHANNEL, UNLIMITED);
        let (mut old_sender, mut old_receiver) = network.register(1, CHANNEL, UNLIMITED);
        let waiting = context
            .child("old")
            .spawn(|_| async move { old_receiver.recv().await });
        sender.send(Recipients::One(keys[1].clone()), text("stale"), false);
        context.sleep(Duration::from_micros(500)).await;

        let (_sender, mut receiver) = network.register(1, CHANNEL, UNLIMITED);
        let failed = waiting.await.expect("the task ends");
        assert_eq!(failed.map(|_| ()), Err(Closed));
        let checked = old_sender.check(Recipients::All).expect("no quota");
        assert_eq!(
            checked.send(text("late"), false),
            Unreliable::new(Feedback::Closed)
        );
        assert!(
            old_sender
                .send(Recipients::All, text("late"), false)
                .is_empty()
        );
        let (_, body) = receiver.recv().await.expect("open");
        assert_eq!(body.as_ref(), b"stale");
    });
}

#[test]
fn a_node_taken_down_is_deaf_until_it_registers_again() {
    run(|context, network| async move {
        let (mut sender, _receiver) = network.register(0, CHANNEL, UNLIMITED);
        let (_sender, mut receiver) = network.register(1, CHANNEL, UNLIMITED);
        let waiting = context
            .child("old")
            .spawn(|_| async move { receiver.recv().await });
        // Lets it wait first: it must be woken, not just find the end when it is polled.
        context.sleep(Duration::from_millis(1)).await;
        network.take_down(1);
        assert!(waiting.await.expect("the task ends").is_err());
        sender.send(Recipients::All, text("unheard"), false);
        context.sleep(Duration::from_millis(2)).await;
        let (_sender, mut receiver) = network.register(1, CHANNEL, UNLIMITED);
        sender.send(Recipients::All, text("heard"), false);
        let (_, body) = receiver.recv().await.expect("open");
        assert_eq!(body.as_ref(), b"heard");
    });
}

#[test]
fn a_dropped_receiver_closes_its_inbox() {
    run(|context, network| async move {
        let (mut sender, _receiver) = network.register(0, CHANNEL, UNLIMITED);
        drop(network.register(1, CHANNEL, UNLIMITED));
        sender.send(Recipients::All, text("lost"), false);
        context.sleep(Duration::from_millis(2)).await;
        assert_eq!(network.stats().down, 2);
    });
}

#[test]
fn a_dropped_recv_loses_no_message() {
    run(|context, network| async move {
        let keys = network.peers().to_vec();
        let (mut sender, _receiver) = network.register(0, CHANNEL, UNLIMITED);
        let (_sender, mut receiver) = network.register(1, CHANNEL, UNLIMITED);
        for _ in 0..100 {
            sender.send(Recipients::One(keys[1].clone()), text("one"), false);
        }
        let mut received = 0;
        while received < 100 {
            select_biased! {
                _ = context.sleep(Duration::from_micros(300)).fuse() => {}
                message = receiver.recv().fuse() => {
                    message.expect("open");
                    received += 1;
                }
            }
        }
    });
}

#[test]
fn a_quota_filters_recipients_and_names_the_time() {
    run(|context, network| async move {
        let keys = network.peers().to_vec();
        let quota = Quota::per_second(NZU32!(10)).allow_burst(NZU32!(1));
        let (mut sender, _receiver) = network.register(0, CHANNEL, quota);
        let to_one = Recipients::One(keys[1].clone());
        assert_eq!(
            sender.send(to_one.clone(), text("first"), false),
            keys[1..2]
        );
        assert_eq!(
            sender.send(Recipients::All, text("second"), false),
            keys[2..]
        );
        let mut clone = sender.clone();
        let until = clone
            .check(to_one.clone())
            .expect_err("clones share the quota");
        assert_eq!(until, context.current() + Duration::from_millis(100));
        context.sleep_until(until).await;
        assert_eq!(sender.send(to_one, text("third"), false), keys[1..2]);
    });
}

#[test]
#[should_panic(expected = "at most 4194304 are allowed")]
fn an_oversize_message_is_the_senders_own_fault() {
    run(|_context, network| async move {
        let (mut sender, _receiver) = network.register(0, CHANNEL, UNLIMITED);
        sender.send(Recipients::All, vec![0; 4 * 1024 * 1024 + 1], false);
    });
}

#[test]
fn blocking_is_announced_and_stops_traffic() {
    run(|context, network| async move {
        let keys = network.peers().to_vec();
        let (_sender, mut receiver) = network.register(0, CHANNEL, UNLIMITED);
        let (mut sender, _receiver) = network.register(1, CHANNEL, UNLIMITED);
        let (mut other, _receiver) = network.register(2, CHANNEL, UNLIMITED);
        let mut control = network.control(0);
        let mut blocked = control.blocked();
        assert_eq!(blocked.recv().await, Some(Set::default()));
        sender.send(Recipients::All, text("in flight"), false);
        other.send(Recipients::All, text("welcome"), false);
        for peer in [&keys[1], &keys[0]] {
            control.block(peer.clone());
        }
        let expected = Set::from_iter_dedup([keys[1].clone()]);
        assert_eq!(blocked.recv().await, Some(expected), "nobody blocks itself");
        context.sleep(Duration::from_millis(2)).await;
        let (_, body) = receiver.recv().await.expect("open");
        assert_eq!(body.as_ref(), b"welcome");
        assert_eq!(network.stats().blocked, 1);

        network.take_down(0);
        assert_eq!(blocked.recv().await, None, "the process is gone");
        assert_eq!(
            network.control(0).blocked().recv().await,
            Some(Set::default())
        );
    });
}

#[test]
fn peer_sets_reach_subscribers_and_old_ones_are_displaced() {
    run(|_context, network| async move {
        let keys = network.peers().to_vec();
        let set = |indices: &[usize]| -> Set<Peer> {
            Set::from_iter_dedup(indices.iter().map(|index| keys[*index].clone()))
        };
        let mut control = network.control(0);
        control.track(3, TrackedPeers::new(set(&[0, 1]), set(&[1, 2])));
        let mut updates = control.subscribe().await;
        let first = updates.recv().await.expect("open");
        assert_eq!(first.index, 3);
        assert_eq!(first.latest, TrackedPeers::new(set(&[0, 1]), set(&[2])));

        control.track(3, set(&[2]));
        control.track(4, set(&[2]));
        let second = updates.recv().await.expect("open");
        assert_eq!(second.index, 4, "an id that does not grow is ignored");
        assert_eq!(second.latest, TrackedPeers::primary(set(&[2])));
        assert_eq!(second.all, TrackedPeers::primary(set(&[0, 1, 2])));
        assert_eq!(
            network.control(1).peer_set(3).await,
            None,
            "every node for itself"
        );

        for id in 5..8 {
            control.track(id, set(&[2]));
        }
        assert_eq!(control.peer_set(3).await, None, "four are kept");
        assert!(control.peer_set(4).await.is_some());
    });
}

/// Three nodes talk over faulty links; returns every end and everything received, in order.
fn conversation(network_seed: u64, runtime_seed: u64) -> (Vec<End>, Vec<Received>) {
    let config = deterministic::Config::new()
        .with_seed(runtime_seed)
        .with_cycle(Duration::from_micros(10));
    deterministic::Runner::new(config).start(|context| async move {
        let network = Network::new(
            context.child("network"),
            peers(3),
            Config::new(network_seed),
        );
        network.set_links(Link {
            loss_ppm: 50_000,
            duplicate_ppm: 50_000,
            reorder_ppm: 50_000,
            reorder_us: 5_000,
            ..Link::new(1_000, 2_000)
        });
        let ends: Arc<Mutex<Vec<End>>> = Arc::default();
        let writer = ends.clone();
        network.set_hook(move |delivery| writer.lock().push(End::from(delivery)));
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        for node in 0..3 {
            let (mut sender, mut receiver) = network.register(node, CHANNEL, UNLIMITED);
            let received = received.clone();
            context.child("receiver").spawn(move |_| async move {
                while let Ok((_, body)) = receiver.recv().await {
                    received.lock().push((node, body.as_ref().to_vec()));
                }
            });
            context.child("sender").spawn(move |context| async move {
                for round in 0..100_u8 {
                    sender.send(Recipients::All, vec![node as u8, round], false);
                    context.sleep(Duration::from_micros(700)).await;
                }
                pending::<()>().await;
            });
        }
        context.sleep(Duration::from_secs(1)).await;
        assert_eq!(network.stats().in_flight, 0);
        let (ends, received) = (ends.lock().clone(), received.lock().clone());
        (ends, received)
    })
}

#[test]
fn the_same_seeds_give_the_same_conversation() {
    let first = conversation(1, 1);
    assert_eq!(first, conversation(1, 1));
    assert_ne!(first, conversation(2, 1));
}

#[test]
fn the_schedule_does_not_move_the_network() {
    let sorted = |runtime_seed| {
        let (mut ends, _) = conversation(1, runtime_seed);
        ends.sort_by_key(|end| (end.from, end.to, end.sequence, end.duplicate));
        ends
    };
    assert_eq!(sorted(1), sorted(2));
}

#[test]
fn the_hook_sees_deliveries_in_the_order_in_which_they_are_received() {
    let (ends, received) = conversation(1, 1);
    for node in 0..3 {
        let delivered = |end: &&End| end.to == node && end.fate == Fate::Delivered;
        let delivered = ends.iter().filter(delivered).map(|end| &end.body);
        let received = received
            .iter()
            .filter(|(to, _)| *to == node)
            .map(|(_, body)| body);
        assert!(delivered.eq(received));
    }
    assert!(ends.is_sorted_by_key(|end| end.at_us));
    assert!(
        ends.iter().any(|end| end.fate == Fate::Lost),
        "drops are seen too"
    );
}

/// The runtime asserts at the end of a run that no context escaped; here messages are in flight, an
/// alarm is set, receivers wait and a hook is set when it ends.
#[test]
fn a_run_that_ends_in_the_middle_leaks_no_context() {
    run(|context, network| async move {
        network.set_hook(|_| ());
        network.clog(0, 2);
        let (mut sender, _receiver) = network.register(0, CHANNEL, UNLIMITED);
        for node in [1, 2] {
            let (_sender, mut receiver) = network.register(node, CHANNEL, UNLIMITED);
            context
                .child("receiver")
                .spawn(|_| async move { while receiver.recv().await.is_ok() {} });
        }
        let mut subscription = network.control(0).subscribe().await;
        context
            .child("updates")
            .spawn(|_| async move { subscription.recv().await });
        sender.send(Recipients::All, text("arrives"), false);
        context.sleep(Duration::from_millis(2)).await;
        sender.send(Recipients::All, text("does not"), false);
        context.sleep(Duration::from_micros(100)).await;
        assert_eq!(network.stats().in_flight, 3);
    });
}

#[test]
#[should_panic(expected = "weak references")]
fn a_handle_kept_past_the_run_is_noticed() {
    let network = run(|_context, network| async move { network });
    drop(network);
}
