mod conservation;
mod unnumbered;

use super::{Account, Address, Bonds, Genesis, Ledger, PIPELINE_MAX, Signatures, Signed, Transfer};
use bytes::Bytes;
use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{Hasher as _, Sha256, Signer as _, ed25519::PrivateKey};
use commonware_parallel::Sequential;
use drystone_actors::{
    application::{Application as _, Context, Outcome},
    state::{Batch, Memory},
    transaction::{Admission as _, Invalid, Transaction},
};
use futures::executor::block_on;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

const FEE_MIN: u64 = 2;
const COLLECTOR: Address = [9; 32];

fn key(index: u64) -> PrivateKey {
    PrivateKey::from_seed(index)
}

fn address(index: u64) -> Address {
    key(index)
        .public_key()
        .as_ref()
        .try_into()
        .expect("32 bytes")
}

/// Four accounts that have 100, 200, 300 and 400.
fn genesis() -> Arc<Genesis> {
    Arc::new(Genesis {
        digest: Sha256::hash(&[b"test"]),
        balances: (0..4).map(|it| (address(it), 100 * (it + 1))).collect(),
        collector: COLLECTOR,
        fee_min: FEE_MIN,
    })
}

fn ledger() -> Ledger<Sequential> {
    Ledger::new(genesis(), Sequential)
}

fn transfer(from: u64, to: u64, amount: u64, nonce: u64) -> Transfer {
    Transfer {
        from: address(from),
        to: address(to),
        amount,
        fee: FEE_MIN,
        nonce,
        expiry_ms: 1_000,
    }
}

fn signed(from: u64, transfer: Transfer) -> Signed {
    transfer.sign(&key(from), &genesis().namespace())
}

fn transaction(signed: Signed) -> Arc<Transaction> {
    Transaction::decode(&ledger().rules(), signed.into()).expect("a transfer")
}

/// A transfer as its payer sends it.
fn sent(from: u64, to: u64, amount: u64, nonce: u64) -> Arc<Transaction> {
    transaction(signed(from, transfer(from, to, amount, nonce)))
}

struct Bank(Memory);

impl Bank {
    fn open() -> Self {
        let mut memory = Memory::default();
        let mut batch = Batch::over(memory.view());
        block_on(ledger().genesis(&mut batch)).expect("written");
        let writes = batch.into_writes();
        memory.apply(writes);
        Self(memory)
    }

    fn execute(&mut self, transactions: &[Arc<Transaction>]) -> Vec<Outcome> {
        let block = Context {
            height: 1,
            time_ms: 1,
        };
        let mut batch = Batch::over(self.0.view());
        let executed = block_on(ledger().execute(&block, transactions, &mut batch));
        let writes = batch.into_writes();
        self.0.apply(writes);
        executed.expect("never fails")
    }

    fn account(&self, address: &Address) -> Account {
        let answer = block_on(ledger().query(address, &self.0.view())).expect("read");
        Account::decode(Copying(&answer)).expect("an account")
    }

    fn balances(&self) -> Vec<u64> {
        let all = (0..4).map(address).chain([COLLECTOR]);
        all.map(|it| self.account(&it).balance).collect()
    }
}

fn invalid(reason: &str) -> Outcome {
    Err(Invalid(reason.to_owned().into()))
}

// K-17
#[test]
fn a_transfer_moves_its_amount_and_pays_its_fee_once() {
    let mut bank = Bank::open();
    let outcomes = bank.execute(&[sent(0, 1, 30, 0), sent(0, 1, 30, 0), sent(0, 2, 8, 1)]);
    let due = invalid("the nonce is 0, 1 is due");
    assert_eq!(outcomes, [Ok(()), due, Ok(())]);
    assert_eq!(bank.balances(), [58, 230, 308, 400, 4]);
    assert_eq!(bank.account(&address(0)).nonce, 2);
}

