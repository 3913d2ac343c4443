//! How long certificates take in each of the named profiles, how long payments take in chunks, and what they cost, to the
//! microsecond and the message: virtual time has no noise, so every difference is a change of the protocol, and one to be meant.

use drystone_engine::scheme::fixture::Free;
use drystone_simulator::{
    Scenario,
    chunks::{self, Action, Chunks, Kind, Operation},
    lanes::{Options, PROFILES, Profile, Stopwatch},
    plan::Link,
    time::{millis, secs},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};

/// Set to `write`, the file is written anew instead of compared.
const VARIABLE: &str = "DRYSTONE_GOLDENS";
const COMMAND: &str = "DRYSTONE_GOLDENS=write cargo test --release -p drystone-simulator \
                       --no-default-features --test goldens";

const NODES: usize = 10;
/// Enough that the 99th percentile over all lanes is not the maximum.
const CHUNKS_EACH: u64 = 40;
const CHUNK_EVERY_US: u64 = 25_000;
/// A second of chunks, and time for the slowest profile to certify the last of them.
const SPAN_US: u64 = secs(3);
const SEED: u64 = 1;
/// In chunks: two seconds of them.
const PAYMENTS: u32 = 400;

/// Figures by name, by profile.
type Golden = BTreeMap<String, BTreeMap<String, u64>>;

fn options() -> Options {
    Options {
        chunk_every_us: CHUNK_EVERY_US,
        chunks_max: CHUNKS_EACH,
        ..Options::all(NODES)
    }
}

/// Runs a cluster in a profile; every property of lanes holds, and the goal is that every chunk is certified everywhere
/// while the profile lasts.
fn measure(profile: &Profile, options: Options) -> BTreeMap<String, u64> {
    let stopwatch = Stopwatch::new(NODES, 0..NODES, CHUNKS_EACH);
    let scenario = profile
        .scenario::<Free>(NODES, options, SPAN_US)
        .until(stopwatch.clone(), 0);
    let outcome = scenario.run(SEED);
    assert!(outcome.passed(), "{}: {:?}", profile.name, outcome.failure);
    let times = stopwatch.times();
    [
        ("acks", outcome.observed("acked")),
        ("bytes", outcome.network.delivered_bytes),
        ("certificates", times.certificates),
        ("chunks", times.chunks),
        ("deliveries", outcome.deliveries),
        ("drops", outcome.drops),
        ("last_node_us_max", times.last_node_us.max),
        ("last_node_us_p50", times.last_node_us.p50),
        ("last_node_us_p99", times.last_node_us.p99),
        ("proposer_us_max", times.proposer_us.max),
        ("proposer_us_p50", times.proposer_us.p50),
        ("proposer_us_p99", times.proposer_us.p99),
        ("syncs", outcome.disks.syncs),
        ("written_bytes", outcome.disks.bytes_written),
    ]
    .into_iter()
    .map(|(name, figure)| (name.to_owned(), figure))
    .collect()
}

/// Brings a payment to each of four nodes in turn, one every 5 ms; every property of chunks holds, and the goal is that all
/// are executed everywhere.
fn measure_chunks() -> BTreeMap<String, u64> {
    let nodes = 4;
    let stopwatch = chunks::Stopwatch::new(0..nodes, PAYMENTS as usize);
    let scenario = Scenario::<Chunks>::cluster(nodes)
        .options(chunks::Options::all(nodes))
        .quiet()
        .link(Link::new(10_000, 2_000))
        .until(stopwatch.clone(), secs(10));
    let scenario = (0..PAYMENTS).fold(scenario, |scenario, number| {
        let operation = Operation {
            to: vec![number as usize % nodes],
            account: (number % 50) as u16,
            number,
            bytes: 200,
            lifetime_ms: 600_000,
            kind: Kind::Good,
        };
        scenario.act(
            secs(2) + millis(5) * u64::from(number),
            Action::Submit(operation),
        )
    });
    let outcome = scenario.run(SEED);
    assert!(outcome.passed(), "chunks: {:?}", outcome.failure);
    let times = stopwatch.times();
    [
        ("bytes", outcome.network.delivered_bytes),
        ("certificates", times.certificates),
        ("certified_us_p50", times.certified_us.p50),
        ("certified_us_p99", times.certified_us.p99),
        ("chunks", times.chunks),
        ("copies", times.copies),
        ("deliveries", outcome.deliveries),
        ("executed_us_p50", times.executed_us.p50),
        ("executed_us_p99", times.executed_us.p99),
        ("payments", times.payments),
        ("syncs", outcome.disks.syncs),
        ("written_bytes", outcome.disks.bytes_written),
    ]
    .into_iter()
    .map(|(name, figure)| (name.to_owned(), figure))
    .collect()
}

