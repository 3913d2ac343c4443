//! `run`: sweep seeds, judge, report.

use super::{Console, Usage, args, choose, table};
use crate::campaign::{Exit, Registry, Report, Sweep, full_name};
use clap::ArgMatches;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{fs::File, num::NonZero, thread};

pub(super) fn run(
    registry: &Registry,
    args: &args::Run,
    matches: &ArgMatches,
    program: &str,
    console: &mut Console<'_>,
) -> Result<Exit, Usage> {
    let seeds = choose::seeds(&args.choice, matches)?;
    let scenario = registry.find(args.scenario.as_deref()).map_err(Usage::of)?;
    // Before the sweep: an hour of seeds must not end in a path that cannot be written.
    let json = match &args.json {
        None => None,
        Some(path) => Some(
            File::create(path)
                .map_err(|error| Usage(format!("cannot write {}: {error}", path.display())))?,
        ),
    };
    let sweep = Sweep {
        seeds,
        jobs: args.jobs.unwrap_or_else(cores),
        time_limit: args.time_limit,
        check_determinism: args.check_determinism,
        traces: args.traces,
        capsules: Some(args.capsules.clone()),
        program: program.to_owned(),
    };
    console.say(&format_args!(
        "scenario {}\nseeds {}, {} at a time\n",
        full_name(scenario),
        sweep.seeds,
        sweep.jobs
    ));
    let bar = progress_bar(sweep.seeds.count(), console);
    let swept = sweep.run(scenario, |report| show_progress(&bar, report));
    bar.finish_and_clear();
    console.say(&table::of(&swept, scenario, console.colours));
    if let (Some(file), Some(path)) = (json, &args.json) {
        serde_json::to_writer_pretty(file, &swept.report)
            .map_err(|error| Usage(format!("cannot write {}: {error}", path.display())))?;
    }
    Ok(swept.report.exit())
}

fn cores() -> u16 {
    thread::available_parallelism().map_or(1, |cores| {
        u16::try_from(NonZero::get(cores)).unwrap_or(u16::MAX)
    })
}

fn progress_bar(seeds: u64, console: &Console<'_>) -> ProgressBar {
    let target = if console.progress {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template(
        "[{elapsed_precise}] {wide_bar} {pos}/{len} seeds, {msg}, {eta} left",
    )
    .expect("the template is a constant");
    ProgressBar::with_draw_target(Some(seeds), target).with_style(style)
}

fn show_progress(bar: &ProgressBar, report: &Report) {
    bar.set_position(report.seeds.count);
    bar.set_message(format!("{} failed", report.failed));
}