// K-17
#[test]
fn nobody_spends_more_than_there_is_or_what_is_not_theirs() {
    let mut bank = Bank::open();
    let stolen = transaction(signed(1, transfer(0, 1, 5, 0)));
    let elsewhere = transaction(transfer(0, 1, 5, 0).sign(&key(0), b"elsewhere"));
    let nobody = Transfer {
        from: [255; 32],
        ..transfer(0, 1, 5, 0)
    };
    let nobody = transaction(signed(0, nobody));
    let endless = sent(0, 1, u64::MAX, 0);
    let list = [
        sent(0, 1, 99, 0),
        stolen,
        elsewhere,
        nobody,
        endless,
        sent(0, 1, 98, 0),
    ];
    let unsigned = || invalid("the payer did not sign it");
    let expected = [
        invalid("amount and fee are 101, the payer has 100"),
        unsigned(),
        unsigned(),
        unsigned(),
        invalid("amount and fee are more than there is"),
        Ok(()),
    ];
    assert_eq!(bank.execute(&list), expected);
    assert_eq!(bank.balances(), [0, 298, 300, 400, 2]);
}

#[test]
fn the_collector_pays_and_is_paid_like_anybody() {
    let collector = key(3);
    let genesis = Arc::new(Genesis {
        collector: address(3),
        ..genesis().as_ref().clone()
    });
    let ledger = Ledger::new(Arc::clone(&genesis), Sequential);
    let own = transfer(3, 0, 50, 0).sign(&collector, &genesis.namespace());
    let to = signed(0, transfer(0, 3, 10, 0));
    let mut memory = Bank::open().0;
    let mut batch = Batch::over(memory.view());
    let block = Context {
        height: 1,
        time_ms: 1,
    };
    let list = [transaction(own), transaction(to)];
    let executed = block_on(ledger.execute(&block, &list, &mut batch));
    assert_eq!(executed, Ok(vec![Ok(()), Ok(())]));
    let writes = batch.into_writes();
    memory.apply(writes);
    let bank = Bank(memory);
    // 400 - 52 + 2, then + 10 + 2.
    assert_eq!(bank.balances(), [138, 200, 300, 362, 0]);
}

#[test]
fn what_no_state_could_make_valid_is_no_transfer() {
    let decode = |transfer: Transfer| {
        let bytes: Bytes = signed(0, transfer).into();
        let decoded = ledger().decode(&bytes);
        decoded.map(|_| ()).map_err(|it| it.to_string())
    };
    assert_eq!(decode(transfer(0, 1, 1, 0)), Ok(()));
    let refused = [
        (
            transfer(0, 1, 0, 0),
            "the amount is 0: it must be at least 1",
        ),
        (transfer(0, 0, 5, 0), "payer and payee must differ"),
        (
            Transfer {
                fee: 1,
                ..transfer(0, 1, 5, 0)
            },
            "the fee is 1: it must be at least 2",
        ),
    ];
    for (transfer, reason) in refused {
        assert_eq!(decode(transfer), Err(reason.to_owned()));
    }
    let bytes: Bytes = signed(0, transfer(0, 1, 1, 0)).into();
    assert!(ledger().decode(&bytes[..bytes.len() - 1]).is_err());
    assert!(ledger().decode(&[bytes.as_ref(), &[0]].concat()).is_err());
}

// K-34
#[test]
fn a_mempool_keeps_what_may_be_executed_soon() {
    let mut bank = Bank::open();
    let list = vec![
        sent(0, 1, 10, 0),
        sent(0, 1, 10, 5),
        sent(0, 1, 10, PIPELINE_MAX),
        sent(0, 1, 99, 0),
        transaction(signed(1, transfer(0, 1, 10, 0))),
    ];
    let check = |bank: &Bank| block_on(ledger().check(&list, &bank.0.view())).expect("read");
    let far = || invalid("the nonce is too far ahead");
    let poor = |has: u64| invalid(&format!("amount and fee are 101, the payer has {has}"));
    let unsigned = || invalid("the payer did not sign it");
    assert_eq!(check(&bank), [Ok(()), Ok(()), far(), poor(100), unsigned()]);
    bank.execute(&list[..1]);
    let gone = || invalid("a transfer of this nonce was executed");
    assert_eq!(check(&bank), [gone(), Ok(()), Ok(()), gone(), unsigned()]);
    // No block changes a signature.
    let again = block_on(ledger().recheck(&list, &bank.0.view())).expect("read");
    assert_eq!(again, [gone(), Ok(()), Ok(()), gone(), gone()]);
}

