//! A seeded deterministic world for systems of actors.
//!
//! A user implements [`System`]: how to boot one node, what it reports, what must hold. A [`Scenario`] drawn with a
//! seed gives a [`Plan`], which lists every setting, fault and action of a run; running the plan gives an [`Outcome`].
//! A failed run fits in a [`Capsule`]. The same plan gives the same [`trace`] on any machine.
//!
//! ```text
//!     Scenario + seed --draw--> Plan --run--> Outcome --failed--> Capsule
//!                                | faults, actions   ^ properties, goal
//!                                v                   |
//!                    nodes on hosts and links --> observations, trace hash
//! ```

pub mod campaign;
pub mod capsule;
pub mod chunks;
pub mod cli;
pub mod draw;
pub mod host;
pub mod lanes;
pub mod network;
pub mod nodes;
pub mod outcome;
mod panics;
pub mod plan;
pub mod property;
mod registry;
pub mod scenario;
pub mod shrink;
mod system;
#[cfg(test)]
mod testing;
pub mod time;
pub mod trace;
mod watch;
mod world;

pub use capsule::Capsule;
pub use outcome::{Failure, FailureKind, Outcome, Signature, Tally};
pub use plan::{Fault, Plan};
pub use property::{Goal, Kinds, Property, Violation, reaches};
pub use registry::registry;
pub use scenario::{Heal, Scenario};
pub use system::{Data, Observation, Seat, Span, Stop, System};
pub use trace::{Now, Observer, Recording, Stamped, TraceHash};
pub use watch::Watch;

/// What a system of one's own and a scenario over it need, by one line.
pub mod prelude {
    pub use crate::{
        Fault, Goal, Heal, Observation, Observer, Plan, Property, Scenario, Seat, Stamped, Stop,
        System, Violation, draw::Draw, plan::Unsynced, property::Verdict, reaches, time::secs,
    };
}
