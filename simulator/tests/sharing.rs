//! What the main job and the tests share: every dependency, compiled once. Cargo compiles a crate again for other features,
//! and with it all that depends on it, up to the simulator, which takes longer than everything else.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

/// The packages that a command compiles, each with every set of features it is compiled with.
fn compiled(select: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["tree", "--offline", "--locked"]);
    cargo.args(["--prefix", "none", "--format", "{p}|{f}"]);
    let output = cargo.args(select).output().expect("cargo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{select:?}: {said}");
    let tree = String::from_utf8(output.stdout).expect("text in UTF-8");
    let mut packages = BTreeMap::<_, BTreeSet<_>>::new();
    for (package, features) in tree.lines().filter_map(|line| line.split_once('|')) {
        // A mark for what stands further up.
        let features = features.trim_end_matches(" (*)");
        let sets = packages.entry(package.to_owned()).or_default();
        sets.insert(features.to_owned());
    }
    packages
}

/// Bugs can be planted, and signatures without secrets be used, in what the simulator and the fuzz targets run. A node that is built to
/// be deployed is built by itself, and has neither.
#[test]
fn a_deployed_node_is_built_without_what_only_tests_need() {
    for node in ["kv", "ledger"] {
        let compiled = compiled(&["-p", node, "-e", "normal,build"]);
        let ours = compiled
            .iter()
            .filter(|(it, _)| it.starts_with("drystone-"));
        let ours: Vec<_> = ours.collect();
        assert_eq!(
            ours.len(),
            2,
            "{node} is of the engine and the actors: {ours:?}"
        );
        let none = BTreeSet::from([String::new()]);
        let with: Vec<_> = ours.iter().filter(|(_, it)| **it != none).collect();
        assert!(with.is_empty(), "{node} is compiled with {with:?}");
    }
}

#[test]
fn the_main_job_and_the_tests_compile_the_same_dependencies() {
    let main = compiled(&["-p", "drystone-simulator", "-e", "normal,build"]);
    let tests = compiled(&["--workspace", "-e", "normal,build,dev"]);
    assert!(main.len() > 100, "the dependencies were not found");
    let apart = main.iter().filter(|(name, sets)| tests[*name] != **sets);
    let apart: Vec<_> = apart
        .map(|(name, sets)| format!("{name}: {sets:?}, but for the tests {:?}", tests[name]))
        .collect();
    assert!(
        apart.is_empty(),
        "compiled twice: name them in simulator/Cargo.toml with the features of the tests\n{}\n",
        apart.join("\n")
    );
}
