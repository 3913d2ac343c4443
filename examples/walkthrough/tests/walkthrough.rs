//! The walkthrough runs in both worlds, and stays short enough to be read at one sitting.

use std::process::Command;

#[test]
fn it_passes_in_the_simulator_and_counts_on_tokio() {
    let output = Command::new(env!("CARGO_BIN_EXE_walkthrough"))
        .output()
        .expect("the walkthrough runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("simulated: passed true"), "{text}");
    assert!(text.contains("real: 5"), "{text}");
}

#[test]
fn it_is_under_a_hundred_lines() {
    let lines = include_str!("../src/main.rs").lines().count();
    assert!(lines < 100, "{lines} lines");
}
