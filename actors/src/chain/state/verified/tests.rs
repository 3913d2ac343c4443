//! What needs no second check.

use super::Verified;
use crate::testing::{Nouns, World};
use drystone_engine::types::Certificate;
use std::sync::Arc;

// D-31: what held in one epoch's set says nothing of another's, not even over the same place by the same validators.
#[test]
fn a_certificate_is_known_in_its_epoch_alone() {
    let world = World::new();
    let lane = world.lane(0, 10, 1);
    let held = world.certificate(0, &lane[0]);
    let mut verified = Verified::<Nouns>::new(2);
    verified.insert(held.clone());
    assert!(verified.contains(&held));
    assert!(!verified.contains(&world.certificate(1, &lane[0])));
    let renamed = Certificate {
        epoch: 1,
        ..Certificate::clone(&held)
    };
    assert!(!verified.contains(&renamed));
}

#[test]
fn a_lane_keeps_its_newest_ones_and_leaves_the_others_theirs() {
    let world = World::new();
    let (one, two) = (world.lane(0, 10, 4), world.lane(1, 10, 1));
    let all: Vec<Arc<_>> = one.iter().map(|it| world.certificate(0, it)).collect();
    let other = world.certificate(0, &two[0]);
    let mut verified = Verified::<Nouns>::new(2);
    verified.insert(other.clone());
    for it in &all {
        verified.insert(it.clone());
        verified.insert(it.clone());
    }
    let kept: Vec<_> = all.iter().map(|it| verified.contains(it)).collect();
    assert_eq!(kept, [false, false, true, true]);
    assert!(verified.contains(&other));
}
