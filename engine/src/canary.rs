//! Known bugs, planted one at a time, for the test that shows the simulator finds them.
//!
//! Without the feature `canary` there is only [`Canary::None`], and every question is answered `false`
//! at compile time. Which bug is planted is a parameter of a run, never a global.

/// A planted bug.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
    /// Entered epochs are not journaled.
    ForgetEpoch,
    /// A sequencer sends its header before the header is synced.
    SendBeforeSync,
    /// Bodies expire by the local clock.
    ExpireByClock,
    /// Nothing is ever sent again.
    NeverResend,
    /// Headers are kept however far above the base they are.
    NoWindow,
}

impl Canary {
    /// Every bug that can be planted.
    pub const ALL: [Self; 10] = [
        Self::AckBeforeSync,
        Self::AckWithoutBody,
        Self::ForgetLocks,
        Self::ReplaceLock,
        Self::TrustCertificates,
        Self::ForgetEpoch,
        Self::SendBeforeSync,
        Self::ExpireByClock,
        Self::NeverResend,
        Self::NoWindow,
    ];

    /// Whether this bug is planted.
    #[inline]
    pub fn is(self, bug: Self) -> bool {
        cfg!(feature = "canary") && self == bug
    }
}
