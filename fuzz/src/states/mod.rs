//! The pure states, driven by bytes.
//!
//! Bytes become a sequence of messages: what peers send, what the disk and the application answer, epochs, the chain,
//! restarts. A driver plays the actor around the state and keeps what the state must not contradict.

mod ack;
mod bodies;
mod builder;
mod certificate_pool;
mod chain;
mod chunk_store;
mod journal;
mod lanes;
mod mempool;
mod relay;
mod sequencer;
mod tip;

pub use ack::ack_manager;
pub use builder::builder;
pub use certificate_pool::certificate_pool;
#[cfg(feature = "canary")]
pub use certificate_pool::certificate_pool_with;
pub use chain::chain;
#[cfg(feature = "canary")]
pub use chain::chain_with;
pub use chunk_store::chunk_store;
#[cfg(feature = "canary")]
pub use chunk_store::chunk_store_with;
pub use mempool::mempool;
#[cfg(feature = "canary")]
pub use mempool::mempool_with;
pub use relay::relay;
#[cfg(feature = "canary")]
pub use relay::relay_with;
pub use sequencer::sequencer;
#[cfg(feature = "canary")]
pub use sequencer::sequencer_with;
pub use tip::tip_manager;
#[cfg(feature = "canary")]
pub use tip::tip_manager_with;

use arbitrary::{Result, Unstructured};

/// Messages of one run, at most.
const STEPS_MAX: usize = 200;

/// Takes steps until the bytes are used up.
fn drive(data: &[u8], mut step: impl FnMut(&mut Unstructured<'_>) -> Result<()>) {
    let mut bytes = Unstructured::new(data);
    for _ in 0..STEPS_MAX {
        if bytes.is_empty() || step(&mut bytes).is_err() {
            break;
        }
    }
}