/// What differs, a line for each figure: profile, figure, was, is.
fn differences(was: &Golden, is: &Golden) -> Vec<String> {
    let figures = |golden: &Golden| -> BTreeMap<(String, String), u64> {
        let profiles = golden.iter().flat_map(|(profile, figures)| {
            let named = figures.iter();
            named.map(move |(name, figure)| ((profile.clone(), name.clone()), *figure))
        });
        profiles.collect()
    };
    let (was, is) = (figures(was), figures(is));
    let names: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    let differs = names
        .into_iter()
        .filter(|name| was.get(*name) != is.get(*name));
    let line = |(profile, name): &(String, String)| {
        let key = (profile.clone(), name.clone());
        let show = |figure: Option<&u64>| figure.map_or("-".into(), u64::to_string);
        let change = match (was.get(&key), is.get(&key)) {
            (Some(was), Some(is)) if *was > 0 => {
                format!("{:+.1} %", (*is as f64 / *was as f64 - 1.0) * 100.0)
            }
            _ => String::new(),
        };
        format!(
            "{profile:<14} {name:<18} was {:>10}  is {:>10}  {change}",
            show(was.get(&key)),
            show(is.get(&key))
        )
    };
    differs.map(line).collect()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/latency.toml")
}

fn read() -> Golden {
    let text = fs::read_to_string(path()).expect("the goldens are there");
    toml::from_str(&text).expect("profiles, and figures by name in each")
}

fn write(golden: &Golden) {
    let figures = toml::to_string(golden).expect("a table of tables");
    let head = format!(
        "# Latency and cost of certificates by profile (simulator/src/lanes/profile.rs): {NODES} nodes, a chunk every \
         {} ms a lane,\n# {CHUNKS_EACH} chunks each; and of {PAYMENTS} payments in chunks of 4 nodes. Written by\n#     {COMMAND}\n\n",
        CHUNK_EVERY_US / 1_000
    );
    fs::write(path(), head + &figures).expect("the goldens can be written");
}

#[test]
fn certificates_take_as_long_and_cost_as_much_as_they_did() {
    let profiles = PROFILES.iter();
    let mut is: Golden = profiles
        .map(|profile| (profile.name.to_owned(), measure(profile, options())))
        .collect();
    is.insert("chunks".into(), measure_chunks());
    if env::var(VARIABLE).as_deref() == Ok("write") {
        return write(&is);
    }
    let differences = differences(&read(), &is);
    assert!(
        differences.is_empty(),
        "latency or cost changed:\n{}\nIf that is meant, look at the sizes and write the file anew:\n{COMMAND}\n",
        differences.join("\n")
    );
}

#[test]
fn a_certificate_that_waits_ten_milliseconds_longer_for_company_is_told() {
    let profile = &PROFILES[0];
    let slower = Options {
        linger_ms: options().linger_ms + 10,
        ..options()
    };
    let one = |options| Golden::from([(profile.name.to_owned(), measure(profile, options))]);
    let told = differences(&one(options()), &one(slower));
    assert!(
        told.iter().any(|line| line.contains("last_node_us_p50")),
        "{told:#?}"
    );
}
