//! The trace: observations, faults and deliveries in order, each with virtual time, node and cause. Its hash is the
//! run's identity; its text, recorded on demand, is the story.

mod event;
mod hash;
mod observer;
mod recorder;
mod story;
#[cfg(test)]
mod tests;
mod words;

pub use event::{Event, Stamped};
pub use hash::{Hasher, TraceHash};
pub use observer::{Now, Observer};
pub(crate) use recorder::{Recorder, State, known};
pub use story::Recording;
pub(crate) use story::Story;
