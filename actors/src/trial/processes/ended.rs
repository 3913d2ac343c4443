//! How a process ended, and what it said.

use serde_json::Value;
use std::process::Output;

/// How a process ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub answer: String,
    /// What it logged.
    pub said: String,
}

impl Ended {
    /// What it printed, as JSON.
    ///
    /// # Panics
    /// If it did not succeed, or printed something else.
    pub fn json(&self) -> Value {
        assert_eq!(self.code, Some(0), "{} {}", self.answer, self.said);
        serde_json::from_str(&self.answer).expect("JSON")
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            answer: String::from_utf8_lossy(&output.stdout).into_owned(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}
