use super::{Place, sim, text};
use crate::{
    campaign::{Exit, Rate, Registry, Report, Sweep, Swept, toy::Toy},
    cli::table,
};
use serde_json::Value;
use std::fs;

fn report(place: &Place, args: &[&str]) -> (Exit, Value) {
    let path = place.path("report.json");
    let said = place.sim(&[&["run", "--json", text(&path)], args].concat());
    let text = fs::read_to_string(&path).expect("the report was written");
    (
        said.exit,
        serde_json::from_str(&text).expect("the report is JSON"),
    )
}

#[test]
fn each_kind_of_failure_has_its_exit_status() {
    let place = Place::new();
    let exit = |scenario, args: &[&str]| {
        place
            .sim(&[&["run", "--seeds", "0..40", "--scenario", scenario], args].concat())
            .exit
    };
    assert_eq!(exit("sound", &["--check-determinism", "1"]), Exit::Held);
    assert_eq!(exit("forget", &[]), Exit::Safety);
    assert_eq!(exit("stall", &[]), Exit::Liveness);
    assert_eq!(exit("trip", &[]), Exit::Panic);
    assert_eq!(
        exit("leak", &["--check-determinism", "10%"]),
        Exit::Nondeterminism
    );
}

#[test]
fn without_arguments_200_seeds_of_the_first_scenario_are_swept() {
    let said = sim(&[]);
    assert_eq!(said.exit, Exit::Held);
    assert!(
        said.out.starts_with("scenario toy/sound\nseeds 0..200, "),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("200 seeds: 200 passed, 0 failed"),
        "{}",
        said.out
    );
    assert_eq!(said.err, "", "no progress bar where there is no terminal");
}

#[test]
fn the_table_tells_pass_fail_and_miss_apart() {
    let place = Place::new();
    let said = place.sim(&["run", "--scenario", "forget", "--seeds", "0..40"]);
    let row = |name: &str| {
        let row = said
            .out
            .lines()
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("no {name}: {}", said.out));
        ["PASS", "FAIL", "MISS"]
            .into_iter()
            .filter(|verdict| row.contains(verdict))
            .collect::<Vec<_>>()
    };
    assert_eq!(row("remembers"), ["FAIL"]);
    assert_eq!(row("goes on"), ["PASS"]);
    assert_eq!(row("no panic"), ["PASS"]);
    assert_eq!(row("never asked"), ["MISS"]);
    assert_eq!(row("unheard"), ["MISS"]);
    assert!(
        !said.out.contains("poked (never"),
        "what was observed has no such row: {}",
        said.out
    );
    assert!(
        !said.out.contains('\u{1b}'),
        "no colours outside a terminal"
    );
}

