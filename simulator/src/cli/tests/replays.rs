use super::{Place, sim, text};
use crate::{
    Capsule,
    campaign::{Exit, toy::Toy},
};
use std::fs;

#[test]
fn a_replay_prints_the_seed_every_option_the_story_and_the_failure() {
    let place = Place::new();
    let said = sim(&["replay", text(&place.forgetful())]);
    assert_eq!(said.exit, Exit::Safety);
    assert!(
        said.out.starts_with("seed 7 of scenario \"forget\""),
        "{}",
        said.out
    );
    let positions = [
        "Forgets",
        "kill node 2",
        "booted",
        "Poked",
        "the poke was forgotten",
    ]
    .map(|word| {
        said.out
            .find(word)
            .unwrap_or_else(|| panic!("no {word}: {}", said.out))
    });
    assert!(positions.is_sorted(), "plan, story, failure: {}", said.out);
    assert!(!said.out.contains("NOT the run"), "{}", said.out);
    assert_eq!(
        said.last_line(),
        format!("drystone-sim replay {}", text(&place.forgetful()))
    );
}

#[test]
fn a_replay_of_a_seed_is_the_run_of_the_seed() {
    let place = Place::new();
    let json = place.path("report.json");
    place.sim(&[
        "run",
        "--scenario",
        "sound",
        "--seed",
        "0x10",
        "--traces",
        "--json",
        text(&json),
    ]);
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(json).expect("a report")).expect("JSON");
    let said = sim(&["replay", "--scenario", "sound", "--seed", "16"]);
    assert_eq!(said.exit, Exit::Held);
    let hash = report["traces"][0]["trace_hash"].as_str().expect("a hash");
    assert!(
        said.out
            .contains(&format!("trace {hash}\neverything held\n")),
        "{}",
        said.out
    );
}

#[test]
fn a_capsule_whose_trace_differs_now_says_so() {
    let place = Place::new();
    let path = place.forgetful();
    let mut capsule = Capsule::<Toy>::read(&path).expect("a capsule");
    let recorded = "0123456789abcdef0123456789abcdef";
    capsule.trace_hash = recorded.parse().expect("a hash");
    capsule
        .write(&path)
        .expect("a file in the test's directory");
    let said = sim(&["replay", text(&path)]);
    assert_eq!(said.exit, Exit::Safety, "the status is the run's");
    assert!(
        said.out.contains(&format!(
            "this is NOT the run of the capsule: its trace was {recorded}"
        )),
        "{}",
        said.out
    );
}

#[test]
fn a_replay_can_be_cut_to_a_time_and_a_node() {
    let place = Place::new();
    let path = place.forgetful();
    let story = |args: &[&str]| {
        let said = sim(&[&["replay", text(&path)], args].concat());
        assert_eq!(
            said.exit,
            Exit::Safety,
            "what is left out of the story still happened"
        );
        let lines = said
            .out
            .lines()
            .filter(|line| line.contains('#'))
            .map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    let (all, early, of_two) = (
        story(&[]),
        story(&["--until", "2500ms"]),
        story(&["--node", "2"]),
    );
    assert!(early.len() < all.len() && all.starts_with(&early));
    assert!(early.iter().all(|line| line.trim_start() < "2.5"));
    assert!(!of_two.is_empty() && of_two.len() < all.len());
    assert!(
        of_two.iter().all(|line| line.contains("node 2")),
        "{of_two:?}"
    );
}
