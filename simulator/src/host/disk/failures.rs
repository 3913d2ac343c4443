//! Which of its errors a disk told of, and which panics they explain.

use crate::panics::Caught;
use commonware_runtime::Error;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

/// The code below a node that knows no other answer to a disk that fails than to panic: its panics are raised in files
/// whose paths hold this. Ours never are.
const PANICS: &str = "commonware-consensus-";
/// How long after an error a panic that names it may come. Whoever is told panics at once, unless its machine is paused
/// in between: no pause of a plan that matters is longer.
const RECENT: Duration = Duration::from_secs(10);

/// The errors of one life, as those who asked were told of them: each of its texts, and when it was told last.
#[derive(Debug, Default)]
pub(super) struct Failures {
    told: BTreeMap<String, SystemTime>,
}

impl Failures {
    /// Somebody is told of an error now. What is no fault of the device explains nothing.
    pub(super) fn tell(&mut self, now: SystemTime, error: &Error) {
        if matches!(
            error,
            Error::ReadFailed
                | Error::WriteFailed
                | Error::BlobOpenFailed(..)
                | Error::BlobResizeFailed(..)
                | Error::BlobSyncFailed(..)
                | Error::Io(_)
        ) {
            self.told.insert(error.to_string(), now);
            self.told.insert(format!("{error:?}"), now);
        }
    }

    /// A life is over: what it was told explains nothing of the next.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }

    /// Whether anybody was told of one.
    pub(super) fn any(&self) -> bool {
        !self.told.is_empty()
    }

    /// Whether a panic is the answer to one of them: consensus raised it, and it names an error told not long ago or, since
    /// a few panics leave out why, comes in the very instant in which one was told.
    pub(super) fn explain(&self, now: SystemTime, panic: &Caught) -> bool {
        let explains = |(text, at): (&String, &SystemTime)| {
            *at == now || now <= *at + RECENT && panic.message.contains(text)
        };
        panic.file.contains(PANICS) && self.told.iter().any(explains)
    }
}
