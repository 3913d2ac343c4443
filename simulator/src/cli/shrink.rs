//! `shrink`: the smallest plan with the same failure.

use super::{Console, Usage, args, choose};
use crate::{
    campaign::{Exit, Kind, Registry, Stopwatch},
    shrink::{Budget, Shrunk, Size},
    time::show,
};
use clap::ArgMatches;
use std::{fs, path::Path};

/// Lines of the story that are printed: how it begins, the failure follows. All of it is one replay away.
const STORY_LINES: usize = 40;

pub(super) fn shrink(
    registry: &Registry,
    args: &args::Shrink,
    matches: &ArgMatches,
    program: &str,
    console: &mut Console<'_>,
) -> Result<Exit, Usage> {
    let (scenario, source) = choose::world(registry, &args.subject, matches)?;
    let stem = source.stem(scenario);
    // Shrinking again what was shrunk replaces it.
    let stem = stem.strip_suffix("-shrunk").unwrap_or(&stem);
    let path = args.capsules.join(format!("{stem}-shrunk.json"));
    let stopwatch = Stopwatch::start();
    let stop = || {
        args.time_limit
            .is_some_and(|limit| stopwatch.elapsed() >= limit)
    };
    let mut budget = Budget::new(args.tries, &stop);
    let replay = format!("{program} replay {}", path.display());
    let Some(shrunk) = scenario
        .shrink(source.world(), &replay, &mut budget)
        .map_err(Usage::of)?
    else {
        console.say(&"everything held: there is no failure to shrink\n");
        return Ok(Exit::Held);
    };
    write(&path, &shrunk.capsule)?;
    console.say(&as_text(&shrunk, budget.tries(), &path, &replay));
    let failure = shrunk.outcome.failure.expect("what is shrunk has failed");
    Ok(Kind::from(failure.kind).exit())
}

fn write(path: &Path, text: &str) -> Result<(), Usage> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Usage(format!("cannot write {}: {error}", path.display())))
}

fn as_text(shrunk: &Shrunk, tries: u32, path: &Path, replay: &str) -> String {
    let mut text = format!("{}\n", shrunk.plan);
    let story = &shrunk.outcome.story;
    for line in story.iter().take(STORY_LINES) {
        text += &format!("{line}\n");
    }
    if story.len() > STORY_LINES {
        text += "... the replay tells the rest ...\n";
    }
    let end = if shrunk.minimal {
        "nothing more can be left out"
    } else {
        "the budget ended the search"
    };
    text += &format!(
        "\n{} became\n{} in {tries} tries; {end}\n",
        size(shrunk.before),
        size(shrunk.after)
    );
    if let Some(failure) = &shrunk.outcome.failure {
        text += &format!("{failure}\n");
    }
    text + &format!("  capsule {}\n{replay}\n", path.display())
}

fn size(size: Size) -> String {
    let Size {
        nodes,
        faults,
        actions,
        safety_us,
    } = size;
    format!(
        "{nodes} nodes, {faults} faults, {actions} actions, {} of safety phase",
        show(safety_us)
    )
}
