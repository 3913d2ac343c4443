//! Clocks that are wrong.

use super::*;
use crate::host::clock::Dial;
use proptest::prelude::*;

fn clock(offset_us: i64, drift_ppm: i64) -> ClockConfig {
    ClockConfig {
        offset_us,
        drift_ppm,
    }
}

fn machine(context: &Crew, clock: ClockConfig) -> Machine {
    Machine::new(
        context,
        0,
        Config {
            clock,
            ..Config::default()
        },
    )
}

#[test]
fn a_clock_shows_its_offset_in_both_directions() {
    run(0, |context| async move {
        let ahead = machine(&context, clock(250_000, 0)).boot();
        let behind = machine(&context, clock(-250_000, 0)).boot();
        context.sleep(ms(40)).await;
        assert_eq!(ahead.current(), context.current() + ms(250));
        assert_eq!(behind.current(), context.current() - ms(250));
    });
}

#[test]
fn a_fast_clock_wakes_its_node_early_and_a_slow_one_late() {
    for (drift_ppm, expected) in [
        (100_000, us(909_091)),
        (0, us(1_000_000)),
        (-100_000, us(1_111_112)),
    ] {
        run(0, |context| async move {
            let host = machine(&context, clock(-3_000_000, drift_ppm)).boot();
            let (before, local) = (context.current(), host.current());
            host.sleep(ms(1000)).await;
            let slept = context
                .current()
                .duration_since(before)
                .expect("time passes");
            assert!(
                expected <= slept + us(10) && slept <= expected + us(10),
                "{slept:?} at {drift_ppm} ppm"
            );
            assert!(
                host.current() >= local + ms(1000),
                "the node saw its second pass"
            );

            let deadline = host.current() + ms(500);
            host.sleep_until(deadline).await;
            assert!(host.current() >= deadline && host.current() < deadline + us(20));
            host.sleep_until(deadline).await;
            host.sleep_until(UNIX_EPOCH).await;
            assert!(
                host.current() < deadline + us(20),
                "what has passed is not waited for"
            );
        });
    }
}

#[test]
fn a_clock_set_back_stands_still_until_true_time_catches_up() {
    run(0, |context| async move {
        let machine = machine(&context, clock(200_000, 0));
        let host = machine.boot();
        let shown = host.current();
        machine.set_clock(clock(0, 0));
        context.sleep(ms(150)).await;
        assert_eq!(host.current(), shown);
        context.sleep(ms(100)).await;
        assert_eq!(host.current(), context.current());
    });
}

#[test]
fn a_clock_outlives_a_crash() {
    run(0, |context| async move {
        let machine = machine(&context, clock(77, 0));
        machine.boot();
        machine.crash(Crash::Lost).await;
        assert_eq!(machine.boot().current(), context.current() + us(77));
    });
}

#[test]
fn the_longest_sleep_and_the_worst_clock_do_not_overflow() {
    run(0, |context| async move {
        for drift_ppm in [-999_999, 0, 999_999] {
            for offset_us in [i64::MIN / 1_000_000, i64::MAX / 1_000_000] {
                let host = machine(&context, clock(offset_us, drift_ppm)).boot();
                let never = UNIX_EPOCH + Duration::from_secs(1 << 40);
                let asleep = context.timeout(ms(1), host.sleep(Duration::MAX));
                assert!(asleep.await.is_err());
                let asleep = context.timeout(ms(1), host.sleep_until(never));
                assert!(asleep.await.is_err());
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_clock_never_runs_backwards_and_a_deadline_is_met_as_early_as_it_can_be(
        settings in prop::collection::vec((-5_000_000..5_000_000i64, -999_999..999_999i64), 1..5),
        steps in prop::collection::vec(0..3_000_000_000u64, 1..12),
        ahead in 0..10_000_000_000u64,
    ) {
        let mut now = start();
        let (offset_us, drift_ppm) = settings[0];
        let mut dial = Dial::new(now, clock(offset_us, drift_ppm));
        let mut shown = dial.local(now);
        for (index, step) in steps.into_iter().enumerate() {
            let (offset_us, drift_ppm) = settings[index % settings.len()];
            dial.set(now, clock(offset_us, drift_ppm));
            now += Duration::from_nanos(step);
            let local = dial.local(now);
            prop_assert!(local >= shown);
            shown = local;

            let deadline = shown + Duration::from_nanos(ahead);
            let reached = dial.reaches(now, deadline);
            prop_assert!(reached >= now && dial.local(reached) >= deadline);
            if reached > now {
                prop_assert!(dial.local(reached - Duration::from_nanos(1)) < deadline);
            }
        }
    }
}
