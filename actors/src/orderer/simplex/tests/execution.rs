use super::{
    cluster::{Cluster, NODES, WINDOW, run},
    options::Options,
    worker::Worker,
};

/// Certifies headers of a lane for so long.
async fn work(cluster: &Cluster, worker: &mut Worker, ms: u64) {
    let until_ms = cluster.now_ms() + ms;
    while cluster.now_ms() < until_ms {
        worker.step(cluster, 0);
        cluster.sleep(60).await;
    }
}

/// Blocks with work after three seconds, when some executors are slow from the start.
fn blocks_with_slow(slow: &'static [usize]) -> usize {
    run(Options::default(), |cluster| async move {
        slow.iter().for_each(|it| cluster.executors[*it].hold());
        work(&cluster, &mut Worker::new(&cluster, 0), 3_000).await;
        for who in slow {
            assert!(cluster.executors[*who].waiting_max() <= WINDOW);
        }
        let blocks = cluster.executors[0].blocks();
        blocks.iter().filter(|it| !it.tips.is_empty()).count()
    })
}

// D-39: a slow executor on f nodes must not slow others.
#[test]
fn with_f_slow_executors_nothing_slows() {
    let (all, without_one) = (blocks_with_slow(&[]), blocks_with_slow(&[3]));
    assert!(all >= 15, "{all} blocks with work");
    assert!(
        without_one + 1 >= all,
        "{without_one} blocks with work, {all} with all executors"
    );
}

// D-39: with more the chain slows, and nothing grows without bound; it goes on when they do.
#[test]
fn with_more_slow_executors_the_chain_carries_no_work() {
    run(Options::default(), |cluster| async move {
        (2..4).for_each(|it| cluster.executors[it].hold());
        let mut worker = Worker::new(&cluster, 0);
        work(&cluster, &mut worker, 5_000).await;
        let (fast, slow) = (&cluster.executors[0], &cluster.executors[2]);
        assert_eq!(slow.waiting_max(), WINDOW, "no more is handed out");
        assert_eq!(slow.height(), 0);
        // Nobody else's claim moves the state that blocks name.
        let blocks = fast.blocks();
        assert!(blocks.iter().all(|it| it.executed.height == 0));
        let carrying = blocks.iter().filter(|it| !it.tips.is_empty());
        assert!(
            carrying.map(|it| it.height).max() <= Some(5),
            "execution_lag_max"
        );
        assert!(
            blocks.len() > 10,
            "{} blocks: chain time moves on",
            blocks.len()
        );

        (2..4).for_each(|it| cluster.executors[it].release());
        let before = cluster.executors[0].height();
        work(&cluster, &mut worker, 2_000).await;
        cluster.reach(0..NODES, before + 5).await;
        let blocks = cluster.agreed();
        let after = &blocks[before as usize..];
        assert!(
            after.iter().any(|it| !it.tips.is_empty()),
            "it carries work again"
        );
    });
}

// S-18, K-40: the others finalize blocks that name another state than this node came to.
#[test]
#[should_panic(expected = "this node's state or its application is not the others'")]
fn a_node_that_comes_to_another_state_stops() {
    run(Options::default(), |cluster| async move {
        cluster.executors[4].fail();
        cluster.reach(0..4, 10).await;
    });
}
