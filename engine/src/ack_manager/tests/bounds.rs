use super::{ME, Manager, ranks, refused};
use crate::{
    ack_manager::{Effect, Message},
    testing::World,
};

// L-04, L-06
#[test]
fn epochs_are_counted_apart_and_the_tip_is_certified_again_in_the_next() {
    let world = World::new();
    let lane = world.lane(ME, 1);
    let mut manager = Manager::new(&world, &lane);
    for (from, epoch) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        assert!(manager.acked(from, epoch, &lane).is_empty(), "two of each");
    }
    assert_eq!(ranks(&manager.acked(2, 0, &lane)), [(1, 0)]);
    assert_eq!(ranks(&manager.acked(0, 1, &lane)), [(1, 1)]);
    manager.tell(Message::Entered(3));
    for from in [0, 1, 2] {
        assert!(
            manager.acked(from, 1, &lane).is_empty(),
            "out of bounds by now"
        );
    }
    manager.acked(0, 3, &lane);
    assert_eq!(manager.state.acks_held(), 1);
    manager.tell(Message::Entered(2));
    assert_eq!(manager.state.acks_held(), 1, "an epoch does not go back");
    manager.tell(Message::Entered(5));
    assert_eq!(manager.state.acks_held(), 0);
}

// L-04, R-15
#[test]
fn a_flood_of_acks_leaves_no_more_than_heights_times_epochs_times_validators() {
    let world = World::new();
    let lane = world.lane(ME, 40);
    let mut manager = Manager::new(&world, &lane[..4]);
    for salt in 0..20 {
        let fork = world.branch(ME, world.root(ME), 40, salt);
        for epoch in 0..10 {
            for chunk in fork.chunks(20) {
                // One validator alone makes no quorum, whatever it says.
                manager.acked(1, epoch, chunk);
            }
        }
    }
    assert_eq!(
        manager.state.acks_held(),
        4 * 2,
        "four heights, two epochs, one signer"
    );
    manager.tell(Message::Executed(lane[2].tip()));
    assert_eq!(manager.state.acks_held(), 2 * 2);
    manager.tell(Message::Certified(world.certificate(1, &lane[3])));
    assert_eq!(manager.state.acks_held(), 0);
}

// A lane that a lost disk split: acks for one header never count for another.
#[test]
fn acks_for_a_place_are_dropped_when_another_takes_it() {
    let world = World::new();
    let lane = world.lane(ME, 1);
    let fork = world.branch(ME, world.root(ME), 1, 1);
    for by_certificate in [false, true] {
        let mut manager = Manager::new(&world, &lane);
        manager.acked(0, 1, &lane);
        manager.acked(1, 1, &lane);
        manager.tell(if by_certificate {
            Message::Certified(world.certificate(0, &fork[0]))
        } else {
            Message::Sealed(fork[0].tip())
        });
        assert_eq!(manager.state.acks_held(), 0);
        let effects = manager.acked(2, 1, &fork);
        assert_eq!(
            (ranks(&effects), refused(&world, &effects)),
            (vec![], vec![])
        );
    }
}

// L-08: what was certified elsewhere is not collected any more.
#[test]
fn a_certificate_learned_from_others_ends_the_count_below_it() {
    let world = World::new();
    let lane = world.lane(ME, 3);
    let mut manager = Manager::new(&world, &lane);
    manager.acked(0, 0, &lane);
    manager.tell(Message::Certified(world.certificate(0, &lane[1])));
    assert_eq!(manager.state.acks_held(), 1, "of 3");
    assert!(
        manager.acked(1, 0, &lane).is_empty(),
        "1 and 2 are late, no more"
    );
    assert_eq!(manager.state.acks_held(), 2);
    manager.tell(Message::Certified(world.certificate(0, &lane[0])));
    assert_eq!(
        ranks(&manager.acked(2, 0, &lane)),
        [(3, 0)],
        "an older one changes nothing"
    );
}

// L-06: its receivers would ignore it, and it would stand in the way of one they take.
#[test]
fn a_certificate_whose_epoch_left_the_bounds_while_it_was_assembled_is_not_shown() {
    let world = World::new();
    let lane = world.lane(ME, 1);
    for (epoch, shown) in [(1, vec![(1, 0)]), (2, vec![])] {
        let mut manager = Manager::new(&world, &lane);
        manager.acks(0, 0, &lane);
        manager.acks(1, 0, &lane);
        let assembling = manager.acks(2, 0, &lane);
        assert!(matches!(assembling[..], [Effect::Assemble(_)]));
        manager.tell(Message::Entered(epoch));
        assert_eq!(ranks(&manager.carry_out(assembling)), shown, "{epoch}");
        manager.acked(0, epoch, &lane);
        manager.acked(1, epoch, &lane);
        assert_eq!(ranks(&manager.acked(2, epoch, &lane)), [(1, epoch)]);
    }
}

// L-06: the lane stood still for ever in seed 40397 of chunks/swarm.
#[test]
fn late_word_of_a_certificate_out_of_bounds_does_not_keep_the_lane_from_starting_lower_down() {
    let world = World::new();
    let lane = world.lane(ME, 2);
    let mut manager = Manager::new(&world, &lane);
    let early = world.certificate(0, &lane[1]);
    manager.tell(Message::Certified(early.clone()));
    manager.tell(Message::Entered(3));
    for header in &lane {
        manager.tell(Message::Sealed(header.tip()));
    }
    manager.tell(Message::Certified(early));
    for from in [0, 1] {
        assert!(manager.acked(from, 3, &lane[..1]).is_empty());
    }
    assert_eq!(ranks(&manager.acked(2, 3, &lane[..1])), [(1, 3)]);
}
