//! What a run stands on: the network and one machine per node.

use super::{START_S, wanted::Wanted};
use crate::{
    Plan, System,
    host::{self, Counters, Crash, Crew, DiskConfig, Host, Machine, Tear},
    network::{Network, Stats},
    plan::Unsynced,
    system::Port,
    time::secs,
    trace::Recorder,
};
use commonware_cryptography::PublicKey;
use commonware_runtime::Supervisor as _;
use commonware_utils::sync::Mutex;
use futures::future::join_all;
use std::{collections::BTreeMap, sync::Arc};

/// The network and the machines, as the faults in force have made them.
pub(super) struct Ground<P: PublicKey> {
    network: Network<P, Crew>,
    machines: Vec<Machine>,
    /// What network and machines are like.
    now: Wanted,
}

impl<P: PublicKey> Ground<P> {
    /// A network without faults and machines that are switched off.
    pub(super) fn new<S: System<PublicKey = P>>(
        crew: &Crew,
        plan: &Plan<S>,
        keys: Vec<P>,
        calm: Wanted,
        recorder: &Arc<Mutex<Recorder<S::Observation>>>,
    ) -> Self {
        let mut config = S::network(&plan.options);
        config.seed = plan.streams.network;
        let network = Network::new(crew.child("network"), keys, config);
        for (from, row) in calm.links.iter().enumerate() {
            row.iter()
                .enumerate()
                .for_each(|(to, channel)| network.set_link(from, to, channel.link));
        }
        let recorder = recorder.clone();
        network.set_hook(move |delivery| {
            // The network counts from the epoch.
            let at_us = delivery.at_us.saturating_sub(secs(START_S));
            recorder.lock().deliver(at_us, delivery);
        });
        let machine = |(index, node): (usize, &crate::plan::Node<S::Role>)| {
            let latencies = node.disk;
            let disk = DiskConfig {
                seed: plan.streams.disks,
                read_us: latencies.read_us,
                write_us: latencies.write_us,
                sync_us: latencies.sync_us,
                faults: Default::default(),
            };
            Machine::new(
                crew,
                index,
                host::Config {
                    seed: plan.streams.nodes,
                    clock: node.clock,
                    disk,
                },
            )
        };
        let machines = plan.nodes.iter().enumerate().map(machine).collect();
        Self {
            network,
            machines,
            now: calm,
        }
    }

    /// Makes links, clocks, disks and pauses what is wanted. Nodes are not killed or booted: a node that was is asked
    /// about its pause afterwards, see [`Ground::settle_pauses`].
    pub(super) fn become_like(&mut self, wanted: Wanted) {
        for (from, row) in wanted.links.iter().enumerate() {
            for (to, channel) in row.iter().enumerate() {
                let before = self.now.links[from][to];
                if before.link != channel.link {
                    self.network.set_link(from, to, channel.link);
                }
                match (before.cut, channel.cut) {
                    (false, true) => self.network.cut(from, to),
                    (true, false) => self.network.mend(from, to),
                    _ => (),
                }
                match (before.clogged, channel.clogged) {
                    (false, true) => self.network.clog(from, to),
                    (true, false) => self.network.unclog(from, to),
                    _ => (),
                }
            }
        }
        for ((machine, before), condition) in
            self.machines.iter().zip(&self.now.nodes).zip(&wanted.nodes)
        {
            // A clock that is set anew starts from its offset again, so it is left alone unless it is to change.
            if before.clock != condition.clock {
                machine.set_clock(condition.clock);
            }
            if before.disk != condition.disk {
                machine.set_disk(condition.disk);
            }
        }
        self.now = wanted;
    }

    /// Whether a node is to be off.
    pub(super) fn is_down(&self, node: usize) -> bool {
        self.now.nodes[node].down
    }

    /// Pauses and resumes machines as wanted: apart from the rest, because a crash ends a pause.
    pub(super) fn settle_pauses(&self) {
        for (machine, condition) in self.machines.iter().zip(&self.now.nodes) {
            match (machine.is_paused(), condition.paused) {
                (false, true) => machine.pause(),
                (true, false) => machine.resume(),
                _ => (),
            }
        }
    }

    /// Kills nodes, all in this instant, and waits until they are gone.
    pub(super) async fn crash(&self, nodes: &BTreeMap<usize, Unsynced>) {
        nodes.keys().for_each(|node| self.network.take_down(*node));
        let crashes = nodes.iter().map(|(node, unsynced)| {
            self.machines[*node].crash(match unsynced {
                Unsynced::Lost => Crash::Lost,
                Unsynced::Prefix => Crash::Torn { mode: Tear::Prefix },
                Unsynced::Subset => Crash::Torn { mode: Tear::Subset },
            })
        });
        join_all(crashes).await;
    }

    /// Empties the disk of a node that is off.
    pub(super) fn wipe(&self, node: usize) {
        self.machines[node].wipe();
    }

    /// What the network carried.
    pub(super) fn carried(&self) -> Stats {
        self.network.stats()
    }

    /// What all disks did.
    pub(super) fn disks(&self) -> Counters {
        self.machines.iter().map(Machine::counters).sum()
    }

    /// How many of their syncs were of each partition.
    pub(super) fn syncs(&self) -> BTreeMap<String, u64> {
        let mut syncs = BTreeMap::new();
        for (partition, count) in self.machines.iter().flat_map(Machine::syncs) {
            *syncs.entry(partition.to_string()).or_insert(0) += count;
        }
        syncs
    }

    /// Switches a node on.
    pub(super) fn boot(&self, node: usize) -> (Host, Port<P>) {
        (
            self.machines[node].boot(),
            Port::new(self.network.clone(), node),
        )
    }
}
