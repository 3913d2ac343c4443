//! `submit` and `query`.

use super::{
    client::Client,
    failure::{Exit, Failure},
    program::Program,
};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::NOTHING};
use commonware_formatting::{from_hex, hex};
use serde_json::Value;

#[derive(Args)]
pub(super) struct Submit {
    /// The transaction, in hexadecimal digits.
    transaction: String,
    /// Waits until it is settled, and tells what it came to.
    #[arg(long)]
    wait: bool,
}

#[derive(Subcommand)]
pub(super) enum Query<Q: Subcommand> {
    /// What became of a transaction.
    Tx {
        /// Its id.
        id: String,
        /// How long to wait until it is settled, in milliseconds.
        #[arg(long, default_value_t = 0)]
        wait: u64,
    },
    /// A final block.
    Block {
        /// Its height or its digest.
        name: String,
    },
    /// How the node is.
    Status,
    /// What the node counts, as Prometheus reads it.
    Metrics,
    /// The value of a key of the state.
    State {
        /// The key, in hexadecimal digits.
        key: String,
        /// Asks for a proof, and checks it under a root that a final block names; see `--genesis`.
        #[arg(long)]
        proof: bool,
    },
    #[command(flatten)]
    Application(Q),
}

pub(super) async fn submit(arguments: Submit, client: &Client) -> Result<Value, Failure> {
    let bytes = from_hex(&arguments.transaction);
    let bytes =
        bytes.ok_or_else(|| Failure::new(Exit::Usage, "a transaction is given in hexadecimal"))?;
    let answer = client.submit(bytes).await?;
    match answer["id"].as_str().filter(|_| arguments.wait) {
        Some(id) => client.settled(id).await,
        None => Ok(answer),
    }
}

pub(super) async fn query<P: Program>(
    query: Query<P::Query>,
    client: &Client,
) -> Result<Value, Failure> {
    let path = match query {
        Query::Tx { id, wait } => format!("/transactions/{id}?wait={wait}"),
        Query::Block { name } => format!("/blocks/{name}"),
        Query::Status => "/status".into(),
        Query::Metrics => return client.text("/metrics").await.map(Value::String),
        Query::State { key, proof: false } => format!("/state/{key}"),
        Query::State { key, proof: true } => return proven(&key, client).await,
        Query::Application(query) => return P::query(query, client).await,
    };
    client.get(&path).await
}

async fn proven(key: &str, client: &Client) -> Result<Value, Failure> {
    let bytes = from_hex(key).filter(|it| !it.is_empty());
    let bytes = bytes.ok_or_else(|| Failure::new(Exit::Usage, "a key is given in hexadecimal"))?;
    let proven = client.proven(&bytes).await?;
    let value = proven.value.as_ref().map(|it| hex(it));
    Ok(proven.beside([("key", key.into()), ("value", value.into())]))
}

/// An answer for people, or for programs.
pub(super) fn shown(answer: &Value, json: bool) -> String {
    match answer {
        Value::Object(fields) if !json => {
            let mut table = Table::new();
            table.load_preset(NOTHING);
            for (name, value) in fields {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Object(_) | Value::Array(_) => {
                        serde_json::to_string_pretty(value).expect("it was JSON")
                    }
                    other => other.to_string(),
                };
                table.add_row([name.clone(), text]);
            }
            table.to_string()
        }
        Value::String(text) if !json => text.clone(),
        other => other.to_string(),
    }
}
