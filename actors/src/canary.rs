//! Known bugs, planted one at a time, for the tests that show that the simulator finds them.
//!
//! Without the feature `canary` every question is answered `false` at compile time. Which bug is planted is a
//! parameter of a run, never a global.

/// A planted bug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(
    feature = "mocks",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "snake_case")
)]
pub enum Canary {
    /// No bug.
    #[default]
    None,
    /// The mempool lets what expired go without a verdict.
    DropSilently,
    /// The mempool announces nothing.
    KeepToItself,
    /// The mempool does not take back what was in chunks that came to nothing.
    LoseReturned,
    /// The builder hands a chunk out before its body is durable.
    SealBeforeSync,
    /// The chunk store calls a body durable before it is synced.
    ValidBeforeSync,
    /// The chunk store does not count again after a restart what is on its disk.
    ForgetQuota,
    /// The relay hands out what it is sent, whatever was asked for.
    TrustBodies,
    /// The relay asks for a body once.
    AskOnce,
    /// The certificate pool hands out what has expired.
    KeepExpired,
    /// The executor lets a transaction that was skipped shadow later copies of it.
    ShadowSkipped,
    /// The executor does not know after a restart what was executed before it.
    ForgetExecuted,
    /// The executor acknowledges a block before it is committed.
    AcknowledgeEarly,
    /// The executor executes chunks that are expired at the block's time.
    ExecuteExpired,
    /// The lanes below a block are told from the finalized chain alone.
    ForgetAncestors,
    /// A block gets its leader's time, whatever its parent's is.
    ProposeByClock,
    /// Voters do not look at a block's time.
    OverlookTime,
    /// Voters do not look at what a block names as executed.
    OverlookExecuted,
    /// Voters do not look at a block's tips: not at their places, not at their certificates, not at what they link to.
    OverlookTips,
    /// Voters do not look at how much a block stands for.
    OverlookLoad,
}

impl Canary {
    /// Every bug that can be planted.
    pub const ALL: [Self; 19] = [
        Self::DropSilently,
        Self::KeepToItself,
        Self::LoseReturned,
        Self::SealBeforeSync,
        Self::ValidBeforeSync,
        Self::ForgetQuota,
        Self::TrustBodies,
        Self::AskOnce,
        Self::KeepExpired,
        Self::ShadowSkipped,
        Self::ForgetExecuted,
        Self::AcknowledgeEarly,
        Self::ExecuteExpired,
        Self::ForgetAncestors,
        Self::ProposeByClock,
        Self::OverlookTime,
        Self::OverlookExecuted,
        Self::OverlookTips,
        Self::OverlookLoad,
    ];

    /// Whether this bug is planted.
    #[inline]
    pub fn is(self, bug: Self) -> bool {
        cfg!(feature = "canary") && self == bug
    }
}
