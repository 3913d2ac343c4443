//! What the nodes of a deployment agree on: one file, the same on all of them.

use super::hexed::Hexed;
use crate::{
    block::{Block, Parameters, ParametersError},
    node::{Deployment, Nouns},
};
use commonware_cryptography::{Hasher as _, Sha256, ed25519::PublicKey};
use commonware_utils::{TryFromIterator as _, ordered::Set};
use drystone_engine::types::{self, Digest, GenesisError as LanesError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{num::NonZeroU64, sync::Arc};
use thiserror::Error;

/// The file. `A` is the application's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis<A> {
    /// What people call the deployment.
    pub name: String,
    /// When the chain begins, in milliseconds since the Unix epoch: the time of block 0.
    pub start_ms: u64,
    /// Who acks chunks and votes on blocks.
    pub validators: Vec<Hexed<PublicKey>>,
    /// Who has a lane, and packs transactions into chunks.
    pub sequencers: Vec<Hexed<PublicKey>>,
    /// The lanes.
    pub lanes: Lanes,
    /// The blocks.
    pub blocks: Blocks,
    /// The transactions.
    pub transactions: Transactions,
    /// The application's part.
    pub application: A,
    /// The root of the first state: what the application makes of its part.
    pub root: Hexed<Digest>,
}

/// An amount of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Number of chunks.
    pub chunks: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Transactions in them.
    pub items: u64,
}

impl From<Amount> for types::Limits {
    fn from(it: Amount) -> Self {
        Self {
            chunks: it.chunks,
            bytes: it.bytes,
            items: it.items,
        }
    }
}

/// See [`types::Genesis`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lanes {
    /// Length of a slot. A lane holds at most one chunk a slot.
    pub slot_ms: u64,
    /// How long after the end of its slot a chunk may still be included.
    pub window_ms: u64,
    /// How many headers of a lane may be uncertified at once.
    pub in_flight_max: u64,
    /// What a lane may hold, live, above its last finalized inclusion.
    pub ahead_max: Amount,
    /// How many headers, live or expired, it may hold there.
    pub headers_max: u64,
    /// Largest body of one chunk.
    pub chunk_bytes_max: u32,
    /// Most transactions in one chunk.
    pub chunk_items_max: u32,
}

impl Default for Lanes {
    /// Chunks of a quarter of a second's traffic at some ten thousand transactions of 512 bytes a second and lane.
    fn default() -> Self {
        Self {
            slot_ms: 1,
            window_ms: 60_000,
            in_flight_max: 32,
            ahead_max: Amount {
                chunks: 128,
                bytes: 64 << 20,
                items: 1 << 17,
            },
            headers_max: 512,
            chunk_bytes_max: 1 << 20,
            chunk_items_max: 1 << 13,
        }
    }
}

/// See [`Parameters`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocks {
    /// What a block stands for, unexpired at its time, at most.
    pub live_max: Amount,
    /// The headers that a block moves all lanes on by, at most.
    pub headers_max: u64,
    /// How far a block's time may be ahead of a voter's clock, and a tip's slot ahead of the block's time.
    pub skew_ms: u64,
    /// How many heights below itself a block with tips may name as executed.
    pub execution_lag_max: u64,
    /// Blocks in an epoch.
    pub epoch_blocks: NonZeroU64,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            live_max: Amount {
                chunks: 512,
                bytes: 128 << 20,
                items: 1 << 18,
            },
            headers_max: 2_048,
            skew_ms: 2_000,
            execution_lag_max: 64,
            epoch_blocks: NonZeroU64::new(10_000).expect("positive"),
        }
    }
}

/// What a transaction may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transactions {
    /// The largest.
    pub bytes_max: u32,
    /// How long before its expiry it may be executed.
    pub window_ms: u64,
}

impl Default for Transactions {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 16,
            window_ms: 60_000,
        }
    }
}

