//! A sweep's result for people.

use crate::{
    campaign::{Exit, FailureLine, PropertyLine, Report, Runnable, Swept},
    time::show,
};
use comfy_table::{
    Attribute, Cell, Color, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED,
};
use std::collections::BTreeMap;

/// Seeds that are named of those that failed alike; the JSON has them all.
const SEEDS_SHOWN: usize = 10;

/// The table, the sums, and the failures, whose last line is the command that replays the gravest of them.
pub(super) fn of(swept: &Swept, scenario: &dyn Runnable, colours: bool) -> String {
    let report = &swept.report;
    format!(
        "{}\n{}{}",
        properties(report, colours),
        sums(swept, scenario),
        failures(report)
    )
}

fn properties(report: &Report, colours: bool) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["", "property or observation", "checked", "violated"]);
    if colours {
        table.enforce_styling();
    }
    for (name, line) in &report.properties {
        table.add_row([
            verdict(*line).cell(colours),
            Cell::new(name),
            Cell::new(line.checked),
            Cell::new(line.violated),
        ]);
    }
    for (kind, _) in report.observations.iter().filter(|(_, count)| **count == 0) {
        table.add_row([
            Verdict::Miss.cell(colours),
            Cell::new(format!("{kind} (never observed)")),
        ]);
    }
    table
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Pass,
    Fail,
    /// Nothing was checked, so nothing is known.
    Miss,
}

fn verdict(line: PropertyLine) -> Verdict {
    match line {
        PropertyLine { violated: 1.., .. } => Verdict::Fail,
        PropertyLine { checked: 0, .. } => Verdict::Miss,
        PropertyLine { .. } => Verdict::Pass,
    }
}

impl Verdict {
    fn cell(self, colours: bool) -> Cell {
        let (word, colour) = match self {
            Self::Pass => ("PASS", Color::Green),
            Self::Fail => ("FAIL", Color::Red),
            Self::Miss => ("MISS", Color::Yellow),
        };
        if colours {
            Cell::new(word).fg(colour).add_attribute(Attribute::Bold)
        } else {
            Cell::new(word)
        }
    }
}

fn sums(swept: &Swept, scenario: &dyn Runnable) -> String {
    let report = &swept.report;
    let mut text = format!(
        "{} seeds: {} passed, {} failed\n\
         {:.1} simulated seconds in {:.2} wall seconds: ratio {:.0} at a mean load of {} {}\n\
         {} deliveries, {:.0} a wall second\n",
        report.seeds.count,
        report.passed,
        report.failed,
        report.simulated_seconds,
        report.wall_seconds,
        report.ratio,
        milli(swept.mean_load_milli),
        scenario.load_unit(),
        report.deliveries,
        report.deliveries_per_second,
    );
    if report.determinism.checked > 0 {
        text += &format!(
            "{} seeds ran twice, {} differed\n",
            report.determinism.checked, report.determinism.mismatched
        );
    }
    if let Some(reason) = &swept.capsule_refused {
        text += &format!("{reason}\n");
    }
    text
}

fn milli(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}

/// One block for each kind and property, the gravest last, where a terminal leaves the reader's eye.
fn failures(report: &Report) -> String {
    let mut alike: BTreeMap<(Exit, &str), Vec<&FailureLine>> = BTreeMap::new();
    for failure in &report.failures {
        let key = (failure.kind.exit(), &*failure.property);
        alike.entry(key).or_default().push(failure);
    }
    alike.values().map(|alike| block(alike)).collect()
}

/// Which seeds failed alike, and how the first of them did.
fn block(alike: &[&FailureLine]) -> String {
    let first = alike[0];
    let seeds: Vec<_> = alike
        .iter()
        .take(SEEDS_SHOWN)
        .map(|failure| failure.seed.to_string())
        .collect();
    let hidden = alike.len() - seeds.len();
    let more = if hidden == 0 {
        String::new()
    } else {
        format!(" and {hidden} more")
    };
    let node = first
        .node
        .map_or_else(String::new, |node| format!(" by node {node}"));
    let capsule = match &first.capsule {
        Some(path) => format!("  capsule {}\n", path.display()),
        None => String::new(),
    };
    format!(
        "\n{} failure of {:?} in seeds {}{more}\n  seed {}{node} at {}: {}\n{capsule}{}\n",
        first.kind,
        first.property,
        seeds.join(" "),
        first.seed,
        show(first.at_us),
        first.message,
        first.replay,
    )
}
