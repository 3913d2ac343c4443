//! A local network of ledgers, and who pays in it.

use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_cryptography::{Signer as _, ed25519::PrivateKey};
use commonware_runtime::{Runner as _, tokio};
use commonware_utils::sync::Mutex;
use drystone_actors::{
    cli::{Client, Failure},
    deploy::Hexed,
    trial::{Payloads, Processes},
};
use drystone_engine::types::Digest;
use ledger::{Account, Address, Genesis, Transfer};
use std::path::Path;

/// One network after the other: a machine has few cores.
static TURN: Mutex<()> = Mutex::new(());

/// Runs a test in a runtime of its own, with a directory.
pub fn run(test: impl AsyncFnOnce(tokio::Context, &Path)) {
    let _turn = TURN.lock();
    let directory = tempfile::tempdir().expect("a directory");
    let config = tokio::Config::new().with_storage_directory(directory.path().join("test"));
    tokio::Runner::new(config).start(|context| test(context, directory.path()));
}

/// Each client pays the next one.
pub struct Payers;

pub fn address(key: &PrivateKey) -> Address {
    let key = key.public_key().encode();
    key.as_ref().try_into().expect("32 bytes")
}

impl Payloads for Payers {
    async fn next(&self, node: &Client, client: u64, expiry_ms: u64) -> Result<Bytes, Failure> {
        let status = node.get("/status").await?;
        let digest = status["genesis"].as_str().unwrap_or("");
        let digest: Hexed<Digest> = digest.parse().expect("a digest");
        let key = PrivateKey::from_seed(client);
        let from = address(&key);
        let account = node.query(Bytes::copy_from_slice(&from)).await?;
        let transfer = Transfer {
            from,
            to: address(&PrivateKey::from_seed(client + 1)),
            amount: 1,
            fee: 1,
            nonce: Account::decode(account).expect("an account").nonce,
            expiry_ms,
        };
        Ok(transfer
            .sign(&key, &Genesis::namespace_of(&digest.0))
            .into())
    }
}

/// A network whose epochs take some seconds each.
pub async fn network(
    context: tokio::Context,
    directory: &Path,
    nodes: &str,
) -> Processes<tokio::Context, Payers> {
    network_with(context, directory, nodes, "150").await
}

/// A network with epochs of so many blocks.
pub async fn network_with(
    context: tokio::Context,
    directory: &Path,
    nodes: &str,
    epoch_blocks: &str,
) -> Processes<tokio::Context, Payers> {
    let options = [
        "--nodes",
        nodes,
        "--accounts",
        "64",
        "--epoch-blocks",
        epoch_blocks,
    ];
    let program = env!("CARGO_BIN_EXE_ledger");
    Processes::new(context, Payers, program, directory, &options).await
}
