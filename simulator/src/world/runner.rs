//! One run.

use super::{now_us, timeline, timeline::Step};
use crate::{
    FailureKind, Goal, Plan, Seat, Stamped, System,
    plan::Fault,
    trace::{Event, Observer, Recorder, State},
};
use commonware_runtime::{Clock, Handle, Spawner as _, Supervisor as _, deterministic};
use commonware_utils::sync::Mutex;
use futures::future::select;
use std::{
    collections::BTreeSet, future::poll_fn, pin::pin, sync::Arc, task::Poll, time::Duration,
};

/// Drives one run from the runtime's root task. It sleeps until something is due or was observed, so idle time is free.
pub(super) struct Runner<'a, S: System> {
    context: deterministic::Context,
    clock: Arc<deterministic::Context>,
    plan: &'a Plan<S>,
    recorder: Arc<Mutex<Recorder<S::Observation>>>,
    system: S,
    goal: Box<dyn Goal<S::Observation>>,
    nodes: Vec<Life>,
    /// The faults in force, by index.
    active: BTreeSet<usize>,
    /// Those of them whose node is up for a moment before it is killed again.
    between: BTreeSet<usize>,
    healed: bool,
    tick_at_us: Option<u64>,
    unread: Vec<Stamped<S::Observation>>,
}

