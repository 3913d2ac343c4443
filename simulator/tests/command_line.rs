//! The binary itself: its exit status, and its mirrors in the environment. What needs a scenario is tested in the
//! library, against a system made for it.

use std::process::{Command, Output};

fn sim(environment: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drystone-sim"));
    command.args(args).envs(environment.iter().copied());
    command.output().expect("the binary starts")
}

/// The command ends with status 2 and these words on standard error.
fn refused(environment: &[(&str, &str)], args: &[&str], words: &str) {
    let output = sim(environment, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.code(),
        Some(2),
        "{environment:?} {args:?}: {said}"
    );
    assert!(
        said.contains(words),
        "{environment:?} {args:?} lacks {words}: {said}"
    );
}

#[test]
fn the_environment_is_read_and_checked_like_the_command_line() {
    for args in [&[][..], &["run"]] {
        refused(&[("DRYSTONE_SEED", "ten")], args, "`ten` is not a seed");
        refused(
            &[("DRYSTONE_SEEDS", "9..5")],
            args,
            "B must be larger than A",
        );
        refused(&[("DRYSTONE_JOBS", "0")], args, "--jobs");
        refused(
            &[("DRYSTONE_CHECK_DETERMINISM", "2")],
            args,
            "`2` is not a share",
        );
        refused(
            &[("DRYSTONE_TIME_LIMIT", "soon")],
            args,
            "`soon` is not a length of time",
        );
        refused(
            &[("DRYSTONE_SEED", "1"), ("DRYSTONE_SEEDS", "0..2")],
            args,
            "set one of them",
        );
    }
}

#[test]
fn the_command_line_is_stronger_than_the_environment() {
    let environment = [("DRYSTONE_SEED", "1"), ("DRYSTONE_SEEDS", "0..2")];
    // Past the choice of seeds, it is the scenario that is not found.
    refused(
        &environment,
        &["run", "--seeds", "0..2", "--scenario", "none"],
        "scenario",
    );
    refused(
        &environment,
        &["run", "--seed", "1", "--scenario", "none"],
        "scenario",
    );
    refused(
        &environment[..1],
        &["run", "--seeds", "0..2", "--scenario", "none"],
        "scenario",
    );
    refused(
        &environment[..1],
        &["replay", "missing.json"],
        "cannot read the capsule missing.json",
    );
    refused(
        &environment[..1],
        &["replay", "missing.json", "--seed", "1"],
        "not both",
    );
}

#[test]
fn a_list_is_no_failure_whatever_the_environment_says() {
    let output = sim(&[("DRYSTONE_SEEDS", "0..2"), ("NO_COLOR", "1")], &["list"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("crash restarting"));
}
