//! Disks that fail.

use super::kit::{cluster, paying};
use crate::{Fault, nodes::Options, plan::Operation, testing::watch, time::secs};

// D-42: our own parts say why they stop. Consensus panics, which is excused as what it is: an answer to the disk, at that time.
#[test]
fn a_node_whose_disk_fails_stops_whatever_part_meets_it_first_and_comes_back() {
    let (mut ours, mut panics) = (0, 0);
    for operation in [Operation::Write, Operation::Sync] {
        let fails = Fault::Disk {
            node: 1,
            operation,
            ppm: 20_000,
        };
        let scenario = cluster(4, Options::all(4))
            .during(secs(3)..secs(6), fails)
            .lasting(secs(8));
        let scenario = paying(scenario, 4, 100, secs(7));
        for run in watch(&scenario, 0..6) {
            let consensus = |it: &&str| it.contains("commonware-consensus-");
            panics += run.stops(1).filter(consensus).count();
            ours += run.stops(1).filter(|it| !consensus(it)).count();
            assert!([0, 2, 3].iter().all(|it| run.stops(*it).count() == 0));
        }
    }
    assert!(ours > 0 && panics > 0, "{ours} errors, {panics} panics");
}
