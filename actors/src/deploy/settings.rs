//! How an operator configures one node: a TOML file, and the environment above it.

mod fits;
mod text;

pub use text::COMMENTED;

use super::hexed::Hexed;
use commonware_cryptography::ed25519::PublicKey;
use serde::{Deserialize, Serialize};
use std::{
    net::{Ipv4Addr, SocketAddr},
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
};
use thiserror::Error;
use toml::{Table, Value};

/// Variables of the environment that override a field begin with this: `DRYSTONE_HTTP__LISTEN` is `listen` of `[http]`.
const PREFIX: &str = "DRYSTONE_";
/// This one names the node that a client asks: it is none of a node's.
pub(crate) const CLIENTS: &str = "DRYSTONE_NODE";
/// Blocks that consensus hands out and that are not executed, at most.
pub(super) const UNACKNOWLEDGED_MAX: NonZeroUsize = NonZeroUsize::new(32).expect("positive");
/// What stands for the dot between a section and its field.
const DOT: &str = "__";

/// The file of a node. What each field means is said where an operator reads it: see [`COMMENTED`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file of the key. Paths are relative to the file they stand in.
    pub key: PathBuf,
    /// The file of the genesis.
    pub genesis: PathBuf,
    /// Where everything durable lies. One process at a time.
    pub directory: PathBuf,
    /// Threads that run the actors.
    #[serde(default = "defaults::threads")]
    pub threads: NonZeroUsize,
    /// Threads that check signatures.
    #[serde(default = "defaults::verify_threads")]
    pub verify_threads: NonZeroUsize,
    /// What is logged: a level, or levels by module.
    #[serde(default = "defaults::log")]
    pub log: String,
    /// Whether it is logged as JSON.
    #[serde(default)]
    pub log_json: bool,
    /// The network of nodes.
    pub network: NetworkSettings,
    /// What clients and operators ask.
    #[serde(default)]
    pub http: HttpSettings,
    /// How fast chunks and blocks are made.
    #[serde(default)]
    pub chain: ChainSettings,
    /// What is kept.
    #[serde(default)]
    pub storage: StorageSettings,
}

mod defaults {
    use std::num::NonZeroUsize;

    pub fn log() -> String {
        "info".into()
    }

    pub const fn threads() -> NonZeroUsize {
        NonZeroUsize::new(2).expect("positive")
    }

    pub const fn verify_threads() -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its name.
    pub key: Hexed<PublicKey>,
    /// Where it listens: an address or a host name, with a port.
    pub address: String,
}

/// Whether nodes tell each other where others are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exchange {
    /// They do, of those that both know to take part.
    #[default]
    On,
    /// They do not, and refuse to be told: every peer is listed.
    Off,
}

/// See [`Settings::network`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSettings {
    /// Where this node listens.
    pub listen: SocketAddr,
    /// Where the others reach it.
    pub address: String,
    /// Nodes to dial first.
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// Who follows without being in the genesis.
    #[serde(default)]
    pub followers: Vec<Hexed<PublicKey>>,
    /// Whether addresses are exchanged.
    #[serde(default)]
    pub exchange: Exchange,
    /// Whether peers may have addresses of private networks.
    #[serde(default)]
    pub private_addresses: bool,
}

/// See [`Settings::http`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSettings {
    /// Where clients are listened to.
    pub listen: SocketAddr,
    /// Largest body of a request.
    pub body_bytes_max: usize,
    /// Requests under way at once.
    pub requests_max: usize,
    /// Open connections.
    pub connections_max: usize,
    /// How long a request may take.
    pub timeout_ms: NonZeroU64,
    /// How long a request may wait for something to happen.
    pub wait_max_ms: u64,
    /// Transactions whose fate is remembered.
    pub remembered_max: usize,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8_000)),
            body_bytes_max: 4 << 20,
            requests_max: 1_024,
            connections_max: 4_096,
            timeout_ms: NonZeroU64::new(10_000).expect("positive"),
            wait_max_ms: 30_000,
            remembered_max: 1 << 19,
        }
    }
}

/// See [`Settings::chain`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ChainSettings {
    /// How long the first transaction waits for others before a chunk is sealed.
    pub seal_ms: u64,
    /// A chunk is sealed at once when so many bytes of transactions wait.
    pub seal_bytes: usize,
    /// A chunk is sealed at once when so many transactions wait.
    pub seal_items: usize,
    /// Least time between two blocks.
    pub interval_ms: u64,
    /// How long a leader waits for something to order before it proposes an empty block.
    pub empty_gap_ms: u64,
    /// How long a leader may take.
    pub leader_timeout_ms: u64,
    /// Transactions that wait, at most.
    pub pool_items_max: usize,
    /// Their bytes, at most.
    pub pool_bytes_max: usize,
    /// Transactions of one account that wait, at most.
    pub account_items_max: usize,
    /// Whether this node takes no transactions, and follows blocks only.
    pub blocks_only: bool,
}

