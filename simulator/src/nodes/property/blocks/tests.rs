//! Each rule, broken by what is observed.

use super::KeepsRules;
use crate::{
    Property as _, Scenario, Stamped, lanes,
    lanes::Short,
    nodes::{Nodes, Options, Seen, Tip},
    property::Verdict,
    time::secs,
};

/// When the run begins.
const START_MS: u64 = 1_000_000;

/// Slots of 10 ms that are valid for 2 s more, and little that fits a block.
fn rules() -> KeepsRules {
    let mut options = Options {
        skew_ms: 300,
        execution_lag_max: 2,
        epoch_blocks: 10,
        ..Options::all(4)
    };
    let lanes = &mut options.chunks.lanes;
    (lanes.slot_ms, lanes.window_ms) = (10, 2_000);
    (lanes.in_flight_max, lanes.ahead_max, lanes.headers_max) = (2, 2, 8);
    let plan = Scenario::<Nodes>::cluster(4).quiet().options(options);
    KeepsRules::new(&plan.plan(0), START_MS)
}

fn show(rules: &mut KeepsRules, what: Seen) -> Verdict {
    rules.observe(&Stamped {
        at_us: secs(3),
        number: 1,
        node: Some(2),
        incarnation: 0,
        cause: 0,
        what,
    })
}

/// The first tip of a lane, of the time of [`block`].
fn tip() -> Tip {
    Tip {
        lane: 1,
        epoch: 0,
        height: 3,
        slot: 100_200,
        digest: Short(13),
        previous: Short(12),
        genuine: true,
    }
}

/// A block of the chain, two seconds after it began, on one that names itself `100 + height`.
fn block(height: u64, tips: Vec<Tip>) -> Seen {
    Seen::Finalized {
        height,
        digest: Short(100 + height),
        parent: Short(99 + height),
        time_ms: START_MS + 2_000 + height,
        tips,
        executed: height.saturating_sub(2),
        root: Short(200 + height.saturating_sub(2)),
    }
}

fn locked(height: u64, digest: u64, previous: u64) -> Seen {
    Seen::Lane(lanes::Seen::Locked {
        lane: 1,
        height,
        slot: 0,
        digest: Short(digest),
        previous: Short(previous),
        payload: Short(0),
    })
}

/// A chain of three blocks, the second of which includes lane 1 up to height 3.
fn chain() -> KeepsRules {
    let mut rules = rules();
    for (height, digest) in [(1, 11), (2, 12), (3, 13), (4, 14)] {
        assert_eq!(show(&mut rules, locked(height, digest, digest - 1)), Ok(0));
    }
    for (height, tips) in [(1, vec![]), (2, vec![tip()]), (3, vec![])] {
        assert_eq!(show(&mut rules, block(height, tips)), Ok(1));
    }
    rules
}

/// Shows a fourth block, and what is said of it.
fn fourth(change: impl FnOnce(&mut Seen)) -> Result<(), String> {
    let mut what = block(4, vec![]);
    change(&mut what);
    let judged = show(&mut chain(), what);
    judged.map(|_| ()).map_err(|it| it.message)
}

fn broken(message: &str, change: impl FnOnce(&mut Seen)) {
    let found = fourth(change).expect_err(message);
    assert!(found.contains(message), "{found}");
}

/// Shows a fourth block with a tip, the next of its lane but for this.
fn with(change: impl FnOnce(&mut Tip)) -> impl FnOnce(&mut Seen) {
    move |seen| {
        let mut next = Tip {
            height: 4,
            slot: 100_201,
            digest: Short(14),
            previous: Short(13),
            ..tip()
        };
        change(&mut next);
        let Seen::Finalized { tips, .. } = seen else {
            unreachable!()
        };
        tips.push(next);
    }
}

/// The parts of a block that are no tips.
fn parts(seen: &mut Seen) -> (&mut Short, &mut u64, &mut u64, &mut Short) {
    match seen {
        Seen::Finalized {
            parent,
            time_ms,
            executed,
            root,
            ..
        } => (parent, time_ms, executed, root),
        _ => unreachable!(),
    }
}

#[test]
fn what_obeys_the_rules_is_no_violation() {
    assert_eq!(fourth(|_| ()), Ok(()));
    assert_eq!(fourth(with(|_| ())), Ok(()));
    // The latest time that a clock without an error lets through.
    assert_eq!(fourth(|it| *parts(it).1 = START_MS + 3_301), Ok(()));
    // An expired tip that moves its lane on by half of what a lane may have.
    let long = |it: &mut Tip| (it.height, it.slot, it.previous) = (7, 1, Short(60));
    assert_eq!(fourth(with(long)), Ok(()));
}

// D-29, D-30
#[test]
fn blocks_follow_each_other_in_time() {
    broken("is built on", |it| *parts(it).0 = Short(102));
    broken("must be above", |it| *parts(it).1 = START_MS + 2_003);
    broken("and at most", |it| *parts(it).1 = START_MS + 3_302);
}

#[test]
fn states_that_are_named_are_reached_and_none_is_older() {
    broken("names the state of 4", |it| *parts(it).2 = 4);
    broken("names the state of 0", |it| *parts(it).2 = 0);
    broken("has root", |it| {
        (*parts(it).2, *parts(it).3) = (1, Short(1));
    });
    broken("has tips and names", |it| {
        (*parts(it).2, *parts(it).3) = (1, Short(201));
        with(|_| ())(it);
    });
}

// D-31, D-32
#[test]
fn tips_are_certified_and_go_on_where_the_lane_ends() {
    broken("nobody certified it", with(|it| it.genuine = false));
    broken("of epoch 1", with(|it| it.epoch = 1));
    broken("3 was included before", with(|it| it.height = 3));
    broken("its slot begins at", with(|it| it.slot = 100_231));
    broken("it expired at", with(|it| it.slot = 99_999));
    broken("does not descend", with(|it| it.previous = Short(12)));
    broken("links to one at", with(|it| it.height = 6));
    broken("two tips of lane 1", |it| {
        with(|_| ())(it);
        with(|_| ())(it);
    });
    broken(
        "moves lanes on by 17 headers",
        with(|it| (it.height, it.previous) = (20, Short(60))),
    );
}

#[test]
fn a_block_stands_for_what_it_may() {
    let judge = |headers, chunks, bytes, items| {
        let executed = Seen::Executed {
            height: 2,
            digest: Short(102),
            time_ms: START_MS + 2_002,
            root: Short(202),
            headers,
            chunks,
            bytes,
            items,
            results: vec![],
        };
        show(&mut chain(), executed).is_ok()
    };
    // Two lanes, each two chunks of 8,192 bytes and 64 transfers ahead.
    assert!(judge(3, 4, 32_768, 256));
    assert!(!judge(2, 4, 32_768, 256));
    assert!(!judge(3, 5, 32_768, 256));
    assert!(!judge(3, 4, 32_769, 256));
    assert!(!judge(3, 4, 32_768, 257));
}
