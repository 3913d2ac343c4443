//! A plan as a list of steps in time.

use crate::{
    Plan, System,
    plan::{Fault, Window},
};

/// One thing the world does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The fault with this index ends.
    End(usize),
    /// The node of a [`Fault::CrashRestarting`] is restarted for the first time.
    RestartEarly(usize),
    /// The node of a [`Fault::CrashRestarting`] is killed again.
    CrashAgain(usize),
    /// The fault with this index begins.
    Begin(usize),
    /// The action with this index is carried out.
    Act(usize),
    /// The faults stop.
    Heal,
}

/// The steps of a plan in order: by time, within an instant as in [`Step`], and then as in the plan.
pub(super) fn of<S: System>(plan: &Plan<S>) -> Vec<(u64, Step)> {
    let mut steps = Vec::new();
    for (
        index,
        Window {
            at_us,
            until_us,
            fault,
        },
    ) in plan.faults.iter().enumerate()
    {
        if at_us == until_us {
            continue; // It lasts no time.
        }
        steps.push((*at_us, Step::Begin(index)));
        if let Fault::CrashRestarting {
            restart_at_us,
            crash_at_us,
            ..
        } = fault
        {
            steps.push((*restart_at_us, Step::RestartEarly(index)));
            steps.push((*crash_at_us, Step::CrashAgain(index)));
        }
        // Who is killed for good stays down whatever the window says.
        if !matches!(fault, Fault::Kill { .. }) {
            steps.push((*until_us, Step::End(index)));
        }
    }
    // What would happen later ends with the safety phase.
    steps.retain(|(at_us, _)| *at_us < plan.safety_us);
    steps.extend(
        plan.actions
            .iter()
            .enumerate()
            .map(|(index, timed)| (timed.at_us, Step::Act(index))),
    );
    steps.push((plan.safety_us, Step::Heal));
    steps.sort_by_key(|(at_us, step)| (*at_us, rank(*step)));
    steps
}

/// Ends go first, so that what ends at an instant does not overlap what begins there.
const fn rank(step: Step) -> u8 {
    match step {
        Step::End(_) => 0,
        Step::RestartEarly(_) => 1,
        Step::CrashAgain(_) => 2,
        Step::Begin(_) => 3,
        Step::Act(_) => 4,
        Step::Heal => 5,
    }
}
