//! How blocks are judged and built.

use crate::{Canary, block::Parameters};
use drystone_engine::types::{Provider, Types};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
};

/// Parameters of a node.
pub struct Config<T: Types> {
    /// This node.
    pub me: T::PublicKey,
    /// What the deployment agrees on.
    pub parameters: Arc<Parameters>,
    /// Knows the committees.
    pub provider: Arc<dyn Provider<T>>,
    /// Where certificates are checked.
    pub strategy: T::Strategy,
    /// A proposal is not made sooner after its parent's time, or after it was asked for if that is sooner.
    pub interval_ms: u64,
    /// How long after it was asked for a proposal waits for a tip. With a link's delay and the checks it must stay below
    /// the orderer's leader timeout.
    pub empty_gap_ms: u64,
    /// How long to wait for headers before asking again.
    pub retry_ms: NonZeroU64,
    /// Certificates of a lane remembered as verified.
    pub verified_max: usize,
    /// Messages the mailbox holds before its overflow policy takes over.
    pub mailbox_size: NonZeroUsize,
    /// A bug that is planted.
    pub canary: Canary,
}

impl<T: Types> Clone for Config<T> {
    fn clone(&self) -> Self {
        Self {
            me: self.me.clone(),
            parameters: self.parameters.clone(),
            provider: self.provider.clone(),
            strategy: self.strategy.clone(),
            ..*self
        }
    }
}

impl<T: Types> Config<T> {
    /// Panics if the parameters contradict each other.
    pub(super) fn check(&self) {
        if let Err(error) = self.parameters.check() {
            panic!("{error}");
        }
        assert!(
            self.interval_ms <= self.empty_gap_ms,
            "interval_ms is {}: it must be at most empty_gap_ms, {}",
            self.interval_ms,
            self.empty_gap_ms
        );
        assert!(
            self.verified_max > 0,
            "verified_max is 0: the certificate in front must be remembered"
        );
    }
}
