//! The rules of the house that no compiler checks: where crates may point, what lies at the top, how long files are,
//! and words that have no place in the code. Each rule is a table; an exception that is no longer needed fails too.

use std::{collections::BTreeSet, fs, path::Path};
use toml::{Table, Value};

/// Every package: its folder, its name, and which others of ours it may name.
const PACKAGES: &[(&str, &str, &[&str])] = &[
    ("engine", "drystone-engine", &[]),
    ("actors", "drystone-actors", &["drystone-engine"]),
    (
        "simulator",
        "drystone-simulator",
        &["drystone-engine", "drystone-actors", "ledger"],
    ),
    (
        "fuzz",
        "drystone-fuzz",
        &["drystone-engine", "drystone-actors", "drystone-simulator"],
    ),
    ("examples/kv", "kv", &["drystone-engine", "drystone-actors"]),
    (
        "examples/ledger",
        "ledger",
        &["drystone-engine", "drystone-actors"],
    ),
    (
        "examples/walkthrough",
        "walkthrough",
        &["drystone-engine", "drystone-simulator"],
    ),
];

/// What lies at the top of a checkout, beside what git ignores.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "actors",
    "engine",
    "examples",
    "fuzz",
    "simulator",
];

/// What git ignores, and git's own. The baselines are workspaces of their own with other dependencies.
const NOT_OURS: &[&str] = &[".git", "target", "capsules", "simulator/baselines"];

/// No file has more lines than this.
const LINES_MAX: usize = 600;
/// A file with more lines than this is on the list below. The list only gets shorter.
const LINES: usize = 350;
const LONG: &[&str] = &[
    "engine/src/journal/tests.rs",
    "engine/src/scheme/tests.rs",
    "engine/src/sequencer/state.rs",
    "engine/src/tip_manager/actor.rs",
    "engine/src/tip_manager/state/lane.rs",
    "engine/src/tip_manager/state/mod.rs",
    "engine/src/wire.rs",
    "simulator/src/cli/tests/sweeps.rs",
    "simulator/src/host/disk/state.rs",
    "simulator/src/host/tests/faults.rs",
    "simulator/src/network/tests/runtime.rs",
    "simulator/src/network/world.rs",
    "simulator/src/trace/recorder.rs",
    "simulator/src/world/runner.rs",
    "simulator/src/world/tests/faults.rs",
    "simulator/src/world/tests/toy.rs",
];

/// Words that are banned from code, and the files (or folders, with a slash at the end) that may use them.
const BANNED: &[(&str, &[&str])] = &[
    ("HashMap", &["actors/src/unordered.rs"]),
    ("HashSet", &["actors/src/unordered.rs"]),
    (
        "Instant::now",
        &[
            "simulator/src/campaign/clock.rs",
            "simulator/examples/transport.rs",
            // A load is due by the clock of who makes it.
            "actors/src/cli/bench.rs",
            "actors/src/cli/bench/follow.rs",
        ],
    ),
    ("SystemTime::now", &[]),
    ("thread::spawn", &[]),
    ("thread::sleep", &[]),
    ("tokio::spawn", &[]),
    ("todo!", &[]),
    ("unimplemented!", &[]),
    ("dbg!", &[]),
    ("mod tests {", &[]),
    ("fn test_", &[]),
    // Its schemes are made of keys that are proven: `scheme::possession`.
    ("bls12381_multisig", &["engine/src/scheme/"]),
    // The two runtimes: the simulated one in what simulates, the real one where a process starts.
    (
        "deterministic",
        &[
            "simulator/",
            "fuzz/",
            "examples/walkthrough/",
            "engine/benches/",
        ],
    ),
    (
        "tokio",
        &[
            "actors/src/cli/",
            "actors/src/http/",
            "examples/walkthrough/",
            "engine/benches/",
            "examples/ledger/benches/",
            "simulator/examples/scaling/",
        ],
    ),
];

/// Of these words, those that every test may use.
const RUNTIMES: &[&str] = &["deterministic", "tokio"];

/// Words that are banned from comments as well.
const BANNED_ANYWHERE: &[&str] = &["TODO", "FIXME", "XXX"];

/// What a pure state does not mention, outside comments.
const IMPURE: &[&str] = &["await", "async", "context", "Clock", "Storage"];

struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines without their comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines.map(|(index, line)| (index + 1, line.split("//").next().unwrap_or(line)))
    }

    fn is_test(&self) -> bool {
        let mut names = self.path.split(['/', '.']);
        names.any(|it| matches!(it, "tests" | "testing"))
    }

    fn is_state(&self) -> bool {
        // The replicated state is no actor's: it is a database.
        let pure = self.path.contains("/state/") || self.path.ends_with("/state.rs");
        pure && !self.is_test() && !self.path.starts_with("actors/src/state/")
    }
}

