//! A seeded deterministic world for systems of actors.
