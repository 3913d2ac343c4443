use super::{Account, Checks, Facts, Invalid, Rules, Transaction};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use futures::executor::block_on;
use std::sync::Arc;

/// One account, any bytes but some; it has nothing against none.
#[derive(Clone)]
struct Anything;

impl Rules for Anything {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        if bytes == b"noise" {
            return Err(Invalid::because("noise"));
        }
        Ok(Facts {
            id: Sha256::hash(&[bytes]),
            account: Account([0; 32]),
            expiry_ms: 7,
        })
    }

    async fn check(&self, transactions: Vec<Arc<Transaction>>) -> Checks {
        let refusal = || {
            Err(Invalid(
                format!("{} is too many", transactions.len()).into(),
            ))
        };
        transactions.iter().map(|_| refusal()).collect()
    }
}

// K-17
#[test]
fn a_transaction_is_its_bytes_and_what_the_application_reads_off_them() {
    let bytes = Bytes::from_static(b"pay");
    let transaction = Transaction::decode(&Anything, bytes.clone()).expect("no noise");
    assert_eq!(transaction.facts, Anything.decode(&bytes).expect("same"));
    assert_eq!(transaction.bytes.as_ptr(), bytes.as_ptr(), "nothing copied");
    let refused = Transaction::decode(&Anything, Bytes::from_static(b"noise"));
    assert_eq!(refused, Err(Invalid::because("noise")));
}

// D-01: the builder packs whatever is accepted, and no chunk holds a transaction without bytes.
#[test]
fn no_bytes_are_no_transaction_whatever_the_application_says() {
    assert!(Anything.decode(&[]).is_ok());
    let refused = Transaction::decode(&Anything, Bytes::new()).expect_err("empty");
    assert_eq!(refused.to_string(), "a transaction has at least 1 byte");
}

// K-34
#[test]
fn without_a_rule_of_its_own_a_recheck_is_a_check() {
    let transaction = Transaction::decode(&Anything, Bytes::from_static(b"pay")).expect("valid");
    let both = vec![transaction.clone(), transaction];
    let again = block_on(Anything.recheck(both.clone()));
    assert_eq!(again, block_on(Anything.check(both)));
    assert_eq!(again[1].clone().unwrap_err().to_string(), "2 is too many");
}
