//! Known bugs, planted one at a time, for the tests that show that the simulator and the fuzzer find them.
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
    /// Acks leave before their locks are synced.
    AckBeforeSync,
    /// Acks do not wait for the body.
    AckWithoutBody,
    /// Locks are forgotten on restart.
    ForgetLocks,
    /// A second header at a locked height replaces the first.
    ReplaceLock,
    /// Certificates are believed without checking them.
    TrustCertificates,
    /// A second header for a height is proof against its sequencer, whoever signed it.
    AccuseUnchecked,
    /// Entered epochs are not journaled.
    ForgetEpoch,
    /// A sequencer sends its header before the header is synced.
    SendBeforeSync,
    /// Bodies expire by the local clock.
    ExpireByClock,
    /// A lane may run ahead of the chain without bound.
    NoLead,
    /// Nothing is ever sent again.
    NeverResend,
}

impl Canary {
    /// Every bug that can be planted.
    pub const ALL: [Self; 11] = [
        Self::AckBeforeSync,
        Self::AckWithoutBody,
        Self::ForgetLocks,
        Self::ReplaceLock,
        Self::TrustCertificates,
        Self::AccuseUnchecked,
        Self::ForgetEpoch,
        Self::SendBeforeSync,
        Self::ExpireByClock,
        Self::NoLead,
        Self::NeverResend,
    ];

    /// Whether this bug is planted.
    #[inline]
    pub fn is(self, bug: Self) -> bool {
        cfg!(feature = "canary") && self == bug
    }
}
