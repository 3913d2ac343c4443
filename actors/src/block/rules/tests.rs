//! A block that keeps every rule, and for each rule one that breaks it alone.

mod runs;

use super::{Fault, Invalid, form, run};
use crate::{
    block::{Block, Body, Executed, Included, Parameters, ParametersError},
    testing::{
        Key, Nouns, World,
        blocks::{digest, included, parameters, sorted},
    },
};
use drystone_engine::types::Signed;
use std::sync::Arc;

/// The lanes' slots are 1 ms, their window is 1,000 ms: a chunk of slot s expires at s + 1,001.
const PARENT_MS: u64 = 5_000;
const AT_MS: u64 = 5_010;
const EPOCH: u64 = 3;

/// The parent is at height 20 and names height 17.
fn parent() -> Block<Nouns> {
    Block::new(Body {
        parent: digest(19),
        height: 20,
        timestamp_ms: PARENT_MS,
        executed: Executed {
            height: 17,
            root: digest(17),
        },
        tips: Vec::new(),
    })
}

/// A block with one tip above the lane's root.
fn block(tip: Included<Nouns>) -> Body<Nouns> {
    Body {
        parent: parent().digest(),
        height: 21,
        timestamp_ms: AT_MS,
        executed: Executed {
            height: 18,
            root: digest(18),
        },
        tips: vec![tip],
    }
}

/// Two headers of lane 0 in slots from `slot`.
fn lane(world: &World, slot: u64) -> Vec<Arc<Signed<Nouns>>> {
    world.lane(0, slot, 2)
}

fn judged(world: &World, body: Body<Nouns>) -> Result<(), Invalid<Key>> {
    let base = |key: &Key| world.genesis.root(key);
    form(&parameters(), &parent(), EPOCH, &Block::new(body), base)
}

/// What is said once one thing is changed in a block that keeps every rule.
fn changed(change: impl FnOnce(&World, &mut Body<Nouns>)) -> Result<(), Invalid<Key>> {
    let world = World::new();
    let mut body = block(included(&world, EPOCH, &lane(&world, AT_MS)[1]));
    assert_eq!(judged(&world, body.clone()), Ok(()));
    change(&world, &mut body);
    judged(&world, body)
}

fn fault(world: &World, fault: Fault) -> Result<(), Invalid<Key>> {
    Err(Invalid::Tip {
        sequencer: world.key(0),
        fault,
    })
}

// K-20: each field wrong in turn.
#[test]
fn a_block_names_its_parent_and_the_next_height() {
    let other = changed(|_, it| it.parent = digest(0));
    assert_eq!(other, Err(Invalid::Parent));
    for height in [20, 22] {
        let wrong = changed(|_, it| it.height = height);
        assert_eq!(wrong, Err(Invalid::Height { height, parent: 20 }));
    }
}

// D-29, K-41: ts == parent, ts < parent.
#[test]
fn chain_time_never_stands_still() {
    for timestamp_ms in [PARENT_MS, PARENT_MS - 1, 0] {
        let wrong = changed(|_, it| it.timestamp_ms = timestamp_ms);
        let parent_ms = PARENT_MS;
        assert_eq!(
            wrong,
            Err(Invalid::Timestamp {
                timestamp_ms,
                parent_ms
            })
        );
    }
    assert_eq!(changed(|_, it| it.timestamp_ms = PARENT_MS + 1), Ok(()));
}

// D-39
#[test]
fn what_was_executed_stays_so() {
    let below = changed(|_, it| it.executed.height = 16);
    assert_eq!(
        below,
        Err(Invalid::ExecutedBelowParent {
            named: 16,
            parent: 17
        })
    );
    let itself = changed(|_, it| it.executed.height = 21);
    assert_eq!(
        itself,
        Err(Invalid::ExecutedNoAncestor {
            named: 21,
            height: 21
        })
    );
    let parent = changed(|_, it| it.executed.height = 20);
    assert_eq!(parent, Ok(()), "an ancestor");
}

// S-18: what equals the parent's is checked by equality alone.
#[test]
fn the_parents_height_goes_with_the_parents_root() {
    let same = |root| changed(move |_, it| it.executed = Executed { height: 17, root });
    assert_eq!(same(digest(17)), Ok(()));
    let (height, named, other) = (17, digest(1), digest(17));
    assert_eq!(
        same(named),
        Err(Invalid::ExecutedRoot {
            height,
            named,
            other
        })
    );
}

// D-39: at the limit, and one beyond it; without tips there is none.
#[test]
fn work_may_not_run_ahead_of_execution() {
    let world = World::new();
    let old = Block::new(Body {
        executed: Executed {
            height: 15,
            root: digest(15),
        },
        ..Body::clone(&parent())
    });
    let judged = |named: u64, tips: bool| {
        let mut body = block(included(&world, EPOCH, &lane(&world, AT_MS)[1]));
        body.parent = old.digest();
        body.executed = Executed {
            height: named,
            root: digest(named),
        };
        if !tips {
            body.tips.clear();
        }
        let base = |key: &Key| world.genesis.root(key);
        form(&parameters(), &old, EPOCH, &Block::new(body), base)
    };
    assert_eq!(judged(16, true), Ok(()));
    assert_eq!(
        judged(15, true),
        Err(Invalid::ExecutionLag {
            named: 15,
            height: 21
        })
    );
    assert_eq!(judged(15, false), Ok(()));
}

