//! What a builder is built with.

use crate::{Canary, chunk};
use drystone_engine::types::Genesis;
use std::sync::Arc;

/// Parameters of one node's builder.
#[derive(Clone, Debug)]
pub struct Config<P> {
    /// This node, whose lane it packs for.
    pub me: P,
    /// What the deployment agrees on: slots, and when a chunk expires.
    pub genesis: Arc<Genesis>,
    /// What one chunk may hold: no more than the genesis allows, and no less than the mempool hands out.
    pub chunk: chunk::Limits,
    /// How long the first transaction waits for others before a chunk is sealed that is not full.
    pub seal_ms: u64,
    /// How long to wait after a build that failed.
    pub retry_ms: u64,
    /// The planted bug, if any.
    pub canary: Canary,
}