/// Whether the word stands there by itself: `Clock`, but not the end of `ExpireByClock`.
fn mentions(code: &str, word: &str) -> bool {
    let joins = |edge: Option<char>, beyond: Option<char>| {
        edge.is_some_and(char::is_alphanumeric)
            && beyond.is_some_and(|it| it.is_alphanumeric() || it == '_')
    };
    code.match_indices(word).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + word.len()..]);
        !joins(word.chars().next(), before.chars().next_back())
            && !joins(word.chars().next_back(), after.chars().next())
    })
}

fn root() -> &'static Path {
    let simulator = Path::new(env!("CARGO_MANIFEST_DIR"));
    simulator.parent().expect("the workspace is above")
}

/// Every file of ours with one of these endings, this one left out: it names what it bans.
fn sources(endings: &[&str]) -> Vec<Source> {
    fn walk(folder: &str, endings: &[&str], found: &mut Vec<Source>) {
        let entries = fs::read_dir(root().join(folder)).expect("a folder of the workspace");
        for entry in entries {
            let entry = entry.expect("a folder of the workspace");
            let name = entry.file_name().into_string().expect("a name in ASCII");
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };
            if NOT_OURS.contains(&path.as_str()) || path == "simulator/tests/tidy.rs" {
                continue;
            }
            if entry.file_type().expect("its kind").is_dir() {
                walk(&path, endings, found);
            } else if endings.iter().any(|ending| path.ends_with(ending)) {
                let text = fs::read_to_string(entry.path()).expect("text in UTF-8");
                found.push(Source { path, text });
            }
        }
    }
    let mut found = Vec::new();
    walk("", endings, &mut found);
    assert!(!found.is_empty(), "the workspace was not found");
    found
}

fn manifest(folder: &str) -> Table {
    let path = root().join(folder).join("Cargo.toml");
    let text = fs::read_to_string(&path).expect("a manifest");
    text.parse().expect("a manifest is TOML")
}

/// Everything a package depends on, in whichever section.
fn dependencies(manifest: &Table) -> Vec<(&String, &Value)> {
    let sections = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = sections
        .iter()
        .filter_map(|section| manifest.get(*section)?.as_table());
    tables.flatten().collect()
}

fn none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// What an interface to clients or to operators is made of. Handlers of the network know neither. // K-35
const INTERFACES: &[&str] = &["axum", "http", "hyper", "prometheus", "tower"];

#[test]
fn no_handler_names_an_interface() {
    let handlers = [
        "mempool",
        "relay",
        "chunk_store",
        "certificate_pool",
        "builder",
        "claims",
        "runs",
    ];
    let mut broken = Vec::new();
    for source in sources(&[".rs"]) {
        let handler = |it: &&str| source.path.starts_with(&format!("actors/src/{it}/"));
        if !source.path.starts_with("engine/") && !handlers.iter().any(handler) {
            continue;
        }
        for (line, code) in source.code() {
            let named = INTERFACES.iter().filter(|it| mentions(code, it));
            broken.extend(named.map(|it| format!("{}:{line}: {it}", source.path)));
        }
    }
    none(&broken);
}

#[test]
fn crates_point_one_way() {
    let workspace = manifest("");
    let members: BTreeSet<_> = workspace["workspace"]["members"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let folders: BTreeSet<_> = PACKAGES.iter().map(|(folder, ..)| *folder).collect();
    assert_eq!(members, folders, "the members of the workspace");

    let mut broken = Vec::new();
    for (folder, name, may_name) in PACKAGES {
        let manifest = manifest(folder);
        assert_eq!(manifest["package"]["name"].as_str(), Some(*name));
        // A package may name itself: that is how its tests get a feature without a flag.
        let others = dependencies(&manifest).into_iter();
        for (dependency, version) in others.filter(|(dependency, _)| dependency != name) {
            let ours = PACKAGES.iter().any(|(_, name, _)| name == dependency);
            if ours && !may_name.contains(&dependency.as_str()) {
                broken.push(format!("{folder}: must not depend on {dependency}"));
            }
            // The library that starts processes has what they start with: signals, and the sockets of clients.
            if dependency == "tokio" && *name != "drystone-actors" {
                broken.push(format!(
                    "{folder}: tokio is reached through commonware-runtime"
                ));
            }
            let inherited = version.get("workspace").and_then(Value::as_bool);
            if inherited != Some(true) {
                broken.push(format!("{folder}: {dependency} is not the workspace's"));
            }
        }
        if manifest.contains_key("target") {
            broken.push(format!(
                "{folder}: dependencies of one platform are not checked here"
            ));
        }
    }
    none(&broken);
}

#[test]
fn commonware_is_pinned() {
    let workspace = manifest("");
    let dependencies = workspace["workspace"]["dependencies"].as_table();
    let mut broken = Vec::new();
    for (name, value) in dependencies.expect("a table") {
        let version = value.get("version").unwrap_or(value).as_str();
        if name.starts_with("commonware-") && version != Some("=2026.10.0") {
            broken.push(format!("{name} is not pinned to =2026.10.0: {value}"));
        }
    }
    none(&broken);
}

#[test]
fn nothing_else_lies_at_the_top() {
    let entries = fs::read_dir(root()).expect("the workspace");
    let names = entries.map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a name in ASCII")
    });
    let found: BTreeSet<_> = names
        .filter(|name| !NOT_OURS.contains(&name.as_str()))
        .collect();
    let wanted: BTreeSet<_> = TOP.iter().map(ToString::to_string).collect();
    assert_eq!(found, wanted);
}

