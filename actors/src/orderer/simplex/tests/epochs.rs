use super::{
    cluster::{NODES, run},
    options::Options,
    worker::Worker,
};
use crate::{block::Block, orderer::Orderer as _, testing::Nouns};
use commonware_utils::NZU64;
use std::sync::Arc;

fn short(rotate: bool) -> Options {
    Options {
        epoch_blocks: NZU64!(6),
        rotate,
        ..Options::default()
    }
}

// D-46: a certificate of epoch e in a block of e + 1, a validator that leaves, one that joins fresh.
#[test]
fn the_chain_runs_on_across_epochs_and_sets() {
    run(short(true), |cluster| async move {
        let mut worker = Worker::new(&cluster, 0);
        while cluster.executors[1].height() < 20 {
            // The epoch that the chain is in.
            worker.step(&cluster, (cluster.executors[1].height() + 1) / 6);
            cluster.sleep(60).await;
        }
        cluster.reach(0..NODES, 20).await;
        let blocks = cluster.agreed();
        let tips = |it: &&Arc<Block<Nouns>>| {
            let epoch = it.height / 6;
            it.tips
                .iter()
                .map(move |tip| (epoch, tip.certificate().epoch))
                .collect::<Vec<_>>()
        };
        let pairs: Vec<_> = blocks.iter().flat_map(|it| tips(&it)).collect();
        for epoch in 0..3 {
            assert!(
                pairs.iter().any(|it| it.0 == epoch),
                "epoch {epoch} carries work: {pairs:?}"
            );
        }
        assert!(
            pairs
                .iter()
                .all(|(block, of)| of == block || of + 1 == *block),
            "{pairs:?}"
        );
    });
}

// Who was away when an epoch ended fetches the block that ends it, from whoever votes in the next.
#[test]
fn a_node_that_missed_a_boundary_enters_later_epochs() {
    run(short(false), |mut cluster| async move {
        cluster.reach(0..NODES, 3).await;
        cluster.kill(3).await;
        cluster.reach(0..3, 15).await;
        cluster.start(3).await;
        let height = cluster.executors[0].height();
        cluster.reach(0..NODES, height + 8).await;
        cluster.agreed();
    });
}

#[test]
fn all_nodes_restart_right_after_a_boundary() {
    run(short(true), |mut cluster| async move {
        for boundary in [5, 11, 17] {
            cluster.reach(0..NODES, boundary).await;
            for who in 0..NODES {
                cluster.kill(who).await;
            }
            for who in 0..NODES {
                cluster.start(who).await;
            }
        }
        cluster.reach(0..NODES, 20).await;
        cluster.agreed();
    });
}

// The application names a set late: the chain waits for it.
#[test]
fn an_epoch_begins_once_its_validators_are_known() {
    let options = Options {
        known: 1,
        ..short(false)
    };
    run(options, |cluster| async move {
        cluster.reach(0..NODES, 5).await;
        cluster.sleep(3_000).await;
        assert!(cluster.executors.iter().all(|it| it.newest() == 5));
        cluster.tell_all();
        cluster.reach(0..NODES, 8).await;
        cluster.agreed();
    });
}

// K-32: what was pruned is gone, and what a restart begins with is not.
#[test]
fn pruning_leaves_what_a_restart_begins_with() {
    run(short(true), |mut cluster| async move {
        cluster.reach(0..NODES, 20).await;
        let height = cluster.executors[2].height();
        let orderer = cluster.nodes[2].as_ref().expect("it runs").orderer.clone();
        orderer.prune(height);
        cluster.sleep(50).await;
        assert!(orderer.at(3).await.is_none());
        assert!(orderer.at(height).await.is_some());
        cluster.kill(2).await;
        cluster.start(2).await;
        cluster.reach(0..NODES, height + 8).await;
        cluster.agreed();
    });
}
