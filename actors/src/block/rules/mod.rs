//! What makes a block invalid. Pure, and a function of the chain alone: two nodes that know the same say the same.
//!
//! *Invalid* is said only of what can never become valid. A time ahead of this node's clock, a state that it has not
//! reached, a header that it lacks keep a question open instead: that is for whoever asks.
//!
//! In the order in which they are cheap:
//!
//! | rule | needs |
//! |---|---|
//! | [`form`]: the link to the parent, time, `executed`, and of each tip its epoch, place, time | the parent, lane heights |
//! | certificates | the committees |
//! | [`run`]: each tip links to the lane's last inclusion | the headers between |
//! | [`load`]: what the block stands for fits | all of them |

mod invalid;
#[cfg(test)]
mod tests;

pub use invalid::{Fault, Invalid};

use super::{Block, Included, Parameters, parameters::moves_on};
use drystone_engine::types::{Limits, Signed, Tip, Types};
use std::{fmt::Debug, sync::Arc};

/// What headers stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How many, expired ones too.
    pub headers: u64,
    /// What of them is unexpired at the block's time.
    pub live: Limits,
}

impl Load {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            headers: self.headers.saturating_add(other.headers),
            live: Limits {
                chunks: self.live.chunks.saturating_add(other.live.chunks),
                bytes: self.live.bytes.saturating_add(other.live.bytes),
                items: self.live.items.saturating_add(other.live.items),
            },
        }
    }
}

/// All that the parent and the lane heights below the block decide. `epoch` is the block's, `base` the last inclusion of a
/// lane among the ancestors.
///
/// # Errors
/// The first rule that is broken.
pub fn form<T: Types>(
    parameters: &Parameters,
    parent: &Block<T>,
    epoch: u64,
    block: &Block<T>,
    base: impl Fn(&T::PublicKey) -> Tip,
) -> Result<(), Invalid<T::PublicKey>> {
    if block.parent != parent.digest() {
        return Err(Invalid::Parent);
    }
    if Some(block.height) != parent.height.checked_add(1) {
        return Err(Invalid::Height {
            height: block.height,
            parent: parent.height,
        });
    }
    if block.timestamp_ms <= parent.timestamp_ms {
        return Err(Invalid::Timestamp {
            timestamp_ms: block.timestamp_ms,
            parent_ms: parent.timestamp_ms,
        });
    }
    executed(parameters, parent, block)?;
    let mut headers = 0u64;
    for it in &block.tips {
        let base = base(it.sequencer());
        tip(parameters, epoch, block.timestamp_ms, base, it)?;
        headers = headers.saturating_add(it.tip().height - base.height);
    }
    if headers > parameters.headers_max {
        return Err(Invalid::Headers(headers));
    }
    Ok(())
}

/// The rules of `executed` that need no execution.
fn executed<T: Types>(
    parameters: &Parameters,
    parent: &Block<T>,
    block: &Block<T>,
) -> Result<(), Invalid<T::PublicKey>> {
    let (named, before) = (block.executed, parent.executed);
    if named.height < before.height {
        return Err(Invalid::ExecutedBelowParent {
            named: named.height,
            parent: before.height,
        });
    }
    if named.height >= block.height {
        return Err(Invalid::ExecutedNoAncestor {
            named: named.height,
            height: block.height,
        });
    }
    if named.height == before.height && named.root != before.root {
        return Err(Invalid::ExecutedRoot {
            height: named.height,
            named: named.root,
            other: before.root,
        });
    }
    if !block.tips.is_empty() && !carries_tips(parameters, block.height, named.height) {
        return Err(Invalid::ExecutionLag {
            named: named.height,
            height: block.height,
        });
    }
    Ok(())
}

/// Whether a block that names a height as executed may have tips.
pub const fn carries_tips(parameters: &Parameters, height: u64, executed: u64) -> bool {
    height.saturating_sub(executed) <= parameters.execution_lag_max
}

/// The rules of one tip that need no other header. `base` is below the tip, or the tip is refused.
///
/// # Errors
/// The first rule that is broken.
pub fn tip<T: Types>(
    parameters: &Parameters,
    epoch: u64,
    at_ms: u64,
    base: Tip,
    included: &Included<T>,
) -> Result<(), Invalid<T::PublicKey>> {
    let genesis = &parameters.genesis;
    let (certificate, tip) = (included.certificate(), included.tip());
    let fault = if certificate.epoch > epoch || certificate.epoch.saturating_add(1) < epoch {
        Fault::Epoch {
            of: certificate.epoch,
            block: epoch,
        }
    } else if tip.height <= base.height {
        Fault::NotAbove {
            height: tip.height,
            base: base.height,
        }
    } else if genesis.slot_start_ms(tip.slot) > at_ms.saturating_add(parameters.skew_ms) {
        Fault::Ahead { slot: tip.slot }
    } else if parameters.is_expired(tip.slot, at_ms) && !moves_on(genesis, tip.height - base.height)
    {
        Fault::Expired { slot: tip.slot }
    } else if tip.height == base.height + 1 && included.header().previous != base.digest {
        Fault::Link
    } else {
        return Ok(());
    };
    Err(Invalid::Tip {
        sequencer: included.sequencer().clone(),
        fault,
    })
}

/// What a tip stands for above `base`, from the headers strictly between the two, lowest first: known to be those that
/// the tip's header leads down to.
///
/// # Errors
/// If they do not lead to `base`.
///
/// # Panics
/// If they are not those.
pub fn run<T: Types>(
    parameters: &Parameters,
    at_ms: u64,
    base: Tip,
    included: &Included<T>,
    between: &[Arc<Signed<T>>],
) -> Result<Load, Invalid<T::PublicKey>> {
    assert!(
        leads(base.height, included, between),
        "these are not the headers below the tip"
    );
    let headers = between.iter().map(|it| it.header());
    let mut load = Load::default();
    for header in headers.chain([included.header()]) {
        let live = !parameters.is_expired(header.slot, at_ms);
        load = load.plus(Load {
            headers: 1,
            live: Limits {
                chunks: u64::from(live),
                bytes: if live {
                    u64::from(header.payload.bytes)
                } else {
                    0
                },
                items: if live {
                    u64::from(header.payload.items)
                } else {
                    0
                },
            },
        });
    }
    let lowest = between.first().map_or(included.header(), |it| it.header());
    if lowest.previous != base.digest {
        return Err(Invalid::Tip {
            sequencer: included.sequencer().clone(),
            fault: Fault::Link,
        });
    }
    Ok(load)
}

/// Whether headers are all those between a height and a tip above it, lowest first: linked by their digests.
pub fn leads<T: Types>(base: u64, included: &Included<T>, between: &[Arc<Signed<T>>]) -> bool {
    let mut above = included.header();
    for below in between.iter().rev() {
        if above.previous != below.digest() || below.height().checked_add(1) != Some(above.height) {
            return false;
        }
        above = below.header();
    }
    base.checked_add(1) == Some(above.height)
}

/// Whether all that a block stands for fits it.
///
/// # Errors
/// If it does not.
pub fn load<P: Debug>(parameters: &Parameters, load: Load) -> Result<(), Invalid<P>> {
    let (live, max) = (load.live, parameters.live_max);
    if load.headers > parameters.headers_max {
        return Err(Invalid::Headers(load.headers));
    }
    if live.chunks > max.chunks || live.bytes > max.bytes || live.items > max.items {
        return Err(Invalid::Live(live));
    }
    Ok(())
}
