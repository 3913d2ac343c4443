//! A deployment of real nodes: what they agree on, how each is configured, the keys, the network.
//!
//! ```text
//!   genesis.json --check--> Agreement --+
//!   node.toml + environment --> Settings +--> config() --> node::Config     connect() --> node::Network
//!   node.key ---------------------------+
//! ```
//!
//! Everything is signed with one ed25519 key for each node: it names the node on the network, signs the headers of its lane,
//! its acks and its votes, each under a namespace of its own that the genesis's digest begins. The sets of the genesis
//! serve in every epoch.
//!
//! Invariants:
//! 1. Two nodes whose genesis files differ in anything speak under different namespaces, and never connect.
//! 2. A field that nobody knows is refused, in either file.
//! 3. The runtime is a parameter: nothing here starts a process, reads a clock or listens for clients.

mod config;
mod genesis;
mod hexed;
mod key;
mod light;
mod network;
mod nouns;
mod settings;
#[cfg(test)]
mod tests;

pub use config::{Parts, config, partition};
pub use genesis::{Agreement, Amount, Blocks, Genesis, GenesisError, Lanes, Transactions};
pub use hexed::Hexed;
pub use key::KeyError;
pub use light::Light;
pub use network::{Door, connect, message_size_max};
pub use nouns::{Sets, Standard};
pub(crate) use settings::CLIENTS;
pub use settings::{
    COMMENTED, ChainSettings, Exchange, HttpSettings, NetworkSettings, Peer, Settings,
    SettingsError, StorageSettings,
};

/// Reads, writes and makes the files of keys.
pub mod keys {
    pub use super::key::{read, write};
}
