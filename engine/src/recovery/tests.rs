use super::{RecoveryError, State};
use crate::{
    record::Record,
    refusal::Refusal,
    testing::{Nouns, World, payload, stolen},
    types::{Certificate, Signed},
    wire::Told,
};
use std::sync::Arc;

const ME: usize = 0;
const NONCE: u64 = 9;

fn state(world: &World) -> State<Nouns> {
    start(world, ME).expect("there are enough others")
}

fn start(world: &World, me: usize) -> Result<State<Nouns>, RecoveryError> {
    State::new(
        world.genesis.clone(),
        world.key(me),
        NONCE,
        world.bounds,
        &world.epochs(me, 3),
    )
}

fn answer(
    epoch: u64,
    headers: &[Arc<Signed<Nouns>>],
    certificate: Option<Arc<Certificate<Nouns>>>,
) -> Told<Nouns> {
    Told {
        nonce: NONCE,
        epoch,
        headers: headers.to_vec(),
        certificate,
    }
}

// L-10
#[test]
fn two_f_plus_one_others_must_answer_and_each_counts_once() {
    let world = World::new();
    let mut state = state(&world);
    assert_eq!(state.silent(), [1, 2, 3].map(|it| world.key(it)));
    for from in [1, 1, 1, 2, 2] {
        assert_eq!(state.told(world.key(from), answer(3, &[], None)), Ok(None));
    }
    assert_eq!(state.silent(), [world.key(3)]);
    let records = state
        .told(world.key(3), answer(3, &[], None))
        .unwrap()
        .expect("three");
    assert_eq!(
        records,
        [Record::Muted { until: 5 }],
        "not in the next epoch either: it may have been ahead"
    );
}

// L-10: an answer to an earlier start says nothing about what was signed since.
#[test]
fn an_answer_to_an_earlier_question_does_not_count() {
    let world = World::new();
    let mut state = state(&world);
    let stale = Told {
        nonce: NONCE - 1,
        ..answer(3, &[], None)
    };
    assert!(matches!(
        state.told(world.key(1), stale),
        Err(Refusal::Malformed(_))
    ));
    assert_eq!(state.silent().len(), 3);
}

#[test]
fn an_answer_from_somebody_who_is_no_validator_does_not_count() {
    let world = World::new();
    let mut state = state(&world);
    for from in [4, 5] {
        assert_eq!(
            state.told(world.key(from), answer(3, &[], None)),
            Err(Refusal::NotValidator(3))
        );
    }
    assert_eq!(state.silent().len(), 3);
}

// L-10, R-03: what this key did not sign binds it to nothing.
#[test]
fn an_answer_with_a_forged_or_impossible_header_does_not_count() {
    let world = World::new();
    let mut state = state(&world);
    let lane = world.lane(ME, 2);
    let forged = stolen(&lane[1], &lane[0]);
    assert_eq!(
        state.told(world.key(1), answer(3, &[forged], None)),
        Err(Refusal::HeaderSignature(2))
    );
    let impossible = world.header(ME, world.root(ME), u64::MAX, payload(0));
    assert_eq!(
        state.told(world.key(1), answer(3, &[impossible], None)),
        Err(Refusal::Impossible(1))
    );
    assert_eq!(state.silent().len(), 3);
}

// L-10
#[test]
fn the_lane_goes_on_from_the_highest_header_and_certificate_that_anybody_shows() {
    let world = World::new();
    let lane = world.lane(ME, 6);
    let certificate = |epoch: u64, height: usize| Some(world.certificate(epoch, &lane[height - 1]));
    let mut state = state(&world);
    state
        .told(world.key(1), answer(2, &lane[..3], certificate(2, 1)))
        .unwrap();
    state
        .told(world.key(2), answer(4, &lane[1..5], certificate(2, 2)))
        .unwrap();
    let last = answer(3, &lane[1..4], certificate(3, 2));
    let records = state.told(world.key(3), last).unwrap().expect("three");
    let mut expected = vec![
        Record::Muted { until: 5 },
        Record::Base {
            sequencer: world.key(ME),
            tip: lane[1].tip(),
            certificate: certificate(3, 2),
        },
    ];
    expected.extend(lane[2..5].iter().map(|header| Record::Own {
        header: header.clone(),
    }));
    assert_eq!(records, expected);
}

// L-10: two liars of seven can neither mute the node for ever nor have it sign where it may have signed.
#[test]
fn an_epoch_that_only_liars_name_mutes_nobody() {
    let mut world = World::new();
    world.seat(3, &[0, 1, 2, 3, 4, 5, 6], &[0]);
    for (epochs, until) in [
        ([3, 3, 3, u64::MAX, u64::MAX], 5),
        ([3, 4, 4, u64::MAX, u64::MAX], 6),
        ([0, 0, 4, 4, 4], 6),
        // One more than can be faulty: it is so.
        ([0, 0, u64::MAX, u64::MAX, u64::MAX], u64::MAX),
    ] {
        let mut state = state(&world);
        let mut records = None;
        for (from, epoch) in (1..).zip(epochs) {
            records = state
                .told(world.key(from), answer(epoch, &[], None))
                .unwrap();
        }
        assert_eq!(records, Some(vec![Record::Muted { until }]), "{epochs:?}");
    }
}

// L-10: up to three validators bear no fault, and a lost disk is one.
#[test]
fn a_validator_without_a_quorum_beside_it_does_not_start_over() {
    for (validators, quorum) in [(1, 1), (2, 2), (3, 3)] {
        let mut world = World::new();
        let seats: Vec<usize> = (0..validators).collect();
        world.seat(3, &seats, &[0, 4]);
        let refused = start(&world, ME).err();
        let others = validators - 1;
        assert_eq!(refused, Some(RecoveryError::TooFew { others, quorum }));
        // A sequencer that is no validator takes no seat: all of them can answer it.
        let mut external = start(&world, 4).expect("enough");
        let mut answers = seats.iter().map(|from| {
            let answered = external.told(world.key(*from), answer(3, &[], None));
            answered.unwrap().is_some()
        });
        assert!(answers.by_ref().take(validators - 1).all(|done| !done));
        assert_eq!(answers.next(), Some(true));
    }
}
