//! Execution of the ledger alone, on the real runtime and a real disk: what one block costs, part by part.
//!
//! ```text
//! cargo bench -p ledger --bench execution -- [accounts] [transfers a block] [blocks]
//! ```
//!
//! | accounts, transfers a block | decode | signatures, accounts | root | commit | transfers a second, one core |
//! |---|---|---|---|---|---|
//! | 10,000, 2,000 | 0.3 us | 35.8 us | 5.2 us | 4.6 us | 21,840 |
//! | 100,000, 2,000 | 0.4 us | 35.1 us | 6.7 us | 5.4 us | 21,016 |
//! | 10,000, 500 | 0.3 us | 40.7 us | 5.6 us | 15.1 us | 16,190 |
//!
//! The machine had two cores at 2.3 to 2.8 GHz and twice as much other work as it could do at the time, so these are a
//! lower bound. Four fifths are signatures, which a strategy of more than one thread divides.
//!
//! Payers and payees are drawn from all accounts, every transfer is signed and valid, and each block is committed (synced)
//! before the next begins, as an executor does it. Nothing is gathered and no results are stored.

use commonware_cryptography::{Hasher as _, Sha256, Signer as _, ed25519::PrivateKey};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, tokio};
use drystone_actors::{
    application::{Application as _, Context},
    state::{Config, Head, State},
    transaction::Transaction,
};
use ledger::{Address, Genesis, Ledger, Transfer};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Time spent in each part.
#[derive(Default)]
struct Spent {
    decode: Duration,
    execute: Duration,
    root: Duration,
    commit: Duration,
}

struct Payer {
    key: PrivateKey,
    address: Address,
    nonce: u64,
}

/// Draws without a generator: the same on every machine.
fn draw(seed: &mut u64, below: usize) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize % below
}

fn blocks(
    payers: &mut [Payer],
    namespace: &[u8],
    size: usize,
    count: usize,
) -> Vec<Vec<bytes::Bytes>> {
    let mut seed = 1;
    let mut block = || {
        let mut transfer = || {
            let from = draw(&mut seed, payers.len());
            let to = (from + 1 + draw(&mut seed, payers.len() - 1)) % payers.len();
            let to = payers[to].address;
            let payer = &mut payers[from];
            let transfer = Transfer {
                from: payer.address,
                to,
                amount: 1,
                fee: 1,
                nonce: payer.nonce,
                expiry_ms: u64::MAX,
            };
            payer.nonce += 1;
            transfer.sign(&payer.key, namespace).into()
        };
        (0..size).map(|_| transfer()).collect()
    };
    (0..count).map(|_| block()).collect()
}

fn main() {
    let figures: Vec<usize> = std::env::args().filter_map(|it| it.parse().ok()).collect();
    let figure = |index: usize, default| figures.get(index).copied().unwrap_or(default);
    let (accounts, size, count) = (figure(0, 10_000), figure(1, 2_000), figure(2, 50));

    let payer = |index: usize| {
        let key = PrivateKey::from_seed(index as u64);
        let address = key.public_key().as_ref().try_into().expect("32 bytes");
        Payer {
            key,
            address,
            nonce: 0,
        }
    };
    let mut payers: Vec<_> = (0..accounts).map(payer).collect();
    let genesis = Arc::new(Genesis {
        digest: Sha256::hash(&[b"bench"]),
        balances: payers.iter().map(|it| (it.address, 1 << 40)).collect(),
        collector: [9; 32],
        fee_min: 1,
    });
    let ledger = Ledger::new(Arc::clone(&genesis), Sequential);
    let blocks = blocks(&mut payers, &genesis.namespace(), size, count);

    let directory = tempfile::tempdir().expect("a directory");
    let config = tokio::Config::new().with_storage_directory(directory.path());
    tokio::Runner::new(config).start(|context| async move {
        let layout = Config::recommended("bench");
        let opened = State::open(context.child("state"), layout, Sequential).await;
        let mut state = opened.expect("the disk is sound");
        let mut batch = state.batch().await.expect("open");
        ledger.genesis(&mut batch).await.expect("written");
        let writes = batch.into_writes();
        let head = |height: u64| Head {
            height,
            digest: Sha256::hash(&[&height.to_be_bytes()]),
            time_ms: height,
        };
        let prepared = state.prepare(head(0), writes).await.expect("prepared");
        state.apply(prepared).await.expect("applied");

        let mut spent = Spent::default();
        for (index, block) in blocks.into_iter().enumerate() {
            let height = index as u64 + 1;
            let started = context.current();
            let rules = ledger.rules();
            let decode = |it| Transaction::decode(&rules, it).expect("a transfer");
            let transactions: Vec<_> = block.into_iter().map(decode).collect();
            let decoded = context.current();
            let mut batch = state.batch().await.expect("open");
            let block = Context {
                height,
                time_ms: height,
            };
            let outcomes = ledger.execute(&block, &transactions, &mut batch).await;
            assert!(outcomes.expect("executed").iter().all(Result::is_ok));
            let writes = batch.into_writes();
            let executed = context.current();
            let prepared = state.prepare(head(height), writes).await.expect("prepared");
            let rooted = context.current();
            state.apply(prepared).await.expect("applied");
            let since =
                |from: SystemTime, to: SystemTime| to.duration_since(from).unwrap_or_default();
            spent.decode += since(started, decoded);
            spent.execute += since(decoded, executed);
            spent.root += since(executed, rooted);
            spent.commit += since(rooted, context.current());
        }
        report(&spent, accounts, size, count);
    });
}

fn report(spent: &Spent, accounts: usize, size: usize, count: usize) {
    let transfers = (size * count) as u128;
    println!("{accounts} accounts, {count} blocks of {size} transfers");
    let parts = [
        ("decode", spent.decode),
        ("signatures, accounts", spent.execute),
        ("root", spent.root),
        ("commit", spent.commit),
    ];
    for (name, time) in parts {
        println!("{name:22} {:>8} ns a transfer", time.as_nanos() / transfers);
    }
    let total: Duration = parts.iter().map(|(_, time)| *time).sum();
    let per_second = transfers * 1_000_000_000 / total.as_nanos().max(1);
    println!("{:22} {per_second:>8} transfers a second", "all, one core");
}
