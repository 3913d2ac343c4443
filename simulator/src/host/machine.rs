//! What the harness holds of a machine.

use super::{
    clock::Dial,
    config::{ClockConfig, Config, Counters, Crash, DiskFaults},
    crew::{Branch, Crew, Employed},
    disk::Disk,
    draw::{Draws, Stream},
    gate::{Gate, Roster},
    node::{Host, Incarnation},
};
use commonware_runtime::{
    Clock as _, Handle, Spawner as _, Supervisor as _, deterministic::Context,
};
use commonware_utils::sync::Mutex;
use std::{collections::BTreeMap, future::pending, sync::Arc};

/// A simulated machine. Its disk, its clock and what is wrong with them outlive every crash. Dropped, it is off.
///
/// All methods take `&self`. They belong to the harness: a task of the machine that crashed its own machine would
/// wait for its own end.
pub struct Machine {
    crew: Crew,
    index: usize,
    seed: u64,
    disk: Arc<Disk>,
    dial: Arc<Mutex<Dial>>,
    roster: Arc<Roster>,
    power: Mutex<Power>,
}

/// The running incarnation, if any, and how often the machine has been paused.
#[derive(Default)]
struct Power {
    running: Option<Running>,
    paused: bool,
    pauses: u64,
}

struct Running {
    gate: Arc<Gate>,
    /// The task above all tasks of the incarnation: supervision ends them with it.
    root: Employed<()>,
    /// What is above their proxies in the runtime.
    proxies: Handle<()>,
}

impl Machine {
    /// A machine that is switched off and has an empty disk. `index` tells the machines of a run apart: it labels
    /// the node's metrics and is part of every draw.
    pub fn new(crew: &Crew, index: usize, config: Config) -> Self {
        let crew = crew.child("machine");
        let dial = Dial::new(crew.current(), config.clock);
        let disk = Disk::new(crew.child("disk"), index as u64, config.disk);
        Self {
            crew,
            index,
            seed: config.seed,
            disk: Arc::new(disk),
            dial: Arc::new(Mutex::new(dial)),
            roster: Arc::default(),
            power: Mutex::default(),
        }
    }

    /// Switches the machine on: a new incarnation, whose environment this is. Everything the node does must run in
    /// tasks spawned from it, for these are what a crash ends and a pause holds.
    ///
    /// # Panics
    ///
    /// If the machine runs, or if the last crash was not awaited.
    pub fn boot(&self) -> Host {
        let mut power = self.power.lock();
        assert!(
            power.running.is_none(),
            "machine {} is booted twice: crash it first",
            self.index
        );
        assert!(
            self.roster.is_empty(),
            "machine {} is booted before its crash is over",
            self.index
        );
        let gate = Arc::new(Gate::default());
        if power.paused {
            gate.pause(power.pauses);
        }
        let (context, proxies) = self.supervise();
        let mut branch = Branch::trunk();
        let root = self.crew.employ(&branch.clone(), |below| {
            branch = below;
            pending()
        });
        power.running = Some(Running {
            gate: gate.clone(),
            root,
            proxies,
        });
        let number = self.disk.incarnation();
        let draws = Draws::new(self.seed, self.index as u64, Stream::Randomness, number);
        let incarnation = Incarnation::new(
            self.index,
            draws,
            gate,
            self.roster.clone(),
            self.disk.clone(),
            self.dial.clone(),
            self.crew.child("host"),
        );
        Host::new(context, branch, incarnation)
    }

    /// A task of the runtime that ends only when it is aborted, and a context below it.
    fn supervise(&self) -> (Context, Handle<()>) {
        let below = Arc::new(Mutex::new(None));
        let slot = below.clone();
        let context = self
            .crew
            .context()
            .child("node")
            .with_attribute("node", self.index);
        let root = context.spawn(move |context| {
            *slot.lock() = Some(context);
            pending()
        });
        let context = below
            .lock()
            .take()
            .expect("the run is over: its tasks are aborted");
        (context, root)
    }

    /// Fails the power: in this instant no task of the node is polled any more and the disk is settled; then waits
    /// until the tasks are gone. A machine that is off stays off.
    pub async fn crash(&self, crash: Crash) {
        let running = {
            let mut power = self.power.lock();
            power.paused = false;
            power.running.take()
        };
        if let Some(Running {
            gate,
            root,
            proxies,
        }) = running
        {
            gate.kill();
            self.disk.crash(crash);
            root.aborted().await;
            // After the tasks, which end in this turn: they are not to be ended by it.
            proxies.abort();
        }
        self.roster.emptied().await;
    }

    /// Empties the disk.
    ///
    /// # Panics
    ///
    /// If the machine runs.
    pub fn wipe(&self) {
        assert!(
            !self.is_running(),
            "machine {} is wiped while it runs: crash it first",
            self.index
        );
        self.disk.wipe();
    }

    /// Stops polling the node's tasks. What comes due meanwhile, timers among it, is late. The disk goes on.
    pub fn pause(&self) {
        let mut power = self.power.lock();
        if !power.paused {
            power.paused = true;
            power.pauses += 1;
            if let Some(running) = &power.running {
                running.gate.pause(power.pauses);
            }
        }
    }

    /// Ends a pause.
    pub fn resume(&self) {
        let mut power = self.power.lock();
        power.paused = false;
        if let Some(running) = &power.running {
            running.gate.resume();
        }
    }

    /// Sets the clock, which stands still if it would otherwise run backwards.
    pub fn set_clock(&self, clock: ClockConfig) {
        self.dial.lock().set(self.crew.current(), clock);
    }

    /// Replaces what is wrong with the disk. Windows start now.
    pub fn set_disk(&self, faults: DiskFaults) {
        self.disk.set(faults);
    }

    /// Ends every disk fault. What is already queued at a slow device still takes its time.
    pub fn heal(&self) {
        self.set_disk(DiskFaults::default());
    }

    /// What the disk has done so far.
    pub fn counters(&self) -> Counters {
        self.disk.counters()
    }

    /// How many of its syncs were of each partition.
    pub fn syncs(&self) -> BTreeMap<Arc<str>, u64> {
        self.disk.syncs()
    }

    /// The number of crashes so far, which is also the number of the incarnation that runs or will run next.
    pub fn incarnation(&self) -> u64 {
        self.disk.incarnation()
    }

    /// Whether the machine is switched on.
    pub fn is_running(&self) -> bool {
        self.power.lock().running.is_some()
    }

    /// Whether the machine is paused.
    pub fn is_paused(&self) -> bool {
        self.power.lock().paused
    }

    /// The number of the machine in its run.
    pub fn index(&self) -> usize {
        self.index
    }
}
