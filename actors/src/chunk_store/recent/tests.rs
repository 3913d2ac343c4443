//! What stays in memory, of whom, and for how long.

use super::{Recent, size};
use crate::testing::{Key, World, chunk};

fn kept(recent: &Recent<Key>, world: &World, who: usize) -> Vec<u64> {
    let is_kept = |it: &u64| {
        let reference = world.reference(who, *it, 0, &chunk(*it, 100));
        recent.get(&reference).is_some()
    };
    (1..=6).filter(is_kept).collect()
}

// D-19
#[test]
fn a_producer_makes_room_for_its_newest_chunks_at_the_cost_of_its_own_oldest() {
    let world = World::new();
    let mut recent = Recent::new(2 * size(&chunk(1, 100)), 1_000);
    recent.keep(&world.key(1), chunk(1, 100));
    for height in 1..=5 {
        recent.keep(&world.key(2), chunk(height, 100));
    }
    assert_eq!(kept(&recent, &world, 1), [1]);
    assert_eq!(kept(&recent, &world, 2), [4, 5]);
    // One that comes again is kept once, and is the newest.
    recent.keep(&world.key(2), chunk(4, 100));
    recent.keep(&world.key(2), chunk(6, 100));
    assert_eq!(kept(&recent, &world, 2), [4, 6]);
    // One that is larger than all that a producer may have costs nothing.
    recent.keep(&world.key(2), chunk(7, 900));
    assert_eq!(kept(&recent, &world, 2), [4, 6]);
}

#[test]
fn what_a_block_has_executed_makes_room() {
    let world = World::new();
    let mut recent = Recent::new(2 * size(&chunk(1, 100)), 1_000);
    for height in 1..=2 {
        recent.keep(&world.key(1), chunk(height, 100));
    }
    for _ in 0..2 {
        recent.forget(&world.reference(1, 1, 0, &chunk(1, 100)));
    }
    recent.keep(&world.key(1), chunk(3, 100));
    assert_eq!(kept(&recent, &world, 1), [2, 3]);
    for height in 2..=3 {
        recent.forget(&world.reference(1, height, 0, &chunk(height, 100)));
    }
    assert!(recent.producers.is_empty());
}

#[test]
fn a_header_that_says_something_else_of_a_chunk_gets_none() {
    let world = World::new();
    let mut recent = Recent::new(u64::MAX, 1_000);
    recent.keep(&world.key(1), chunk(1, 100));
    let honest = world.reference(1, 1, 0, &chunk(1, 100));
    assert!(recent.get(&honest).is_some());
    let mut wrong = honest.clone();
    wrong.items += 1;
    assert!(recent.get(&wrong).is_none());
    assert!(
        recent
            .get(&world.reference(2, 1, 0, &chunk(1, 100)))
            .is_none()
    );
}

#[test]
fn what_no_block_executes_goes_with_chain_time() {
    let world = World::new();
    let mut recent = Recent::new(u64::MAX, 1_000);
    recent.advanced(500);
    recent.keep(&world.key(1), chunk(1, 100));
    recent.advanced(1_500);
    recent.keep(&world.key(1), chunk(2, 100));
    assert_eq!(kept(&recent, &world, 1), [1, 2]);
    assert_eq!(recent.bytes(), 2 * size(&chunk(1, 100)));
    // Chain time never goes back.
    recent.advanced(1_501);
    recent.advanced(0);
    assert_eq!(kept(&recent, &world, 1), [2]);
    recent.advanced(2_501);
    assert!(recent.producers.is_empty());
    assert_eq!(recent.bytes(), 0);
}
