//! Validators that come and go.

use super::kit::{cluster, paying};
use crate::{
    Fault, lanes,
    nodes::{Options, Seen},
    testing::{Run, watch},
    time::secs,
};

/// Five nodes, of which from epoch to epoch another one sits out.
fn rotating(epoch_blocks: u64) -> Options {
    let mut options = Options::all(5);
    options.epoch_blocks = epoch_blocks;
    let out = |node| (0..5).filter(|it| *it != node).collect::<Vec<_>>();
    options.chunks.lanes.validators = (0..5).map(out).collect();
    options
}

// D-46
#[test]
fn epochs_follow_each_other_by_height_and_whoever_sits_out_goes_on_executing() {
    for (named, seeds) in [(false, 0..1), (true, 0..2)] {
        let options = Options {
            named,
            ..rotating(20)
        };
        let scenario = cluster(5, options).lasting(secs(30));
        let scenario = paying(scenario, 5, 200, secs(25));
        follow(&watch(&scenario, seeds));
    }
}

fn follow(runs: &[Run<Seen>]) {
    for run in runs {
        for node in 0..5 {
            let entered = run.by(node).filter_map(|it| match it.what {
                Seen::Lane(lanes::Seen::Entered { epoch }) => Some(epoch),
                _ => None,
            });
            let entered: Vec<_> = entered.collect();
            assert!(entered.is_sorted_by(|a, b| a < b), "{entered:?}");
            assert!(entered.len() >= 4, "{entered:?}");
        }
    }
}

// D-46: the block between two epochs is under way when the network falls apart.
#[test]
fn an_epoch_changes_during_a_partition() {
    let scenario = cluster(5, rotating(20))
        .during(
            secs(4)..secs(12),
            Fault::Partition {
                isolate: [1, 3].into(),
            },
        )
        .lasting(secs(20));
    let scenario = paying(scenario, 5, 200, secs(16));
    for run in watch(&scenario, 0..4) {
        assert!(run.granted(1) > 0 && run.granted(1) == run.granted(4));
    }
}
