//! The proof on real processes: a local network of four under load, killed as no simulation can kill it; and what an operator is
//! told whose node does not start, or stops.

mod damage;
mod net;

use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::tokio;
use drystone_actors::{
    chunk::{Chunk, Limits},
    http::BATCH,
    trial::{Net as _, Payloads as _, Processes, Trial, nothing_told_is_lost, until},
};
use net::{Payers, network, run};
use serde_json::json;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// Connects to the node 0 of a network, as its clients do.
fn connect(net: &Processes<tokio::Context, Payers>) -> TcpStream {
    let url = net.client(0).node().to_owned();
    let address = url.strip_prefix("http://").expect("a url");
    let stream = TcpStream::connect(address).expect("it listens");
    let patience = Some(Duration::from_secs(60));
    stream.set_read_timeout(patience).expect("not zero");
    stream
}

/// What a node answers to a request that no client of ours would make.
fn raw(net: &Processes<tokio::Context, Payers>, request: &str) -> String {
    let mut stream = connect(net);
    let request = format!("{request} HTTP/1.1\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

// D-44, K-05
#[test]
fn nothing_that_a_client_was_told_is_lost_when_nodes_are_killed() {
    run(async |context, directory| {
        let net = network(context, directory, "4").await;
        let trial = Trial {
            clients: 16,
            rounds: 3,
            told_min: 100,
        };
        nothing_told_is_lost(&net, trial).await;
    });
}

#[test]
fn an_operator_is_told_what_is_wrong() {
    run(async |context, directory| {
        let net = network(context, directory, "1").await;
        let runs = async || net.heights(0).await.is_some_and(|it| it.executed >= 3);
        until(&net, "blocks are executed", runs).await;

        // A second process on one directory.
        let ended = net.run_to_its_end(0);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(
            ended.said.contains("in use by another process"),
            "{ended:?}"
        );

        // Malformed input costs an answer.
        let client = net.client(0);
        for path in [
            "/transactions/xyz",
            "/blocks/xyz",
            "/blocks/1?proof=yes",
            "/state/xyz",
            "/transactions/00?wait=x",
            "/nowhere",
        ] {
            let failure = client.get(path).await.expect_err(path);
            assert!(!failure.message.is_empty(), "{path}");
        }
        for request in [
            "GET /blocks/%ff",
            "GET /transactions/%ff",
            "DELETE /status",
            "POST /transactions/00",
        ] {
            let answer = raw(&net, request);
            assert!(
                answer.contains("content-type: application/json"),
                "{answer}"
            );
            assert!(answer.contains("{\"error\":{\"code\":"), "{answer}");
        }
        let kind = "application/octet-stream";
        let failure = client.post("/transactions", kind, "junk").await;
        let failure = failure.expect_err("junk is no transfer");
        assert!(failure.message.contains("no transfer"), "{failure}");
        let failure = client.post("/transactions", kind, vec![0; 5 << 20]).await;
        assert!(failure.is_err(), "larger than any body may be");
        assert!(net.stop(0).await, "it stops gracefully");

        // A port that another program listens at.
        let settings = fs::read_to_string(net.home(0).join("node.toml")).expect("settings");
        let listen = settings.lines().find_map(|it| it.strip_prefix("listen = "));
        let held = TcpListener::bind(listen.expect("an address").trim_matches('"'));
        let ended = net.run_to_its_end(0);
        drop(held.expect("the node is gone"));
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.said.contains("network.listen"), "{ended:?}");

        // Another genesis.
        let genesis = net.path().join("genesis.json");
        let text = fs::read_to_string(&genesis).expect("a genesis");
        fs::write(&genesis, text.replacen("drystone", "limestone", 1)).expect("mine");
        let ended = net.run_to_its_end(0);
        assert_eq!(ended.code, Some(6), "{ended:?}");
        assert!(ended.said.contains("belongs to deployment"), "{ended:?}");
        fs::write(&genesis, text).expect("mine");

        // An unknown key.
        let path = net.home(0).join("node.toml");
        fs::write(&path, format!("{settings}\nblocks = 1\n")).expect("mine");
        let ended = net.run_to_its_end(0);
        assert_eq!(ended.code, Some(3), "{ended:?}");
        assert!(ended.said.contains("blocks"), "{ended:?}");
    });
}

#[test]
fn of_a_batch_each_transaction_is_answered_and_what_is_accepted_is_executed() {
    run(async |context, directory| {
        let net = network(context, directory, "1").await;
        let client = net.client(0);
        let ready = async || client.get("/health/ready").await.is_ok();
        until(&net, "it is in step", ready).await;
        let time_ms = client.get("/status").await.expect("it runs")["time_ms"].as_u64();
        let expiry_ms = time_ms.expect("a time") + 30_000;
        let next = async |payer| Payers.next(&client, payer, expiry_ms).await.expect("money");
        let (first, second) = (next(1).await, next(2).await);
        let noise = Bytes::from_static(b"noise");
        let batch = [first.clone(), noise, second.clone(), first.clone()];
        let limits = Limits {
            bytes_max: u32::MAX,
            items_max: u32::MAX,
        };
        let packed = Chunk::pack(&batch, &limits).expect("within the limits");
        let told = client.post("/transactions", BATCH, packed.body().clone());
        let told = told.await.expect("a batch");
        assert_eq!(told["accepted"], 2, "{told}");
        let refused = told["refused"].as_array().expect("a list");
        let refused: Vec<_> = refused
            .iter()
            .map(|it| (&it["index"], &it["answer"]))
            .collect();
        let expected = [
            (&json!(1), &json!("invalid")),
            (&json!(3), &json!("duplicate")),
        ];
        assert_eq!(refused, expected, "{told}");
        for accepted in [&first, &second] {
            let id = Sha256::hash(&[accepted]);
            let executed = async || net.settled(0, id).await.is_some();
            until(&net, "what was accepted is executed", executed).await;
        }

        // As text, and too late.
        let hex = |it: &Bytes| {
            it.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let text = |all: &[&Bytes]| {
            let all: Vec<_> = all.iter().map(|it| hex(it)).collect();
            json!({ "transactions": all }).to_string()
        };
        let json = "application/json";
        let again = client.post("/transactions", json, text(&[&first, &Bytes::new()]));
        let again = again.await.expect("a batch");
        assert_eq!(again["accepted"], 0, "{again}");
        assert_eq!(again["refused"][0]["answer"], "duplicate", "{again}");
        assert_eq!(again["refused"][1]["answer"], "invalid", "{again}");
        let empty = client.post("/transactions", json, text(&[])).await;
        let empty = empty.expect_err("nothing is no batch").message;
        assert!(empty.contains("at least 1 transaction"), "{empty}");
    });
}

/// How soon peers must be connected to a node that came back: some times as long as it takes one to dial all others.
const REUNION: Duration = Duration::from_secs(15);

// K-05: reconnect, at the port where it was before.
#[test]
fn a_node_that_was_killed_is_connected_again_at_its_port() {
    run(async |context, directory| {
        let net = network(context, directory, "2").await;
        let connected = async |node| {
            let status = net.client(node).get("/status").await.ok()?;
            status["peers"]["connected"].as_u64()
        };
        let met = async || connected(0).await == Some(1) && connected(1).await == Some(1);
        until(&net, "they meet", met).await;
        for node in [0, 1, 0] {
            net.kill(node).await;
            let alone = async || connected(1 - node).await == Some(0);
            until(&net, "the other one is alone", alone).await;
            net.start(node).await;
            let lives = async || net.client(node).get("/health/live").await.is_ok();
            until(&net, "it is back", lives).await;
            let step = Duration::from_millis(100);
            let mut waited = Duration::ZERO;
            while !met().await {
                assert!(waited < REUNION, "node {node} is not connected again");
                net.sleep(step).await;
                waited += step;
            }
            eprintln!("node {node} is connected again after {waited:?}");
        }
    });
}

#[test]
fn clients_are_limited_and_operators_are_answered_all_the_same() {
    run(async |context, directory| {
        let net = network(context, directory, "1").await;
        assert!(net.stop(0).await, "it stops gracefully");
        let limits = [
            "env",
            "DRYSTONE_HTTP__REQUESTS_MAX=1",
            "DRYSTONE_HTTP__CONNECTIONS_MAX=4",
            "DRYSTONE_HTTP__TIMEOUT_MS=1000",
            "DRYSTONE_HTTP__WAIT_MAX_MS=3000",
        ];
        net.start_under(0, &limits);
        let client = net.client(0);
        let answers = async || client.get("/status").await.is_ok();
        until(&net, "it answers", answers).await;

        // One request at a time: the next is told to come back, but for an operator's.
        let mut waiting = connect(&net);
        let unknown = "0".repeat(64);
        let close = "connection: close";
        let request = format!("GET /transactions/{unknown}?wait=3000 HTTP/1.1\r\n{close}\r\n\r\n");
        waiting.write_all(request.as_bytes()).expect("it listens");
        let busy = async || {
            let failure = client.get("/status").await.err();
            failure.is_some_and(|it| it.message.contains("too many requests"))
        };
        until(&net, "another request is too many", busy).await;
        client.get("/health/live").await.expect("it lives");
        assert!(
            client
                .text("/metrics")
                .await
                .expect("text")
                .contains("finalized_height")
        );
        let mut answer = [0; 1 << 10];
        let length = waiting
            .read(&mut answer)
            .expect("it is answered in the end");
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.contains("\"status\":\"unknown\""), "{answer}");

        // Whoever says nothing keeps nobody out for long.
        let silent: Vec<_> = (0..8).map(|_| connect(&net)).collect();
        let answers = async || net.client(0).get("/status").await.is_ok();
        until(&net, "there is room again", answers).await;
        drop(silent);
        assert!(net.stop(0).await, "it stops gracefully");
    });
}
