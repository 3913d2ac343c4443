//! The pool's decisions, and its loop.

use super::{Actor, Config, Message, Selection, State};
use crate::{
    Canary,
    testing::{Key, Nouns, World},
};
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use commonware_utils::NZUsize;
use drystone_engine::{
    Horizon,
    types::{Limits, Signed, Tip},
};
use std::{collections::BTreeMap, sync::Arc};

const SLOT: u64 = 10_000;

struct Pool {
    world: World,
    state: State<Nouns>,
}

fn config(world: &World) -> Config {
    Config {
        genesis: world.genesis.clone(),
        certificates_max: 2,
        mailbox_size: NZUsize!(4),
        canary: Canary::None,
    }
}

impl Pool {
    fn new() -> Self {
        let world = World::new();
        let state = State::new(config(&world));
        Self { world, state }
    }

    fn see(&mut self, headers: &[Arc<Signed<Nouns>>]) {
        for header in headers {
            self.state.apply(Message::Seen(header.clone()));
        }
    }

    fn certify(&mut self, epoch: u64, header: &Signed<Nouns>) {
        let certificate = self.world.certificate(epoch, header);
        self.state.apply(Message::Certified(certificate));
    }

    fn advance(&mut self, finalized_ms: u64, included: &[(usize, Tip)]) {
        let included = included
            .iter()
            .map(|(who, tip)| (self.world.key(*who), *tip));
        self.state.apply(Message::Advanced(Horizon {
            finalized_ms,
            included: included.collect(),
            ..Horizon::default()
        }));
    }

    /// Sequencer and height of what a block of this time can include.
    fn select(&self, at_ms: u64, ancestors: &[(usize, Tip)]) -> Vec<(usize, u64)> {
        let ancestors = ancestors
            .iter()
            .map(|(who, tip)| (self.world.key(*who), *tip));
        let candidates = self.state.select(&selection(at_ms, ancestors.collect()));
        let who = |key: &Key| {
            (0..6)
                .find(|it| self.world.key(*it) == *key)
                .expect("a key")
        };
        let place = |it: &super::Candidate<Nouns>| {
            assert_eq!(it.header.tip(), it.certificate.tip);
            (who(&it.certificate.sequencer), it.certificate.tip.height)
        };
        candidates.iter().map(place).collect()
    }
}

const fn selection(at_ms: u64, ancestors: BTreeMap<Key, Tip>) -> Selection<Key> {
    Selection {
        at_ms,
        epoch: 1,
        ancestors,
    }
}

// D-21
#[test]
fn the_lane_whose_oldest_chunk_expires_first_comes_first_and_ties_go_by_key() {
    let mut pool = Pool::new();
    for (who, slot) in [(2, SLOT), (1, SLOT), (0, SLOT + 5), (3, SLOT - 1)] {
        let lane = pool.world.lane(who, slot, 3);
        pool.see(&lane);
        pool.certify(1, &lane[2]);
    }
    let mut tied = [1, 2];
    tied.sort_by_key(|it| pool.world.key(*it));
    let expected = vec![(3, 3), (tied[0], 3), (tied[1], 3), (0, 3)];
    assert_eq!(pool.select(SLOT, &[]), expected);
    // Once the oldest chunk of a lane is included, its next one counts.
    let lane = pool.world.lane(3, SLOT - 1, 3);
    pool.advance(0, &[(3, lane[1].tip())]);
    let mut tied = [1, 2, 3];
    tied.sort_by_key(|it| (if *it == 3 { SLOT + 1 } else { SLOT }, pool.world.key(*it)));
    let expected: Vec<_> = tied.iter().map(|it| (*it, 3)).chain([(0, 3)]).collect();
    assert_eq!(pool.select(SLOT, &[]), expected);
}

