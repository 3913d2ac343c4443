//! What a directory says of itself.

use super::check;
use crate::node::Error;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{self, FaultConfig, PartialWriteMode, WriteConfig},
};
use commonware_utils::probability;
use drystone_engine::types::Digest;

fn block(name: &[u8]) -> Digest {
    Sha256::hash(&[name])
}

async fn start(
    context: &deterministic::Context,
    name: &[u8],
    has_state: bool,
) -> Result<(), Error> {
    check(context.child("start"), "state", block(name), has_state).await
}

#[test]
fn a_directory_of_another_deployment_is_refused_with_and_without_a_state() {
    let runner = deterministic::Runner::default();
    let (_, checkpoint) = runner.start_and_recover(|context| async move {
        start(&context, b"ours", false).await.expect("a new one");
    });
    deterministic::Runner::from(checkpoint).start(|context| async move {
        for has_state in [false, true] {
            let refused = start(&context, b"theirs", has_state).await;
            let refused = refused.expect_err("the directory is another's");
            assert!(matches!(
                refused,
                Error::Deployment { expected, found } if expected == block(b"theirs") && found == block(b"ours")
            ));
            let said = refused.to_string();
            assert!(said.contains(&block(b"ours").to_string()), "{said}");
            start(&context, b"ours", has_state).await.expect("its own");
        }
    });
}

#[test]
fn a_directory_with_a_state_and_no_name_is_refused() {
    deterministic::Runner::default().start(|context| async move {
        let refused = start(&context, b"ours", true).await;
        assert!(matches!(refused, Err(Error::Nameless)));
    });
}

// The name is there before any state is, whole, or it is written again.
#[test]
fn a_crash_while_it_is_written_makes_no_other_deployment_of_it() {
    for seed in 0..64 {
        let torn = FaultConfig {
            sync_rate: Some(probability!(0.5)),
            write_rate: Some(WriteConfig {
                failure_rate: probability!(0.0),
                retention_rate: probability!(0.7),
                mode: PartialWriteMode::Subset,
            }),
            ..FaultConfig::default()
        };
        let config = deterministic::Config::new()
            .with_seed(seed)
            .with_storage_fault_config(torn);
        let runner = deterministic::Runner::new(config);
        let (written, checkpoint) = runner.start_and_recover(|context| async move {
            start(&context, b"ours", false).await.is_ok()
        });
        deterministic::Runner::from(checkpoint).start(|context| async move {
            *context.storage_fault_config().write() = FaultConfig::default();
            start(&context, b"ours", written).await.expect("its own");
        });
    }
}