#[test]
fn files_are_short() {
    let mut broken = Vec::new();
    let mut long = BTreeSet::new();
    for source in sources(&[".rs"]) {
        let lines = source.text.lines().count();
        let path = source.path;
        if lines > LINES_MAX {
            broken.push(format!("{path}: {lines} lines, {LINES_MAX} at most"));
        } else if lines > LINES && !LONG.contains(&path.as_str()) {
            broken.push(format!("{path}: {lines} lines, split it"));
        }
        if lines > LINES {
            long.insert(path);
        }
    }
    let short = LONG.iter().filter(|path| !long.contains(**path));
    broken.extend(short.map(|path| format!("{path}: no longer long, strike it from the list")));
    none(&broken);
}

#[test]
fn banned_words_stay_out() {
    let sources = sources(&[".rs"]);
    let mut broken = Vec::new();
    for (word, allowed) in BANNED {
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for source in &sources {
            let place = allowed
                .iter()
                .find(|place| source.path.starts_with(**place));
            let excused = RUNTIMES.contains(word) && source.is_test();
            for (line, code) in source.code().filter(|(_, code)| mentions(code, word)) {
                used.extend(place);
                if place.is_none() && !excused {
                    broken.push(format!("{}:{line}: {word}: {}", source.path, code.trim()));
                }
            }
        }
        let files = allowed.iter().filter(|place| place.ends_with(".rs"));
        let idle = files.filter(|place| !used.contains(*place));
        broken.extend(idle.map(|place| format!("{place}: no {word} there any more")));
    }
    for source in &sources {
        for (index, line) in source.text.lines().enumerate() {
            let words = BANNED_ANYWHERE.iter().filter(|word| line.contains(**word));
            broken.extend(words.map(|word| format!("{}:{}: {word}", source.path, index + 1)));
        }
    }
    none(&broken);
}

#[test]
fn every_exception_to_a_lint_has_a_reason() {
    let mut broken = Vec::new();
    for source in sources(&[".rs"]) {
        for (at, attribute) in source
            .text
            .match_indices("#[")
            .chain(source.text.match_indices("#!["))
        {
            let rest = &source.text[at + attribute.len()..];
            let body = rest.split(']').next().unwrap_or(rest);
            let excepts = body.contains("allow(") || body.contains("expect(");
            if excepts && !body.contains("reason = ") {
                let line = source.text[..at].lines().count() + 1;
                broken.push(format!("{}:{line}: #[{body}]", source.path));
            }
        }
    }
    none(&broken);
}

#[test]
fn states_are_pure() {
    let states: Vec<_> = sources(&[".rs"])
        .into_iter()
        .filter(Source::is_state)
        .collect();
    assert!(states.len() >= 5, "the states were not found");
    let mut broken = Vec::new();
    for source in &states {
        for (line, code) in source.code() {
            let words = IMPURE.iter().filter(|word| mentions(code, word));
            broken.extend(words.map(|word| format!("{}:{line}: {word}", source.path)));
        }
    }
    none(&broken);
}

#[test]
fn text_is_plain_ascii() {
    let mut broken = Vec::new();
    for source in sources(&[".rs", ".toml", ".md", ".sh", ".ci/run"]) {
        for (index, line) in source.text.lines().enumerate() {
            if let Some(odd) = line.chars().find(|it| !it.is_ascii()) {
                broken.push(format!("{}:{}: {odd:?}", source.path, index + 1));
            }
        }
    }
    none(&broken);
}
