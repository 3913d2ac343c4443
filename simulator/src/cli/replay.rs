//! `replay`: one world, told.

use super::{Console, Usage, args, choose};
use crate::{
    Recording,
    campaign::{Exit, Kind, Registry, Told},
};
use clap::ArgMatches;
use tracing_subscriber::{EnvFilter, fmt};

pub(super) fn replay(
    registry: &Registry,
    args: &args::Replay,
    matches: &ArgMatches,
    program: &str,
    console: &mut Console<'_>,
) -> Result<Exit, Usage> {
    let (scenario, source) = choose::world(registry, &args.subject, matches)?;
    let until_us = match args.until {
        None => None,
        Some(until) => Some(u64::try_from(until.as_micros()).map_err(Usage::of)?),
    };
    let recording = Recording {
        first: usize::MAX,
        node: args.node,
        until_us,
        refusals: true,
        ..Recording::off()
    };
    let tell = || scenario.tell(source.world(), recording);
    let told = match &args.log {
        None => tell(),
        Some(filter) => with_log(filter, tell)?,
    };
    let told = told.map_err(Usage::of)?;
    let command = source.command(program, scenario);
    console.say(&told_as_text(&told, &command));
    Ok(told
        .outcome
        .failure
        .map_or(Exit::Held, |failure| Kind::from(failure.kind).exit()))
}

/// Prints the nodes' log lines while the world runs. A world stays on this thread, and so does the subscriber.
fn with_log<T>(filter: &str, body: impl FnOnce() -> T) -> Result<T, Usage> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| Usage(format!("--log {filter}: {error}")))?;
    // Wall times would differ between two runs of one world.
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .without_time()
        .finish();
    Ok(tracing::subscriber::with_default(subscriber, body))
}

fn told_as_text(told: &Told, command: &str) -> String {
    let mut text = format!("{}\n", told.plan);
    for line in &told.outcome.story {
        text += line;
        text += "\n";
    }
    text += &format!("\ntrace {}\n", told.outcome.trace_hash);
    if let Some(recorded) = told
        .recorded
        .filter(|recorded| *recorded != told.outcome.trace_hash)
    {
        text += &format!(
            "this is NOT the run of the capsule: its trace was {recorded}. The program, or a library below it, has \
             changed since, or the world is not deterministic (run it with --check-determinism 1)\n"
        );
    }
    match &told.outcome.failure {
        None => text += "everything held\n",
        Some(failure) => text += &format!("{failure}\n{command}\n"),
    }
    text
}
