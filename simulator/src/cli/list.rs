//! `list`: what there is.

use super::Console;
use crate::{
    campaign::{Exit, Registry, Runnable, Sentence, full_name},
    plan::Fault,
};

pub(super) fn list(registry: &Registry, console: &mut Console<'_>) -> Exit {
    let mut text = String::from("scenarios\n");
    let mut previous = None;
    for (index, scenario) in registry.iter().enumerate() {
        let note = if index == 0 {
            " (run when none is named)"
        } else {
            ""
        };
        text += &format!("  {}{note}\n", full_name(scenario));
        // Scenarios of one system mostly differ in shape and faults alone.
        let judged = judged(scenario);
        if previous.as_ref() == Some(&judged) {
            text += "    judged and observed like the one before\n";
        } else {
            text += &judged;
        }
        previous = Some(judged);
    }
    text += &format!("fault kinds\n  {}\n", Fault::KINDS.join(", "));
    console.say(&text);
    Exit::Held
}

fn judged(scenario: &dyn Runnable) -> String {
    let sentence = |property: Sentence| format!("      {}: {}\n", property.name, property.text);
    let sentences: String = scenario.properties().into_iter().map(sentence).collect();
    let kinds = scenario.observation_kinds().join(", ");
    format!("    properties\n{sentences}    observations\n      {kinds}\n")
}
