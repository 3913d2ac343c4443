//! The map as an operator and its users have it: a local network of real processes, asked on the command line.

use bytes::Bytes;
use commonware_runtime::{Runner as _, tokio};
use drystone_actors::{
    cli::{Client, Failure},
    trial::{Ended, Net as _, Payloads, Processes, until},
};
use kv::{Command, Operation};
use serde_json::json;
use std::{fs, path::Path};

/// Each client counts under a key of its own; nothing about it needs a node.
struct Counters;

impl Payloads for Counters {
    async fn next(&self, _: &Client, client: u64, expiry_ms: u64) -> Result<Bytes, Failure> {
        Ok(Bytes::from(Command {
            expiry_ms,
            salt: expiry_ms,
            operation: Operation::Put {
                key: format!("client {client}").into(),
                value: expiry_ms.to_string().into(),
            },
        }))
    }
}

type Net = Processes<tokio::Context, Counters>;

async fn network(context: tokio::Context, directory: &Path, options: &[&str]) -> Net {
    let program = env!("CARGO_BIN_EXE_kv");
    Processes::new(context, Counters, program, directory, options).await
}

/// Runs a test in a runtime of its own, with a network of four.
fn run(test: impl AsyncFnOnce(Net)) {
    let directory = tempfile::tempdir().expect("a directory");
    let config = tokio::Config::new().with_storage_directory(directory.path().join("test"));
    tokio::Runner::new(config).start(async |context| {
        let net = network(context, directory.path(), &["--nodes", "4"]).await;
        for node in 0..4 {
            let ready = async || net.client(node).get("/health/ready").await.is_ok();
            until(&net, "a node is in step", ready).await;
        }
        test(net).await;
    });
}

fn refused(ended: &Ended, code: i32, why: &str) {
    assert_eq!(ended.code, Some(code), "{ended:?}");
    assert!(ended.answer.contains(why), "{ended:?}");
}

#[test]
fn a_user_puts_swaps_and_deletes_and_every_node_says_the_same() {
    run(async |net| {
        let done = |ended: Ended| assert_eq!(ended.json()["result"], "executed");
        let get = |node, key| net.ask(node, ["query", "get", key]).json()["value"].take();
        done(net.ask(0, ["put", "stone", "wet"]));
        done(net.ask(1, ["swap", "stone", "--expected", "wet", "--value", "dry"]));
        assert_eq!(get(1, "stone"), "dry");
        let swapped = net.ask(2, ["swap", "stone", "--expected", "wet", "--value", "lost"]);
        refused(&swapped, 10, "the value is not what was expected");
        done(net.ask(2, ["swap", "moss", "--value", "green"]));
        done(net.ask(3, ["swap", "moss", "--expected", "green"]));
        assert_eq!(get(3, "moss"), json!(null));
        done(net.ask(3, ["put", "sand", "loose"]));
        let deleted = net.ask(0, ["delete", "sand"]).json();
        assert_eq!(deleted["result"], "executed");

        // All of it survives the end of all processes, wherever they stand.
        for node in 0..4 {
            net.kill(node).await;
        }
        for node in 0..4 {
            net.start(node).await;
        }
        let height = deleted["height"].as_u64().expect("a height");
        for node in 0..4 {
            let there = async || {
                net.heights(node)
                    .await
                    .is_some_and(|it| it.executed >= height)
            };
            until(&net, "it is executed everywhere", there).await;
            assert_eq!(get(node, "stone"), "dry");
            assert_eq!(get(node, "sand"), json!(null));
        }
    });
}

// S-18
#[test]
fn a_user_believes_validators_and_no_node() {
    run(async |net| {
        let genesis = net.path().join("genesis.json");
        let genesis = genesis.to_str().expect("text");
        let put = net.ask(0, ["put", "stone", "dry"]).json();
        for (key, value) in [("stone", json!("dry")), ("moss", json!(null))] {
            let said = net.ask(0, ["query", "get", key, "--proof"]).json();
            assert_eq!(
                (&said["value"], &said["vouched_by"]),
                (&value, &json!("node"))
            );
            let signed = net.ask(0, ["query", "get", key, "--proof", "--genesis", genesis]);
            let signed = signed.json();
            assert_eq!(
                (&signed["value"], &signed["vouched_by"]),
                (&value, &json!("validators"))
            );
            assert!(signed["height"].as_u64() >= put["height"].as_u64());
            assert!(signed["block"].as_u64() > signed["height"].as_u64());
        }

        // The signatures of these validators mean nothing to who believes others, however much the nodes agree.
        let text = fs::read_to_string(genesis).expect("a genesis");
        let other = net.path().join("other.json");
        fs::write(&other, text.replacen("drystone", "limestone", 1)).expect("mine");
        let other = other.to_str().expect("text");
        let proven = net.ask(0, ["query", "get", "stone", "--proof", "--genesis", other]);
        refused(&proven, 8, "no quorum of the genesis's validators");
    });
}
