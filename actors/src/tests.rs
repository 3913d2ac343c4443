//! Several actors together.

mod chunks;
pub mod cluster;
mod gossip;
