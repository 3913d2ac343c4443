//! What the nodes make of commands.

use crate::command::{Command, Operation};
use bytes::Bytes;
use commonware_codec::Encode as _;
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_actors::{
    application::{Application, Context, Failure, Outcome},
    state::{Batch, View},
    transaction::{Account, Facts, Invalid, Transaction},
};
use std::sync::Arc;

/// The map. Its keys are those of the state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Map;

impl Application for Map {
    /// Nobody owns a key. What is fair is that no key takes the place of others.
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        let command =
            Command::read(bytes).map_err(|error| Invalid(format!("no command: {error}").into()))?;
        Ok(Facts {
            id: Sha256::hash(&[bytes]),
            account: account(command.operation.key()),
            expiry_ms: command.expiry_ms,
        })
    }

    async fn execute(
        &self,
        _: &Context,
        transactions: &[Arc<Transaction>],
        state: &mut Batch<'_>,
    ) -> Result<Vec<Outcome>, Failure> {
        let mut outcomes = Vec::with_capacity(transactions.len());
        for transaction in transactions {
            // What is written goes to the disk with the block, and the chunk is in memory until then.
            let command = Command::view(&transaction.bytes);
            let command = command.map_err(|_| Failure::Broken("a command was decoded".into()))?;
            outcomes.push(execute(command.operation, state).await?);
        }
        Ok(outcomes)
    }

    /// The request is a key, the answer its value, encoded as an option.
    async fn query(&self, request: &[u8], state: &View<'_>) -> Result<Bytes, Failure> {
        Ok(state.get(request).await?.encode())
    }
}

/// A key that fits is its own account, with its length in front; a longer one's is its digest.
fn account(key: &[u8]) -> Account {
    let mut account = [0; 32];
    if key.len() < account.len() {
        account[0] = key.len() as u8;
        account[1..=key.len()].copy_from_slice(key);
        return Account(account);
    }
    Account(Sha256::hash(&[key]).0)
}

async fn execute(operation: Operation, state: &mut Batch<'_>) -> Result<Outcome, Failure> {
    match operation {
        Operation::Put { key, value } => state.put(&key, value),
        Operation::Delete { key } => state.delete(&key),
        Operation::Swap {
            key,
            expected,
            value,
        } => {
            if state.get(&key).await? != expected {
                return Ok(Err(Invalid::because("the value is not what was expected")));
            }
            match value {
                Some(value) => state.put(&key, value),
                None => state.delete(&key),
            }
        }
    }
    Ok(Ok(()))
}
