//! What is said of how long transfers take.

use crate::{
    Goal as _, Stamped,
    lanes::Short,
    nodes::{Fate, Seen, Stopwatch},
    time::secs,
};

fn signed(id: u64, expiry_ms: u64) -> Seen {
    Seen::Signed {
        id: Short(id),
        from: 3,
        to: 4,
        amount: 1,
        fee: 1,
        nonce: 9,
        expiry_ms,
    }
}

// A client waits for its payment, whichever version of it comes through.
#[test]
fn the_time_of_a_payment_begins_when_its_first_version_is_brought() {
    let mut stopwatch = Stopwatch::new([0], 1);
    let shown = [
        (secs(1), None, signed(1, 4_000)),
        (secs(5), None, signed(2, 9_000)),
        (
            secs(6),
            Some(0),
            Seen::Finalized {
                height: 12,
                digest: Short(50),
                parent: Short(49),
                time_ms: 6_000,
                tips: Vec::new(),
                executed: 11,
                root: Short(51),
            },
        ),
        (
            secs(7),
            Some(0),
            Seen::Executed {
                height: 12,
                digest: Short(50),
                time_ms: 6_000,
                root: Short(52),
                headers: 1,
                chunks: 1,
                bytes: 200,
                items: 1,
                results: vec![(Short(2), Fate::Executed)],
            },
        ),
    ];
    for ((at_us, node, what), number) in shown.into_iter().zip(1..) {
        assert!(!stopwatch.reached());
        stopwatch.observe(&Stamped {
            at_us,
            number,
            node,
            incarnation: 0,
            cause: 0,
            what,
        });
    }
    assert!(stopwatch.reached());
    let times = stopwatch.times();
    assert_eq!((times.transfers, times.signed_again), (1, 1));
    assert_eq!(times.final_us.p50, secs(5), "not one second");
    assert_eq!(times.executed_us.p50, secs(6));
    assert_eq!((times.everywhere_us.p50, times.span_us), (secs(6), secs(6)));
}
