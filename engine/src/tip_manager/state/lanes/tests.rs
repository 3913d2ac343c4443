//! Against an ordered map.

use super::{super::lane::Lane, Lanes};
use crate::testing::{Nouns, World};
use std::collections::BTreeMap;

#[test]
fn lanes_are_found_in_any_order_and_listed_in_that_of_keys() {
    let world = World::new();
    let mut lanes = Lanes::<Nouns>::default();
    let mut model = BTreeMap::new();
    // Below, above and beside the one before, some again, and questions for those that are not there.
    for (who, time) in [3, 5, 1, 1, 6, 0, 3, 2, 6, 0, 4].into_iter().zip(1..) {
        let key = world.key(who);
        for other in 0..7 {
            let other = world.key(other);
            let executed = lanes.get(&other).map(|it| it.executed.height);
            assert_eq!(executed, model.get(&other).copied());
        }
        let lane = lanes.get_or_insert_with(&key, || Lane::new(&world.genesis, &key));
        lane.executed.height = time;
        model.insert(key.clone(), time);
        assert_eq!(lanes.get_mut(&key).map(|it| it.executed.height), Some(time));
        assert!(lanes.keys().eq(model.keys()));
        let heights = lanes.values().map(|it| it.executed.height);
        assert!(heights.eq(model.values().copied()));
    }
}
