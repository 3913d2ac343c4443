//! Whole mempools on a network, beside nodes that hang, lie, flood and send garbage.

use super::cluster::{CHAIN_MS, Cluster, Running};
use crate::{
    mempool::{Answer, wire::Message},
    testing::payments::{bytes, config, payment},
    transaction::Invalid,
};
use commonware_macros::select;
use commonware_runtime::{Clock as _, Runner as _, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::{Probability, probability};
use drystone_engine::types::Digest;
use std::{collections::BTreeSet, time::Duration};

const LATER_MS: u64 = CHAIN_MS + 5_000;
const PERFECT: Probability = probability!(1.0);

fn run<F: Future<Output = ()>>(count: usize, test: impl FnOnce(Cluster) -> F) {
    let runner = deterministic::Runner::timed(Duration::from_secs(120));
    runner.start(|context| async move { test(Cluster::new(context, count).await).await });
}

fn id(salt: u64) -> Digest {
    payment(salt as u8, LATER_MS, salt).facts.id
}

async fn submit(node: &Running, salt: u64) -> Answer {
    node.mempool.submit(bytes(salt as u8, LATER_MS, salt)).await
}

fn accepted(node: &Running) -> BTreeSet<Digest> {
    node.book.accepted()
}

// K-02, K-08, K-27: contents are sent once to each, whoever announces them.
#[test]
fn gossip_reaches_every_node_and_each_fetches_each_once() {
    run(4, async |cluster| {
        cluster.link_all(PERFECT).await;
        let mut nodes = Vec::new();
        for who in 0..4 {
            nodes.push(cluster.start(who, config()).await);
        }
        let mut all = BTreeSet::new();
        for salt in 0..16 {
            let node = &nodes[salt as usize % 4];
            assert_eq!(submit(node, salt).await, Answer::Accepted);
            all.insert(id(salt));
        }
        // Far less than a round of announcing again.
        cluster.sleep(300).await;
        for node in &nodes {
            assert_eq!(accepted(node), all);
            let checks = node.till.checks.lock();
            assert!(checks.values().all(|count| *count == 1), "fetched once");
        }
        let metrics = commonware_runtime::Metrics::encode(&cluster.context);
        let total = |name: &str| -> u64 {
            let lines = metrics.lines().filter(|it| it.contains(name));
            lines
                .filter_map(|it| it.rsplit(' ').next()?.parse::<u64>().ok())
                .sum()
        };
        assert_eq!(
            total("mempool_served_total"),
            3 * 16,
            "contents, once to each"
        );
        let (announced, least) = (total("mempool_announced_total"), 3 * 16);
        assert!(announced <= 3 * least, "ids: {announced}, at least {least}");
        assert_eq!(cluster.blocked().await, []);
    });
}

// K-17, K-27: one answer for each, in their order, whatever stands between them.
#[test]
fn a_batch_is_answered_one_by_one() {
    run(1, async |cluster| {
        let node = cluster.start(0, config()).await;
        let unread = Invalid::because("not a payment");
        let batch = vec![
            Ok(payment(1, LATER_MS, 1)),
            Err(unread.clone()),
            Ok(payment(2, LATER_MS, 2)),
            Ok(payment(1, LATER_MS, 1)),
        ];
        let expected = [
            Answer::Accepted,
            Answer::Invalid(unread),
            Answer::Accepted,
            Answer::Duplicate,
        ];
        assert_eq!(node.mempool.submit_all(batch).await, expected);
        assert_eq!(accepted(&node).len(), 2);
    });
}

// K-02, K-11, K-29: a node that knows only one other is heard by all.
#[test]
fn gossip_travels_along_a_chain_of_nodes() {
    run(4, async |cluster| {
        for who in 0..3 {
            cluster.link(who, who + 1, PERFECT).await;
        }
        let mut nodes = Vec::new();
        for who in 0..4 {
            nodes.push(cluster.start(who, config()).await);
        }
        assert_eq!(submit(&nodes[0], 1).await, Answer::Accepted);
        cluster.sleep(10_000).await;
        for node in &nodes {
            assert_eq!(accepted(node), BTreeSet::from([id(1)]));
        }
    });
}

// K-30: what was lost is announced again.
#[test]
fn gossip_survives_a_network_that_loses_a_third() {
    run(4, async |cluster| {
        cluster.link_all(probability!(0.66)).await;
        let mut nodes = Vec::new();
        for who in 0..4 {
            nodes.push(cluster.start(who, config()).await);
        }
        let mut all = BTreeSet::new();
        for salt in 0..16 {
            let node = &nodes[salt as usize % 4];
            assert_eq!(submit(node, salt).await, Answer::Accepted);
            all.insert(id(salt));
        }
        // A dialog of three messages gets through less than one time in three.
        cluster.sleep(60_000).await;
        for node in &nodes {
            assert_eq!(accepted(node), all);
        }
        assert_eq!(cluster.blocked().await, [], "loss is nobody's fault");
    });
}

// K-33: and it asks for nothing.
#[test]
fn a_node_that_follows_blocks_only_answers_no_announcement() {
    run(2, async |cluster| {
        cluster.link_all(PERFECT).await;
        let node = cluster.start(0, config()).await;
        let mut peer = cluster.play(1).await;
        node.mempool.blocks_only(true);
        assert!(matches!(submit(&node, 1).await, Answer::Busy { .. }));
        peer.send(0, &Message::Announce(vec![id(2)]));
        cluster.sleep(1_000).await;
        node.mempool.blocks_only(false);
        peer.send(0, &Message::Announce(vec![id(3)]));
        let Message::Get { ids, .. } = peer.receive().await else {
            panic!("only the second announcement is answered")
        };
        assert_eq!(ids, [id(3)]);
    });
}

// K-02
#[test]
fn an_announcer_that_hangs_holds_nothing_up() {
    run(3, async |cluster| {
        cluster.link_all(PERFECT).await;
        let node = cluster.start(0, config()).await;
        let mut hanging = cluster.play(1).await;
        hanging.send(0, &Message::Announce(vec![id(1)]));
        assert!(matches!(hanging.receive().await, Message::Get { .. }));
        // It is asked, and another who has it comes.
        let honest = cluster.start(2, config()).await;
        assert_eq!(submit(&honest, 1).await, Answer::Accepted);
        cluster.sleep(200).await;
        assert_eq!(accepted(&node), BTreeSet::from([id(1)]));
        assert_eq!(cluster.blocked().await, [], "slow is not faulty");
    });
}

// K-02, K-28
#[test]
fn a_liar_is_cut_off_and_another_announcer_asked() {
    run(3, async |cluster| {
        cluster.link_all(PERFECT).await;
        let node = cluster.start(0, config()).await;
        let mut liar = cluster.play(1).await;
        liar.send(0, &Message::Announce(vec![id(1)]));
        let Message::Get { request, ids } = liar.receive().await else {
            panic!("it is asked")
        };
        assert_eq!(ids, [id(1)]);
        let honest = cluster.start(2, config()).await;
        assert_eq!(submit(&honest, 1).await, Answer::Accepted);
        let contents = vec![bytes(9, LATER_MS, 9)];
        liar.send(0, &Message::Contents { request, contents });
        cluster.sleep(200).await;
        assert_eq!(accepted(&node), BTreeSet::from([id(1)]));
        assert_eq!(cluster.blocked().await, [(0, 1)]);
    });
}

// K-08
#[test]
fn garbage_instead_of_an_answer_cuts_its_sender_off() {
    run(2, async |cluster| {
        cluster.link_all(PERFECT).await;
        let _node = cluster.start(0, config()).await;
        let mut peer = cluster.play(1).await;
        peer.send_bytes(0, vec![1, 2, 3].into());
        cluster.sleep(100).await;
        assert_eq!(cluster.blocked().await, [(0, 1)]);
    });
}

// K-28: of a flood a bounded part is asked for, and the others are served meanwhile.
#[test]
fn a_flood_of_announcements_takes_no_more_than_its_share() {
    run(3, async |cluster| {
        cluster.link_all(PERFECT).await;
        let node = cluster.start(0, config()).await;
        let honest = cluster.start(2, config()).await;
        let mut flooder = cluster.play(1).await;
        for salt in 0..200 {
            flooder.send(0, &Message::Announce(vec![id(1_000 + salt)]));
        }
        assert_eq!(submit(&honest, 1).await, Answer::Accepted);
        let mut asked = 0;
        let until = cluster.context.current() + Duration::from_millis(45);
        loop {
            select! {
                message = flooder.receive() => {
                    if let Message::Get { ids, .. } = message {
                        asked += ids.len();
                    }
                },
                _ = cluster.context.sleep_until(until) => break,
            }
        }
        // It answers nothing, so no more is asked before the timeout.
        assert!(
            0 < asked && asked <= config().gossip.requested_max,
            "{asked}"
        );
        // The simulated network takes a turn of its own for each message of the flood.
        cluster.sleep(3_000).await;
        assert_eq!(accepted(&node), BTreeSet::from([id(1)]));
        assert_eq!(cluster.blocked().await, []);
    });
}

// K-28, K-36: a flood of valid transactions by one peer leaves room for a client's.
#[test]
fn a_flood_of_transactions_leaves_room_for_clients() {
    run(2, async |cluster| {
        cluster.link_all(PERFECT).await;
        let node = cluster.start(0, config()).await;
        let mut flooder = cluster.play(1).await;
        let mut next = 1_000;
        let context = cluster.context.child("flooder");
        let flood = context.spawn(move |_| async move {
            loop {
                let ids = (next..next + 4).map(id).collect();
                flooder.send(0, &Message::Announce(ids));
                next += 4;
                if let Message::Get { request, ids } = flooder.receive().await {
                    let all = (1_000..next).filter(|it| ids.contains(&id(*it)));
                    let contents: Vec<_> = all.map(|it| bytes(it as u8, LATER_MS, it)).collect();
                    for contents in config().wire.split(contents) {
                        flooder.send(0, &Message::Contents { request, contents });
                    }
                }
            }
        });
        cluster.sleep(2_000).await;
        flood.abort();
        assert_eq!(accepted(&node).len(), config().pool.peer_max.items);
        assert_eq!(submit(&node, 1).await, Answer::Accepted);
        assert_eq!(cluster.blocked().await, []);
    });
}
