//! The trace as text, for people.

use super::Stamped;
use crate::{network::Fate, time::show};
use std::{collections::VecDeque, fmt::Display};

/// Which lines of a run's story to keep. Keeping none, the default, costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// How many lines to keep from the start.
    pub first: usize,
    /// How many to keep up to the end.
    pub last: usize,
    /// Only what happened at this node.
    pub node: Option<usize>,
    /// Only what happened up to this time.
    pub until_us: Option<u64>,
    /// Only lines that contain this text.
    pub filter: Option<String>,
    /// Deliveries too: a line each.
    pub deliveries: bool,
    /// Messages dropped for a reason that no other line tells: a full inbox, a peer that blocks. A line each.
    pub refusals: bool,
}

impl Recording {
    /// Keeps nothing.
    pub fn off() -> Self {
        Self::default()
    }

    /// Keeps every line.
    pub fn all() -> Self {
        Self {
            first: usize::MAX,
            deliveries: true,
            ..Self::off()
        }
    }

    /// Keeps the first and the last lines, deliveries apart.
    pub fn ends(first: usize, last: usize) -> Self {
        Self {
            first,
            last,
            ..Self::off()
        }
    }
}

/// Collects the lines that a recording asks for.
pub(crate) struct Story {
    recording: Recording,
    first: Vec<String>,
    last: VecDeque<String>,
    left_out: u64,
}

impl Story {
    /// A story, or nothing if the recording keeps no line.
    pub(crate) fn of(recording: Recording) -> Option<Self> {
        let kept = recording.first > 0 || recording.last > 0;
        kept.then(|| Self {
            recording,
            first: Vec::new(),
            last: VecDeque::new(),
            left_out: 0,
        })
    }

    /// Whether the end of a message is wanted.
    pub(crate) const fn wants(&self, fate: Fate) -> bool {
        let refused = matches!(fate, Fate::Overflow | Fate::Blocked);
        self.recording.deliveries || (self.recording.refusals && refused)
    }

    /// Adds a line if it is one of those asked for. `what` is shown only if it may be.
    pub(crate) fn line<T>(&mut self, event: &Stamped<T>, what: &dyn Display) {
        let recording = &self.recording;
        if recording.node.is_some_and(|node| event.node != Some(node))
            || recording
                .until_us
                .is_some_and(|until_us| event.at_us > until_us)
        {
            return;
        }
        let who = match (event.node, event.incarnation) {
            (None, _) => "world".into(),
            (Some(node), 0) => format!("node {node}"),
            (Some(node), incarnation) => format!("node {node}.{incarnation}"),
        };
        let cause = if event.cause == 0 {
            String::new()
        } else {
            format!(" after #{}", event.cause)
        };
        let line = format!(
            "{:>14} #{} {who}{cause}: {what}",
            show(event.at_us),
            event.number
        );
        if recording
            .filter
            .as_ref()
            .is_some_and(|filter| !line.contains(filter.as_str()))
        {
            return;
        }
        if self.first.len() < recording.first {
            self.first.push(line);
            return;
        }
        self.last.push_back(line);
        if self.last.len() > recording.last {
            self.last.pop_front();
            self.left_out += 1;
        }
    }

    /// The lines, with a note where some are left out.
    pub(crate) fn lines(self) -> Vec<String> {
        let mut lines = self.first;
        if self.left_out > 0 {
            lines.push(format!("... {} lines left out ...", self.left_out));
        }
        lines.extend(self.last);
        lines
    }
}
