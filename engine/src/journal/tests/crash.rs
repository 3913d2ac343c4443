//! Crashes at every operation, on disks that tear.

use super::{
    super::{Config, Writer},
    Note, config,
    crashing::Crashing,
    highest, start,
};
use commonware_runtime::{
    Clock as _, Spawner as _, Storage as _, Supervisor as _,
    deterministic::{self, FaultConfig, PartialWriteMode, WriteConfig},
};
use commonware_utils::{Probability, TestRng};
use rand_core::Rng as _;
use std::time::Duration;

/// Appends at random until the machine stops.
async fn workload(
    context: deterministic::Context,
    mut writer: Writer<Note>,
    seed: u64,
    first: u32,
) {
    let mut rng = TestRng::new(seed);
    let mut next = first;
    loop {
        let count = 1 + rng.next_u32() % 12;
        writer.append(
            (next..next + count)
                .map(|key| Note::new(key, key))
                .collect::<Vec<_>>(),
        );
        next += count;
        if rng.next_u32().is_multiple_of(3) {
            context
                .sleep(Duration::from_micros(u64::from(rng.next_u32() % 40)))
                .await;
        }
        if writer.room() < 64 {
            context.sleep(Duration::from_millis(1)).await;
        }
    }
}

/// A torn disk, drawn from the seed.
fn torn(seed: u64) -> FaultConfig {
    let never = Probability::new(0, 1).unwrap();
    let mode = if seed.is_multiple_of(2) {
        PartialWriteMode::Prefix
    } else {
        PartialWriteMode::Subset
    };
    let retention_rate =
        Probability::new([0, 500, 900, 999, 1000][(seed / 2 % 5) as usize], 1000).unwrap();
    let write_rate = Some(WriteConfig {
        failure_rate: never,
        retention_rate,
        mode,
    });
    FaultConfig {
        write_rate,
        ..FaultConfig::default()
    }
}

// L-10
#[test]
fn a_crash_at_any_operation_loses_nothing_notified_and_invents_nothing() {
    let (mut crashed, mut rolled, mut kept) = (0, 0, 0);
    for seed in 0..400 {
        let small = Config {
            section_bytes_max: 1500,
            ..config()
        };
        let faults = torn(seed);
        let runner = deterministic::Config::new()
            .with_seed(seed)
            .with_cycle(Duration::from_micros(5))
            .with_storage_fault_config(faults);
        let mut runner = deterministic::Runner::new(runner);
        // What was notified before each crash, as a number of records from the beginning.
        let mut certain = 0;
        let mut found = 0;
        for life in 0..4 {
            let (small, at) = (
                small.clone(),
                TestRng::new(seed * 7 + life).next_u64() % 160,
            );
            let ((replayed, notified, blown, newest), checkpoint) =
                runner.start_and_recover(move |context| async move {
                    let (fused, mut blown) = Crashing::new(context.child("journal"), at);
                    let started = commonware_macros::select! {
                        started = start(fused, small) => Some(started),
                        _ = &mut blown => None,
                    };
                    let Some((writer, notified, opened, _handle)) = started else {
                        return (None, 0, true, 0);
                    };
                    let first = opened.records.len() as u32;
                    context
                        .child("client")
                        .spawn(move |context| workload(context, writer, seed, first));
                    let blown = context.timeout(Duration::from_secs(1), blown).await.is_ok();
                    let newest = context
                        .scan("journal")
                        .await
                        .unwrap_or_default()
                        .into_iter()
                        .max();
                    let newest =
                        newest.map_or(0, |name| u64::from_be_bytes(name.try_into().unwrap()));
                    (Some(opened.records), highest(&notified), blown, newest)
                });
            crashed += u64::from(blown);
            rolled += u64::from(newest > 1);
            if let Some(replayed) = replayed {
                assert!(
                    replayed.len() >= certain,
                    "seed {seed} life {life}: {} of {certain}",
                    replayed.len()
                );
                let expected: Vec<_> = (0..replayed.len() as u32)
                    .map(|key| Note::new(key, key))
                    .collect();
                assert_eq!(replayed, expected, "seed {seed} life {life}");
                kept += u64::from(replayed.len() > certain);
                found = replayed.len();
            }
            certain = found.max(certain) + notified as usize;
            found = certain;
            runner = deterministic::Runner::from(checkpoint);
        }
    }
    assert!(
        crashed > 1000 && rolled > 100 && kept > 50,
        "crashed {crashed}, rolled {rolled}, kept {kept}"
    );
}
