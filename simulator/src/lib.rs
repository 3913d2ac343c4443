//! A seeded deterministic world for systems of actors.

pub mod host;
pub mod network;
