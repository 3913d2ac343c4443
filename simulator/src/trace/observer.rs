//! The handle through which a node reports.

use super::Recorder;
use crate::{Observation, world::now_us};
use commonware_runtime::deterministic;
use commonware_utils::sync::Mutex;
use std::{fmt, sync::Arc};

/// Reports observations in the name of one life of one node. Cheap to clone; reporting is synchronous.
pub struct Observer<O> {
    recorder: Arc<Mutex<Recorder<O>>>,
    clock: Arc<deterministic::Context>,
    node: Option<usize>,
    incarnation: u32,
}

impl<O: Observation> Observer<O> {
    pub(crate) const fn new(
        recorder: Arc<Mutex<Recorder<O>>>,
        clock: Arc<deterministic::Context>,
        node: Option<usize>,
        incarnation: u32,
    ) -> Self {
        Self {
            recorder,
            clock,
            node,
            incarnation,
        }
    }

    /// Reports an observation, stamped with the present virtual time.
    ///
    /// A task of a killed node may be dropped one turn after the kill, and report while it is dropped: what a dead
    /// node says is ignored.
    pub fn report(&self, observation: O) {
        let at_us = now_us(&self.clock);
        self.recorder
            .lock()
            .observe(at_us, self.node, self.incarnation, observation);
    }
}

impl<O> Clone for Observer<O> {
    fn clone(&self) -> Self {
        Self {
            recorder: self.recorder.clone(),
            clock: self.clock.clone(),
            node: self.node,
            incarnation: self.incarnation,
        }
    }
}

impl<O> fmt::Debug for Observer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("node", &self.node)
            .field("incarnation", &self.incarnation)
            .finish_non_exhaustive()
    }
}
