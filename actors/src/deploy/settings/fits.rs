//! What settings owe to the genesis.

use super::{Settings, SettingsError, UNACKNOWLEDGED_MAX};
use crate::deploy::genesis::Agreement;

impl Settings {
    /// Checks what a deployment asks of each of its nodes. Chunks, records and blocks are kept for the same number of blocks: for as
    /// long as a chunk may wait for a block or a transaction may be repeated, and as far as a node in step may be behind.
    ///
    /// # Errors
    /// If fewer blocks are kept.
    pub fn fits(&self, agreement: &Agreement) -> Result<(), SettingsError> {
        let (lanes, blocks) = (&agreement.parameters.genesis, &agreement.parameters);
        // A chunk may be of a slot that is ahead of the block it is in, and lives for a window after that slot's end.
        let chunk_ms = [lanes.slot_ms, blocks.skew_ms]
            .into_iter()
            .fold(lanes.window_ms, u64::saturating_add);
        let window_ms = chunk_ms.max(agreement.transactions.window_ms);
        // The pace that nodes configured like this one keep.
        let interval_ms = self.chain.interval_ms.max(1);
        let horizon = agreement
            .parameters
            .execution_lag_max
            .saturating_add(UNACKNOWLEDGED_MAX.get() as u64);
        let least = window_ms.div_ceil(interval_ms).saturating_add(horizon);
        let value = self.storage.retention_blocks;
        if value >= least {
            return Ok(());
        }
        Err(SettingsError::Relation {
            field: "storage.retention_blocks",
            value: value.to_string(),
            wanted: format!(
                "at least {least}: by the genesis a chunk or a transaction may live for {window_ms} ms, in which there may be a block \
                 every {interval_ms} ms (chain.interval_ms), and a node in step may be {horizon} blocks behind"
            ),
        })
    }
}
