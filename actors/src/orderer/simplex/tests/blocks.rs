use super::{
    cluster::{Cluster, GAP_MS, LEADER_TIMEOUT_MS, NODES, run},
    options::Options,
    worker::Worker,
};
use crate::{
    block::Parameters,
    orderer::Orderer as _,
    testing::{
        Nouns,
        blocks::{digest, parameters},
    },
};
use drystone_engine::types::{Limits, Signed};
use std::sync::Arc;

/// The slot that a lane's next header gets now.
fn slot(cluster: &Cluster) -> u64 {
    cluster.now_ms()
}

// D-29, D-31, K-12: validators and a follower.
#[test]
fn four_validators_order_what_was_certified() {
    run(Options::default(), |cluster| async move {
        let mut workers = [0, 1, 2].map(|who| Worker::new(&cluster, who));
        while workers[0].height() < 20 {
            for worker in &mut workers {
                worker.step(&cluster, 0);
            }
            cluster.sleep(60).await;
        }
        let height = cluster.executors[1].height();
        cluster.reach(0..NODES, height + 4).await;
        let blocks = cluster.agreed();
        let work = blocks.iter().filter(|it| !it.tips.is_empty());
        assert!(work.count() >= 5, "{} blocks", blocks.len());
        for worker in &workers {
            assert_eq!(worker.included(&blocks).last(), Some(&worker.height()));
        }
        assert!(blocks.is_sorted_by(|a, b| a.timestamp_ms < b.timestamp_ms));
        assert!(blocks.is_sorted_by(|a, b| a.executed.height <= b.executed.height));
        // Finality of a block certifies the state of one not far below.
        let last = blocks.last().expect("some");
        assert!(
            last.executed.height + 5 >= last.height,
            "{:?} at {}",
            last.executed,
            last.height
        );
    });
}

// K-32, K-37: by height or digest; height 0, a height above the tip, and the best one.
#[test]
fn final_blocks_are_found_by_height_and_by_digest() {
    run(Options::default(), |cluster| async move {
        cluster.reach(0..NODES, 3).await;
        let blocks = cluster.agreed();
        let orderer = &cluster.nodes[4].as_ref().expect("it runs").orderer;
        let found = orderer.at(2).await.expect("it is final");
        assert_eq!(found, blocks[1]);
        assert_eq!(orderer.named(found.digest()).await, Some(found));
        assert!(orderer.newest().await.expect("some") >= 3);
        assert!(orderer.at(1_000).await.is_none());
        assert!(orderer.named(digest(1_000)).await.is_none());
        // The genesis block is everybody's, and nobody asks for it.
        assert!(orderer.at(0).await.is_none_or(|it| it.height == 0));
        let mut shown = false;
        for height in 1..=3 {
            shown |= orderer.finality(height).await.is_some();
        }
        assert!(shown, "what is final can be shown");
    });
}

// D-05: idle, blocks are empty and keep the gap.
#[test]
fn an_idle_chain_keeps_the_gap() {
    run(Options::default(), |cluster| async move {
        cluster.sleep(10 * GAP_MS).await;
        let blocks = cluster.agreed();
        assert!((5..=10).contains(&blocks.len()), "{} blocks", blocks.len());
        let times = blocks
            .windows(2)
            .map(|it| it[1].timestamp_ms - it[0].timestamp_ms);
        assert!(times.into_iter().all(|it| it >= GAP_MS));
    });
}

// D-33, D-41: what was not acknowledged comes again, the rest is fetched.
#[test]
fn a_node_that_restarts_goes_on_where_it_was() {
    run(Options::default(), |mut cluster| async move {
        cluster.reach(0..NODES, 3).await;
        cluster.executors[3].hold();
        cluster.reach(0..3, 6).await;
        cluster.kill(3).await;
        cluster.executors[3].release();
        let before = cluster.executors[3].height();
        cluster.reach(0..3, before + 6).await;
        cluster.start(3).await;
        cluster.reach(0..NODES, before + 10).await;
        cluster.agreed();
        // All at once: nobody is left to ask.
        for who in 0..NODES {
            cluster.kill(who).await;
        }
        let before = cluster.executors[0].height();
        for who in 0..NODES {
            cluster.start(who).await;
        }
        cluster.reach(0..NODES, before + 5).await;
        cluster.agreed();
    });
}

/// Node 0 takes more than the others for allowed.
fn greedy(who: usize) -> Parameters {
    let chunks = if who == 0 { 8 } else { 4 };
    Parameters {
        live_max: Limits {
            chunks,
            bytes: 8_000,
            items: 800,
        },
        ..parameters()
    }
}

