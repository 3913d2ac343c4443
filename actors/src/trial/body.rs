//! The checks.

use super::{Came, Heights, Net};
use drystone_engine::types::Digest;
use futures::future::{join_all, select};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    time::Duration,
};

/// Far above what each step takes, since the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);
/// For so long nothing must happen where nothing can.
const SILENCE: Duration = Duration::from_secs(4);

/// How hard a network is tried.
#[derive(Clone, Copy, Debug)]
pub struct Trial {
    /// Clients that bring one transaction after the other.
    pub clients: u64,
    /// How often all nodes are killed at once.
    pub rounds: usize,
    /// Transactions that clients must be told to be final, over all.
    pub told_min: usize,
}

/// Waits until something is observed.
///
/// # Panics
/// If it is not within a time that is far beyond what anything takes.
pub async fn until(net: &impl Net, what: &str, mut observed: impl AsyncFnMut() -> bool) {
    let mut waited = Duration::ZERO;
    while !observed().await {
        assert!(waited < PATIENCE, "not within {PATIENCE:?}: {what}");
        net.sleep(LOOK).await;
        waited += LOOK;
    }
}

/// Kills one node of four, then two, then all of them again and again, under load. The others go on with one down; with two
/// down nothing is final any more; all come back to the same states, and every transaction that a client was told to be
/// final is in the block that the client was told, on every node. At last all stop gracefully.
///
/// # Panics
/// If something else happens.
pub async fn nothing_told_is_lost(net: &impl Net, trial: Trial) {
    assert_eq!(
        net.nodes(),
        4,
        "the checks are about a network that bears one fault"
    );
    let told = RefCell::default();
    let clients = (0..trial.clients).map(|it| client(net, it, &told));
    let script = Script { net, told: &told };
    select(pin!(script.play(trial)), join_all(clients)).await;
    let told = told.take();
    let count = told.len();
    assert!(
        count >= trial.told_min,
        "only {count} were told to be final"
    );
    script_end(net, &told).await;
}

/// What clients were told: transactions, and in which block they were executed.
type Told = BTreeMap<Digest, u64>;

/// Brings one transaction after the other for ever, whichever node answers.
async fn client(net: &impl Net, client: u64, told: &RefCell<Told>) {
    for turn in client.. {
        let node = turn as usize % net.nodes();
        match net.submit(client, node).await {
            Some(id) => {
                if let Some(height) = net.settled(node, id).await {
                    told.borrow_mut().insert(id, height);
                }
            }
            // A node that was killed says nothing; another is asked next.
            None => net.sleep(LOOK).await,
        }
    }
}

/// When nobody brings anything any more.
async fn script_end(net: &impl Net, told: &Told) {
    agree(net).await;
    for node in 0..net.nodes() {
        has(net, node, told).await;
    }
    for node in 0..net.nodes() {
        assert!(net.stop(node).await, "node {node} did not stop gracefully");
    }
}

struct Script<'a, N> {
    net: &'a N,
    told: &'a RefCell<Told>,
}

impl<N: Net> Script<'_, N> {
    async fn play(&self, trial: Trial) {
        let net = self.net;
        self.told_more(50).await;

        // One of four: the others go on, and it comes back.
        net.kill(3).await;
        let height = heights(net, 0).await.executed;
        for node in 0..3 {
            executes(net, node, height + 20).await;
        }
        net.start(3).await;
        agree(net).await;

        // Two of four: nothing is final any more, and nothing is lost.
        net.kill(2).await;
        net.kill(3).await;
        self.nothing_is_final_any_more().await;
        net.start(2).await;
        let height = heights(net, 0).await.finalized;
        for node in 0..3 {
            executes(net, node, height + 5).await;
        }
        net.start(3).await;
        agree(net).await;

        // All of them, again and again.
        for _ in 0..trial.rounds {
            for node in 0..net.nodes() {
                net.kill(node).await;
            }
            for node in 0..net.nodes() {
                net.start(node).await;
            }
            agree(net).await;
            self.told_more(20).await;
        }
    }

    async fn told_more(&self, count: usize) {
        let wanted = self.told.borrow().len() + count;
        let what = format!("{wanted} transactions are final");
        until(self.net, &what, async || self.told.borrow().len() >= wanted).await;
    }

    /// What had a quorum before may still arrive; then the heights stand still.
    async fn nothing_is_final_any_more(&self) {
        let finalized = async || {
            let (one, other) = (heights(self.net, 0).await, heights(self.net, 1).await);
            (one.finalized, other.finalized)
        };
        let still = async || {
            let before = finalized().await;
            self.net.sleep(SILENCE / 2).await;
            before == finalized().await
        };
        until(self.net, "what was under way has arrived", still).await;
        let before = finalized().await;
        self.net.sleep(SILENCE).await;
        assert_eq!(before, finalized().await, "two of four are no quorum");
    }
}

/// How far a node has come that runs, or will.
async fn heights(net: &impl Net, node: usize) -> Heights {
    let mut found = Heights::default();
    until(net, &format!("node {node} answers"), async || {
        found = net.heights(node).await.unwrap_or_default();
        found.executed > 0
    })
    .await;
    found
}

async fn executes(net: &impl Net, node: usize, height: u64) {
    let what = format!("node {node} executes {height}");
    let there = async || {
        net.heights(node)
            .await
            .is_some_and(|it| it.executed >= height)
    };
    until(net, &what, there).await;
}

/// Waits until all have executed more than any had, and compares the states.
async fn agree(net: &impl Net) {
    let mut height = 0;
    for node in 0..net.nodes() {
        height = height.max(heights(net, node).await.executed + 3);
    }
    let mut roots = BTreeMap::<_, BTreeSet<usize>>::new();
    for node in 0..net.nodes() {
        executes(net, node, height).await;
        let root = came(net, node, height).await.root;
        roots.entry(root).or_default().insert(node);
    }
    assert_eq!(roots.len(), 1, "at height {height}: {roots:?}");
}

async fn came(net: &impl Net, node: usize, height: u64) -> Came {
    let came = net.came(node, height).await;
    came.unwrap_or_else(|| panic!("node {node} has no block {height}"))
}

/// A node has all that clients were told, each in the block they were told.
async fn has(net: &impl Net, node: usize, told: &Told) {
    let mut blocks = BTreeMap::<u64, Came>::new();
    for (id, height) in told {
        if !blocks.contains_key(height) {
            blocks.insert(*height, came(net, node, *height).await);
        }
        let there = blocks[height].executed.contains(id);
        assert!(there, "node {node} lost {id}, told to be in block {height}");
    }
}
