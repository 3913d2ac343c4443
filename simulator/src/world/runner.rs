//! One run.

use super::{
    ground::Ground,
    now_us, timeline,
    timeline::Step,
    wanted::{Active, Wanted},
};
use crate::{
    FailureKind, Goal, Plan, Seat, Stamped, System,
    host::{Counters, Crew},
    network::Stats,
    plan::{Fault, Unsynced},
    time::millis,
    trace::{Event, Now, Observer, Recorder, State},
};
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _};
use commonware_utils::sync::Mutex;
use futures::{future::BoxFuture, future::select};
use std::{
    collections::{BTreeMap, BTreeSet},
    future::poll_fn,
    mem,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

/// How long after it stopped in the liveness phase a node is started again: what it met was a disk error just before.
const RESTART_US: u64 = millis(100);

/// Drives one run from the runtime's root task. It sleeps until something is due or was observed that concerns it, so idle time is free.
pub(super) struct Runner<'a, S: System> {
    clock: Arc<Crew>,
    now: Now,
    plan: &'a Plan<S>,
    recorder: Arc<Mutex<Recorder<S::Observation>>>,
    system: S,
    goal: Box<dyn Goal<S::Observation>>,
    ground: Ground<S::PublicKey>,
    /// How many lives each node had.
    lives: Vec<u32>,
    active: Active,
    healed: bool,
    /// When the system wants to be called.
    tick_at_us: Option<u64>,
    /// When nodes that stopped in the liveness phase are started again.
    restarts: BTreeSet<(u64, usize)>,
    /// Kept from one wait to the next, because the runtime keeps every alarm until its time.
    alarm: Option<(u64, BoxFuture<'static, ()>)>,
    unread: Vec<Stamped<S::Observation>>,
}

/// How a run ended.
#[derive(Default)]
pub(super) struct Ended {
    /// How much virtual time it took.
    pub(super) simulated_us: u64,
    /// Whether the goal, if it was due, was reached.
    pub(super) reached: Option<bool>,
    /// What the network carried.
    pub(super) network: Stats,
    /// What all disks did.
    pub(super) disks: Counters,
    /// How many of their syncs were of each partition.
    pub(super) syncs: BTreeMap<String, u64>,
}

/// Why the runner went on.
#[derive(PartialEq, Eq)]
enum Woken {
    /// The time came.
    Due,
    /// The run is decided: a property is violated, or the goal is reached.
    Decided,
}

impl<'a, S: System> Runner<'a, S> {
    pub(super) fn new(
        crew: &Crew,
        plan: &'a Plan<S>,
        recorder: Arc<Mutex<Recorder<S::Observation>>>,
        goal: Box<dyn Goal<S::Observation>>,
    ) -> Self {
        let clock = Arc::new(crew.child("world"));
        let now: Now = {
            let clock = clock.clone();
            Arc::new(move || now_us(&clock))
        };
        let system = S::new(plan, Observer::new(recorder.clone(), now.clone(), None, 0));
        let keys = (0..plan.nodes.len()).map(|node| system.key(node)).collect();
        let active = Active::default();
        let calm = Wanted::of(plan, &active, false);
        Self {
            ground: Ground::new(crew, plan, keys, calm, &recorder),
            clock,
            now,
            plan,
            recorder,
            system,
            goal,
            lives: vec![0; plan.nodes.len()],
            active,
            healed: false,
            tick_at_us: None,
            restarts: BTreeSet::new(),
            alarm: None,
            unread: Vec::new(),
        }
    }

    /// Runs to the end.
    pub(super) async fn run(mut self) -> Ended {
        (0..self.lives.len()).for_each(|node| self.boot(node));
        self.tick();
        self.play().await;
        let now_us = self.now_us();
        let mut recorder = self.recorder.lock();
        let mut ended = Ended {
            simulated_us: now_us,
            reached: None,
            network: self.ground.carried(),
            disks: self.ground.disks(),
            syncs: self.ground.syncs(),
        };
        if recorder.failed() {
            return ended;
        }
        let reached = self.goal.reached();
        if !reached {
            let (node, message) = self.goal.missing();
            recorder.fail(
                FailureKind::Liveness,
                self.goal.name(),
                node,
                now_us,
                message,
            );
        }
        recorder.finish(now_us);
        ended.reached = Some(reached);
        ended
    }

    /// Plays the timeline until it ends or the run is decided.
    async fn play(&mut self) {
        for (at_us, step) in timeline::of(self.plan) {
            if self.wait(at_us).await == Woken::Decided {
                return;
            }
            self.carry_out(step).await;
        }
        self.wait(self.plan.safety_us + self.plan.liveness_us).await;
    }

    async fn carry_out(&mut self, step: Step) {
        let plan = self.plan;
        match step {
            Step::Begin(index) => {
                let window = &plan.faults[index];
                self.report(
                    None,
                    Event::Began {
                        fault: window.to_string(),
                    },
                );
                self.active.faults.insert(index);
                self.settle(Some(&window.fault), &BTreeSet::new()).await;
            }
            Step::End(index) => {
                let window = &plan.faults[index];
                self.active.faults.remove(&index);
                self.report(
                    None,
                    Event::Ended {
                        fault: window.to_string(),
                    },
                );
                self.settle(None, &window.fault.nodes()).await;
            }
            Step::RestartEarly(index) => {
                self.active.between.insert(index);
                self.settle(None, &BTreeSet::new()).await;
            }
            Step::CrashAgain(index) => {
                self.active.between.remove(&index);
                self.settle(Some(&plan.faults[index].fault), &BTreeSet::new())
                    .await;
            }
            Step::Act(index) => {
                let action = &plan.actions[index].action;
                self.report(
                    None,
                    Event::Acted {
                        action: format!("{action:?}"),
                    },
                );
                self.system.act(self.now_us(), action);
                self.tick();
            }
            Step::Heal => self.heal().await,
        }
    }

    /// Ends the safety phase.
    async fn heal(&mut self) {
        let plan = self.plan;
        self.active
            .faults
            .retain(|index| matches!(plan.faults[*index].fault, Fault::Kill { .. }));
        self.active.between.clear();
        self.healed = true;
        self.report(None, Event::Healed);
        self.settle(None, &(0..plan.nodes.len()).collect()).await;
        // What stopped before was just started again.
        self.recorder.lock().take_stopped();
        self.goal.healed(self.now_us(), &plan.healthy());
    }

    /// Makes the world what the faults in force say. `begun` is what has just begun, if something has; nodes to
    /// `revive` are started again if an error stopped them.
    async fn settle(&mut self, begun: Option<&Fault>, revive: &BTreeSet<usize>) {
        self.ground
            .become_like(Wanted::of(self.plan, &self.active, self.healed));
        let unsynced = match begun {
            Some(Fault::Crash { unsynced, .. } | Fault::CrashRestarting { unsynced, .. }) => {
                *unsynced
            }
            _ => Unsynced::Lost,
        };
        let mut crashes = BTreeMap::new();
        for node in 0..self.lives.len() {
            match (self.ground.is_down(node), self.state(node)) {
                (true, State::Up(_) | State::Stopped | State::Finished) => {
                    self.report(Some(node), Event::Crashed);
                    crashes.insert(node, unsynced);
                }
                // It stopped with writes that were never synced, and any part of them may have reached the disk.
                (false, State::Stopped) if revive.contains(&node) => {
                    self.report(Some(node), Event::Crashed);
                    crashes.insert(node, Unsynced::Subset);
                }
                _ => (),
            }
        }
        self.ground.crash(&crashes).await;
        if let Some(Fault::Wipe { node }) = begun {
            self.ground.wipe(*node);
            self.report(Some(*node), Event::Wiped);
        }
        for node in 0..self.lives.len() {
            if !self.ground.is_down(node) && self.state(node) == State::Down {
                self.boot(node);
            }
        }
        self.ground.settle_pauses();
    }

    fn boot(&mut self, node: usize) {
        let incarnation = self.lives[node];
        self.lives[node] += 1;
        self.report(Some(node), Event::Booted);
        let (host, network) = self.ground.boot(node);
        let main = host.child("main");
        let observer = Observer::new(
            self.recorder.clone(),
            self.now.clone(),
            Some(node),
            incarnation,
        );
        let fallen = observer.clone();
        // It falls only by what its disk explains.
        host.on_fall(move |message| fallen.ended(&Err(message.into()), true));
        let started = self.system.start(Seat {
            node,
            incarnation,
            key: self.system.key(node),
            role: self.plan.nodes[node].role.clone(),
            host,
            network,
            observer: observer.clone(),
        });
        // Not joined: a crash of the machine ends it.
        drop(main.spawn(move |main| async move {
            let ended = started.await;
            observer.ended(&ended, main.disk_failed());
            main.exit();
        }));
    }

    /// Waits until a time, showing the system and the goal what concerns them meanwhile.
    async fn wait(&mut self, until_us: u64) -> Woken {
        loop {
            self.read();
            if self.recorder.lock().failed() || (self.healed && self.goal.reached()) {
                return Woken::Decided;
            }
            let now_us = self.now_us();
            if let Some(due) = self
                .restarts
                .first()
                .copied()
                .filter(|(at_us, _)| *at_us <= now_us)
            {
                self.restarts.remove(&due);
                let (_, node) = due;
                self.settle(None, &[node].into()).await;
                continue;
            }
            if self.tick_at_us.is_some_and(|at_us| at_us <= now_us) {
                self.tick();
                continue;
            }
            if until_us <= now_us {
                return Woken::Due;
            }
            let restart_at_us = self.restarts.first().map(|(at_us, _)| *at_us);
            let next_us = [self.tick_at_us, restart_at_us]
                .into_iter()
                .flatten()
                .fold(until_us, u64::min);
            self.sleep(next_us).await;
        }
    }

    /// Sleeps until a time, or until something was observed that concerns the system or the goal.
    async fn sleep(&mut self, until_us: u64) {
        let now_us = self.now_us();
        if self
            .alarm
            .as_ref()
            .is_none_or(|(at_us, _)| *at_us != until_us)
        {
            let sleep = self.clock.sleep(Duration::from_micros(until_us - now_us));
            self.alarm = Some((until_us, Box::pin(sleep)));
        }
        let (_, alarm) = self.alarm.as_mut().expect("it was just set");
        let observed = poll_fn(|cx| {
            if self.recorder.lock().ready(cx.waker()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        select(pin!(observed), alarm).await;
    }

    /// Shows the system and the goal what concerns them, and notes which nodes stopped.
    fn read(&mut self) {
        let mut unread = mem::take(&mut self.unread);
        loop {
            self.recorder.lock().read(&mut unread);
            if unread.is_empty() {
                break;
            }
            for seen in &unread {
                self.goal.observe(seen);
                self.system.observe(seen);
            }
            self.tick();
        }
        self.unread = unread;
        let stopped = self.recorder.lock().take_stopped();
        if self.healed {
            let at_us = self.now_us() + RESTART_US;
            self.restarts
                .extend(stopped.into_iter().map(|node| (at_us, node)));
        }
    }

    fn tick(&mut self) {
        let now_us = self.now_us();
        self.tick_at_us = self.system.tick(now_us);
        assert!(
            self.tick_at_us.is_none_or(|at_us| at_us > now_us),
            "the system asks to be called at a time that is past"
        );
    }

    fn state(&self, node: usize) -> State {
        self.recorder.lock().state(node)
    }

    fn report(&self, node: Option<usize>, event: Event) {
        let incarnation = node.map_or(0, |node| self.lives[node].saturating_sub(1));
        self.recorder
            .lock()
            .event(self.now_us(), node, incarnation, event);
    }

    fn now_us(&self) -> u64 {
        now_us(&self.clock)
    }
}
