//! Whatever is executed, in whatever lists: the sum stays, and it is what one after the other would have come to.

use super::{Bank, FEE_MIN, genesis, key, signed, transaction, transfer};
use crate::{Signatures as _, Signed, Transfer, UNNUMBERED};
use commonware_parallel::Sequential;
use drystone_actors::transaction::Transaction;
use proptest::prelude::*;
use std::sync::Arc;

/// Transfers of which many are good: nonces are small or none, amounts about what there is, some signed by somebody else.
fn transfers() -> impl Strategy<Value = Vec<Arc<Transaction>>> {
    let one = (
        0..4_u64,
        1..4_u64,
        1..250_u64,
        prop_oneof![3 => 0..6_u64, 1 => UNNUMBERED..UNNUMBERED + 6],
        FEE_MIN..20,
        0..10_u64,
    );
    let one = one.prop_map(|(from, step, amount, nonce, fee, signer)| {
        let transfer = Transfer {
            fee,
            ..transfer(from, (from + step) % 4, amount, nonce)
        };
        // One in ten is signed by the next account.
        let signer = if signer == 0 { (from + 1) % 4 } else { from };
        transaction(signed(signer, transfer))
    });
    proptest::collection::vec(one, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_sum_of_all_balances_never_changes(lists in proptest::collection::vec(transfers(), 1..4)) {
        let mut bank = Bank::open();
        let mut executed = 0;
        for list in lists {
            let outcomes = bank.execute(&list);
            let numbered = list.iter().map(|it| Signed::read(&it.bytes).expect("it was sent").transfer.is_numbered());
            executed += numbered.zip(&outcomes).filter(|(numbered, it)| *numbered && it.is_ok()).count();
            prop_assert_eq!(bank.balances().iter().sum::<u64>(), genesis().supply());
        }
        let nonces: u64 = (0..4).map(|it| bank.account(&super::address(it)).nonce).sum();
        prop_assert_eq!(nonces, executed as u64);
    }

    // D-36
    #[test]
    fn lists_do_what_their_transfers_do_one_by_one(list in transfers(), cut in any::<prop::sample::Index>()) {
        let (mut whole, mut parts, mut singles) = (Bank::open(), Bank::open(), Bank::open());
        let outcomes = whole.execute(&list);
        let (left, right) = list.split_at(cut.index(list.len()));
        let both = [parts.execute(left), parts.execute(right)].concat();
        let each: Vec<_> = list.chunks(1).flat_map(|it| singles.execute(it)).collect();
        prop_assert_eq!(&outcomes, &both);
        prop_assert_eq!(&outcomes, &each);
        prop_assert_eq!(&whole.0, &parts.0);
        prop_assert_eq!(&whole.0, &singles.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn no_bad_signature_hides_among_good_ones_and_none_spoils_them(
        bad in proptest::collection::vec(proptest::bool::weighted(0.08), 0..120),
    ) {
        let namespace = genesis().namespace();
        let make = |(nonce, bad): (usize, &bool)| {
            let signer = if *bad { 1 } else { 0 };
            transfer(0, 2, 1, nonce as u64).sign(&key(signer), &namespace)
        };
        let transfers: Vec<_> = bad.iter().enumerate().map(make).collect();
        let expected: Vec<_> = bad.iter().map(|it| !it).collect();
        prop_assert_eq!(Sequential.verify(&transfers, &namespace), expected);
    }
}