// D-21
#[test]
fn a_candidate_says_what_it_stands_for() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 4);
    pool.see(&lane);
    pool.certify(1, &lane[3]);
    // The first two chunks are expired a millisecond after the second one's last.
    let at_ms = pool.world.genesis.expiry_ms(SLOT + 1).unwrap() + 1;
    let candidates = pool.state.select(&selection(at_ms, BTreeMap::new()));
    assert_eq!(candidates[0].headers, 4);
    assert_eq!(
        candidates[0].live,
        Limits {
            chunks: 2,
            bytes: 200,
            items: 20
        }
    );
    let oldest = pool.world.genesis.expiry_ms(SLOT).unwrap();
    assert_eq!(candidates[0].oldest_expiry_ms, oldest);
}

#[test]
fn a_tip_that_does_not_link_falls_back_to_the_one_below() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 6);
    pool.see(&lane[..2]);
    pool.see(&lane[3..]);
    pool.certify(1, &lane[1]);
    pool.certify(1, &lane[4]);
    assert_eq!(pool.select(SLOT, &[]), [(0, 2)]);
    // However many come that do not link, the highest that does stays.
    pool.certify(1, &lane[5]);
    assert_eq!(pool.select(SLOT, &[]), [(0, 2)]);
    // The hole is filled.
    pool.see(&lane[2..3]);
    assert_eq!(pool.select(SLOT, &[]), [(0, 6)]);
    assert_eq!(pool.state.certificates_held(), 2);
}

#[test]
fn a_certificate_that_came_to_link_is_not_pushed_out_by_those_that_do_not() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 9);
    pool.see(&lane[1..5]);
    pool.see(&lane[7..]);
    pool.certify(1, &lane[4]);
    // The header below it comes later, and that of height 7 never does.
    pool.see(&lane[..1]);
    pool.certify(1, &lane[7]);
    pool.certify(1, &lane[8]);
    assert_eq!(pool.select(SLOT, &[]), [(0, 5)]);
}

#[test]
fn a_tip_on_a_branch_that_was_not_included_is_dropped() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 4);
    let fork = pool.world.branch(0, lane[0].tip(), SLOT + 1, 4, 9);
    pool.see(&lane);
    pool.see(&fork);
    pool.certify(0, &lane[3]);
    pool.certify(1, &fork[3]);
    assert_eq!(pool.select(SLOT, &[]), [(0, 5)]);
    pool.advance(0, &[(0, lane[1].tip())]);
    assert_eq!(pool.select(SLOT, &[]), [(0, 4)]);
    assert_eq!(pool.state.certificates_held(), 1);
}

#[test]
fn what_undecided_ancestors_hold_is_left_out() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 4);
    pool.see(&lane);
    pool.certify(1, &lane[1]);
    pool.certify(1, &lane[3]);
    assert_eq!(pool.select(SLOT, &[(0, lane[2].tip())]), [(0, 4)]);
    assert_eq!(pool.select(SLOT, &[(0, lane[3].tip())]), []);
    // An ancestor on another branch of the lane: nothing here extends it.
    let fork = pool.world.branch(0, lane[0].tip(), SLOT + 1, 1, 9);
    assert_eq!(pool.select(SLOT, &[(0, fork[0].tip())]), []);
    // The ancestors did not become final.
    assert_eq!(pool.select(SLOT, &[]), [(0, 4)]);
}

//
#[test]
fn expired_certificates_leave_with_the_time_of_the_chain() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 2);
    pool.see(&lane);
    pool.certify(1, &lane[0]);
    pool.certify(1, &lane[1]);
    let last_ms = pool.world.genesis.expiry_ms(SLOT).unwrap();
    pool.advance(last_ms, &[]);
    assert_eq!(pool.state.certificates_held(), 2);
    pool.advance(last_ms + 1, &[]);
    assert_eq!(pool.state.certificates_held(), 1);
    // A block's own time may be past the expiry before the chain's is.
    assert_eq!(pool.select(last_ms + 1, &[]), [(0, 2)]);
    assert_eq!(pool.select(last_ms + 2, &[]), []);
    // Time does not go back, and what comes expired is not taken.
    pool.advance(0, &[]);
    pool.certify(1, &lane[0]);
    assert_eq!(pool.state.certificates_held(), 1);
    pool.advance(last_ms + 2, &[]);
    assert_eq!(pool.state.certificates_held(), 0);
}

