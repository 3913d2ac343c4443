//! A seeded deterministic world for systems of actors.

pub mod network;
