//! What lies under `examples/deploy`, held against the program: a file that names what is not there fails.

use bytes::Bytes;
use commonware_runtime::{Runner as _, tokio};
use drystone_actors::{
    cli::{Client, Failure},
    trial::{Net as _, Payloads, Processes, until},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Brings nothing.
struct Nobody;

impl Payloads for Nobody {
    async fn next(&self, _: &Client, _: u64, _: u64) -> Result<Bytes, Failure> {
        unreachable!("nobody brings anything here")
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).expect("a file of the folder")
}

fn ledger(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ledger"));
    command.args(arguments).output().expect("it starts")
}

/// Whether the program knows a command.
fn knows(command: &str) -> bool {
    ledger(&[command, "--help"]).status.success()
}

/// The words of an expression that could be names of metrics.
fn metrics(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|it: char| !it.is_ascii_alphanumeric() && it != '_');
    words.filter(|it| it.matches('_').count() >= 2 && !it.starts_with('_'))
}

/// The name under which a line of the exposition declares a family of series. A family is declared with its first series.
fn family(line: &str) -> Option<String> {
    let (name, kind) = line.strip_prefix("# TYPE ")?.split_once(' ')?;
    let suffix = if kind == "counter" { "_total" } else { "" };
    Some(format!("{name}{suffix}"))
}

#[test]
fn every_metric_of_the_dashboard_is_exported() {
    let dashboard: Value = serde_json::from_str(&text("dashboard.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let mut named = BTreeSet::new();
    for target in panels
        .iter()
        .flat_map(|it| it["targets"].as_array().expect("targets"))
    {
        let expression = target["expr"].as_str().expect("an expression");
        assert!(metrics(expression).count() > 0, "{expression}");
        named.extend(metrics(expression));
    }
    let directory = tempfile::tempdir().expect("a directory");
    let config = tokio::Config::new().with_storage_directory(directory.path().join("test"));
    tokio::Runner::new(config).start(async |context| {
        let program = env!("CARGO_BIN_EXE_ledger");
        let nodes = ["--nodes", "4"];
        let net = Processes::new(context, Nobody, program, directory.path(), &nodes).await;
        // Some are registered only once there are peers and an epoch, and timeouts once the leader of a view is gone.
        net.kill(3).await;
        let mut missing = named;
        until(&net, "all of them are exported", async || {
            let exported = net.client(0).text("/metrics").await.unwrap_or_default();
            let families: BTreeSet<_> = exported.lines().filter_map(family).collect();
            missing.retain(|it| !families.contains(it.strip_suffix("_bucket").unwrap_or(it)));
            eprintln!("missing: {missing:?}");
            missing.is_empty()
        })
        .await;
    });
}

#[test]
fn the_unit_starts_a_command_that_there_is() {
    let unit = text("drystone@.service");
    let start = unit.lines().find_map(|it| it.strip_prefix("ExecStart="));
    let words: Vec<_> = start.expect("a start").split(' ').collect();
    assert_eq!(words[0], "/usr/local/bin/%i");
    assert!(knows(words[1]));
    // Codes that another start does not help are those that the program documents.
    let codes = unit
        .lines()
        .find_map(|it| it.strip_prefix("RestartPreventExitStatus="));
    assert_eq!(codes, Some("2 3 4 5 6"));
    let directory = tempfile::tempdir().expect("a directory");
    let placed = directory.path().join("drystone@ledger.service");
    // The program is where the test finds it; the user is there everywhere.
    let here = unit.replace("/usr/local/bin/%i", env!("CARGO_BIN_EXE_ledger"));
    fs::write(&placed, here.replace("User=drystone", "User=root")).expect("mine");
    match Command::new("systemd-analyze")
        .arg("verify")
        .arg(&placed)
        .output()
    {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let broken = said.lines().filter(|it| it.contains("drystone@"));
            assert_eq!(broken.collect::<Vec<_>>(), [""; 0]);
        }
        Err(_) => eprintln!("skipped: there is no systemd-analyze here"),
    }
}

#[test]
fn the_image_is_built_from_what_is_there() {
    let file = text("Dockerfile");
    let workspace = folder().join("../..");
    assert!(workspace.join("Cargo.lock").exists(), "built with --locked");
    assert!(file.contains("ARG APPLICATION=ledger"));
    assert!(workspace.join("examples/ledger/src/main.rs").exists());
    let command = file.lines().find_map(|it| it.strip_prefix("CMD "));
    let words: Vec<String> = serde_json::from_str(command.expect("a command")).expect("JSON");
    assert!(knows(&words[0]) && words[1] == "--config");
    let toolchain = fs::read_to_string(workspace.join("Cargo.toml")).expect("a manifest");
    let version = toolchain
        .lines()
        .find_map(|it| it.strip_prefix("rust-version = \""));
    let version = version.expect("a version").trim_end_matches('"');
    assert!(file.contains(&format!("FROM rust:{version}-")), "{version}");
}

#[test]
fn the_pods_start_and_are_probed_with_what_there_is() {
    let manifest = text("statefulset.yaml");
    for path in ["/health/live", "/health/ready", "/metrics"] {
        assert!(manifest.contains(path), "{path}");
    }
    let start = manifest
        .lines()
        .find(|it| it.contains("/usr/local/bin/node"));
    let start = start.expect("a start");
    assert!(start.contains(" run --config ") && knows("run"));
    // Two documents, indented by two spaces, no tabs: python3 parses them in full where it has a parser.
    assert_eq!(manifest.split("\n---\n").count(), 2);
    assert!(!manifest.contains('\t'));
    let script = "import sys, yaml; print(len(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let parsed = Command::new("python3")
        .args(["-c", script])
        .arg(folder().join("statefulset.yaml"))
        .output();
    match parsed {
        Ok(output) if output.status.success() => assert_eq!(output.stdout, b"2\n"),
        Ok(output) if String::from_utf8_lossy(&output.stderr).contains("No module named") => {
            eprintln!("skipped: python3 has no yaml here");
        }
        Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => eprintln!("skipped: there is no python3 here"),
    }
}
