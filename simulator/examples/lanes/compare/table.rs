//! What a reader sees.

use super::{Outcome, sample::Sample, targets::Judged};
use comfy_table::{CellAlignment, Table, presets};

/// One row for each case: theirs, ours with one chunk outstanding, ours with the default window.
pub fn cases(outcomes: &[Outcome]) -> Table {
    let mut table = table(&[
        "case",
        "program, in flight",
        "chunks/s a lane",
        "p50 / p99 ms",
        "us CPU",
        "messages",
        "bytes sent",
        "syncs",
        "allocations",
        "chunks per certificate",
    ]);
    for outcome in outcomes {
        let mut add = |program: &str, sample: &Sample| {
            let column = |name| {
                sample
                    .find(name)
                    .map_or("-".to_string(), |it| format!("{it:.2}"))
            };
            let whole = |name| {
                sample
                    .find(name)
                    .map_or("-".to_string(), |it| format!("{it:.0}"))
            };
            table.add_row([
                outcome.case.to_string(),
                program.to_string(),
                format!("{:.1}", sample.rate()),
                format!("{} / {}", whole("p50_ms"), whole("p99_ms")),
                format!("{:.0}", sample.cpu_us_per_cv()),
                column("msgs_per_cv"),
                whole("msg_bytes_per_cv"),
                column("fsyncs_per_cv"),
                whole("allocs_per_chunk_validator"),
                format!("{:.1}", 1.0 / sample.get("lock_coverage")),
            ]);
        };
        add("theirs", &outcome.theirs);
        if let Some(single) = &outcome.single {
            add("ours, 1", single);
        }
        add("ours, 32", &outcome.ours);
    }
    table
}

/// One row for each target.
pub fn targets(judged: &[Judged]) -> Table {
    let mut table = table(&["figure", "target", "measured", "met"]);
    for it in judged {
        let met = if it.met { "yes" } else { "NO" };
        table.add_row([&it.what, &it.target, &it.measured, met]);
    }
    for column in table.column_iter_mut() {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

fn table(names: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN).set_header(names);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
