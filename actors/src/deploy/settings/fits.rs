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
        let (chunk_ms, transaction_ms) = (
            agreement.parameters.genesis.window_ms,
            agreement.transactions.window_ms,
        );
        let window_ms = chunk_ms.max(transaction_ms);
        // Blocks come no faster.
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
                "at least {least}: the genesis has a window of {window_ms} ms, in which there may be a block every {interval_ms} ms \
                 (chain.interval_ms), and a node in step may be {horizon} blocks behind"
            ),
        })
    }
}
