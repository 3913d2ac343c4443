//! Why a command fails, and what its process ends with.

use serde_json::{Value, json};
use std::{fmt, process::ExitCode};
use thiserror::Error;

/// What a process ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// A node stopped that should have gone on, for no reason below.
    Stopped = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A file of the configuration, a key or a genesis is wrong.
    Configuration = 3,
    /// Another process uses the directory.
    InUse = 4,
    /// The disk failed, is full, or what lies on it is damaged.
    Disk = 5,
    /// What lies on the disk belongs to another deployment.
    OtherDeployment = 6,
    /// A node cannot be reached.
    Unreachable = 7,
    /// A node refuses.
    Refused = 8,
    /// What was asked for is not there.
    NotFound = 9,
    /// The transaction that was waited for was not executed.
    NotExecuted = 10,
}

/// What the user is told.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Failure {
    /// What the process ends with.
    pub exit: Exit,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Failure {
    /// A failure.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        let message = message.to_string();
        Self { exit, message }
    }

    /// As a program is told.
    pub fn json(&self) -> Value {
        json!({ "error": { "exit": self.exit as u8, "message": self.message } })
    }

    /// Something in a file that an operator wrote.
    pub fn configuration(place: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self::new(Exit::Configuration, format!("{place}: {reason}"))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
