//! Several actors together.

mod chunks;
mod cluster;
mod gossip;
