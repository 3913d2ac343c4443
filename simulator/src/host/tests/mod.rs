//! A machine through its public face: what a crash, a pause, a wrong clock and a bad disk do to a node.

use super::*;
use commonware_runtime::{Clock, Metrics, Network, Resolver, Spawner, Storage, Strategizer};
use rand_core::CryptoRng;

fn environment<E: Spawner + Clock + Storage + Metrics + CryptoRng>() {}

fn authenticated_network<E: Network + Resolver + Strategizer>() {}

#[test]
fn a_host_is_all_that_an_engine_asks_of_its_environment() {
    environment::<Host>();
    authenticated_network::<Host>();
}
