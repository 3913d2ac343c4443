use super::{Place, sim, text};
use crate::{campaign::Exit, cli::args::Cli};
use clap::CommandFactory as _;
use std::fs;

/// The command is refused with status 2, nothing on standard output, and these words.
fn refused(args: &[&str], words: &[&str]) {
    let said = sim(args);
    assert_eq!(said.exit, Exit::Usage, "{args:?}: {}", said.out);
    assert_eq!(said.out, "", "{args:?}");
    for word in words {
        assert!(
            said.err.contains(word),
            "{args:?} lacks {word}: {}",
            said.err
        );
    }
}

#[test]
fn wrong_arguments_are_refused_with_what_would_be_right() {
    refused(
        &["run", "--scenario", "none"],
        &["`none`", "toy/sound", "toy/forget"],
    );
    refused(&["--seeds", "9..5"], &["9..5", "B must be larger than A"]);
    refused(&["--seeds", "5"], &["A..B"]);
    refused(&["run", "--seed", "ten"], &["`ten` is not a seed"]);
    refused(
        &["run", "--seed", "1", "--seeds", "0..4"],
        &["exclude each other"],
    );
    refused(&["run", "--jobs", "0"], &["--jobs"]);
    refused(
        &["run", "--check-determinism", "2"],
        &["`2` is not a share"],
    );
    refused(
        &["run", "--time-limit", "soon"],
        &["`soon` is not a length of time"],
    );
    refused(&["run", "--traces"], &["--json"]);
    refused(
        &["run", "--json", "/nowhere/report.json"],
        &["cannot write /nowhere/report.json"],
    );
    refused(&["replay"], &["--seed N"]);
    refused(
        &["replay", "--seed", "1", "--log", "a=b=c"],
        &["--log a=b=c"],
    );
    refused(&["fly"], &["fly"]);
}

#[test]
fn unreadable_capsules_are_refused_with_the_reason() {
    let place = Place::new();
    let written = fs::read_to_string(place.forgetful()).expect("a capsule");
    let file = |name: &str, content: &str| {
        let path = place.path(name);
        fs::write(&path, content).expect("a file in the test's directory");
        text(&path).to_owned()
    };
    let broken = [
        (
            text(&place.path("missing.json")).to_owned(),
            "cannot read the capsule",
        ),
        (file("garbage.json", "not JSON"), "not a capsule"),
        (file("empty.json", "{}"), "not a capsule"),
        (
            file("torn.json", &written[..written.len() / 2]),
            "not a capsule",
        ),
        (
            file("foreign.json", &written.replace("\"toy\"", "\"ship\"")),
            "no scenario `ship/forget`",
        ),
        (
            file(
                "future.json",
                &written.replacen("\"version\": 1", "\"version\": 999", 1),
            ),
            "version 999",
        ),
        (
            file("odd.json", &written.replace("\"faults\"", "\"surprises\"")),
            "surprises",
        ),
    ];
    for (path, reason) in &broken {
        refused(&["replay", path], &[reason]);
        refused(&["shrink", path], &[reason]);
    }
    let path = place.forgetful();
    refused(&["replay", text(&path), "--seed", "1"], &["not both"]);
}

#[test]
fn help_and_version_are_no_failures() {
    for args in [&["--help"][..], &["run", "--help"], &["--version"]] {
        let said = sim(args);
        assert_eq!((said.exit, &*said.err), (Exit::Held, ""));
        assert!(!said.out.is_empty());
    }
    assert!(
        sim(&["--help"])
            .out
            .contains("13 the same seed ran two ways")
    );
}

#[test]
fn the_list_names_everything() {
    let said = sim(&["list"]);
    assert_eq!(said.exit, Exit::Held);
    let sentence = "remembers: a node that was restarted answers a poke as before";
    for word in [
        "toy/sound (run when none is named)",
        "toy/leak",
        sentence,
        "goes on: ",
        "unheard",
        "crash restarting",
    ] {
        assert!(said.out.contains(word), "no {word}: {}", said.out);
    }
}

#[test]
fn the_environment_mirrors_what_it_is_said_to() {
    let command = Cli::command();
    for name in [None, Some("run")] {
        let command = name.map_or(&command, |name| {
            command.find_subcommand(name).expect("a command")
        });
        let mirrored = |id: &str| {
            let argument = command
                .get_arguments()
                .find(|argument| argument.get_id() == id)
                .expect("an argument");
            argument
                .get_env()
                .expect("a mirror")
                .to_str()
                .expect("plain letters")
                .to_owned()
        };
        let ids = ["seed", "seeds", "jobs", "check_determinism", "time_limit"];
        assert_eq!(
            ids.map(mirrored),
            [
                "DRYSTONE_SEED",
                "DRYSTONE_SEEDS",
                "DRYSTONE_JOBS",
                "DRYSTONE_CHECK_DETERMINISM",
                "DRYSTONE_TIME_LIMIT"
            ]
        );
    }
}
