//! The arm of real processes: a local network of an application's binary, on this machine.

mod ended;

pub use ended::Ended;

use super::{Came, Heights, Net, until};
use crate::{
    cli::{Client, Failure},
    deploy::Hexed,
};
use bytes::Bytes;
use commonware_runtime::Clock;
use commonware_utils::{SystemTimeExt as _, sync::Mutex};
use drystone_engine::types::Digest;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    ffi::OsStr,
    fs::{self, File},
    future::Future,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Makes the transactions of clients.
pub trait Payloads {
    /// The next transaction of a client. It may ask a node, and expires at the time given.
    fn next(
        &self,
        node: &Client,
        client: u64,
        expiry_ms: u64,
    ) -> impl Future<Output = Result<Bytes, Failure>>;
}

/// How long a transaction of a client may wait for its block.
const LIFETIME_MS: u64 = 30_000;
/// How often a network is made anew because another program took one of its ports.
const TRIES: usize = 5;

/// The processes of a local network. They end with this value.
pub struct Processes<C, P> {
    clock: C,
    payloads: P,
    program: PathBuf,
    directory: PathBuf,
    urls: Vec<String>,
    running: Mutex<Vec<Option<Child>>>,
}

impl<C, P> Drop for Processes<C, P> {
    fn drop(&mut self) {
        for node in self.running.lock().iter_mut().flatten() {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

/// Tells a process to stop.
fn terminate(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process"), Signal::TERM).expect("it is there");
}

impl<C: Clock, P: Payloads> Processes<C, P> {
    /// Makes a network with the one command, stops it, and starts its nodes as children of this process. `options` are those of
    /// `localnet`.
    ///
    /// # Panics
    /// If that does not work.
    pub async fn new(
        clock: C,
        payloads: P,
        program: impl Into<PathBuf>,
        directory: &Path,
        options: &[&str],
    ) -> Self {
        let mut net = Self {
            clock,
            payloads,
            program: program.into(),
            directory: directory.join("net"),
            urls: Vec::new(),
            running: Mutex::default(),
        };
        let listed = net.localnet(options);
        net.urls = listed
            .iter()
            .map(|it| it["url"].as_str().expect("a url").to_owned())
            .collect();
        net.running = Mutex::new(listed.iter().map(|_| None).collect());
        for (node, it) in listed.iter().enumerate() {
            let pid = it["pid"].as_u64().and_then(|it| u32::try_from(it).ok());
            terminate(pid.expect("a pid"));
            net.frees(node).await;
        }
        for node in 0..net.nodes() {
            net.start(node).await;
        }
        for node in 0..net.nodes() {
            let answers = async || net.client(node).get("/health/live").await.is_ok();
            until(&net, "a node answers", answers).await;
        }
        net
    }

    /// Between the choice of a port and its use another program may take it.
    fn localnet(&self, options: &[&str]) -> Vec<Value> {
        let mut said = String::new();
        for _ in 0..TRIES {
            let mut command = self.command();
            command.args(["--json", "localnet", "--background", "--dir"]);
            let command = command.arg(&self.directory).args(options);
            let ended = Ended::from(command.output().expect("it starts"));
            if ended.code == Some(0) {
                let nodes = ended.json()["nodes"].take();
                return nodes.as_array().expect("a list").clone();
            }
            said = ended.answer + &ended.said;
            assert!(said.contains("in use"), "{said}");
            let _ = fs::remove_dir_all(&self.directory);
        }
        panic!("no free ports, {TRIES} times: {said}")
    }

    /// Its directory is free once a process is gone altogether.
    async fn frees(&self, node: usize) {
        let lock = File::open(self.home(node).join("data/lock")).expect("it ran");
        let gone = async || lock.try_lock().is_ok();
        until(self, "a node is gone", gone).await;
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.stdin(Stdio::null());
        command
    }

    /// A process of a node, under a program that runs others if one is named.
    fn run(&self, node: usize, under: &[&str]) -> Command {
        let mut command = match under {
            [] => self.command(),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.program);
                command
            }
        };
        let settings = self.home(node).join("node.toml");
        command.args(["run", "--config"]).arg(settings);
        command
    }

    /// Starts a node under a program that runs others, such as one that limits it.
    ///
    /// # Panics
    /// If there is no such program.
    pub fn start_under(&self, node: usize, under: &[&str]) {
        let child = self.spawn(node, under, &self.home(node).join("log"));
        self.running.lock()[node] = Some(child);
    }

    /// Starts a process of a node's that is none of the network's: whoever calls ends it.
    ///
    /// # Panics
    /// If there is no such program.
    pub fn spawn(&self, node: usize, under: &[&str], log: &Path) -> Child {
        let mut options = File::options();
        let log = options.append(true).create(true).open(log).expect("mine");
        let mut command = self.run(node, under);
        let child = command.stderr(log).stdout(Stdio::null()).spawn();
        child.expect("it starts")
    }

    /// Where the network's files lie.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Where a node's files lie.
    pub fn home(&self, node: usize) -> PathBuf {
        self.path().join(format!("node-{node}"))
    }

    /// Asks a node over HTTP.
    ///
    /// # Panics
    /// If this machine does not let anybody.
    pub fn client(&self, node: usize) -> Client {
        Client::new(&self.urls[node]).expect("a client")
    }

    /// Runs a command of a user's against a node: `--json` is understood.
    ///
    /// # Panics
    /// If there is no such program.
    pub fn ask<A: AsRef<OsStr>>(
        &self,
        node: usize,
        arguments: impl IntoIterator<Item = A>,
    ) -> Ended {
        let mut command = self.command();
        command.args(["--json", "--node", &self.urls[node]]);
        command.args(arguments).output().expect("it starts").into()
    }

    /// Runs a node until it ends by itself.
    ///
    /// # Panics
    /// If there is no such program.
    pub fn run_to_its_end(&self, node: usize) -> Ended {
        self.run(node, &[]).output().expect("it starts").into()
    }

    /// What a node has logged in all its lives.
    pub fn log(&self, node: usize) -> String {
        fs::read_to_string(self.home(node).join("log")).unwrap_or_default()
    }

    /// Whether a node has ended by itself, and its exit code if it has one.
    ///
    /// # Panics
    /// If it was not started, or its end was told before.
    pub fn ended(&self, node: usize) -> Option<Option<i32>> {
        let place = &mut self.running.lock()[node];
        let status = place.as_mut().expect("it runs").try_wait().expect("mine")?;
        *place = None;
        Some(status.code())
    }

    /// Waits until a node ends by itself: its exit code.
    ///
    /// # Panics
    /// If it does not run, or does not end.
    pub async fn ends(&self, node: usize) -> Option<i32> {
        let mut code = None;
        until(self, &format!("node {node} ends"), async || {
            let ended = self.ended(node);
            code = ended.flatten();
            ended.is_some()
        })
        .await;
        code
    }
}

/// What a node says that a block came to, if it has executed it.
pub async fn came(node: &Client, height: u64) -> Option<Came> {
    let block = node.get(&format!("/blocks/{height}")).await.ok()?;
    let transactions = block["executed"]["transactions"].as_array()?.iter();
    let executed = transactions.filter(|it| it["result"].as_str() == Some("executed"));
    Some(Came {
        root: digest(&block["executed"]["root"]),
        executed: executed.map(|it| digest(&it["id"])).collect(),
    })
}

fn digest(text: &Value) -> Digest {
    let digest: Hexed<Digest> = text.as_str().unwrap_or("").parse().expect("a digest");
    digest.0
}

impl<C: Clock, P: Payloads> Net for Processes<C, P> {
    fn nodes(&self) -> usize {
        self.urls.len()
    }

