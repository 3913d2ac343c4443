use super::state::{Entry, State};
use crate::testing::blocks::digest;
use commonware_utils::NZU64;

fn state() -> State {
    State::new(NZU64!(10), 2, digest(19))
}

#[test]
fn an_epoch_is_entered_once_it_is_known_and_never_twice() {
    let mut state = state();
    assert_eq!(state.enter(|_| false), None);
    let entry = Entry {
        epoch: 2,
        genesis: digest(19),
    };
    assert_eq!(state.enter(|epoch| epoch == 2), Some(entry));
    assert_eq!(state.enter(|_| true), None);
}

#[test]
fn the_next_epoch_begins_with_the_last_block_of_this_one() {
    let mut state = state();
    assert!(state.enter(|_| true).is_some());
    state.finalized(19, digest(1));
    assert_eq!(
        state.enter(|_| true),
        None,
        "that one comes again after a restart"
    );
    state.finalized(29, digest(29));
    assert_eq!(
        state.enter(|_| true),
        Some(Entry {
            epoch: 3,
            genesis: digest(29)
        })
    );
}

#[test]
fn who_hears_of_a_later_epoch_fetches_the_end_of_its_own() {
    let state = state();
    assert_eq!(state.heard(1), None);
    assert_eq!(state.heard(2), None);
    assert_eq!(state.heard(3), Some(29));
    assert_eq!(state.heard(u64::MAX), Some(29));
}

#[test]
fn pruning_keeps_what_a_restart_begins_with() {
    let state = state();
    assert_eq!(state.keep(5), 5);
    assert_eq!(state.keep(25), 9);
    let first = State::new(NZU64!(10), 0, digest(0));
    assert_eq!(first.keep(7), 0);
}
