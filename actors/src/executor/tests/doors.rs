//! An application: doors.

use crate::{
    application::{Application, Context, Failure, Outcome},
    state::{Batch, View},
    transaction::{Account, Facts, Invalid, Transaction},
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_engine::types::Digest;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Doors are opened, and passed once. Every executed transaction is appended to a digest, so that order matters.
#[derive(Clone, Default)]
pub struct Doors {
    /// What makes it come to something else each time, if it is not 0.
    pub noise: Arc<AtomicU64>,
    /// The height at which it cannot go on, if it is not 0.
    pub breaks_at: Arc<AtomicU64>,
    /// Transactions that were read.
    pub read: Arc<AtomicU64>,
}

/// Opens a door.
pub fn open_door(door: u8, expiry_ms: u64, salt: u64) -> Bytes {
    transaction(0, door, expiry_ms, salt)
}

/// Passes an open door, and closes it.
pub fn pass(door: u8, expiry_ms: u64, salt: u64) -> Bytes {
    transaction(1, door, expiry_ms, salt)
}

fn transaction(kind: u8, door: u8, expiry_ms: u64, salt: u64) -> Bytes {
    let mut bytes = vec![kind, door];
    bytes.extend(expiry_ms.to_be_bytes());
    bytes.extend(salt.to_be_bytes());
    bytes.into()
}

pub fn id(transaction: &Bytes) -> Digest {
    Sha256::hash(&[transaction])
}

pub fn closed() -> Invalid {
    Invalid::because("the door is closed")
}

impl Application for Doors {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        self.read.fetch_add(1, Ordering::Relaxed);
        if bytes.len() != 18 {
            return Err(Invalid::because("18 bytes"));
        }
        Ok(Facts {
            id: Sha256::hash(&[bytes]),
            account: Account([bytes[1]; 32]),
            expiry_ms: u64::from_be_bytes(bytes[2..10].try_into().expect("8 bytes")),
        })
    }

    async fn genesis(&self, state: &mut Batch<'_>) -> Result<(), Failure> {
        state.put(b"log", vec![0]);
        Ok(())
    }

    async fn execute(
        &self,
        block: &Context,
        transactions: &[Arc<Transaction>],
        state: &mut Batch<'_>,
    ) -> Result<Vec<Outcome>, Failure> {
        if block.height == self.breaks_at.load(Ordering::Relaxed) {
            return Err(Failure::Broken("the house fell down".into()));
        }
        let mut outcomes = Vec::new();
        for it in transactions {
            let door = [b'd', it.bytes[1]];
            let outcome = match (it.bytes[0], state.get(&door).await?) {
                (1, None) => Err(closed()),
                (1, Some(_)) => {
                    state.delete(&door);
                    Ok(())
                }
                _ => {
                    state.put(&door, vec![1]);
                    Ok(())
                }
            };
            if outcome.is_ok() {
                let log = state.get(b"log").await?.expect("the genesis wrote it");
                let noise = self.noise.load(Ordering::Relaxed).to_be_bytes();
                let height = block.height.to_be_bytes();
                let log = Sha256::hash(&[&log, &it.bytes, &height, &noise]);
                state.put(b"log", log.to_vec());
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    async fn query(&self, _: &[u8], state: &View<'_>) -> Result<Bytes, Failure> {
        Ok(state.get(b"log").await?.unwrap_or_default())
    }
}
