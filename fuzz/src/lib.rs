//! Fuzz targets of Drystone: one a decoder and scheme (or kind of keys), one a pure state, of the engine and of the actors.
//!
//! A [`Target`] takes bytes and panics if what they lead to breaks an oracle. Decoders: no panic, memory in proportion
//! to what arrived, and one encoding only. States: no panic, bounded memory, and
//!
//! | state | what it must not contradict |
//! |---|---|
//! | `tip_manager`, `sequencer` | one ack and one header a height, each durable before it leaves, across restarts and epochs |
//! | `ack_manager` | certificates verify and get newer; one attempt at a time, with a quorum |
//! | `mempool` | accepted leaves with a reason, clients and requests are answered once, an id is asked of one peer, sums and shares |
//! | `builder` | one chunk at a time, answered once its body is durable; what else was taken goes back |
//! | `chunk_store` | a plain account of each quota, across crashes; valid means durable; nothing goes early, is sought or awaited for ever |
//! | `relay` | only what was asked for is opened, within rates and in order; nothing is given up; liars are not asked |
//! | `chain` | what one node builds another calls valid; what is valid is sound, told from all ancestors by counting |
//! | `certificate_pool` | what is picked links and is what it says; the highest that links is not pushed out |
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
//! Of the actors, the search found two bugs: a pushed body was charged by the length its header claimed, so that a sequencer
//! could push past its rate (`relay`, input 110); and a body that a block accepted before it came was looked for until the
//! next start (`chunk_store`, input 32).
//!
//! With the feature `canary`, which is on unless it is switched off, there are targets with a known bug each ([`planted`]). A test
//! shows that the bounded search finds every one; `fuzz/guided.sh tip_manager+ReplaceLock` found its one within half a minute.

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

/// The name of a scheme, and the targets of some decoders by name.
type Decoders<const N: usize> = (&'static str, [(&'static str, Target); N]);

/// Of the engine, and of blocks, for every scheme.
const fn engine<F: Deployed>(scheme: &'static str) -> Decoders<9> {
    let targets: [(&'static str, Target); 9] = [
        ("envelope", decode::engine::envelope::<F>),
        ("acks", decode::engine::acks::<F>),
        ("gossip", decode::engine::gossip::<F>),
        ("told", decode::engine::told::<F>),
        ("signed", decode::engine::signed::<F>),
        ("certificate", decode::engine::certificate::<F>),
        ("evidence", decode::engine::evidence::<F>),
        ("record", decode::engine::record::<F>),
        ("block", decode::block::block::<F>),
    ];
    (scheme, targets)
}

/// Of the actors, for every kind of keys: the free ones, and those of all other schemes.
const fn actors<F: Deployed>(keys: &'static str) -> Decoders<5> {
    let targets: [(&'static str, Target); 5] = [
        ("request", decode::actors::request::<F>),
        ("parcel", decode::actors::parcel::<F>),
        ("run", decode::actors::run::<F>),
        ("reference", decode::actors::reference::<F>),
        ("chunk_record", decode::actors::record::<F>),
    ];
    (keys, targets)
}

const ENGINE: [Decoders<9>; 5] = [
    engine::<Free>("free"),
    engine::<Ed25519>("ed25519"),
    engine::<Multisig>("multisig"),
    engine::<Threshold>("threshold"),
    engine::<Secp256r1>("secp256r1"),
];

const ACTORS: [Decoders<5>; 2] = [actors::<Free>("free"), actors::<Ed25519>("ed25519")];

/// Decoders that know no keys.
const PLAIN: [(&str, Target); 2] = [
    ("chunk", decode::actors::chunk),
    ("mempool_message", decode::actors::mempool),
];

const STATES: [(&str, Target); 9] = [
    ("tip_manager", states::tip_manager),
    ("ack_manager", states::ack_manager),
    ("sequencer", states::sequencer),
    ("builder", states::builder),
    ("certificate_pool", states::certificate_pool),
    ("chain", states::chain),
    ("relay", states::relay),
    ("chunk_store", states::chunk_store),
    ("mempool", states::mempool),
];

/// States with a bug each, which the search must find: the target, a plus sign, the bug.
#[cfg(feature = "canary")]
const PLANTED: [(&str, Target); 13] = {
    use drystone_actors::Canary as Actors;
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
        ("certificate_pool+KeepExpired", |data| {
            states::certificate_pool_with(Actors::KeepExpired, data)
        }),
        ("chain+ForgetAncestors", |data| {
            states::chain_with(Actors::ForgetAncestors, data)
        }),
        ("chain+ProposeByClock", |data| {
            states::chain_with(Actors::ProposeByClock, data)
        }),
        ("relay+AskOnce", |data| {
            states::relay_with(Actors::AskOnce, data)
        }),
        ("chunk_store+ValidBeforeSync", |data| {
            states::chunk_store_with(Actors::ValidBeforeSync, data)
        }),
        ("chunk_store+ForgetQuota", |data| {
            states::chunk_store_with(Actors::ForgetQuota, data)
        }),
        ("mempool+DropSilently", |data| {
            states::mempool_with(Actors::DropSilently, data)
        }),
        ("mempool+LoseReturned", |data| {
            states::mempool_with(Actors::LoseReturned, data)
        }),
    ]
};
#[cfg(not(feature = "canary"))]
const PLANTED: [(&str, Target); 0] = [];

/// Every target, by the name of its corpus.
pub fn targets() -> Vec<(String, Target)> {
    fn of<const N: usize>(decoders: &[Decoders<N>]) -> impl Iterator<Item = (String, Target)> {
        decoders.iter().flat_map(|(scheme, targets)| {
            let named = targets.iter();
            named.map(move |(name, target)| (format!("{name}-{scheme}"), *target))
        })
    }
    let plain = PLAIN.iter().chain(&STATES);
    let plain = plain.map(|(name, target)| (String::from(*name), *target));
    of(&ENGINE).chain(of(&ACTORS)).chain(plain).collect()
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
    type Seeds = Vec<(&'static str, Vec<bytes::Bytes>)>;
    fn of(scheme: &str, seeds: Seeds) -> impl Iterator<Item = (String, Vec<bytes::Bytes>)> {
        let seeds = seeds.into_iter();
        seeds.map(move |(name, files)| (format!("{name}-{scheme}"), files))
    }
    let plain = decode::actors::plain_seeds().into_iter();
    let blocks = [
        ("free", decode::block::seeds::<Free>()),
        ("ed25519", decode::block::seeds::<Ed25519>()),
        ("multisig", decode::block::seeds::<Multisig>()),
        ("threshold", decode::block::seeds::<Threshold>()),
        ("secp256r1", decode::block::seeds::<Secp256r1>()),
    ];
    of("free", decode::engine::seeds::<Free>())
        .chain(of("ed25519", decode::engine::seeds::<Ed25519>()))
        .chain(of("multisig", decode::engine::seeds::<Multisig>()))
        .chain(of("threshold", decode::engine::seeds::<Threshold>()))
        .chain(of("secp256r1", decode::engine::seeds::<Secp256r1>()))
        .chain(of("free", decode::actors::seeds::<Free>()))
        .chain(of("ed25519", decode::actors::seeds::<Ed25519>()))
        .chain(
            blocks
                .into_iter()
                .flat_map(|(scheme, files)| of(scheme, files)),
        )
        .chain(plain.map(|(name, files)| (String::from(name), files)))
        .collect()
}
