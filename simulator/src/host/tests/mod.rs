//! A machine through its public face: what a crash, a pause, a wrong clock and a bad disk do to a node.

mod clock;
mod faults;
mod journal;
mod life;
mod storage;

use super::*;
use commonware_runtime::{Clock, Metrics, Network, Resolver, Spawner, Storage, Strategizer};
use rand_core::CryptoRng;
use std::{
    future::Future,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A date to start at from which a clock can be set back.
fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_000_000)
}

/// Runs a body with the cycle the simulator uses.
fn run<Fut: Future>(seed: u64, body: impl FnOnce(Crew) -> Fut) -> Fut::Output {
    Crew::run(seed, start(), us(10), body)
}

fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn environment<E: Spawner + Clock + Storage + Metrics + CryptoRng>() {}

fn authenticated_network<E: Network + Resolver + Strategizer>() {}

#[test]
fn a_host_is_all_that_an_engine_asks_of_its_environment() {
    environment::<Host>();
    authenticated_network::<Host>();
}
