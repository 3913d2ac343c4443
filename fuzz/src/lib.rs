//! Fuzz targets of Drystone: one a decoder and scheme, one a pure state.
//!
//! A [`Target`] takes bytes and panics if what they lead to breaks an oracle. Decoders: no panic, memory in proportion
//! to what arrived, and one encoding only. States: never two acks for one (epoch, lane, height), nothing signed leaves
//! before what it depends on is durable, across restarts and epochs; bounded memory; no panic.
//!
//! The same targets run three ways:
//!
//! | how | what | when |
//! |---|---|---|
//! | `cargo test --release -p drystone-fuzz` | a bounded, seeded search ([`search`]) over `corpus/` | every test run |
//! | `cargo run --release -p drystone-fuzz -- TARGET FILE` | one input | a failure is replayed |
//! | `fuzz/guided.sh TARGET` | libFuzzer, guided by coverage, on the stable toolchain | a night |
//!
//! The script instruments only the crates of this workspace (`RUSTC_WORKSPACE_WRAPPER` and LLVM's coverage pass, which
//! stable rustc can run), so that everything else is built once for tests and fuzzing. Besides Rust it needs a C++ compiler,
//! for libFuzzer itself, and says so. There is no sanitizer: our crates have no unsafe code, and an oracle is a panic. On a busy
//! machine, 41 seconds gave `envelope-free` 3.7 million inputs (coverage from 105 to 179 edges), 26 seconds gave
//! `tip_manager` 88 thousand (298 to 1,699).
//!
//! With the feature `canary` there are targets with a known bug each ([`planted`]). A test shows that the bounded search finds
//! every one; `fuzz/guided.sh tip_manager+ReplaceLock` found its one within half a minute.

mod decode;
mod heap;
mod nouns;
pub mod search;
mod states;
#[cfg(test)]
mod tests;

use drystone_engine::scheme::fixture::{Ed25519, Free, Multisig, Secp256r1, Threshold};
use nouns::Deployed;

/// Takes bytes; panics if an oracle is broken.
pub type Target = fn(&[u8]);

/// The name of a scheme, and the targets of its decoders by name.
type Decoders = (&'static str, [(&'static str, Target); 8]);

const fn decoders<F: Deployed>(scheme: &'static str) -> Decoders {
    let targets: [(&'static str, Target); 8] = [
        ("envelope", decode::envelope::<F>),
        ("acks", decode::acks::<F>),
        ("gossip", decode::gossip::<F>),
        ("told", decode::told::<F>),
        ("signed", decode::signed::<F>),
        ("certificate", decode::certificate::<F>),
        ("evidence", decode::evidence::<F>),
        ("record", decode::record::<F>),
    ];
    (scheme, targets)
}

const DECODERS: [Decoders; 5] = [
    decoders::<Free>("free"),
    decoders::<Ed25519>("ed25519"),
    decoders::<Multisig>("multisig"),
    decoders::<Threshold>("threshold"),
    decoders::<Secp256r1>("secp256r1"),
];

const STATES: [(&str, Target); 3] = [
    ("tip_manager", states::tip_manager),
    ("ack_manager", states::ack_manager),
    ("sequencer", states::sequencer),
];

/// States with a bug each, which the search must find: the target, a plus sign, the bug.
#[cfg(feature = "canary")]
const PLANTED: [(&str, Target); 5] = {
    use drystone_engine::Canary;
    [
        ("tip_manager+AckBeforeSync", |data| {
            states::tip_manager_with(Canary::AckBeforeSync, data)
        }),
        ("tip_manager+ForgetLocks", |data| {
            states::tip_manager_with(Canary::ForgetLocks, data)
        }),
        ("tip_manager+ReplaceLock", |data| {
            states::tip_manager_with(Canary::ReplaceLock, data)
        }),
        ("tip_manager+ForgetEpoch", |data| {
            states::tip_manager_with(Canary::ForgetEpoch, data)
        }),
        ("sequencer+SendBeforeSync", |data| {
            states::sequencer_with(Canary::SendBeforeSync, data)
        }),
    ]
};
#[cfg(not(feature = "canary"))]
const PLANTED: [(&str, Target); 0] = [];

/// Every target, by the name of its corpus.
pub fn targets() -> Vec<(String, Target)> {
    let decoders = DECODERS.iter().flat_map(|(scheme, targets)| {
        let named = targets.iter();
        named.map(move |(name, target)| (format!("{name}-{scheme}"), *target))
    });
    let states = STATES
        .iter()
        .map(|(name, target)| (String::from(*name), *target));
    decoders.chain(states).collect()
}

/// The targets that are meant to fail, by name: none without the feature `canary`.
pub fn planted() -> Vec<(String, Target)> {
    let named = PLANTED.iter();
    named
        .map(|(name, target)| (String::from(*name), *target))
        .collect()
}

/// The target of a name, planted or not.
pub fn target(name: &str) -> Option<Target> {
    let mut targets = targets().into_iter().chain(planted());
    targets
        .find(|(known, _)| known == name)
        .map(|(_, target)| target)
}

/// Valid encodings for each decoder, by the name of its corpus.
pub fn seeds() -> Vec<(String, Vec<bytes::Bytes>)> {
    fn of<F: Deployed>(scheme: &'static str) -> impl Iterator<Item = (String, Vec<bytes::Bytes>)> {
        let seeds = decode::seeds::<F>().into_iter();
        seeds.map(move |(name, files)| (format!("{name}-{scheme}"), files))
    }
    of::<Free>("free")
        .chain(of::<Ed25519>("ed25519"))
        .chain(of::<Multisig>("multisig"))
        .chain(of::<Threshold>("threshold"))
        .chain(of::<Secp256r1>("secp256r1"))
        .collect()
}
