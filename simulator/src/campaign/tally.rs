//! The sums of a sweep.

use super::{
    Determinism, FailureLine, Kind, PropertyLine, Report, Run, Runnable, SeedsRun, Swept,
    TraceLine, full_name,
};
use crate::TraceHash;
use std::{path::PathBuf, time::Duration};

/// The name under which a seed that ran two ways counts as a violated property.
pub const SAME_TRACE: &str = "same trace";

/// Adds up what the seeds of a sweep showed, in their order. Only failures, and traces if they are asked for, take
/// memory for each seed.
pub(super) struct Tally {
    report: Report,
    simulated_us: u128,
    load_milli: u128,
    capsule_refused: Option<String>,
}

impl Tally {
    pub(super) fn new(scenario: &dyn Runnable, first: u64, traces: bool) -> Self {
        let report = Report {
            scenario: full_name(scenario),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seeds: SeedsRun {
                first,
                last: first,
                count: 0,
            },
            passed: 0,
            failed: 0,
            failures: Vec::new(),
            simulated_seconds: 0.0,
            wall_seconds: 0.0,
            ratio: 0.0,
            deliveries: 0,
            deliveries_per_second: 0.0,
            determinism: Determinism::default(),
            properties: scenario
                .properties()
                .into_iter()
                .map(|it| (it.name, PropertyLine::default()))
                .collect(),
            observations: scenario
                .observation_kinds()
                .iter()
                .map(|kind| ((*kind).to_owned(), 0))
                .collect(),
            traces: traces.then(Vec::new),
        };
        Self {
            report,
            simulated_us: 0,
            load_milli: 0,
            capsule_refused: None,
        }
    }

    pub(super) fn report(&self) -> &Report {
        &self.report
    }

    pub(super) fn add(&mut self, seed: u64, run: Run, capsule: Option<PathBuf>, replay: String) {
        let Run {
            outcome,
            load_milli,
        } = run;
        let report = &mut self.report;
        report.seeds.last = seed;
        report.seeds.count += 1;
        report.deliveries += outcome.deliveries;
        self.simulated_us += u128::from(outcome.simulated_us);
        self.load_milli += u128::from(load_milli);
        for (name, sums) in outcome.properties {
            let line = report.properties.entry(name).or_default();
            line.checked += sums.checked;
            line.violated += sums.violated;
        }
        for (kind, count) in outcome.observations {
            *report.observations.entry(kind).or_default() += count;
        }
        if let Some(traces) = &mut report.traces {
            traces.push(TraceLine {
                seed,
                trace_hash: outcome.trace_hash.to_string(),
            });
        }
        match outcome.failure {
            None => report.passed += 1,
            Some(failure) => {
                report.failed += 1;
                report.failures.push(FailureLine {
                    seed,
                    kind: failure.kind.into(),
                    property: failure.property,
                    node: failure.node,
                    at_us: failure.at_us,
                    trace_hash: outcome.trace_hash.to_string(),
                    capsule,
                    replay,
                    message: failure.message,
                });
            }
        }
    }

    /// Takes note that the seed added last was run a second time.
    pub(super) fn compare(
        &mut self,
        seed: u64,
        first: TraceHash,
        second: TraceHash,
        command: String,
    ) {
        let report = &mut self.report;
        report.determinism.checked += 1;
        if first == second {
            return;
        }
        report.determinism.mismatched += 1;
        if report
            .failures
            .last()
            .is_none_or(|failure| failure.seed != seed)
        {
            report.passed -= 1;
            report.failed += 1;
        }
        report.failures.push(FailureLine {
            seed,
            kind: Kind::Nondeterminism,
            property: SAME_TRACE.to_owned(),
            node: None,
            at_us: 0,
            trace_hash: first.to_string(),
            capsule: None,
            replay: command,
            message: format!("the first run's trace is {first}, the second run's is {second}"),
        });
    }

    /// Takes note that a capsule could not be written. The first reason tells enough.
    pub(super) fn refuse_capsule(&mut self, reason: String) {
        self.capsule_refused.get_or_insert(reason);
    }

    pub(super) fn finish(self, wall: Duration) -> Swept {
        let Self {
            mut report,
            simulated_us,
            load_milli,
            capsule_refused,
        } = self;
        // Reports may be rough where runs may not: these numbers are for people and go back into no draw.
        let per_wall_second = |amount: f64| {
            if wall.is_zero() {
                0.0
            } else {
                amount / wall.as_secs_f64()
            }
        };
        report.simulated_seconds = simulated_us as f64 / 1e6;
        report.wall_seconds = wall.as_secs_f64();
        report.ratio = per_wall_second(report.simulated_seconds);
        report.deliveries_per_second = per_wall_second(report.deliveries as f64);
        let mean_load = load_milli / u128::from(report.seeds.count.max(1));
        Swept {
            mean_load_milli: u64::try_from(mean_load).expect("a mean of words is a word"),
            capsule_refused,
            report,
        }
    }
}
