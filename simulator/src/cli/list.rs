//! `list`: what there is.

use super::Console;
use crate::{
    campaign::{Exit, Registry, full_name},
    plan::Fault,
};

pub(super) fn list(registry: &Registry, console: &mut Console<'_>) -> Exit {
    let mut text = String::from("scenarios\n");
    for (index, scenario) in registry.iter().enumerate() {
        let note = if index == 0 {
            " (run when none is named)"
        } else {
            ""
        };
        text += &format!("  {}{note}\n    properties\n", full_name(scenario));
        for property in scenario.properties() {
            text += &format!("      {}: {}\n", property.name, property.text);
        }
        text += &format!(
            "    observations\n      {}\n",
            scenario.observation_kinds().join(", ")
        );
    }
    text += &format!("fault kinds\n  {}\n", Fault::KINDS.join(", "));
    console.say(&text);
    Exit::Held
}
