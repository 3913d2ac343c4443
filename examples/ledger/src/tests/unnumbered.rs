//! Transfers without a turn.

use super::{Bank, address, bonds, invalid, ledger, sent};
use crate::UNNUMBERED;
use drystone_actors::{application::Application as _, transaction::Admission as _};
use futures::executor::block_on;

// K-17
#[test]
fn a_transfer_without_a_number_has_no_turn_and_takes_none() {
    let mut bank = Bank::open();
    let (one, other) = (sent(0, 1, 10, UNNUMBERED + 7), sent(0, 1, 10, u64::MAX));
    let list = [
        one.clone(),
        sent(0, 1, 10, 0),
        other.clone(),
        sent(0, 1, 10, 1),
    ];
    assert_eq!(bank.execute(&list), [Ok(()), Ok(()), Ok(()), Ok(())]);
    assert_eq!(bank.account(&address(0)).nonce, 2);
    assert_eq!(bank.balances(), [52, 240, 300, 400, 8]);
    assert_ne!(one.facts.id, other.facts.id);
    // That it was executed before is for the window of transactions to say; what it costs is not.
    let (again, dear) = (sent(0, 1, 10, UNNUMBERED + 7), sent(0, 1, 99, UNNUMBERED));
    assert_eq!(again.facts.id, one.facts.id);
    let checks = block_on(ledger().check(&[again, dear], &bank.0.view())).expect("read");
    assert_eq!(checks[0], Ok(()));
    assert_eq!(
        checks[1],
        invalid("amount and fee are 101, the payer has 52")
    );
}

// D-40
#[test]
fn a_transfer_without_a_number_is_packed_whenever_its_bond_fits() {
    let list: Vec<_> = (0..3)
        .map(|salt| sent(0, 1, 1, UNNUMBERED + salt))
        .collect();
    let mut bonds = bonds(&[]);
    assert!(bonds.charge(&list[2]) && bonds.charge(&list[0]));
    assert!(!bonds.charge(&list[1]), "2 + 2 + 2 is more than 5");
    bonds.release(&list[0]);
    assert!(bonds.charge(&list[1]));
}