/// Why a genesis is refused.
#[derive(Debug, Error)]
pub enum GenesisError {
    /// It cannot be read.
    #[error("it is no genesis: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Nobody votes, or nobody packs.
    #[error("it has no {0}: at least 1 is needed, and 4 to bear a fault")]
    Nobody(&'static str),
    /// A key stands there twice.
    #[error("a key occurs twice among the {0}")]
    Twice(&'static str),
    /// More than can be counted.
    #[error("it has {count} {what}: at most {max} are possible")]
    Crowd {
        /// Of what.
        what: &'static str,
        /// How many.
        count: usize,
        /// How many there may be.
        max: usize,
    },
    /// The lanes contradict themselves.
    #[error("lanes: {0}")]
    Lanes(#[from] LanesError),
    /// The blocks contradict the lanes.
    #[error("blocks: {0}")]
    Blocks(#[from] ParametersError),
    /// No chunk can hold a transaction of the largest size.
    #[error(
        "transactions.bytes_max is {bytes}: it must be at least 1, and at most half of lanes.chunk_bytes_max, {chunk}"
    )]
    Transaction {
        /// The largest transaction.
        bytes: u32,
        /// The largest chunk.
        chunk: u32,
    },
    /// A transaction could be repeated after it was forgotten.
    #[error("transactions.window_ms is {0}: it must be at least 1")]
    Window(u64),
}

/// Members of a set, at most: their lanes, those of two epochs, are counted in 16 bits.
const MEMBERS_MAX: usize = (u16::MAX / 2) as usize;

/// What follows from a genesis that was checked.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// What blocks and lanes keep to.
    pub parameters: Arc<Parameters>,
    /// Who acks and votes.
    pub validators: Set<PublicKey>,
    /// Who has a lane.
    pub sequencers: Set<PublicKey>,
    /// What transactions keep to.
    pub transactions: Transactions,
    /// The time of block 0.
    pub start_ms: u64,
    /// The root of the first state.
    pub root: Digest,
}

impl<A: Serialize + DeserializeOwned> Genesis<A> {
    /// Reads a file.
    ///
    /// # Errors
    /// If it is not one.
    pub fn read(text: &str) -> Result<Self, GenesisError> {
        Ok(serde_json::from_str(text)?)
    }

    /// What is in the file.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("its parts have text for names")
    }

    /// Names the deployment: a digest of everything but the root, which is made under this name.
    pub fn digest(&self) -> Digest {
        let content = (
            (
                &self.name,
                self.start_ms,
                &self.validators,
                &self.sequencers,
            ),
            (
                &self.lanes,
                &self.blocks,
                &self.transactions,
                &self.application,
            ),
        );
        let text = serde_json::to_vec(&content).expect("its parts have text for names");
        Sha256::hash(&[b"drystone deployment", &text])
    }

    /// Checks everything that does not need the application.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<Agreement, GenesisError> {
        let lanes = &self.lanes;
        let genesis = types::Genesis {
            digest: self.digest(),
            slot_ms: lanes.slot_ms,
            window_ms: lanes.window_ms,
            in_flight_max: lanes.in_flight_max,
            lane_ahead_max: lanes.ahead_max.into(),
            lane_headers_max: lanes.headers_max,
            chunk_bytes_max: lanes.chunk_bytes_max,
            chunk_items_max: lanes.chunk_items_max,
        };
        genesis.check()?;
        let blocks = &self.blocks;
        let parameters = Parameters {
            genesis: Arc::new(genesis),
            live_max: blocks.live_max.into(),
            headers_max: blocks.headers_max,
            skew_ms: blocks.skew_ms,
            execution_lag_max: blocks.execution_lag_max,
            epoch_blocks: blocks.epoch_blocks,
        };
        parameters.check()?;
        let bytes = self.transactions.bytes_max;
        if bytes == 0 || bytes > lanes.chunk_bytes_max / 2 {
            let chunk = lanes.chunk_bytes_max;
            return Err(GenesisError::Transaction { bytes, chunk });
        }
        if self.transactions.window_ms == 0 {
            return Err(GenesisError::Window(0));
        }
        Ok(Agreement {
            parameters: Arc::new(parameters),
            validators: set("validators", &self.validators)?,
            sequencers: set("sequencers", &self.sequencers)?,
            transactions: self.transactions.clone(),
            start_ms: self.start_ms,
            root: self.root.0,
        })
    }
}

fn set(what: &'static str, keys: &[Hexed<PublicKey>]) -> Result<Set<PublicKey>, GenesisError> {
    if keys.is_empty() {
        return Err(GenesisError::Nobody(what));
    }
    if keys.len() > MEMBERS_MAX {
        let (count, max) = (keys.len(), MEMBERS_MAX);
        return Err(GenesisError::Crowd { what, count, max });
    }
    let keys = keys.iter().map(|it| it.0.clone());
    Set::try_from_iter(keys).map_err(|_| GenesisError::Twice(what))
}

impl Agreement {
    /// Names the deployment.
    pub fn digest(&self) -> Digest {
        self.parameters.genesis.digest
    }

    /// Block 0.
    pub fn block<D: Deployment>(&self) -> Block<Nouns<D>> {
        Block::genesis(self.digest(), self.start_ms, self.root)
    }

    /// Validators, as many as count.
    pub fn validators_max(&self) -> u32 {
        u32::try_from(self.validators.len()).expect("checked")
    }

    /// Lanes in a block, at most: those of two epochs.
    pub fn lanes_max(&self) -> u16 {
        u16::try_from(2 * self.sequencers.len()).expect("checked")
    }
}
