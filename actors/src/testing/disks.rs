//! Disks that fail.

use commonware_runtime::deterministic::{FaultConfig, PartialWriteMode, WriteConfig};
use commonware_utils::Probability;

/// Operations fail at a rate, and a crash keeps parts of what was not synced: how much of it is drawn by the seed.
pub fn faults(seed: u64, failures_permille: u64) -> FaultConfig {
    let permille = |it| Probability::new(it, 1000).expect("at most 1000");
    let mode = if seed.is_multiple_of(2) {
        PartialWriteMode::Prefix
    } else {
        PartialWriteMode::Subset
    };
    FaultConfig {
        sync_rate: Some(permille(failures_permille)),
        write_rate: Some(WriteConfig {
            failure_rate: permille(failures_permille),
            retention_rate: permille([0, 500, 900, 999, 1000][(seed / 2 % 5) as usize]),
            mode,
        }),
        ..FaultConfig::default()
    }
}