// D-40
#[test]
fn an_account_bonds_so_much_and_no_more_until_it_is_given_back() {
    let (first, second, third) = (sent(0, 1, 1, 0), sent(0, 1, 1, 1), sent(0, 1, 1, 2));
    let mut bonds = bonds(&[first.clone(), sent(1, 0, 1, 0)]);
    assert!(bonds.charge(&first) && bonds.charge(&second));
    assert!(!bonds.charge(&third), "2 + 2 + 2 is more than 5");
    assert!(bonds.charge(&sent(1, 0, 1, 0)), "another account");
    bonds.release(&first);
    assert_eq!(bonds.bonded(&address(0)), 2);
    assert!(bonds.charge(&third));
    bonds.release(&second);
    bonds.release(&third);
    assert_eq!(
        (bonds.bonded(&address(0)), bonds.bonded(&address(1))),
        (0, 2)
    );
}

/// The admission of a node that has checked these, of which an account may bond 5.
fn bonds(checked: &[Arc<Transaction>]) -> Bonds {
    let ledger = ledger();
    block_on(ledger.check(checked, &Bank::open().0.view())).expect("read");
    ledger.bonds(5)
}

// D-40
#[test]
fn a_transfer_is_packed_when_its_turn_has_come() {
    let list: Vec<_> = (0..3).map(|nonce| sent(0, 1, 1, nonce)).collect();
    let mut bonds = bonds(&list);
    assert!(!bonds.charge(&list[1]), "the one before it is nowhere");
    assert!(
        !bonds.charge(&sent(1, 0, 1, 0)),
        "nobody has looked at that account"
    );
    assert!(bonds.charge(&list[0]) && bonds.charge(&list[1]));
    bonds.release(&list[0]);
    bonds.release(&list[1]);
    assert!(!bonds.charge(&list[2]), "its chunks came to nothing");
    assert_eq!(bonds.bonded(&address(0)), 0);
}

// D-40
#[test]
#[should_panic(expected = "released once")]
fn what_was_given_back_is_not_given_back_again() {
    let mut bonds = bonds(&[sent(0, 1, 1, 0)]);
    bonds.charge(&sent(0, 1, 1, 0));
    bonds.release(&sent(0, 1, 1, 0));
    bonds.release(&sent(0, 1, 1, 0));
}

/// Counts the signatures that are checked.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl Signatures for Counting {
    fn verify(&self, transfers: &[Signed], namespace: &[u8]) -> Vec<bool> {
        self.0.fetch_add(transfers.len(), Ordering::Relaxed);
        Sequential.verify(transfers, namespace)
    }
}

#[test]
fn a_signature_is_checked_once_on_each_node() {
    let counting = Counting::default();
    let checked = || counting.0.swap(0, Ordering::Relaxed);
    let ledger = Ledger::new(genesis(), counting.clone());
    let bank = Bank::open();
    let forged = transaction(signed(1, transfer(0, 1, 1, 1)));
    let (known, unknown) = (sent(0, 1, 1, 0), sent(2, 1, 1, 0));
    let checks = block_on(ledger.check(&[known.clone(), forged.clone()], &bank.0.view()));
    assert!(matches!(&checks.expect("read")[..], [Ok(()), Err(_)]));
    assert_eq!(checked(), 2);
    let block = Context {
        height: 1,
        time_ms: 1,
    };
    let list = [known, forged, unknown];
    let mut batch = Batch::over(bank.0.view());
    let executed = block_on(ledger.execute(&block, &list, &mut batch)).expect("never fails");
    assert!(matches!(&executed[..], [Ok(()), Err(_), Ok(())]));
    assert_eq!(checked(), 2, "what was not seen, and what was not good");
}

#[test]
#[should_panic(expected = "must add up to less than 2^64")]
fn a_supply_that_cannot_be_counted_is_refused() {
    let mut genesis = genesis().as_ref().clone();
    genesis.balances.insert([1; 32], u64::MAX);
    Ledger::new(Arc::new(genesis), Sequential);
}
