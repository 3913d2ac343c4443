use super::{
    super::{Invalid, Load, leads, load, run},
    AT_MS, EPOCH,
};
use crate::testing::{
    Key, World,
    blocks::{included, parameters},
};
use drystone_engine::types::{Limits, Tip};

#[test]
fn headers_lead_from_a_tip_down_without_a_gap() {
    let world = World::new();
    let lane = world.lane(0, AT_MS, 4);
    let tip = included(&world, EPOCH, &lane[3]);
    assert!(leads(0, &tip, &lane[..3]));
    assert!(leads(1, &tip, &lane[1..3]));
    assert!(leads(3, &tip, &[]));
    assert!(!leads(0, &tip, &lane[1..3]), "one is missing at the bottom");
    assert!(
        !leads(0, &tip, &[lane[0].clone(), lane[2].clone()]),
        "or between"
    );
    let other = world.branch(0, world.root(0), AT_MS, 3, 9);
    assert!(!leads(0, &tip, &other), "of another branch");
}

// D-10: what expired is a header, but nothing live.
#[test]
fn only_what_is_unexpired_at_the_blocks_time_counts() {
    let world = World::new();
    let lane = world.lane(0, AT_MS - 1_003, 4);
    let tip = included(&world, EPOCH, &lane[3]);
    let root: Tip = world.root(0);
    let said = run(&parameters(), AT_MS, root, &tip, &lane[..3]);
    let live = Limits {
        chunks: 2,
        bytes: 200,
        items: 20,
    };
    assert_eq!(said, Ok(Load { headers: 4, live }));
}

// D-05, D-10: the limit itself, and one more of each.
#[test]
fn what_a_block_stands_for_is_bounded() {
    let max = Load {
        headers: 16,
        live: parameters().live_max,
    };
    let judged = |it: Load| load::<Key>(&parameters(), it);
    assert_eq!(judged(max), Ok(()));
    assert_eq!(
        judged(Load { headers: 17, ..max }),
        Err(Invalid::Headers(17))
    );
    for (chunks, bytes, items) in [(1, 0, 0), (0, 1, 0), (0, 0, 1)] {
        let live = Limits {
            chunks,
            bytes,
            items,
        };
        let more = max.plus(Load { headers: 0, live });
        assert_eq!(judged(more), Err(Invalid::Live(more.live)));
    }
}
