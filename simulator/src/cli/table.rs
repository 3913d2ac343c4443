//! A sweep's result for people.

use crate::{
    campaign::{FailureLine, PropertyLine, Report, Runnable, Swept},
    time::show,
};
use comfy_table::{
    Attribute, Cell, Color, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED,
};

/// Failures that are printed; the others are in the JSON.
const FAILURES_SHOWN: usize = 10;

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

fn failures(report: &Report) -> String {
    // The gravest last, where a terminal leaves the reader's eye; among equals the first seed.
    let mut shown: Vec<_> = report.failures.iter().take(FAILURES_SHOWN).collect();
    if let Some(gravest) = report
        .failures
        .iter()
        .rev()
        .max_by_key(|failure| failure.kind.exit())
    {
        shown.retain(|failure| *failure != gravest);
        shown.push(gravest);
    }
    let hidden = report.failures.len() - shown.len();
    let note = if hidden == 0 {
        String::new()
    } else {
        format!("\n{hidden} more failures are not shown\n")
    };
    shown
        .into_iter()
        .map(failure)
        .fold(note, |text, failure| text + "\n" + &failure)
}

fn failure(failure: &FailureLine) -> String {
    let node = failure
        .node
        .map_or_else(String::new, |node| format!(" by node {node}"));
    let capsule = match &failure.capsule {
        Some(path) => format!("  capsule {}\n", path.display()),
        None => String::new(),
    };
    format!(
        "seed {}: {} failure of {:?}{node} at {}\n  {}\n{capsule}{}\n",
        failure.seed,
        failure.kind,
        failure.property,
        show(failure.at_us),
        failure.message,
        failure.replay,
    )
}
