//! Validators first, and nobody for ever last.

use super::{Limits, OVERHEAD_BYTES, Rate, Serving};
use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_utils::NZU64;
use std::collections::BTreeSet;

/// What one answer costs, and how many a peer may have at once; then one each 100 ms.
const COST: u64 = 1_000;
const BURST: u64 = 4;
const EVERY_MS: u64 = 100;

fn peer(index: u64) -> PublicKey {
    PrivateKey::from_seed(index).public_key()
}

/// Peers 0 to 2 are validators, 3 and 4 sentries.
fn validators() -> BTreeSet<PublicKey> {
    (0..3).map(peer).collect()
}

fn serving(reading_max: usize) -> Serving<PublicKey, u64> {
    Serving::new(Limits {
        rate: Rate {
            bytes_per_second: NZU64!(COST * 1_000 / EVERY_MS),
            burst_bytes: BURST * COST,
        },
        requests_max: 8,
        reading_max,
    })
}

fn ask(serving: &mut Serving<PublicKey, u64>, now_ms: u64, who: u64, block: u64) -> bool {
    let bytes = COST - OVERHEAD_BYTES;
    serving.asked(now_ms, &peer(who), block, bytes).is_ok()
}

/// Serves all that may be served at a time, and tells whom.
fn serve(serving: &mut Serving<PublicKey, u64>, now_ms: u64) -> Vec<(u64, u64)> {
    let first = validators();
    let mut served = Vec::new();
    while let Some((who, block)) = serving.next(now_ms, &first) {
        serving.served(&who, 0);
        let index = (0..5).find(|it| peer(*it) == who);
        served.push((index.expect("one of five"), block));
    }
    served
}

// K-12, K-19: a sentry that was cut off asks for all that it missed while validators ask without end.
#[test]
fn validators_come_first_and_a_sentry_catches_up_all_the_same() {
    let mut serving = serving(1);
    let mut wanted = [0; 5];
    let mut had = [0; 5];
    for now_ms in (0..10_000).step_by(10) {
        // The sentry comes first, if that is any help.
        for who in [3, 0, 1, 2] {
            while ask(&mut serving, now_ms, who, wanted[who as usize]) {
                wanted[who as usize] += 1;
            }
        }
        let served = serve(&mut serving, now_ms);
        assert!(
            served.is_sorted_by_key(|(who, _)| *who == 3),
            "at {now_ms} ms a sentry was served before a validator: {served:?}"
        );
        for (who, block) in served {
            assert_eq!(block, had[who as usize], "in the order asked");
            had[who as usize] += 1;
        }
    }
    // Each had what its rate allows, whoever else was served.
    let due = BURST + (10_000 - 10) / EVERY_MS;
    assert_eq!(had, [due, due, due, due, 0]);
}

// K-12, K-19: a flood of others takes no validator's turn.
#[test]
fn a_validator_is_next_however_many_wait() {
    for flood in 1..8 {
        let mut serving = serving(2);
        for (who, block) in [3, 4]
            .into_iter()
            .flat_map(|who| (0..flood).map(move |it| (who, it)))
        {
            assert!(ask(&mut serving, 0, who, block));
        }
        let first = validators();
        let began = serving.next(0, &first).expect("somebody waits");
        assert!(!first.contains(&began.0));
        assert!(ask(&mut serving, 0, 2, 77));
        assert_eq!(serving.next(0, &first), Some((peer(2), 77)));
        // Two reads are under way: what is over makes room.
        assert_eq!(serving.next(0, &first), None);
        assert!(ask(&mut serving, 0, 1, 78));
        serving.served(&began.0, 0);
        assert_eq!(serving.next(0, &first), Some((peer(1), 78)));
    }
}
