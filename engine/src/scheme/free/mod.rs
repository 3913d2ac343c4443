//! Signatures that cost nothing, for simulation.
//!
//! A signature is a fast mix of (signer's public key, namespace, message). Anybody could compute it, so it proves
//! nothing to an attacker who knows this file, but it still tells a forged signature from a real one: whoever flips a
//! bit, or moves a signature to another message, signer or namespace, is found out. Simulated faults forge in these
//! ways only.
//!
//! Nothing is shared between keys or schemes: a mix is a pure function, the same on every machine.

mod certificate;
mod keys;
mod mix;

pub use certificate::{Certificate, Scheme};
pub use keys::{PrivateKey, PublicKey, Signature};
