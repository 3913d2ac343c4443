//! Many seeds on many threads, one report.

use super::{
    Rate, Report, Run, Runnable, Seeds, capsule_stem, clock::Stopwatch, full_name, pool,
    tally::Tally,
};
use crate::TraceHash;
use std::{fs, path::PathBuf, time::Duration};

/// How many failures get a capsule. A change that breaks every seed must not fill the disk; the first ones tell.
const CAPSULES_MAX: usize = 100;

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The seeds.
    pub seeds: Seeds,
    /// Threads, one world each at a time.
    pub jobs: u16,
    /// Wall time after which no seed is begun.
    pub time_limit: Option<Duration>,
    /// The share of the seeds that are run twice.
    pub check_determinism: Rate,
    /// Whether the report holds each seed's trace hash.
    pub traces: bool,
    /// Where the capsules of failures go; nowhere if `None`.
    pub capsules: Option<PathBuf>,
    /// The program's name, as one would paste it.
    pub program: String,
}

/// What a sweep found, and what its report does not hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Swept {
    /// The report.
    pub report: Report,
    /// The load of the mean seed, in thousandths of the scenario's load unit.
    pub mean_load_milli: u64,
    /// Why a capsule was not written, of the first that was not. Its seed replays without it.
    pub capsule_refused: Option<String>,
}

/// What one thread brings back of one seed.
struct Finding {
    run: Run,
    /// The identity of the second run, if there was one.
    again: Option<TraceHash>,
}

impl Sweep {
    /// Runs the seeds. `watch` sees the growing report after every seed, in the order of the seeds.
    pub fn run(&self, scenario: &dyn Runnable, mut watch: impl FnMut(&Report)) -> Swept {
        let stopwatch = Stopwatch::start();
        let stop = || {
            self.time_limit
                .is_some_and(|limit| stopwatch.elapsed() >= limit)
        };
        let mut tally = Tally::new(scenario, self.seeds.first(), self.traces);
        let find = |index| self.find(scenario, index);
        pool::in_order(
            self.seeds.count(),
            self.jobs,
            stop,
            find,
            |index, finding| {
                self.add(&mut tally, scenario, self.seed(index), finding);
                watch(tally.report());
            },
        );
        tally.finish(stopwatch.elapsed())
    }

    fn seed(&self, index: u64) -> u64 {
        self.seeds
            .get(index)
            .expect("the pool stays within the count")
    }

    fn find(&self, scenario: &dyn Runnable, index: u64) -> Finding {
        let seed = self.seed(index);
        let run = scenario.run(seed);
        let again = self
            .check_determinism
            .chooses(index)
            .then(|| scenario.run(seed).outcome.trace_hash);
        Finding { run, again }
    }

    fn add(&self, tally: &mut Tally, scenario: &dyn Runnable, seed: u64, finding: Finding) {
        let Finding { run, again } = finding;
        let replay = self.replay(scenario, seed);
        let wanted = !run.outcome.passed() && tally.report().failures.len() < CAPSULES_MAX;
        let capsule = if wanted {
            self.pack(scenario, seed, &replay)
        } else {
            None
        };
        let capsule = capsule.and_then(|written| {
            written
                .map_err(|refusal| tally.refuse_capsule(refusal))
                .ok()
        });
        let hash = run.outcome.trace_hash;
        tally.add(seed, run, capsule, replay);
        if let Some(again) = again {
            let command = format!(
                "{} run --scenario {} --seed {seed} --check-determinism 1",
                self.program,
                full_name(scenario)
            );
            tally.compare(seed, hash, again, command);
        }
    }

    fn replay(&self, scenario: &dyn Runnable, seed: u64) -> String {
        format!(
            "{} replay --scenario {} --seed {seed}",
            self.program,
            full_name(scenario)
        )
    }

    /// Runs a failed seed again, for its story, and says where its capsule is, or why it is nowhere.
    fn pack(
        &self,
        scenario: &dyn Runnable,
        seed: u64,
        replay: &str,
    ) -> Option<Result<PathBuf, String>> {
        let directory = self.capsules.as_ref()?;
        let text = scenario.pack(seed, replay)?;
        let path = directory.join(format!("{}.json", capsule_stem(scenario, seed)));
        let written = fs::create_dir_all(directory).and_then(|()| fs::write(&path, text));
        Some(match written {
            Ok(()) => Ok(path),
            Err(error) => Err(format!("cannot write {}: {error}", path.display())),
        })
    }
}
