//! Places to run a cluster in: links and disks by name, as data.

use super::{
    options::Options,
    system::{Lanes, Named},
};
use crate::{
    Fault, Scenario,
    plan::{Latencies, Link, Links},
    time::secs,
};

/// Links and disks like those of a kind of deployment. Each is a scenario of lanes by its [`Profile::name`], and
/// `simulator/tests/goldens/latency.toml` keeps how long certificates take in it.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it stands for, in one sentence.
    pub sentence: &'static str,
    /// Every link that nothing below says more about.
    pub link: Link,
    /// One-way latencies between regions in milliseconds, a row for each sender; node `i` stands in region `i` modulo
    /// their number. Empty is one region.
    pub regions_ms: &'static [&'static [u32]],
    /// Jitter of links between regions.
    pub regions_jitter_us: u32,
    /// The latency of all links of the last node, if it is further away than the others.
    pub far_us: Option<u32>,
    /// Every node's disk.
    pub disk: Latencies,
}

/// Machines of one zone: a fraction of a millisecond apart.
const ZONE: Link = Link::new(100, 50);
/// Zones of one region: around a millisecond.
const REGION: Link = Link::new(500, 500);
/// Beyond a continent, lossy.
const LOSSY: Link = Link {
    loss_ppm: 50_000,
    ..Link::new(10_000, 2_000)
};

/// A disk that takes so long to sync; what is written waits in a cache, and reads find it there.
const fn disk(sync_us: u64) -> Latencies {
    Latencies {
        read_us: 0,
        write_us: 0,
        sync_us,
    }
}

/// A volume of a public cloud.
const VOLUME: Latencies = disk(1_000);

/// Half of the round trips that public clouds state between, in this order, North America east, North America west,
/// Europe west, Asia north-east and South America.
const CONTINENTS_MS: &[&[u32]] = &[
    &[0, 32, 35, 75, 58],
    &[32, 0, 65, 50, 88],
    &[35, 65, 0, 105, 90],
    &[75, 50, 105, 0, 130],
    &[58, 88, 90, 130, 0],
];

const BASE: Profile = Profile {
    name: "one-region",
    sentence: "zones of one region, on cloud volumes",
    link: REGION,
    regions_ms: &[],
    regions_jitter_us: 0,
    far_us: None,
    disk: VOLUME,
};

/// Every profile there is.
pub const PROFILES: [Profile; 6] = [
    Profile {
        name: "lan",
        sentence: "machines in one room, on disks with a protected cache",
        link: ZONE,
        disk: disk(100),
        ..BASE
    },
    BASE,
    Profile {
        name: "five-regions",
        sentence: "nodes spread evenly over four continents",
        regions_ms: CONTINENTS_MS,
        regions_jitter_us: 2_000,
        ..BASE
    },
    Profile {
        name: "lossy",
        sentence: "10 ms links that lose 5 % of all messages",
        link: LOSSY,
        ..BASE
    },
    Profile {
        name: "one-slow-node",
        sentence: "one region, but for one node that is 150 ms away from all others",
        far_us: Some(150_000),
        ..BASE
    },
    Profile {
        name: "slow-disk",
        sentence: "one region, where every sync takes 10 ms",
        disk: disk(10_000),
        ..BASE
    },
];

impl Profile {
    /// A cluster of `nodes` nodes in such a place, for a time: the profile ends with the safety phase.
    pub fn scenario<F: Named>(
        &self,
        nodes: usize,
        options: Options,
        safety_us: u64,
    ) -> Scenario<Lanes<F>> {
        let scenario = Scenario::cluster(nodes)
            .named(self.name)
            .options(options)
            .link(self.link)
            .disk(self.disk)
            .lasting(safety_us)
            // No epochs, stalls or jumps: what is seen is the place.
            .quiet();
        let faults = self.distances(nodes).into_iter();
        faults.fold(scenario, |scenario, fault| {
            scenario.during(0..safety_us, fault)
        })
    }

    /// As the command line knows it: ten nodes, twenty chunks a second and lane.
    pub(super) fn named<F: Named>(&self) -> Scenario<Lanes<F>> {
        let options = Options {
            chunk_every_us: 50_000,
            ..Options::all(10)
        };
        self.scenario(10, options, secs(20))
    }

    /// The links that differ from the rest, as the plan knows them.
    fn distances(&self, nodes: usize) -> Vec<Fault> {
        let regions = self.regions_ms.len();
        let between = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
        let mut faults: Vec<Fault> = between
            .filter(|(from, to)| regions > 0 && from % regions != to % regions)
            .map(|(from, to)| Fault::Latency {
                links: Links::One { from, to },
                latency_us: self.regions_ms[from % regions][to % regions] * 1_000,
                jitter_us: self.regions_jitter_us,
            })
            .collect();
        if let Some(latency_us) = self.far_us {
            let last = nodes - 1;
            faults.extend(
                [Links::From(last), Links::To(last)].map(|links| Fault::Latency {
                    links,
                    latency_us,
                    jitter_us: 0,
                }),
            );
        }
        faults
    }
}
