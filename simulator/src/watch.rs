//! A run that takes place outside the simulated world, judged as if it were inside.
//!
//! The nodes live wherever the caller boots them: on another runtime, over a real network, with real files. What they
//! report arrives at the recorder that a simulated run has, is judged by the same properties, moves the same doubles of
//! other components, and must reach the same goal.

use crate::{
    Failure, FailureKind, Goal, Plan, Recording, Stamped, System, Tally,
    trace::{Event, Now, Observer, Recorder, Story},
};
use commonware_runtime::Clock;
use commonware_utils::sync::Mutex;
use futures::future::select;
use std::{
    collections::BTreeMap,
    future::poll_fn,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::{Duration, SystemTime},
};

/// Watches one run. It is driven by whoever waits in [`Watch::until`] or [`Watch::converges`].
pub struct Watch<S: System> {
    plan: Plan<S>,
    now: Now,
    recorder: Arc<Mutex<Recorder<S::Observation>>>,
    system: S,
    goal: Box<dyn Goal<S::Observation>>,
    /// How many lives each node had.
    lives: Vec<u32>,
    unread: Vec<Stamped<S::Observation>>,
}

/// What a wait is for.
type Wanted<'a, O> = Option<&'a mut dyn Goal<O>>;

impl<S: System> Watch<S> {
    /// Begins to watch. Of the plan only options, roles and properties count: faults are the caller's. `system` makes
    /// the shared state of the run as [`System::new`] would, for a world whose time is `now`.
    pub fn new(
        plan: Plan<S>,
        now: Now,
        system: impl FnOnce(&Plan<S>, Observer<S::Observation>) -> S,
    ) -> Self {
        let recorder = Arc::new(Mutex::new(Recorder::new(
            plan.nodes.len(),
            S::properties(&plan),
            None,
            plan.steps_max,
            Story::of(Recording::ends(20, 40)),
        )));
        let observer = Observer::new(recorder.clone(), now.clone(), None, 0);
        Self {
            system: system(&plan, observer),
            goal: S::goal(&plan),
            lives: vec![0; plan.nodes.len()],
            unread: Vec::new(),
            recorder,
            now,
            plan,
        }
    }

    /// The shared state of the run.
    pub const fn system(&mut self) -> &mut S {
        &mut self.system
    }

    /// A life of a node begins: its number, and what it reports with.
    pub fn booted(&mut self, node: usize) -> (u32, Observer<S::Observation>) {
        let incarnation = self.lives[node];
        self.lives[node] += 1;
        self.event(Some(node), incarnation, Event::Booted);
        let (recorder, now) = (self.recorder.clone(), self.now.clone());
        (
            incarnation,
            Observer::new(recorder, now, Some(node), incarnation),
        )
    }

    /// A node was killed: what its last life still says is ignored.
    pub fn crashed(&mut self, node: usize) {
        self.event(Some(node), self.lives[node] - 1, Event::Crashed);
    }

    /// The faults are over: from here on the run owes its goal.
    pub fn healed(&mut self) {
        self.event(None, 0, Event::Healed);
        self.read(&mut None);
        self.goal.healed((self.now)(), &self.plan.healthy());
    }

    /// Waits for a goal on the way.
    ///
    /// # Errors
    /// The property that was violated meanwhile, or what is missing when the time is up.
    pub async fn until<C: Clock>(
        &mut self,
        clock: &C,
        mut goal: impl Goal<S::Observation>,
        within: Duration,
    ) -> Result<(), Failure> {
        self.drive(clock, Some(&mut goal), within).await
    }

    /// Waits for the system's own goal, after [`Watch::healed`].
    ///
    /// # Errors
    /// The property that was violated meanwhile, or what is missing when the time is up.
    pub async fn converges<C: Clock>(
        &mut self,
        clock: &C,
        within: Duration,
    ) -> Result<(), Failure> {
        self.drive(clock, None, within).await
    }

    /// Ends the run: how often each property was checked.
    ///
    /// # Errors
    /// The property that was violated.
    pub fn finish(self) -> Result<BTreeMap<String, Tally>, Failure> {
        let mut recorder = self.recorder.lock();
        recorder.finish((self.now)());
        let collected = recorder.collected();
        collected
            .failure
            .map_or(Ok(collected.properties), |failure| {
                Err(told(failure, &collected.story))
            })
    }

    async fn drive<C: Clock>(
        &mut self,
        clock: &C,
        mut wanted: Wanted<'_, S::Observation>,
        within: Duration,
    ) -> Result<(), Failure> {
        let deadline = clock.current() + within;
        loop {
            let now_us = (self.now)();
            let tick_us = self.system.tick(now_us);
            self.read(&mut wanted);
            let goal = wanted.as_deref().unwrap_or(&*self.goal);
            if !self.recorder.lock().failed() {
                if goal.reached() {
                    return Ok(());
                }
                if clock.current() >= deadline {
                    let (node, message) = goal.missing();
                    let kind = FailureKind::Liveness;
                    let mut recorder = self.recorder.lock();
                    recorder.fail(kind, goal.name(), node, now_us, message);
                }
            }
            if self.recorder.lock().failed() {
                let collected = self.recorder.lock().collected();
                let failure = collected.failure.expect("just seen");
                return Err(told(failure, &collected.story));
            }
            self.sleep(clock, now_us, tick_us, deadline).await;
        }
    }

    /// Sleeps until something was reported or is due.
    async fn sleep<C: Clock>(
        &self,
        clock: &C,
        now_us: u64,
        tick_us: Option<u64>,
        deadline: SystemTime,
    ) {
        let tick = tick_us.map(|at_us| Duration::from_micros(at_us.saturating_sub(now_us)));
        let due = tick.map_or(deadline, |it| deadline.min(clock.current() + it));
        let reported = poll_fn(|context| {
            if self.recorder.lock().ready(context.waker()) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        select(pin!(reported), pin!(clock.sleep_until(due))).await;
    }

    /// Shows the system and the goals what was observed.
    fn read(&mut self, wanted: &mut Wanted<'_, S::Observation>) {
        let mut unread = std::mem::take(&mut self.unread);
        self.recorder.lock().read(&mut unread);
        for seen in &unread {
            self.system.observe(seen);
            self.goal.observe(seen);
            if let Some(goal) = wanted {
                goal.observe(seen);
            }
        }
        self.unread = unread;
        // A node that stopped without leave is judged by its property; nobody restarts it here.
        self.recorder.lock().take_stopped();
    }

    fn event(&self, node: Option<usize>, incarnation: u32, event: Event) {
        let at_us = (self.now)();
        self.recorder.lock().event(at_us, node, incarnation, event);
    }
}

/// The failure with the first and last lines of the story.
fn told(mut failure: Failure, story: &[String]) -> Failure {
    failure.message = format!("{}\n{}", failure.message, story.join("\n"));
    failure
}