/// A node's present life, or its last one.
#[derive(Default)]
struct Life {
    /// How many lives it had, this one included.
    lives: u32,
    handle: Option<Handle<()>>,
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
        context: deterministic::Context,
        plan: &'a Plan<S>,
        recorder: Arc<Mutex<Recorder<S::Observation>>>,
        goal: Box<dyn Goal<S::Observation>>,
    ) -> Self {
        let clock = Arc::new(context.child("world"));
        let system = S::new(
            plan,
            Observer::new(recorder.clone(), clock.clone(), None, 0),
        );
        Self {
            clock,
            plan,
            recorder,
            system,
            goal,
            nodes: plan.nodes.iter().map(|_| Life::default()).collect(),
            active: BTreeSet::new(),
            between: BTreeSet::new(),
            healed: false,
            tick_at_us: None,
            unread: Vec::new(),
            context,
        }
    }

    /// Runs to the end, and gives the virtual time that took and whether the goal, if it was due, was reached.
    pub(super) async fn run(mut self) -> (u64, Option<bool>) {
        for node in 0..self.nodes.len() {
            self.boot(node);
        }
        self.tick();
        let decided = self.play().await;
        let now_us = self.now_us();
        let mut recorder = self.recorder.lock();
        let mut reached = None;
        if !recorder.failed() {
            assert!(
                decided || self.healed,
                "the timeline ends in the liveness phase"
            );
            reached = Some(self.goal.reached());
            if !self.goal.reached() {
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
        }
        drop(recorder);
        (now_us, reached)
    }

    /// Plays the timeline. Gives whether the run was decided before it ended.
    async fn play(&mut self) -> bool {
        for (at_us, step) in timeline::of(self.plan) {
            if self.wait(at_us).await == Woken::Decided {
                return true;
            }
            self.carry_out(step).await;
        }
        self.wait(self.plan.safety_us + self.plan.liveness_us).await == Woken::Decided
    }

    async fn carry_out(&mut self, step: Step) {
        let now_us = self.now_us();
        match step {
            Step::Begin(index) => {
                let window = &self.plan.faults[index];
                self.report(
                    None,
                    0,
                    Event::Began {
                        fault: window.to_string(),
                    },
                );
                self.active.insert(index);
                self.settle(Some(&window.fault)).await;
            }
            Step::End(index) => {
                // Who is killed for good stays down whatever happens.
                if matches!(self.plan.faults[index].fault, Fault::Kill { .. }) {
                    return;
                }
                self.active.remove(&index);
                self.report(
                    None,
                    0,
                    Event::Ended {
                        fault: self.plan.faults[index].to_string(),
                    },
                );
                self.settle(None).await;
            }
            Step::RestartEarly(index) => {
                self.between.insert(index);
                self.settle(None).await;
            }
            Step::CrashAgain(index) => {
                self.between.remove(&index);
                self.settle(Some(&self.plan.faults[index].fault)).await;
            }
            Step::Act(index) => {
                let action = &self.plan.actions[index].action;
                self.report(
                    None,
                    0,
                    Event::Acted {
                        action: format!("{action:?}"),
                    },
                );
                self.system.act(now_us, action);
                self.tick();
            }
            Step::Heal => {
                self.active
                    .retain(|index| matches!(self.plan.faults[*index].fault, Fault::Kill { .. }));
                self.between.clear();
                self.healed = true;
                self.report(None, 0, Event::Healed);
                self.settle(None).await;
                self.goal.healed(now_us, &self.plan.healthy());
            }
        }
    }

    /// Makes the world what the faults in force say. `cause` is what has just begun, if something has.
    async fn settle(&mut self, _cause: Option<&Fault>) {
        for node in 0..self.nodes.len() {
            let state = self.recorder.lock().state(node);
            match (self.wants_down(node), state) {
                (true, State::Up(_)) => self.kill(node).await,
                (false, State::Down | State::Stopped) => self.boot(node),
                _ => (),
            }
        }
    }

    fn wants_down(&self, node: usize) -> bool {
        self.active
            .iter()
            .any(|index| match &self.plan.faults[*index].fault {
                Fault::Crash { nodes, .. } => nodes.contains(&node),
                Fault::CrashRestarting { node: crashed, .. } => {
                    *crashed == node && !self.between.contains(index)
                }
                Fault::Kill { node: crashed } | Fault::Wipe { node: crashed } => *crashed == node,
                _ => false,
            })
    }

    fn boot(&mut self, node: usize) {
        let incarnation = self.nodes[node].lives;
        self.nodes[node].lives += 1;
        self.report(Some(node), incarnation, Event::Booted);
        let seat = Seat {
            node,
            incarnation,
            key: self.system.key(node),
            role: self.plan.nodes[node].role.clone(),
            observer: Observer::new(
                self.recorder.clone(),
                self.clock.clone(),
                Some(node),
                incarnation,
            ),
        };
        let started = self.system.start(seat);
        let (recorder, clock) = (self.recorder.clone(), self.clock.clone());
        let handle = self.context.child("node").spawn(move |_| async move {
            let event = match started.await {
                Ok(()) => Event::Finished,
                Err(error) => Event::Stopped {
                    error: error.to_string(),
                },
            };
            recorder
                .lock()
                .event(now_us(&clock), Some(node), incarnation, event);
        });
        self.nodes[node].handle = Some(handle);
    }

    async fn kill(&mut self, node: usize) {
        let incarnation = self.nodes[node].lives - 1;
        self.report(Some(node), incarnation, Event::Crashed);
        if let Some(handle) = self.nodes[node].handle.take() {
            handle.abort();
            // It ends as aborted, or ended just before.
            let _ = handle.await;
        }
    }

    /// Waits until a time, showing the system and the goal what is observed meanwhile.
    async fn wait(&mut self, until_us: u64) -> Woken {
        loop {
            self.read();
            if self.recorder.lock().failed() || (self.healed && self.goal.reached()) {
                return Woken::Decided;
            }
            let now_us = self.now_us();
            if self.tick_at_us.is_some_and(|at_us| at_us <= now_us) {
                self.tick();
                continue;
            }
            if until_us <= now_us {
                return Woken::Due;
            }
            let next_us = self
                .tick_at_us
                .map_or(until_us, |at_us| at_us.min(until_us));
            let observed = pin!(poll_fn(|cx| {
                if self.recorder.lock().ready(cx.waker()) {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }));
            let due = pin!(self.context.sleep(Duration::from_micros(next_us - now_us)));
            select(observed, due).await;
        }
    }

    fn read(&mut self) {
        let mut unread = std::mem::take(&mut self.unread);
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
    }

    fn tick(&mut self) {
        let now_us = self.now_us();
        self.tick_at_us = self.system.tick(now_us);
        assert!(
            self.tick_at_us.is_none_or(|at_us| at_us > now_us),
            "the system wants to tick at a time that is past"
        );
    }

    fn report(&self, node: Option<usize>, incarnation: u32, event: Event) {
        self.recorder
            .lock()
            .event(self.now_us(), node, incarnation, event);
    }

    fn now_us(&self) -> u64 {
        now_us(&self.clock)
    }
}