// D-05, D-46: a certificate of this epoch or of the last.
#[test]
fn a_certificate_is_of_this_epoch_or_the_last() {
    for (of, fits) in [(1, false), (2, true), (3, true), (4, false)] {
        let world = World::new();
        let tip = included(&world, of, &lane(&world, AT_MS)[1]);
        let expected = if fits {
            Ok(())
        } else {
            fault(&world, Fault::Epoch { of, block: EPOCH })
        };
        assert_eq!(judged(&world, block(tip)), expected, "epoch {of}");
    }
}

// D-32: what an ancestor included is not included again.
#[test]
fn a_tip_is_above_the_lanes_last_inclusion() {
    let world = World::new();
    let headers = world.lane(0, AT_MS - 10, 4);
    let body = block(included(&world, EPOCH, &headers[1]));
    for (at, fits) in [(0, true), (1, false), (2, false)] {
        let base = headers[at].tip();
        let said = form(
            &parameters(),
            &parent(),
            EPOCH,
            &Block::new(body.clone()),
            |_| base,
        );
        let not_above = Fault::NotAbove {
            height: 2,
            base: base.height,
        };
        assert_eq!(
            said,
            if fits {
                Ok(())
            } else {
                fault(&world, not_above)
            }
        );
    }
}

// D-05: a future certificate. At the skew, and one beyond it.
#[test]
fn a_slot_is_not_ahead_of_the_blocks_time_by_more_than_the_skew() {
    let at = |slot: u64| {
        changed(move |world, it| it.tips = vec![included(world, EPOCH, &world.lane(0, slot, 1)[0])])
    };
    assert_eq!(at(AT_MS + 100), Ok(()));
    let slot = AT_MS + 101;
    assert_eq!(at(slot), fault(&World::new(), Fault::Ahead { slot }));
}

// R-05, D-05: unexpired at the block's time, unless it moves the lane on by half of what a lane may hold, 16.
#[test]
fn an_expired_tip_only_moves_a_long_expired_lane_on() {
    // The last millisecond of slot s is s + 1,001.
    let (alive, expired) = (AT_MS - 1_001, AT_MS - 1_002);
    let up_to = |slot: u64, headers: u64| {
        changed(move |world, it| {
            let lane = world.lane(0, slot + 1 - headers, headers);
            it.tips = vec![included(world, EPOCH, lane.last().expect("some"))];
        })
    };
    assert_eq!(up_to(alive, 1), Ok(()));
    let refused = fault(&World::new(), Fault::Expired { slot: expired });
    assert_eq!(up_to(expired, 1), refused);
    assert_eq!(up_to(expired, 7), refused);
    assert_eq!(up_to(expired, 8), Ok(()));
}

// one bad one among good ones.
#[test]
fn one_expired_tip_spoils_the_block() {
    let world = World::new();
    let slot = AT_MS - 1_002;
    let tips = sorted(vec![
        included(&world, EPOCH, &world.lane(0, slot, 1)[0]),
        included(&world, EPOCH, &world.lane(1, AT_MS, 1)[0]),
    ]);
    let said = changed(|_, it| it.tips = tips);
    assert_eq!(said, fault(&world, Fault::Expired { slot }));
}

// D-32: the branch of a sequencer that shows two chunks of one height to the validators of two epochs.
#[test]
fn a_tip_descends_from_the_lanes_last_inclusion() {
    let world = World::new();
    let (ours, theirs) = (
        world.branch(0, world.root(0), AT_MS - 10, 3, 1),
        world.branch(0, world.root(0), AT_MS - 10, 3, 2),
    );
    let base = ours[0].tip();
    let next = block(included(&world, EPOCH, &theirs[1]));
    let said = form(&parameters(), &parent(), EPOCH, &Block::new(next), |_| base);
    assert_eq!(
        said,
        fault(&world, Fault::Link),
        "no other header is needed to tell"
    );
    let walked = |branch: &[Arc<Signed<Nouns>>]| {
        let tip = included(&world, EPOCH, &branch[2]);
        run(&parameters(), AT_MS, base, &tip, &branch[1..2]).map(|it| it.headers)
    };
    assert_eq!(walked(&ours), Ok(2));
    assert_eq!(walked(&theirs), fault(&world, Fault::Link).map(|()| 0));
}

// D-05: judged from the heights alone, before any header is fetched.
#[test]
fn too_many_headers_are_refused_before_they_are_fetched() {
    for (headers, fits) in [(16, true), (17, false)] {
        let said = changed(|world, it| {
            let lane = world.lane(0, AT_MS - 20, headers);
            it.tips = vec![included(world, EPOCH, lane.last().expect("some"))];
        });
        assert_eq!(
            said,
            if fits {
                Ok(())
            } else {
                Err(Invalid::Headers(17))
            }
        );
    }
}

#[test]
fn parameters_that_lock_a_lane_out_are_refused() {
    assert_eq!(parameters().check(), Ok(()));
    let changed = |change: fn(&mut Parameters)| {
        let mut parameters = parameters();
        change(&mut parameters);
        parameters.check()
    };
    for change in [
        (|it| it.live_max.chunks = 3) as fn(&mut Parameters),
        |it| it.live_max.bytes = 3_999,
        |it| it.live_max.items = 399,
        |it| it.headers_max = 15,
    ] {
        assert!(matches!(changed(change), Err(ParametersError::Lane { .. })));
    }
    assert_eq!(
        changed(|it| it.execution_lag_max = 1),
        Err(ParametersError::Lag(1))
    );
}
