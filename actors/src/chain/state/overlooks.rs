//! What voters with a planted bug do not see.

use crate::{Canary, block::rules::Invalid};
use std::fmt::Debug;

/// Whether a planted bug lets a broken rule pass. That consensus checks the link to the parent as well is no bug's affair.
pub(super) fn overlooks<P: Debug>(bug: Canary, invalid: &Invalid<P>) -> bool {
    match invalid {
        Invalid::Parent | Invalid::Height { .. } => false,
        Invalid::Timestamp { .. } => bug.is(Canary::OverlookTime),
        Invalid::ExecutedBelowParent { .. }
        | Invalid::ExecutedNoAncestor { .. }
        | Invalid::ExecutedRoot { .. }
        | Invalid::ExecutionLag { .. } => bug.is(Canary::OverlookExecuted),
        Invalid::Tip { .. } => bug.is(Canary::OverlookTips),
        Invalid::Headers(_) | Invalid::Live(_) => bug.is(Canary::OverlookLoad),
    }
}