impl Default for ChainSettings {
    fn default() -> Self {
        Self {
            seal_ms: 20,
            seal_bytes: 512 << 10,
            seal_items: 1_024,
            interval_ms: 50,
            empty_gap_ms: 500,
            leader_timeout_ms: 1_500,
            pool_items_max: 1 << 17,
            pool_bytes_max: 128 << 20,
            account_items_max: 64,
            blocks_only: false,
        }
    }
}

/// See [`Settings::storage`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageSettings {
    /// Blocks that are kept for those who are behind.
    pub retention_blocks: u64,
    /// Pages of the state that are kept in memory, of 4 KiB each.
    pub state_pages: NonZeroUsize,
    /// Whether everything kept for others is read at a start.
    pub check: bool,
}

impl Default for StorageSettings {
    fn default() -> Self {
        Self {
            retention_blocks: 1 << 14,
            state_pages: NonZeroUsize::new(1 << 14).expect("positive"),
            check: true,
        }
    }
}

/// Why settings are refused.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file is no TOML, has a field that nobody knows, or lacks one.
    #[error("{0}")]
    Malformed(#[from] toml::de::Error),
    /// A variable of the environment names no section.
    #[error("{0}: {1} is no section, so it can have no field")]
    Section(String, String),
    /// A relation does not hold.
    #[error("{field} is {value}: it must be {wanted}")]
    Relation {
        /// Which field.
        field: &'static str,
        /// What it is.
        value: String,
        /// What would be right.
        wanted: String,
    },
}

impl Settings {
    /// Reads a file's text, with what the environment overrides. Paths in it are relative to `base`.
    ///
    /// # Errors
    /// If a field is unknown, missing or out of its bounds.
    pub fn read(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
        base: &Path,
    ) -> Result<Self, SettingsError> {
        let mut table: Table = text.parse()?;
        for (name, value) in environment {
            if name == CLIENTS {
                continue;
            }
            if let Some(path) = name.strip_prefix(PREFIX) {
                over(&mut table, &name, &path.to_lowercase(), &value)?;
            }
        }
        let mut settings: Self = table.try_into()?;
        for path in [
            &mut settings.key,
            &mut settings.genesis,
            &mut settings.directory,
        ] {
            *path = base.join(&*path);
        }
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingsError> {
        let refuse = |field, value: u64, wanted: String| {
            let value = value.to_string();
            Err(SettingsError::Relation {
                field,
                value,
                wanted,
            })
        };
        let chain = &self.chain;
        if chain.interval_ms > chain.empty_gap_ms {
            let wanted = format!("at most chain.empty_gap_ms, {}", chain.empty_gap_ms);
            return refuse("chain.interval_ms", chain.interval_ms, wanted);
        }
        if chain.leader_timeout_ms <= chain.empty_gap_ms {
            let wanted = format!("more than chain.empty_gap_ms, {}", chain.empty_gap_ms);
            return refuse("chain.leader_timeout_ms", chain.leader_timeout_ms, wanted);
        }
        for (field, value) in [
            ("chain.seal_bytes", chain.seal_bytes),
            ("chain.seal_items", chain.seal_items),
            ("chain.pool_items_max", chain.pool_items_max),
            ("chain.pool_bytes_max", chain.pool_bytes_max),
            ("chain.account_items_max", chain.account_items_max),
            ("http.body_bytes_max", self.http.body_bytes_max),
            ("http.requests_max", self.http.requests_max),
            ("http.connections_max", self.http.connections_max),
            ("http.remembered_max", self.http.remembered_max),
        ] {
            if value == 0 {
                return refuse(field, 0, "at least 1".into());
            }
        }
        Ok(())
    }
}

/// Gives a field of the file another value. What is no TOML value by itself is text.
fn over(table: &mut Table, name: &str, path: &str, value: &str) -> Result<(), SettingsError> {
    let parsed = format!("it = {value}").parse::<Table>();
    let parsed = parsed.ok().and_then(|mut it| it.remove("it"));
    let value = parsed.unwrap_or_else(|| Value::String(value.to_owned()));
    let mut sections: Vec<_> = path.split(DOT).collect();
    let field = sections.pop().expect("split gives one part at least");
    let mut place = table;
    for section in sections {
        let held = place
            .entry(section)
            .or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(held) = held else {
            return Err(SettingsError::Section(name.to_owned(), section.to_owned()));
        };
        place = held;
    }
    place.insert(field.to_owned(), value);
    Ok(())
}