//
#[test]
fn a_long_expired_lane_can_still_be_moved_on() {
    let mut pool = Pool::new();
    // Half of lane_headers_max is 8.
    let lane = pool.world.lane(0, SLOT, 8);
    pool.see(&lane);
    pool.certify(1, &lane[6]);
    pool.certify(1, &lane[7]);
    let late_ms = pool.world.genesis.expiry_ms(SLOT + 7).unwrap() + 1;
    pool.advance(late_ms, &[]);
    assert_eq!(pool.state.certificates_held(), 1);
    assert_eq!(pool.select(late_ms + 1, &[]), [(0, 8)]);
    assert_eq!(pool.select(late_ms + 1, &[(0, lane[0].tip())]), []);
}

#[test]
fn only_certificates_of_the_blocks_epoch_and_the_one_before_fit() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 3);
    pool.see(&lane);
    pool.certify(0, &lane[0]);
    pool.certify(2, &lane[2]);
    assert_eq!(pool.select(SLOT, &[]), [(0, 1)]);
    let later = Selection {
        epoch: 2,
        ..selection(SLOT, BTreeMap::new())
    };
    assert_eq!(pool.state.select(&later)[0].certificate.tip.height, 3);
}

//
#[test]
fn what_is_held_of_a_lane_is_bounded() {
    let mut pool = Pool::new();
    let lane = pool.world.lane(0, SLOT, 200);
    for header in &lane {
        pool.see(std::slice::from_ref(header));
        pool.certify(1, header);
    }
    let headers_max = config(&pool.world).headers_max();
    assert_eq!(headers_max, 48);
    assert_eq!(pool.state.headers_held(), headers_max);
    assert_eq!(pool.state.certificates_held(), 2);
    // The highest that links is among them.
    assert_eq!(pool.select(SLOT, &[]), [(0, 48)]);
    // Inclusion makes room.
    pool.advance(0, &[(0, lane[47].tip())]);
    assert_eq!(pool.state.headers_held(), 0);
    pool.see(&lane[48..]);
    assert_eq!(pool.select(SLOT, &[]), []);
}

// D-14
#[test]
fn a_pool_that_restarted_is_filled_by_bases_and_headers_in_any_order() {
    let world = World::new();
    let lane = world.lane(0, SLOT, 4);
    let mut expected = None;
    for turn in 0..4 {
        let mut pool = Pool::new();
        let at = |it: u32| it == turn;
        for step in 0..4 {
            if at(step) {
                pool.certify(1, &lane[3]);
                pool.advance(5, &[(0, lane[0].tip())]);
            }
            pool.see(&lane[step as usize..=step as usize]);
        }
        let selected = pool.select(SLOT, &[]);
        assert_eq!(selected, [(0, 4)], "turn {turn}");
        let held = pool.state.headers_held();
        assert_eq!(*expected.get_or_insert(held), held);
    }
}

// D-14
#[test]
fn the_loop_answers_with_what_it_was_told_before_however_full_its_mailbox_was() {
    deterministic::Runner::default().start(|context| async move {
        let world = World::new();
        let (actor, mailbox) = Actor::<_, Nouns>::new(context.child("pool"), config(&world));
        let lane = world.lane(0, SLOT, 9);
        for header in &lane {
            mailbox.seen(header.clone());
        }
        mailbox.certified(world.certificate(1, &lane[8]));
        let early = mailbox.select(selection(SLOT, BTreeMap::new()));
        let tip = lane[1].tip();
        mailbox.advanced(Horizon {
            included: [(world.key(0), tip)].into(),
            ..Horizon::default()
        });
        let _running = actor.start();
        assert_eq!(early.await.expect("answered")[0].certificate.tip.height, 9);
        let late = mailbox.select(selection(SLOT, BTreeMap::new())).await;
        assert_eq!(late.expect("answered")[0].headers, 7);
    });
}
