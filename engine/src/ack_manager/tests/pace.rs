use super::{ME, Manager, ranks};
use crate::{
    ack_manager::{Effect, Message, Pace},
    testing::{NOW_MS, Nouns, World},
    types::Signed,
};
use std::sync::Arc;

const PACE: Pace = Pace {
    interval_ms: 10,
    stride: 3,
};

impl Manager<'_> {
    /// A quorum acks some headers; returns what was certified.
    fn quorum(&mut self, epoch: u64, headers: &[Arc<Signed<Nouns>>]) -> Vec<(u64, u64)> {
        let mut certified = Vec::new();
        for from in 0..3 {
            let effects = self.acks(from, epoch, headers);
            certified.extend(ranks(&self.carry_out(effects)));
        }
        certified
    }

    fn wake(&mut self) -> Vec<(u64, u64)> {
        let effects = self.tell(Message::Woken);
        ranks(&self.carry_out(effects))
    }
}

// L-03: every validator checks every certificate, so one serves many chunks.
#[test]
fn the_first_quorum_is_certified_at_once_and_the_next_ones_together_at_the_pace() {
    let world = World::new();
    let lane = world.lane(ME, 4);
    let mut manager = Manager::paced(&world, &lane, PACE);
    assert_eq!(manager.quorum(0, &lane[..1]), [(1, 0)]);
    manager.now_ms += 4;
    assert_eq!(manager.quorum(0, &lane[1..2]), []);
    assert_eq!(manager.state.wake_ms(), Some(NOW_MS + 10));
    assert_eq!(manager.quorum(0, &lane[2..3]), []);
    manager.now_ms += 5;
    assert_eq!(manager.wake(), [], "too early");
    manager.now_ms += 1;
    assert_eq!(manager.wake(), [(3, 0)]);
    assert_eq!(manager.state.wake_ms(), None);
    manager.now_ms += 10;
    assert_eq!(
        manager.quorum(0, &lane[3..]),
        [(4, 0)],
        "a slow lane never waits"
    );
}

// L-03: the window of a fast lane does not fill up while the pace is kept.
#[test]
fn a_stride_of_heights_does_not_wait_for_the_pace() {
    let world = World::new();
    let lane = world.lane(ME, 4);
    let mut manager = Manager::paced(&world, &lane, PACE);
    manager.quorum(0, &lane[..1]);
    assert_eq!(manager.quorum(0, &lane[1..3]), []);
    assert_eq!(manager.quorum(0, &lane[3..]), [(4, 0)]);
}

// L-06: an epoch certifies its base anew, at once.
#[test]
fn a_new_epoch_does_not_wait_for_the_pace() {
    let world = World::new();
    let lane = world.lane(ME, 1);
    let mut manager = Manager::paced(&world, &lane, PACE);
    manager.quorum(0, &lane);
    manager.tell(Message::Entered(1));
    assert_eq!(manager.quorum(1, &lane), [(1, 1)]);
}

// L-14: a forger among the signers costs one more attempt and no time.
#[test]
fn an_attempt_that_failed_is_repeated_at_once() {
    let world = World::new();
    let lane = world.lane(ME, 2);
    let mut manager = Manager::paced(&world, &lane, PACE);
    manager.acks(0, 0, &lane[..1]);
    manager.acks(1, 0, &lane[..1]);
    let failing = manager.forged(2, 0, &lane[0], &lane[1]);
    assert!(matches!(failing[..], [Effect::Assemble(_)]));
    assert_eq!(ranks(&manager.carry_out(failing)), []);
    let effects = manager.acks(3, 0, &lane[..1]);
    assert_eq!(ranks(&manager.carry_out(effects)), [(1, 0)]);
}