// D-05, D-32, K-26, R-14: a leader proposes what nobody may vote for; the others go on without it, and what it named is not lost.
#[test]
fn an_invalid_block_is_never_final() {
    let options = Options {
        parameters: greedy,
        ..Options::default()
    };
    run(options, |cluster| async move {
        let lane = cluster
            .world
            .branch(5, cluster.world.root(5), slot(&cluster), 6, 0);
        cluster.lanes.keep(&lane);
        cluster.show(0, 0, &lane);
        let tip = lane[5].tip();
        while !cluster.lanes.was_asked(tip) {
            cluster.sleep(10).await;
        }
        assert!(
            cluster.lanes.was_found(tip),
            "the certificate holds: it was news to the voters"
        );
        let height = cluster.executors[1].height();
        cluster.reach(0..NODES, height + 10).await;
        let moved = cluster
            .agreed()
            .iter()
            .flat_map(|it| it.tips.clone())
            .any(|it| it.tip() == tip);
        assert!(!moved, "6 chunks are too many");
        // The lane is not locked out: what fits goes in.
        cluster.certify(0, &lane[..3]);
        let height = cluster.executors[1].height();
        cluster.reach(0..NODES, height + 4).await;
        let included = |it: &crate::block::Included<Nouns>| it.tip() == lane[2].tip();
        assert!(
            cluster
                .agreed()
                .iter()
                .any(|it| it.tips.iter().any(included))
        );
    });
}

// D-32: the voters lack the headers; their votes come when the headers do, in the same view.
#[test]
fn an_open_verdict_becomes_a_vote_when_the_headers_arrive() {
    run(Options::default(), |cluster| async move {
        cluster.lanes.withhold();
        let lane: Vec<Arc<Signed<Nouns>>> =
            cluster
                .world
                .branch(5, cluster.world.root(5), slot(&cluster), 3, 0);
        cluster.certify(0, &lane);
        cluster.sleep(LEADER_TIMEOUT_MS / 2).await;
        assert!(cluster.lanes.was_asked(lane[2].tip()));
        assert!(
            (0..NODES).all(|it| cluster.executors[it].newest() == 0),
            "nobody voted"
        );
        cluster.lanes.release();
        cluster.sleep(200).await;
        cluster.reach(0..NODES, 1).await;
        let blocks = cluster.agreed();
        assert_eq!(
            blocks[0].tips[0].tip(),
            lane[2].tip(),
            "the block that waited"
        );
    });
}

// K-26, R-12, R-15: a block that nobody could vote for in time is proposed again only once its view is provably dead, which
// 2f+1 say; nothing is fetched for views that were left.
#[test]
fn a_view_that_is_left_withdraws_its_questions() {
    run(Options::default(), |cluster| async move {
        cluster.lanes.withhold();
        let lane = cluster
            .world
            .branch(5, cluster.world.root(5), slot(&cluster), 3, 0);
        cluster.certify(0, &lane);
        cluster.sleep(20 * LEADER_TIMEOUT_MS).await;
        assert!(
            cluster.lanes.asked_times() > 2 * NODES,
            "several views came and went"
        );
        assert!(
            cluster.lanes.waiting() <= NODES,
            "{} wait",
            cluster.lanes.waiting()
        );
        assert!((0..NODES).all(|it| cluster.executors[it].newest() == 0));
        cluster.lanes.release();
        cluster.reach(0..NODES, 1).await;
        cluster.agreed();
    });
}

// K-13, K-14, R-10: votes, blocks and claims are lost; what is missing is asked for.
#[test]
fn messages_that_are_lost_slow_the_chain_and_do_not_stop_it() {
    let options = Options {
        delivered: 85,
        ..Options::default()
    };
    run(options, |cluster| async move {
        let mut worker = Worker::new(&cluster, 0);
        while worker.height() < 10 {
            worker.step(&cluster, 0);
            cluster.sleep(60).await;
        }
        let height = cluster.executors[1].height();
        cluster.reach(0..NODES, height + 5).await;
        let blocks = cluster.agreed();
        assert_eq!(worker.included(&blocks).last(), Some(&10));
    });
}

#[test]
fn a_run_is_the_same_twice() {
    let once = || {
        let options = Options {
            delivered: 95,
            ..Options::default()
        };
        run(options, |mut cluster| async move {
            let mut worker = Worker::new(&cluster, 0);
            while cluster.executors[1].height() < 6 {
                worker.step(&cluster, 0);
                cluster.sleep(60).await;
            }
            cluster.kill(2).await;
            cluster.start(2).await;
            cluster.reach(0..NODES, 10).await;
            let digests = cluster
                .agreed()
                .iter()
                .map(|it| it.digest())
                .collect::<Vec<_>>();
            (digests, cluster.context.auditor().state())
        })
    };
    assert_eq!(once(), once());
}
