//! What a deployment agrees on, how it is configured, and how its nodes meet.

mod exchange;
mod raw;
mod strangers;
mod street;
mod votes;

use super::{
    Amount, Blocks, COMMENTED, Genesis, GenesisError, Hexed, Lanes, Settings, SettingsError,
    Transactions, keys,
};
use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use drystone_engine::types::Digest;
use serde::{Deserialize, Serialize};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    colour: String,
}

fn key(seed: u64) -> Hexed<PublicKey> {
    Hexed(PrivateKey::from_seed(seed).public_key())
}

pub fn genesis() -> Genesis<Section> {
    let members: Vec<_> = (0..4).map(key).collect();
    Genesis {
        name: "test".into(),
        start_ms: 1_000,
        validators: members.clone(),
        sequencers: members,
        lanes: Lanes::default(),
        blocks: Blocks::default(),
        transactions: Transactions::default(),
        application: Section {
            colour: "grey".into(),
        },
        root: Hexed(Digest::from([7; 32])),
    }
}

#[test]
fn a_genesis_is_the_same_after_it_was_written_and_read() {
    let genesis = genesis();
    let read = Genesis::<Section>::read(&genesis.text()).expect("a genesis");
    assert_eq!(read, genesis);
    assert_eq!(read.digest(), genesis.digest());
    let agreement = read.check().expect("it is right");
    assert_eq!(agreement.validators.len(), 4);
    assert_eq!(agreement.lanes_max(), 8);
}

#[test]
fn the_digest_covers_everything_but_the_root() {
    let digest = genesis().digest();
    let changes: [fn(&mut Genesis<Section>); 6] = [
        |it| it.name.push('x'),
        |it| it.start_ms += 1,
        |it| it.sequencers.truncate(3),
        |it| it.lanes.slot_ms += 1,
        |it| it.blocks.skew_ms += 1,
        |it| it.application.colour.push('x'),
    ];
    for change in changes {
        let mut other = genesis();
        change(&mut other);
        assert_ne!(other.digest(), digest, "{other:?}");
    }
    let mut rooted = genesis();
    rooted.root = Hexed(Digest::from([8; 32]));
    assert_eq!(rooted.digest(), digest);
}

#[test]
fn a_genesis_that_contradicts_itself_is_refused_with_what_would_be_right() {
    type Change = fn(&mut Genesis<Section>);
    let cases: [(Change, &str); 6] = [
        (|it| it.validators.clear(), "no validators"),
        (
            |it| it.validators.push(key(0)),
            "twice among the validators",
        ),
        (|it| it.lanes.slot_ms = 0, "slot_ms is 0"),
        (
            |it| {
                it.blocks.live_max = Amount {
                    chunks: 1,
                    ..it.blocks.live_max
                };
            },
            "live_max.chunks is 1: it must be at least",
        ),
        (
            |it| it.transactions.bytes_max = 1 << 20,
            "at most half of lanes.chunk_bytes_max",
        ),
        (|it| it.transactions.window_ms = 0, "window_ms is 0"),
    ];
    for (change, said) in cases {
        let mut genesis = genesis();
        change(&mut genesis);
        let error = genesis.check().expect_err(said).to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn an_unknown_field_of_a_genesis_is_refused() {
    let text = genesis()
        .text()
        .replacen("\"name\"", "\"nmae\": 1, \"name\"", 1);
    let error = Genesis::<Section>::read(&text).expect_err("nmae");
    assert!(matches!(error, GenesisError::Malformed(_)), "{error}");
    assert!(error.to_string().contains("nmae"), "{error}");
}

fn read(environment: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::read(COMMENTED, environment, Path::new("/srv"))
}

#[test]
fn the_commented_file_says_the_defaults_and_explains_every_field() {
    let settings = read(&[]).expect("it is right");
    let address = settings.network.address.clone();
    let mut beside = Settings::beside(settings.network.listen, address);
    for path in [&mut beside.key, &mut beside.genesis, &mut beside.directory] {
        *path = Path::new("/srv").join(&*path);
    }
    assert_eq!(settings, beside);
    let mut before = "";
    for line in COMMENTED.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with('#'), "nobody says what {line} means");
        }
        before = line;
    }
}

#[test]
fn generated_settings_keep_their_comments_and_their_values() {
    let mut settings = Settings::beside(([127, 0, 0, 1], 7_001).into(), "localhost:7001".into());
    settings.chain.interval_ms = 7;
    settings.network.followers = vec![key(9)];
    let text = settings.text();
    let comments = |it: &str| it.lines().filter(|it| it.starts_with('#')).count();
    assert_eq!(comments(&text), comments(COMMENTED));
    let read = Settings::read(&text, [], Path::new("")).expect("it is right");
    assert_eq!(read, settings);
}

