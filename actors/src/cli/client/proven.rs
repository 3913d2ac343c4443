//! A value that a client need not take a node's word for.

use super::Client;
use crate::{
    block::Executed,
    cli::{Exit, Failure},
    deploy::Hexed,
    state::Proof,
};
use bytes::Bytes;
use commonware_formatting::{from_hex, hex};
use drystone_engine::types::Digest;
use serde_json::Value;
use std::time::Duration;
use tokio::time::sleep;

/// The value of a key, proven under a root that a final block names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The value, if the key has one.
    pub value: Option<Bytes>,
    /// After which block it had.
    pub height: u64,
    /// The root of the state then.
    pub root: Digest,
    /// The final block that names the root.
    pub block: u64,
    /// Whether the validators' signatures say that the block is final, and not the node alone.
    pub signed: bool,
}

impl Proven {
    /// The answer that a user is shown: what was asked for, and beside it what it was proven by.
    pub fn beside<const N: usize>(&self, answer: [(&str, Value); N]) -> Value {
        let vouched_by = if self.signed { "validators" } else { "node" };
        let proven = [
            ("height", self.height.into()),
            ("root", self.root.to_string().into()),
            ("block", self.block.into()),
            ("vouched_by", vouched_by.into()),
        ];
        let fields = answer.into_iter().chain(proven);
        Value::Object(fields.map(|(name, it)| (name.to_owned(), it)).collect())
    }
}

/// Names the root of a state when a client is told that a block is final: its bytes, and what shows that it is.
pub(in crate::cli) type Judge = dyn Fn(Bytes, Bytes) -> Result<Executed, String> + Send + Sync;

/// Between two looks for a final block that is not there yet.
const LOOK: Duration = Duration::from_millis(50);
/// So often is looked, in all: for half a minute.
const LOOKS: usize = 600;

fn strange(what: impl std::fmt::Display) -> Failure {
    let message = format!("the node's answer is strange: {what}");
    Failure::new(Exit::Refused, message)
}

fn digest(text: &Value) -> Result<Digest, Failure> {
    let parsed = text.as_str().unwrap_or_default().parse();
    parsed.map(|it: Hexed<Digest>| it.0).map_err(strange)
}

fn bytes(text: &Value) -> Option<Bytes> {
    Some(from_hex(text.as_str()?)?.into())
}

/// A value of the newest state of a node.
struct Claimed {
    value: Option<Bytes>,
    state: Executed,
}

impl Client {
    /// The value of a key of the application's, proven. Whether the root is final is judged by the signatures of the validators
    /// if this client trusts a genesis, and else by what the node says.
    ///
    /// # Errors
    /// If the node cannot be reached, has no proof, or lies.
    pub async fn proven(&self, key: &[u8]) -> Result<Proven, Failure> {
        let mut looks = LOOKS;
        // Which states blocks name is up to their leaders: one that none names is asked for anew.
        loop {
            let Claimed { value, state } = self.claimed(key).await?;
            if let Some(block) = self.naming(state, &mut looks).await? {
                return Ok(Proven {
                    value,
                    height: state.height,
                    root: state.root,
                    block,
                    signed: self.judge.is_some(),
                });
            }
        }
    }

    async fn claimed(&self, key: &[u8]) -> Result<Claimed, Failure> {
        let answer = self.get(&format!("/state/{}?proof=1", hex(key))).await?;
        let proof = answer["proof"].as_str().unwrap_or_default();
        let Hexed(proof) = proof.parse::<Hexed<Proof>>().map_err(strange)?;
        let claimed = Claimed {
            value: bytes(&answer["value"]),
            state: Executed {
                height: answer["height"]
                    .as_u64()
                    .ok_or_else(|| strange("no height"))?,
                root: digest(&answer["root"])?,
            },
        };
        if !proof.verify(key, claimed.value.as_deref(), &claimed.state.root) {
            return Err(strange("its proof does not hold"));
        }
        Ok(claimed)
    }

    /// The final block that names a state; `None` if blocks name one below it, and then one above.
    async fn naming(&self, state: Executed, looks: &mut usize) -> Result<Option<u64>, Failure> {
        for height in state.height + 1.. {
            let (named, shown) = loop {
                match self.judged(height).await {
                    Err(failure) if failure.exit == Exit::NotFound && *looks > 0 => {
                        *looks -= 1;
                        sleep(LOOK).await;
                    }
                    judged => break judged?,
                }
            };
            if named.height > state.height {
                break;
            }
            if named.height == state.height && shown {
                if named.root != state.root {
                    let message = format!("block {height} is final and names another root");
                    return Err(strange(message));
                }
                return Ok(Some(height));
            }
        }
        Ok(None)
    }

    /// The state that the final block of a height names, and whether that counts. That a block is final may be shown by one above it
    /// alone: then it counts only for who believes the node.
    async fn judged(&self, height: u64) -> Result<(Executed, bool), Failure> {
        let answer = self.get(&format!("/blocks/{height}?proof=1")).await?;
        let named = &answer["certifies"];
        let named = Executed {
            height: named["height"]
                .as_u64()
                .ok_or_else(|| strange("no height"))?,
            root: digest(&named["root"])?,
        };
        let Some(judge) = &self.judge else {
            return Ok((named, true));
        };
        let proof = &answer["proof"];
        let Some(finality) = bytes(&proof["finality"]) else {
            return Ok((named, false));
        };
        let block = bytes(&proof["block"]).ok_or_else(|| strange("no block"))?;
        let named = judge(block, finality).map_err(strange)?;
        Ok((named, true))
    }
}
