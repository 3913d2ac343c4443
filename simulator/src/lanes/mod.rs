//! Certified lanes as a system under test: the engine of every node, around it doubles of what it serves.
//!
//! The engine is the deployed one. Doubles stand for the rest of a node: `automaton` for the owner of bodies,
//! `chain` for what finalizes and executes. One node may be Byzantine ([`Role`]).
//!
//! The system is generic over the scheme ([`Lanes<F>`]); `Mixed` draws one from the seed.

mod automaton;
mod boot;
mod byzantine;
mod chain;
mod genesis;
mod machine;
#[cfg(feature = "signatures")]
mod mixed;
mod observation;
mod options;
mod profile;
mod property;
mod report;
mod scenarios;
mod stopwatch;
mod system;
#[cfg(test)]
mod tests;

pub use boot::Life;
#[cfg(feature = "signatures")]
pub use mixed::Mixed;
pub use observation::Seen;
pub use options::{Action, Options, Role};
pub use profile::{PROFILES, Profile};
pub use scenarios::{Certifies, registry};
pub use stopwatch::{Quantiles, Stopwatch, Times};
pub use system::{Lanes, Named};
