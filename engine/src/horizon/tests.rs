use super::Horizon;
use crate::testing::World;

// L-16, D-13: reports that overtake one another never take the chain back.
#[test]
fn merged_reports_are_the_newest_of_each_part_in_either_order() {
    let world = World::new();
    let (lane, other) = (world.lane(1, 3), world.lane(2, 2));
    let early = Horizon {
        finalized_ms: 50,
        executed_ms: 10,
        included: [
            (world.key(1), lane[2].tip()),
            (world.key(2), other[0].tip()),
        ]
        .into(),
        executed: [(world.key(1), lane[0].tip())].into(),
    };
    let late = Horizon {
        finalized_ms: 40,
        executed_ms: 20,
        included: [(world.key(1), lane[1].tip())].into(),
        executed: [
            (world.key(1), lane[1].tip()),
            (world.key(2), other[1].tip()),
        ]
        .into(),
    };
    let expected = Horizon {
        finalized_ms: 50,
        executed_ms: 20,
        included: [
            (world.key(1), lane[2].tip()),
            (world.key(2), other[0].tip()),
        ]
        .into(),
        executed: [
            (world.key(1), lane[1].tip()),
            (world.key(2), other[1].tip()),
        ]
        .into(),
    };
    for (mut first, second) in [(early.clone(), late.clone()), (late, early)] {
        first.merge(second);
        assert_eq!(first, expected);
    }
}
