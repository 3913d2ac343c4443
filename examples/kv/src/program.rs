//! The map as a program: what it adds to the command line that every application has.

use crate::{
    command::{Command as Change, Operation},
    load::Puts,
    map::Map,
};
use bytes::Bytes;
use clap::{Args, Subcommand};
use commonware_codec::Decode as _;
use commonware_parallel::Rayon;
use drystone_actors::{
    cli::{Client, Exit, Failure, LoadOptions, Program},
    transaction::Free,
};
use drystone_engine::types::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The map's node.
#[derive(Clone, Copy, Debug)]
pub struct Node;

/// The map's part of the genesis file: it starts empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {}

/// What is said of the map when a genesis is made: nothing.
#[derive(Args, Debug)]
pub struct Options {}

/// The map's commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Gives a key a value.
    Put {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// Takes a key's value away.
    Delete {
        /// The key.
        key: String,
    },
    /// Replaces a key's value if it is what is expected.
    Swap {
        /// The key.
        key: String,
        /// The value it must have; without this, it must have none.
        #[arg(long)]
        expected: Option<String>,
        /// The value it gets; without this, it loses the one it has.
        #[arg(long)]
        value: Option<String>,
    },
}

impl From<Command> for Operation {
    fn from(command: Command) -> Self {
        match command {
            Command::Put { key, value } => Self::Put {
                key: key.into(),
                value: value.into(),
            },
            Command::Delete { key } => Self::Delete { key: key.into() },
            Command::Swap {
                key,
                expected,
                value,
            } => Self::Swap {
                key: key.into(),
                expected: expected.map(Bytes::from),
                value: value.map(Bytes::from),
            },
        }
    }
}

/// The map's questions.
#[derive(Subcommand, Debug)]
pub enum Query {
    /// The value of a key.
    Get {
        /// The key.
        key: String,
        /// Asks for a proof, and checks it under a root that a final block names; see `--genesis`.
        #[arg(long)]
        proof: bool,
    },
}

/// How long a command may wait for its block.
const LIFETIME_MS: u64 = 50_000;

/// A value for people: keys and values on the command line are text.
fn text(value: Option<Bytes>) -> Value {
    value
        .map(|it| String::from_utf8_lossy(&it).into_owned())
        .into()
}

impl Program for Node {
    const NAME: &'static str = "kv";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    type Genesis = Section;
    type Options = Options;
    type Command = Command;
    type Query = Query;
    type Application = Map;
    type Admission = Free;
    type Load = Puts;

    fn genesis(_: &Options) -> Result<Section, String> {
        Ok(Section {})
    }

    fn application(_: &Section, _: Digest, _: Rayon) -> Result<(Map, Free), String> {
        Ok((Map, Free))
    }

    async fn command(command: Command, client: &Client) -> Result<Value, Failure> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let change = Change {
            expiry_ms: u64::try_from(now.as_millis()).expect("far below 2^64") + LIFETIME_MS,
            salt: u64::from(now.subsec_nanos()),
            operation: command.into(),
        };
        let answer = client.submit(Bytes::from(change)).await?;
        client
            .settled(answer["id"].as_str().unwrap_or_default())
            .await
    }

    async fn query(query: Query, client: &Client) -> Result<Value, Failure> {
        let Query::Get { key, proof } = query;
        if proof {
            let proven = client.proven(key.as_bytes()).await?;
            let value = text(proven.value.clone());
            return Ok(proven.beside([("key", key.into()), ("value", value)]));
        }
        let answer = client.query(key.clone()).await?;
        let value = Option::<Bytes>::decode_cfg(answer, &(..).into())
            .map_err(|it| Failure::new(Exit::Refused, format!("the answer is strange: {it}")))?;
        Ok(json!({ "key": key, "value": text(value) }))
    }

    async fn load(_: &Client, options: &LoadOptions) -> Result<Puts, Failure> {
        Puts::new(options)
    }
}
