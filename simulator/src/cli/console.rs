//! Where a command writes.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal as _, Write},
};

/// Standard output and standard error, or a test's buffers.
pub(super) struct Console<'a> {
    out: Box<dyn Write + 'a>,
    err: Box<dyn Write + 'a>,
    /// Whether `out` shows colours.
    pub(super) colours: bool,
    /// Whether `err` is a terminal of the process, where progress can be drawn.
    pub(super) progress: bool,
}

impl<'a> Console<'a> {
    pub(super) fn of_process() -> Self {
        // no-color.org: set, to anything but nothing, means no colours.
        let forbidden = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            colours: io::stdout().is_terminal() && !forbidden,
            progress: io::stderr().is_terminal(),
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
        }
    }

    pub(super) fn plain(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self {
            out: Box::new(out),
            err: Box::new(err),
            colours: false,
            progress: false,
        }
    }

    /// Writes to standard output. A reader that has gone away, such as `head`, does not change what a run shows or the
    /// exit status it deserves, so errors are let go.
    pub(super) fn say(&mut self, text: &dyn Display) {
        let _gone = write!(self.out, "{text}").and_then(|()| self.out.flush());
    }

    /// Writes to standard error.
    pub(super) fn complain(&mut self, text: &dyn Display) {
        let _gone = write!(self.err, "{text}").and_then(|()| self.err.flush());
    }
}