// K-10: exchange can be switched off
#[test]
fn the_environment_overrides_the_file() {
    let settings = read(&[
        ("DRYSTONE_HTTP__LISTEN", "0.0.0.0:9"),
        ("DRYSTONE_THREADS", "3"),
        ("DRYSTONE_NETWORK__EXCHANGE", "off"),
        // K-33
        ("DRYSTONE_CHAIN__BLOCKS_ONLY", "true"),
        ("HOME", "/root"),
        ("DRYSTONE_NODE", "http://127.0.0.1:8000"),
    ]);
    let settings = settings.expect("it is right");
    assert_eq!(settings.http.listen, ([0, 0, 0, 0], 9).into());
    assert_eq!(settings.threads.get(), 3);
    assert_eq!(settings.network.exchange, super::Exchange::Off);
    assert!(settings.chain.blocks_only);
}

#[test]
fn unknown_keys_and_contradictions_are_refused() {
    for (name, value, said) in [
        ("DRYSTONE_HTPP__LISTEN", "0.0.0.0:9", "htpp"),
        ("DRYSTONE_HTTP__LISTENN", "0.0.0.0:9", "listenn"),
        ("DRYSTONE_THREADS__MAX", "3", "threads is no section"),
        (
            "DRYSTONE_CHAIN__INTERVAL_MS",
            "9000",
            "at most chain.empty_gap_ms",
        ),
        (
            "DRYSTONE_CHAIN__LEADER_TIMEOUT_MS",
            "1",
            "more than chain.empty_gap_ms",
        ),
        ("DRYSTONE_HTTP__REQUESTS_MAX", "0", "at least 1"),
        // K-01: an invalid peer id
        (
            "DRYSTONE_NETWORK__PEERS",
            "[{ key = \"beef\", address = \"localhost:1\" }]",
            "beef",
        ),
    ] {
        let error = read(&[(name, value)]).expect_err(name).to_string();
        assert!(error.contains(said), "{name}: {error}");
    }
}

// D-18: never below the validity window and the sync horizon.
#[test]
fn settings_that_keep_fewer_blocks_than_the_genesis_asks_for_are_refused() {
    let fits = |environment: &[(&str, &str)], genesis: &Genesis<Section>| {
        let settings = read(environment).expect("it is right by itself");
        settings.fits(&genesis.check().expect("it is right"))
    };
    let blocks = "DRYSTONE_STORAGE__RETENTION_BLOCKS";
    let interval = ("DRYSTONE_CHAIN__INTERVAL_MS", "100");
    let mut genesis = genesis();
    assert!(fits(&[], &genesis).is_ok(), "the defaults fit each other");
    // A minute, a skew of two seconds and a slot, with blocks every 100 ms; and 64 + 32 that a node in step may be behind.
    assert!(fits(&[(blocks, "717"), interval], &genesis).is_ok());
    let error = fits(&[(blocks, "716"), interval], &genesis);
    let error = error.expect_err("one too few").to_string();
    for said in [
        "storage.retention_blocks is 716",
        "at least 717",
        "62001 ms",
        "chain.interval_ms",
    ] {
        assert!(error.contains(said), "{error}");
    }
    assert!(
        fits(
            &[(blocks, "717"), ("DRYSTONE_CHAIN__INTERVAL_MS", "0")],
            &genesis
        )
        .is_err()
    );
    // Whichever window is longer.
    genesis.transactions.window_ms = 62_101;
    assert!(fits(&[(blocks, "717"), interval], &genesis).is_err());
    genesis.lanes.window_ms = 120_000;
    assert!(fits(&[(blocks, "1316"), interval], &genesis).is_err());
    assert!(fits(&[(blocks, "1317"), interval], &genesis).is_ok());
}

#[test]
fn a_key_is_its_owners_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("node.key");
    let key = PrivateKey::from_seed(3);
    keys::write(&path, &key).expect("new");
    assert_eq!(
        keys::read(&path).expect("a key").public_key(),
        key.public_key()
    );
    assert!(
        keys::write(&path, &key).is_err(),
        "a key is never overwritten"
    );

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("mine");
    let error = keys::read(&path).expect_err("open to others").to_string();
    assert!(error.contains("chmod 600"), "{error}");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("mine");
    fs::write(&path, "beef").expect("mine");
    let error = keys::read(&path).expect_err("too short").to_string();
    assert!(
        error.contains("holds no key") && !error.contains("beef"),
        "{error}"
    );
}
