//! Follows what a node says of its blocks.

use super::super::{
    client::Client,
    failure::{Exit, Failure},
};
use crate::deploy::Hexed;
use drystone_engine::types::Digest;
use serde::Deserialize;
use std::{collections::BTreeMap, str};
use tokio::{
    sync::mpsc::{self, error::TryRecvError},
    time::Instant,
};

/// An executed block.
pub(super) struct Executed {
    /// When its block was final, as far as was seen.
    pub(super) finalized: Instant,
    /// When it was executed.
    pub(super) executed: Instant,
    /// What was executed.
    pub(super) done: Vec<Digest>,
    /// What was skipped.
    pub(super) skipped: Vec<Digest>,
}

#[derive(Deserialize)]
struct Final {
    height: u64,
}

#[derive(Deserialize)]
struct Block {
    height: u64,
    executed_ids: Vec<Hexed<Digest>>,
    skipped_ids: Vec<Hexed<Digest>>,
}

/// Blocks as they are executed.
pub(super) struct Follower(mpsc::Receiver<Result<Executed, Failure>>);

/// Blocks that wait to be looked at.
const BLOCKS_MAX: usize = 1 << 12;

impl Follower {
    /// Begins to follow a node.
    pub(super) async fn start(client: &Client) -> Result<Self, Failure> {
        let mut response = client.events().await?;
        let (sender, blocks) = mpsc::channel(BLOCKS_MAX);
        tokio::task::spawn(async move {
            let mut lines = Lines::default();
            loop {
                let chunk = response.chunk().await;
                let Ok(Some(bytes)) = chunk else {
                    let gone = Failure::new(Exit::Unreachable, "the node's events broke off");
                    let _ = sender.send(Err(gone)).await;
                    return;
                };
                for block in lines.take(&bytes) {
                    if sender.send(block).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Self(blocks))
    }

    /// The next block, if one was executed meanwhile.
    pub(super) fn next(&mut self) -> Result<Option<Executed>, Failure> {
        match self.0.try_recv() {
            Ok(block) => block.map(Some),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Failure::new(
                Exit::Unreachable,
                "the node's events broke off",
            )),
        }
    }
}

/// Server-sent events, as they arrive.
#[derive(Default)]
struct Lines {
    rest: Vec<u8>,
    kind: String,
    finals: BTreeMap<u64, Instant>,
}

impl Lines {
    fn take(&mut self, bytes: &[u8]) -> Vec<Result<Executed, Failure>> {
        self.rest.extend_from_slice(bytes);
        let mut blocks = Vec::new();
        let Some(end) = self.rest.iter().rposition(|it| *it == b'\n') else {
            return blocks;
        };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        for line in str::from_utf8(&whole).unwrap_or_default().lines() {
            if let Some(kind) = line.strip_prefix("event: ") {
                kind.clone_into(&mut self.kind);
            } else if let Some(data) = line.strip_prefix("data: ") {
                blocks.extend(self.event(data).transpose());
            }
        }
        blocks
    }

    fn event(&mut self, data: &str) -> Result<Option<Executed>, Failure> {
        let strange =
            |it: serde_json::Error| Failure::new(Exit::Refused, format!("an event: {it}"));
        let now = Instant::now();
        match self.kind.as_str() {
            "final" => {
                let Final { height } = serde_json::from_str(data).map_err(strange)?;
                self.finals.insert(height, now);
                Ok(None)
            }
            "executed" => {
                let block: Block = serde_json::from_str(data).map_err(strange)?;
                let finalized = self.finals.remove(&block.height).unwrap_or(now);
                let ids = |it: Vec<Hexed<Digest>>| it.into_iter().map(|it| it.0).collect();
                Ok(Some(Executed {
                    finalized,
                    executed: now,
                    done: ids(block.executed_ids),
                    skipped: ids(block.skipped_ids),
                }))
            }
            _ => Ok(None),
        }
    }
}
