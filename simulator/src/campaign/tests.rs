use super::{
    Exit, Rate, Registry, SeedError, Seeds, full_name, parse_seed, parse_span, pool, toy::Toy,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

#[test]
fn seeds_are_decimal_or_hex() {
    assert_eq!(parse_seed("7"), Ok(7));
    assert_eq!(parse_seed("0xff"), Ok(255));
    assert_eq!(parse_seed("0XFF"), Ok(255));
    assert_eq!(parse_seed("1_000"), Ok(1000));
    assert_eq!(parse_seed("0xffffffffffffffff"), Ok(u64::MAX));
}

#[test]
fn what_is_no_seed_is_named_in_the_error() {
    for text in [
        "",
        "x",
        "-1",
        "+1",
        "0x",
        "0x+1",
        "_1",
        "18446744073709551616",
        "1.5",
        "ff",
    ] {
        let error = parse_seed(text).expect_err(text);
        assert_eq!(error, SeedError::Number(text.to_owned()));
        assert!(error.to_string().contains(&format!("`{text}`")));
    }
}

#[test]
fn a_range_stops_before_its_end() {
    let seeds: Seeds = "3..0x6".parse().expect("a range");
    assert_eq!((seeds.first(), seeds.count()), (3, 3));
    assert_eq!(
        [0, 1, 2, 3].map(|index| seeds.get(index)),
        [Some(3), Some(4), Some(5), None]
    );
    assert_eq!(seeds.to_string(), "3..6");
    assert_eq!(Seeds::one(u64::MAX).get(0), Some(u64::MAX));
}

#[test]
fn bad_ranges_are_refused_with_the_reason() {
    let refuse = |text: &str| text.parse::<Seeds>().expect_err(text);
    assert_eq!(refuse("5"), SeedError::Range("5".to_owned()));
    assert_eq!(refuse("5..5"), SeedError::Empty("5..5".to_owned()));
    assert_eq!(refuse("9..5"), SeedError::Empty("9..5".to_owned()));
    assert_eq!(refuse("a..5"), SeedError::Number("a".to_owned()));
    assert_eq!(refuse("1..=5"), SeedError::Number("=5".to_owned()));
}

#[test]
fn spans_are_read_to_the_microsecond() {
    let micros = |text| parse_span(text).map(|span| span.as_micros());
    assert_eq!(micros("30"), Ok(30_000_000));
    assert_eq!(micros("1.5s"), Ok(1_500_000));
    assert_eq!(micros("2.345678s"), Ok(2_345_678));
    assert_eq!(micros("250ms"), Ok(250_000));
    assert_eq!(micros("80us"), Ok(80));
    assert_eq!(micros("0.5m"), Ok(30_000_000));
    assert_eq!(micros("1h"), Ok(3_600_000_000));
    for text in [
        "",
        "s",
        "1.s",
        ".5",
        "-1s",
        "1 day",
        "1..2",
        "99999999999999999h",
    ] {
        assert!(parse_span(text).is_err(), "{text}");
    }
}

#[test]
fn a_share_is_exact_and_spread_evenly() {
    let chosen = |text: &str, of: u64| {
        let rate: Rate = text.parse().expect("a share");
        (0..of)
            .filter(|index| rate.chooses(*index))
            .collect::<Vec<_>>()
    };
    assert_eq!(chosen("10%", 40), [0, 10, 20, 30]);
    assert_eq!(chosen("0.1", 40), chosen("10%", 40));
    assert_eq!(chosen("1", 3), [0, 1, 2]);
    assert_eq!(chosen("100%", 3), [0, 1, 2]);
    assert_eq!(
        chosen("0.000001", 10),
        [0],
        "any share but none has the first"
    );
    assert_eq!(chosen("0", 1000), Vec::<u64>::new());
}

#[test]
fn what_is_no_share_is_refused() {
    for text in [
        "",
        "2",
        "101%",
        "-0.1",
        "0.0000001",
        "0.00001%",
        "half",
        "1e-3",
        ".",
    ] {
        assert!(text.parse::<Rate>().is_err(), "{text}");
    }
}

#[test]
fn the_gravest_failure_decides_the_exit_status() {
    let gravest = [
        Exit::Held,
        Exit::Liveness,
        Exit::Panic,
        Exit::Safety,
        Exit::Nondeterminism,
    ];
    assert!(gravest.is_sorted());
    assert_eq!(gravest.map(Exit::code), [0, 11, 12, 10, 13]);
    assert_eq!(Exit::Usage.code(), 2);
}

#[test]
fn results_come_in_order_from_any_number_of_threads() {
    for jobs in [1, 2, 7] {
        let mut seen = Vec::new();
        // The early pieces are the slow ones, so threads overtake them.
        let work = |index: u64| {
            (0..(500 - index) * 200).fold(index, |sum, x| std::hint::black_box(sum ^ x) ^ x)
        };
        pool::in_order(
            500,
            jobs,
            || false,
            work,
            |index, result| seen.push((index, result)),
        );
        assert_eq!(
            seen,
            (0..500).map(|index| (index, index)).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_stop_leaves_no_gap() {
    let begun = AtomicU64::new(0);
    let stop = || begun.load(Ordering::SeqCst) >= 40;
    let mut seen = Vec::new();
    pool::in_order(
        1_000_000,
        4,
        stop,
        |_| begun.fetch_add(1, Ordering::SeqCst),
        |index, _| seen.push(index),
    );
    assert_eq!(seen, (0..begun.load(Ordering::SeqCst)).collect::<Vec<_>>());
    assert!(
        (40..44).contains(&seen.len()),
        "each of four threads may be inside one piece"
    );
}

#[test]
fn a_panic_of_the_work_or_of_its_reader_reaches_the_caller() {
    let in_work = || {
        pool::in_order(
            10_000,
            3,
            || false,
            |index| assert!(index != 50, "piece 50"),
            |_, ()| {},
        )
    };
    let in_reader = || {
        pool::in_order(
            10_000,
            3,
            || false,
            |_| (),
            |index, ()| assert!(index != 50, "reader 50"),
        )
    };
    let message =
        |panic: Box<dyn std::any::Any + Send>| *panic.downcast::<&str>().expect("a literal");
    assert_eq!(
        message(catch_unwind(AssertUnwindSafe(in_work)).expect_err("a panic")),
        "piece 50"
    );
    assert_eq!(
        message(catch_unwind(AssertUnwindSafe(in_reader)).expect_err("a panic")),
        "reader 50"
    );
}

#[test]
fn scenarios_are_found_alone_or_with_their_system() {
    let registry = Registry::new().with::<Toy>();
    let found = |name| {
        registry
            .find(name)
            .map(full_name)
            .map_err(|unknown| unknown.to_string())
    };
    assert_eq!(found(None), Ok("toy/sound".into()));
    assert_eq!(found(Some("trip")), Ok("toy/trip".into()));
    assert_eq!(found(Some("toy/trip")), Ok("toy/trip".into()));
    let refusal = found(Some("boat")).expect_err("there is none");
    assert!(
        refusal.contains("`boat`") && refusal.contains("toy/sound, toy/forget"),
        "{refusal}"
    );
    let refusal = Registry::new()
        .find(None)
        .map(full_name)
        .expect_err("there is none");
    assert_eq!(refusal.to_string(), "this program knows no scenario");
}

#[test]
#[should_panic(expected = "two scenarios are called `toy/sound`")]
fn one_name_for_two_scenarios_is_refused() {
    let _ = Registry::new().with::<Toy>().with::<Toy>();
}