    async fn submit(&self, client: u64, node: usize) -> Option<Digest> {
        let http = self.client(node);
        let expiry_ms = self.clock.current().epoch_millis() + LIFETIME_MS;
        let bytes = self.payloads.next(&http, client, expiry_ms).await.ok()?;
        let accepted = http.submit(bytes).await.ok()?;
        Some(digest(&accepted["id"]))
    }

    async fn settled(&self, node: usize, id: Digest) -> Option<u64> {
        let path = format!("/transactions/{id}?wait=5000");
        let fate = self.client(node).get(&path).await.ok()?;
        let executed = fate["result"].as_str() == Some("executed");
        executed.then(|| fate["height"].as_u64().expect("a height"))
    }

    async fn heights(&self, node: usize) -> Option<Heights> {
        let status = self.client(node).get("/status").await.ok()?;
        let number = |name: &str| status[name].as_u64().expect("a height");
        Some(Heights {
            finalized: number("height"),
            executed: number("executed"),
        })
    }

    async fn came(&self, node: usize, height: u64) -> Option<Came> {
        came(&self.client(node), height).await
    }

    /// SIGKILL.
    async fn kill(&self, node: usize) {
        let mut child = self.running.lock()[node].take().expect("it runs");
        child.kill().expect("mine");
        child.wait().expect("mine");
    }

    async fn start(&self, node: usize) {
        self.start_under(node, &[]);
    }

    /// SIGTERM.
    async fn stop(&self, node: usize) -> bool {
        let pid = self.running.lock()[node].as_ref().map(Child::id);
        terminate(pid.expect("it runs"));
        self.ends(node).await == Some(0)
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}
