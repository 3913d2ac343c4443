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
mod witness;

pub use boot::Life;
pub(crate) use boot::{BOUNDS, QUOTA, Simulated, journal_config};
pub(crate) use genesis::{Committees, World};
#[cfg(feature = "signatures")]
pub use mixed::Mixed;
pub use observation::{Seen, Short};
pub(crate) use options::draw_actions;
pub use options::{Action, Options, Role};
pub use profile::{PROFILES, Profile};
pub(crate) use property::safety;
pub use scenarios::Certifies;
pub use stopwatch::{Quantiles, Stopwatch, Times};
pub use system::{Lanes, Named};
pub(crate) use witness::{Newest, Witness};