#[test]
fn the_json_has_exactly_the_fields_of_the_contract() {
    let place = Place::new();
    let (exit, report) = report(
        &place,
        &[
            "--scenario",
            "forget",
            "--seeds",
            "0x0..40",
            "--check-determinism",
            "0.1",
        ],
    );
    assert_eq!(exit, Exit::Safety);
    let keys = |value: &Value| {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut expected = vec![
        "scenario",
        "version",
        "seeds",
        "passed",
        "failed",
        "failures",
        "simulated_seconds",
        "wall_seconds",
        "ratio",
        "deliveries",
        "deliveries_per_second",
        "determinism",
        "properties",
        "observations",
    ];
    expected.sort_unstable();
    assert_eq!(keys(&report), expected);
    assert_eq!(
        report["seeds"],
        serde_json::json!({ "first": 0, "last": 39, "count": 40 })
    );
    assert_eq!(
        report["determinism"],
        serde_json::json!({ "checked": 4, "mismatched": 0 })
    );
    assert_eq!(
        keys(&report["properties"]["remembers"]),
        ["checked", "violated"]
    );
    assert!(report["observations"]["poked"].as_u64() > Some(0));
    assert_eq!(report["observations"]["unheard"], 0);

    let failures = report["failures"].as_array().expect("a list");
    assert_eq!(report["failed"], failures.len());
    assert_eq!(report["passed"], 40 - failures.len());
    let failure = &failures[0];
    let mut expected = vec![
        "seed",
        "kind",
        "property",
        "node",
        "at_us",
        "trace_hash",
        "capsule",
        "replay",
    ];
    expected.sort_unstable();
    assert_eq!(keys(failure), expected);
    assert_eq!(
        (&failure["kind"], &failure["property"]),
        (&"safety".into(), &"remembers".into())
    );
    assert!(failure["node"].is_u64() && failure["at_us"].is_u64());
    assert_eq!(
        failure["replay"],
        format!(
            "drystone-sim replay --scenario toy/forget --seed {}",
            failure["seed"]
        )
    );
    let capsule = failure["capsule"].as_str().expect("a file");
    assert!(fs::exists(capsule).expect("the test's directory can be looked at"));
}

#[test]
fn traces_are_there_when_asked_for() {
    let place = Place::new();
    let (_, report) = report(&place, &["--seeds", "5..8", "--traces"]);
    let traces = report["traces"].as_array().expect("a list");
    assert_eq!(
        traces
            .iter()
            .map(|trace| trace["seed"].as_u64())
            .collect::<Vec<_>>(),
        [Some(5), Some(6), Some(7)]
    );
    assert!(traces.iter().all(|trace| {
        trace["trace_hash"]
            .as_str()
            .is_some_and(|hash| hash.len() == 32)
    }));
    assert_ne!(traces[0]["trace_hash"], traces[1]["trace_hash"]);
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let place = Place::new();
    let run = |jobs: &str| {
        let args = [
            "--scenario",
            "forget",
            "--seeds",
            "0..60",
            "--traces",
            "--check-determinism",
            "0.5",
            "--jobs",
            jobs,
        ];
        let (exit, report) = report(&place, &args);
        let report: Report = serde_json::from_value(report).expect("a report reads back");
        (
            exit,
            Report {
                wall_seconds: 0.0,
                ratio: 0.0,
                deliveries_per_second: 0.0,
                ..report
            },
        )
    };
    let alone = run("1");
    assert!(!alone.1.failures.is_empty());
    assert!(alone.1.failures.is_sorted_by_key(|failure| failure.seed));
    assert_eq!(alone, run("2"));
    assert_eq!(alone, run("7"));
}

#[test]
fn the_last_line_is_a_command_that_shows_the_failure() {
    let place = Place::new();
    for scenario in ["forget", "stall", "trip"] {
        let said = place.sim(&["run", "--scenario", scenario, "--seeds", "0..40"]);
        let command: Vec<&str> = said.last_line().split(' ').collect();
        assert_eq!(command[..2], ["drystone-sim", "replay"]);
        assert_eq!(sim(&command[1..]).exit, said.exit, "{scenario}");
    }
}

#[test]
fn seeds_that_fail_alike_are_told_together() {
    let place = Place::new();
    let args = [
        "run",
        "--scenario",
        "leak",
        "--seeds",
        "0..30",
        "--check-determinism",
        "1",
    ];
    let said = place.sim(&args);
    let alike = "nondeterminism failure of \"same trace\" in seeds 0 1 2 3 4 5 6 7 8 9 and 20 more\n  seed 0 at ";
    assert!(said.out.contains(alike), "{}", said.out);
    assert_eq!(
        said.out.matches("--seed ").count(),
        1,
        "one command for one kind: {}",
        said.out
    );
}

#[test]
fn a_seed_that_runs_two_ways_is_told_with_the_command_that_shows_it() {
    let place = Place::new();
    let (exit, report) = report(
        &place,
        &[
            "--scenario",
            "leak",
            "--seed",
            "3",
            "--check-determinism",
            "1",
        ],
    );
    assert_eq!(exit, Exit::Nondeterminism);
    assert_eq!(
        report["determinism"],
        serde_json::json!({ "checked": 1, "mismatched": 1 })
    );
    assert_eq!(
        (&report["passed"], &report["failed"]),
        (&0.into(), &1.into())
    );
    let failure = &report["failures"][0];
    assert_eq!(failure["kind"], "nondeterminism");
    let command = "drystone-sim run --scenario toy/leak --seed 3 --check-determinism 1";
    assert_eq!(failure["replay"], command);
    assert_eq!(
        place
            .sim(&command.split(' ').skip(1).collect::<Vec<_>>())
            .exit,
        Exit::Nondeterminism
    );
}

#[test]
fn a_spent_time_limit_still_runs_one_seed_and_says_how_many() {
    let place = Place::new();
    let (exit, report) = report(
        &place,
        &["--seeds", "10..1000000", "--time-limit", "0", "--jobs", "1"],
    );
    assert_eq!(exit, Exit::Held);
    assert_eq!(
        report["seeds"],
        serde_json::json!({ "first": 10, "last": 10, "count": 1 })
    );
}

#[test]
fn a_directory_that_takes_no_capsules_is_told_and_ends_nothing() {
    let place = Place::new();
    let file = place.forgetful();
    let args = [
        "run",
        "--scenario",
        "forget",
        "--seeds",
        "0..40",
        "--capsules",
        text(&file),
    ];
    let said = sim(&args);
    assert_eq!(said.exit, Exit::Safety);
    assert!(said.out.contains("40 seeds: "), "{}", said.out);
    assert!(
        said.out.contains(&format!("cannot write {}", text(&file))),
        "{}",
        said.out
    );
    assert!(!said.out.contains("  capsule "), "{}", said.out);
}

fn swept(scenario: &str) -> Swept {
    let registry = Registry::new().with::<Toy>();
    let sweep = Sweep {
        seeds: (0..40).into(),
        jobs: 1,
        time_limit: None,
        check_determinism: Rate::NONE,
        traces: false,
        capsules: None,
        program: "drystone-sim".into(),
    };
    sweep.run(
        registry.find(Some(scenario)).expect("the toy has it"),
        |_| (),
    )
}

fn shown(swept: &Swept, colours: bool) -> String {
    let registry = Registry::new().with::<Toy>();
    table::of(
        swept,
        registry.find(None).expect("the toy has scenarios"),
        colours,
    )
}

#[test]
fn of_several_kinds_of_failure_the_gravest_comes_last() {
    let (mut safety, liveness) = (swept("forget"), swept("stall"));
    assert!(!safety.report.failures.is_empty() && !liveness.report.failures.is_empty());
    safety.report.failures.extend(liveness.report.failures);
    let text = shown(&safety, false);
    let place = |words| {
        text.find(words)
            .unwrap_or_else(|| panic!("no {words}: {text}"))
    };
    assert!(place("liveness failure of") < place("safety failure of"));
    assert!(
        text.lines()
            .last()
            .is_some_and(|line| line.contains("toy/forget"))
    );
    assert_eq!(safety.report.exit(), Exit::Safety);
}

#[test]
fn colours_are_for_those_who_want_them() {
    let swept = swept("sound");
    let has_colours = |colours| shown(&swept, colours).contains('\u{1b}');
    assert!(has_colours(true));
    assert!(!has_colours(false));
}
