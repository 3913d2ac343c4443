use super::*;
use std::collections::BTreeMap;

fn arguments(line: &str) -> Arguments {
    let words = std::iter::once("lanes").chain(line.split(' '));
    let cli = Cli::try_parse_from(words).expect("a line the baseline takes");
    cli.run.expect("arguments of a run")
}

/// A run's row, by column.
fn run_free(line: &str) -> BTreeMap<String, String> {
    let arguments = arguments(line);
    let row = row::row(&arguments, &world::run::<Free>(&arguments));
    let header = row::header();
    let (names, values): (Vec<_>, Vec<_>) = (header.split(',').collect(), row.split(',').collect());
    assert_eq!(names.len(), values.len(), "{header}\n{row}");
    let pairs = names.into_iter().zip(values);
    pairs
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect()
}

#[test]
fn the_columns_begin_with_those_of_the_baseline() {
    let source = include_str!("../../baselines/ordered-broadcast/src/main.rs");
    let (_, rest) = source
        .split_once("const HEADER: &str = \"")
        .expect("its header");
    let (theirs, _) = rest.split_once("\";").expect("the end of its header");
    // A backslash at the end of a line leaves out the line's end and the next line's indent.
    let theirs: String = theirs.split('\\').map(str::trim_start).collect();
    assert!(row::header().starts_with(&format!("{theirs},")), "{theirs}");
}

#[test]
fn arguments_and_defaults_are_those_of_the_baseline() {
    let few = arguments("mock 7 40 10000 500");
    assert_eq!((few.n, few.height, few.cycle_us), (7, 40, 1000));
    assert_eq!((few.lanes(), few.seed, few.rebroadcast_ms), (7, 0, 5000));
    let all = arguments("ed25519 7 40 10000 500 10 3 9 --loss 0.05");
    assert_eq!((all.cycle_us, all.lanes(), all.seed), (10, 3, 9));
    assert_eq!(all.loss_ppm(), 50_000);
}

#[test]
fn a_run_certifies_every_chunk_everywhere_and_counts_what_that_took() {
    let row = run_free("free 4 30 10000 0 10");
    let number = |name: &str| row[name].parse::<f64>().expect("a number");
    assert_eq!(number("chunks"), 120.0);
    // A header, an ack and a certificate each cross a link.
    assert!(number("p50_ms") >= 30.0 && number("p50_ms") < 100.0);
    // Each chunk's header goes to three others, and three acks come back, at most.
    assert!(number("msgs_per_cv") > 0.0 && number("msgs_per_cv") <= 2.0);
    assert!(number("fsyncs_per_cv") > 0.0 && number("fsyncs_per_cv") <= 1.0);
    assert!(number("certificates") >= 4.0 && number("certificates") <= 120.0);
}

#[test]
fn with_one_chunk_outstanding_a_lane_waits_for_each_certificate() {
    let row = run_free("free 4 10 10000 0 10 2 --in-flight-max 1");
    let number = |name: &str| row[name].parse::<f64>().expect("a number");
    assert_eq!(number("sequencers"), 2.0);
    assert_eq!(number("chunks_per_certificate"), 1.0);
    assert!(number("virtual_s") >= 0.2, "ten round trips of 20 ms");
}

#[test]
fn the_same_seed_counts_the_same() {
    let counts = || {
        let mut row =
            run_free("free 4 20 10000 2000 10 4 7 --loss 0.05 --rebroadcast-ms 100 --fsync-us 500");
        row.retain(|name, _| {
            !name.contains("wall") && !name.contains("cpu") && !name.contains("alloc")
        });
        row
    };
    assert_eq!(counts(), counts());
}
