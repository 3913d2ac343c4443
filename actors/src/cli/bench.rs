//! `bench`: open-loop load. What is due is sent when it is due, whatever became of the rest, and every latency counts from
//! the moment a transaction was due: a node that falls behind cannot hide it.

mod follow;
mod report;
mod usage;

use super::{
    client::Client,
    failure::{Exit, Failure},
    localnet::urls,
    program::Program,
};
use crate::{
    chunk::{Chunk, Limits},
    http::BATCH,
};
use bytes::Bytes;
use clap::Args;
use drystone_engine::types::Digest;
use follow::Follower;
use indicatif::{ProgressBar, ProgressStyle};
use report::Report;
use serde_json::Value;
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use usage::Usage;

#[derive(Args)]
pub(super) struct Arguments {
    /// Transactions a second, over all nodes.
    #[arg(long, default_value_t = 1_000)]
    rate: u64,
    /// Seconds.
    #[arg(long, default_value_t = 10)]
    duration: u64,
    /// Bytes of a transaction, if the application lets them be chosen.
    #[arg(long, default_value_t = 512)]
    size: usize,
    /// The directory of a local network: the load is spread over its nodes, and what they use is told.
    #[arg(long)]
    dir: Option<PathBuf>,
    /// The nodes to spread the load over; without this and `--dir`, the one of `--node`.
    #[arg(long, num_args = 1.., value_delimiter = ',')]
    nodes: Vec<String>,
}

/// What a load is made for.
#[derive(Clone, Copy, Debug)]
pub struct LoadOptions {
    /// Transactions a second.
    pub rate: u64,
    /// For how long.
    pub seconds: u64,
    /// Bytes of a transaction, if they can be chosen.
    pub size: usize,
    /// Nodes that it is spread over. What depends on each other goes to one.
    pub nodes: usize,
}

/// A transaction to submit.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Its id.
    pub id: Digest,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Makes the transactions of a load.
pub trait Load {
    /// The next transaction for a node; `None` if none can be made before others are settled. It expires at the time given.
    fn next(&mut self, node: usize, expiry_ms: u64) -> Option<Submission>;

    /// A transaction was executed, or it was refused or skipped.
    fn settled(&mut self, id: &Digest, executed: bool);
}

/// Between two batches to a node.
const TICK: Duration = Duration::from_millis(5);
/// Transactions in one request, at most.
const BATCH_MAX: u64 = 1_000;
/// Requests to all nodes under way, at most: what is due then waits, and its latency grows.
const REQUESTS_MAX: usize = 128;
/// How long after the last submission what is under way may still become final.
const LINGER: Duration = Duration::from_secs(15);
/// A transaction expires after so long.
const LIFETIME_MS: u64 = 50_000;

/// What a node answered to a batch.
type Answered = (Vec<Digest>, Result<Value, Failure>);

pub(super) async fn bench<P: Program>(
    arguments: Arguments,
    client: &Client,
    json: bool,
) -> Result<Value, Failure> {
    let nodes = match (&arguments.dir, arguments.nodes.is_empty()) {
        (Some(directory), _) => urls(directory)?,
        (None, true) => vec![client.node().to_owned()],
        (None, false) => arguments.nodes.clone(),
    };
    let nodes: Vec<_> = nodes.iter().map(|it| client.of(it)).collect();
    if arguments.rate == 0 || arguments.duration == 0 {
        let message = "rate and duration must be at least 1";
        return Err(Failure::new(Exit::Usage, message));
    }
    let options = LoadOptions {
        rate: arguments.rate,
        seconds: arguments.duration,
        size: arguments.size,
        nodes: nodes.len(),
    };
    let mut load = P::load(&nodes[0], &options).await?;
    let before = Usage::of(&nodes).await?;
    let follower = Follower::start(&nodes[0]).await?;
    let mut run = Run {
        options,
        follower,
        report: Report::default(),
        requests: JoinSet::new(),
        nodes,
    };
    run.submit(&mut load, json).await?;
    let after = Usage::of(&run.nodes).await?;
    let answer = run.report.answer(&options, &(after - before));
    if json {
        return Ok(answer);
    }
    println!("{}", report::table(&answer));
    Ok(Value::Null)
}

