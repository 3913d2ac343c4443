//! What travels apart.

use super::{CHANNELS, Channel};
use std::collections::BTreeSet;

// K-04: transactions and blocks are requested and served apart from each other, and from everything else.
#[test]
fn each_channel_has_a_number_of_its_own_and_all_are_listed() {
    let numbers: BTreeSet<_> = CHANNELS.iter().map(|it| *it as u64).collect();
    assert_eq!(numbers.len(), CHANNELS.len());
    // The last one has as many before it as are listed.
    assert_eq!(Channel::Backfill as usize + 1, CHANNELS.len());
    let [transactions, blocks, missed] =
        [Channel::Transactions, Channel::Blocks, Channel::Backfill].map(|it| it as u64);
    assert!(transactions != blocks && blocks != missed && transactions != missed);
}
