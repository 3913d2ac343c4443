//! The file as an operator reads it.

use super::{Settings, defaults};
use std::fmt::Write as _;

/// What every field means: the file with all fields at their defaults. A generated file is this one with other values.
pub const COMMENTED: &str = r##"# One node. Everything that has a default here may be left out. A variable of the environment overrides a field:
# DRYSTONE_HTTP__LISTEN=0.0.0.0:8000 is `listen` of [http], DRYSTONE_THREADS=4 is `threads`.
# Paths are relative to this file.

# The file of this node's key, readable by its owner alone: `keys new` makes one.
key = "node.key"
# The file that all nodes of the deployment share.
genesis = "genesis.json"
# Where everything durable lies. One process at a time may use it.
directory = "data"
# Threads that run the actors.
threads = 2
# Threads that check signatures.
verify_threads = 1
# What is logged to standard error: error, warn, info, debug or trace, or by module: "info,drystone_actors=debug".
log = "info"
# Whether each line of the log is JSON.
log_json = false

[network]
# Where this node listens for the others.
listen = "0.0.0.0:7000"
# Where the others reach it: an address or a host name, with a port.
address = "node-0.example.org:7000"
# Nodes to dial first; the others are heard of from these. Each with its public key and its address.
peers = []
# Public keys of nodes that follow without being in the genesis. They are served after the validators.
followers = []
# Whether nodes tell each other the addresses of those that both know to take part: "on" or "off". All nodes must have it
# the same; with "off" every peer must be listed above.
exchange = "on"
# Whether peers may have addresses of private networks, such as 10.0.0.0/8 or 127.0.0.1.
private_addresses = false

[http]
# Where clients and operators are listened to. There is no authentication: anything but loopback needs a proxy before it.
listen = "127.0.0.1:8000"
# Largest body of a request, in bytes.
body_bytes_max = 4194304
# Requests under way at once. More are told to come back.
requests_max = 1024
# Open connections. More wait.
connections_max = 4096
# How long a request may take, in milliseconds.
timeout_ms = 10000
# How long a request may ask to wait for something to happen, in milliseconds.
wait_max_ms = 30000
# Transactions whose fate is remembered, for those who ask by id.
remembered_max = 524288

[chain]
# How long the first transaction waits for others before a chunk is sealed, in milliseconds.
seal_ms = 20
# A chunk is sealed at once when so many bytes of transactions wait.
seal_bytes = 524288
# A chunk is sealed at once when so many transactions wait.
seal_items = 1024
# Least time between two blocks of this leader, in milliseconds.
interval_ms = 50
# How long a leader waits for something to order before it proposes an empty block, in milliseconds.
empty_gap_ms = 500
# How long a leader may take to propose, in milliseconds. More than empty_gap_ms and a link's delay.
leader_timeout_ms = 1500
# Transactions that wait here, at most.
pool_items_max = 131072
# Their bytes, at most.
pool_bytes_max = 134217728
# Transactions of one account that wait here, at most.
account_items_max = 64
# Whether this node follows blocks only, as an archive does: it executes and serves everything, but takes no transactions, neither
# from clients nor from other nodes.
blocks_only = false

[storage]
# Blocks below the newest that are kept for those who are behind, with all that is in them. At least those of a window of the genesis,
# one every chain.interval_ms, and as many as a node in step may be behind: execution_lag_max and 32.
retention_blocks = 16384
# Pages of the state that are kept in memory, of 4 KiB each.
state_pages = 16384
# Whether a start reads the blocks that are kept, with all that is in them, so that a damaged file is found then and not when
# another node asks, and bodies that are lost are fetched from the others. Each gigabyte costs 0.6 to 0.9 seconds of a processor
# (process_cpu_ms of /metrics after a start with and without it, 384 MB in 470 bodies), and the time that the disk takes to
# read it. What a node needs for itself is checked in any case.
check = true
"##;

impl Settings {
    /// The commented file with these values.
    pub fn text(&self) -> String {
        let values = toml::Value::try_from(self).expect("its parts have text for names");
        let mut section = None;
        let mut text = String::new();
        for line in COMMENTED.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = Some(name.trim_end_matches(']'));
            }
            let field = line.split_once(" = ").map(|(field, _)| field);
            let field = field.filter(|it| !it.starts_with('#'));
            let value = field.and_then(|field| {
                let table = section.map_or(Some(&values), |it| values.get(it));
                Some((field, table?.get(field)?))
            });
            let written = match value {
                Some((field, value)) => writeln!(text, "{field} = {value}"),
                None => writeln!(text, "{line}"),
            };
            written.expect("text grows");
        }
        text
    }

    /// The defaults of a node whose files lie beside its settings.
    pub fn beside(listen: std::net::SocketAddr, address: String) -> Self {
        Self {
            key: "node.key".into(),
            genesis: "genesis.json".into(),
            directory: "data".into(),
            threads: defaults::threads(),
            verify_threads: defaults::verify_threads(),
            log: defaults::log(),
            log_json: false,
            network: super::NetworkSettings {
                listen,
                address,
                peers: Vec::new(),
                followers: Vec::new(),
                exchange: super::Exchange::default(),
                private_addresses: false,
            },
            http: super::HttpSettings::default(),
            chain: super::ChainSettings::default(),
            storage: super::StorageSettings::default(),
        }
    }
}