struct Run {
    options: LoadOptions,
    nodes: Vec<Client>,
    follower: Follower,
    report: Report,
    requests: JoinSet<Answered>,
}

impl Run {
    async fn submit(&mut self, load: &mut impl Load, json: bool) -> Result<(), Failure> {
        let LoadOptions { rate, seconds, .. } = self.options;
        let bar = if json {
            ProgressBar::hidden()
        } else {
            let style = ProgressStyle::with_template("{elapsed} {wide_bar} {pos}/{len} {msg}");
            ProgressBar::new(rate * seconds).with_style(style.expect("a template"))
        };
        let began = Instant::now();
        let (mut sent, total) = (0, rate * seconds);
        let mut tick = began;
        while sent < total {
            tick += TICK;
            sleep_until(tick).await;
            self.settle(load)?;
            let elapsed = u64::try_from(began.elapsed().as_millis()).expect("short");
            let due = (rate * elapsed / 1_000).min(total);
            while sent < due && self.requests.len() < REQUESTS_MAX {
                let until = due.min(sent + BATCH_MAX);
                // What cannot be made now is not asked for again before something is settled.
                let made = self.batch(load, began, sent, until)?;
                sent += made;
                if made == 0 {
                    break;
                }
            }
            // The schedule does not wait for a load that cannot keep up: it shows as latency, or at the end as missing.
            if began.elapsed() > Duration::from_secs(seconds) + LINGER {
                break;
            }
            bar.set_position(self.report.executed());
        }
        self.report.due(total);
        let end = Instant::now() + LINGER;
        while self.report.open() > 0 && Instant::now() < end {
            tick = Instant::now() + TICK;
            sleep_until(tick).await;
            self.settle(load)?;
            bar.set_position(self.report.executed());
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Sends what is due, to one node. Answers how much.
    fn batch(
        &mut self,
        load: &mut impl Load,
        began: Instant,
        from: u64,
        until: u64,
    ) -> Result<u64, Failure> {
        let node = self.report.requests() % self.nodes.len();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        let expiry_ms = u64::try_from(now.as_millis()).expect("far below 2^64") + LIFETIME_MS;
        let mut ids = Vec::new();
        let mut batch = Vec::new();
        for index in from..until {
            let Some(next) = load.next(node, expiry_ms) else {
                break;
            };
            let due = began + Duration::from_micros(index * 1_000_000 / self.options.rate);
            self.report.submitted(next.id, due);
            ids.push(next.id);
            batch.push(next.bytes);
        }
        self.report.requested();
        if batch.is_empty() {
            return Ok(0);
        }
        let limits = Limits {
            bytes_max: u32::MAX,
            items_max: u32::MAX,
        };
        let body = Chunk::pack(&batch, &limits).map_err(|it| Failure::new(Exit::Usage, it))?;
        let (client, body) = (self.nodes[node].clone(), body.body().clone());
        self.requests.spawn(async move {
            let answer = client.post("/transactions", BATCH, body).await;
            (ids, answer)
        });
        Ok(batch.len() as u64)
    }

    /// Takes in what nodes answered, and what was executed.
    fn settle(&mut self, load: &mut impl Load) -> Result<(), Failure> {
        while let Some(answered) = self.requests.try_join_next() {
            let (ids, answer) = answered.map_err(|it| Failure::new(Exit::Stopped, it))?;
            for id in self.report.answered(&ids, answer) {
                load.settled(&id, false);
            }
        }
        while let Some(block) = self.follower.next()? {
            for (id, executed) in self.report.block(block) {
                load.settled(&id, executed);
            }
        }
        Ok(())
    }
}
