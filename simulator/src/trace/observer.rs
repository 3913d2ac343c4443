//! The handle through which a node reports.

use super::Recorder;
use crate::{Observation, Stop, trace::Event};
use commonware_utils::sync::Mutex;
use std::{fmt, sync::Arc};

/// Tells the microseconds since the run began, in whichever world it takes place.
pub type Now = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Reports observations in the name of one life of one node. Cheap to clone; reporting is synchronous.
pub struct Observer<O> {
    recorder: Arc<Mutex<Recorder<O>>>,
    now: Now,
    node: Option<usize>,
    incarnation: u32,
}

impl<O: Observation> Observer<O> {
    pub(crate) const fn new(
        recorder: Arc<Mutex<Recorder<O>>>,
        now: Now,
        node: Option<usize>,
        incarnation: u32,
    ) -> Self {
        Self {
            recorder,
            now,
            node,
            incarnation,
        }
    }

    /// Reports an observation, stamped with the present time.
    ///
    /// A task of a killed node may be dropped one turn after the kill, and report while it is dropped: what a dead
    /// node says is ignored.
    pub fn report(&self, observation: O) {
        let at_us = (self.now)();
        self.recorder
            .lock()
            .observe(at_us, self.node, self.incarnation, observation);
    }

    /// This life ended, of its own accord or by an error; and whether its disk told it of one.
    pub(crate) fn ended(&self, result: &Result<(), Stop>, disk_failed: bool) {
        let event = match result {
            Ok(()) => Event::Finished,
            Err(error) => Event::Stopped {
                error: error.to_string(),
                disk_failed,
            },
        };
        let at_us = (self.now)();
        self.recorder
            .lock()
            .event(at_us, self.node, self.incarnation, event);
    }
}

impl<O> Clone for Observer<O> {
    fn clone(&self) -> Self {
        Self {
            recorder: self.recorder.clone(),
            now: self.now.clone(),
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
