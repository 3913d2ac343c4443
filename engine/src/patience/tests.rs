use super::{LEAST_MS, Patience, SAMPLE_MAX_MS, TRIES_MAX};

// L-08: the first wait of all is the rebroadcast interval's.
#[test]
fn nothing_is_taken_for_lost_before_anything_ever_came() {
    let mut patience = Patience::default();
    patience.start(1_000);
    assert_eq!(patience.until_ms(), None);
    assert!(!patience.is_over(u64::MAX));
}

// L-08: a peer that is gone costs a bounded number of messages.
#[test]
fn each_wait_is_twice_the_last_and_there_are_only_so_many() {
    let mut patience = Patience::default();
    patience.took(40);
    patience.start(1_000);
    let mut now_ms = 1_000;
    for tries in 0..TRIES_MAX {
        let until_ms = now_ms + (160 << tries);
        assert_eq!(patience.until_ms(), Some(until_ms));
        assert!(!patience.is_over(until_ms - 1));
        assert!(patience.is_over(until_ms));
        now_ms = until_ms;
    }
    assert_eq!(patience.until_ms(), None);
    patience.start(now_ms);
    assert_eq!(patience.until_ms(), Some(now_ms + 160), "it begins anew");
    patience.stop();
    assert!(!patience.is_over(u64::MAX));
}

#[test]
fn a_wait_follows_what_is_usual_and_neither_a_fast_link_nor_a_partition_spoils_it() {
    let mut patience = Patience::default();
    patience.took(1);
    patience.start(0);
    assert_eq!(patience.until_ms(), Some(LEAST_MS));
    patience.took(1_000_000);
    patience.start(0);
    assert_eq!(patience.until_ms(), Some(4 * SAMPLE_MAX_MS.div_ceil(8)));
}
