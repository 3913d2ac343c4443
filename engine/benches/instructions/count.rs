//! Callgrind.

use super::hot::{Hot, MEASURED};
use std::{env, fs, process::Command};

/// Whether valgrind is here; if not, why.
pub fn valgrind() -> Result<(), String> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(answer) if answer.status.success() => Ok(()),
        Ok(answer) => Err(format!("valgrind ended with {}", answer.status)),
        Err(error) => Err(format!("valgrind cannot be run: {error}")),
    }
}

/// Instructions for one round.
pub fn per_round(hot: &Hot) -> u64 {
    let once = instructions(hot, hot.rounds);
    let twice = instructions(hot, 2 * hot.rounds);
    (twice - once) / hot.rounds
}

/// Instructions between entering and leaving what is measured.
fn instructions(hot: &Hot, rounds: u64) -> u64 {
    let profile = tempfile::NamedTempFile::new().expect("a directory for temporary files");
    let ran = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--toggle-collect=*{MEASURED}*"))
        .arg(format!("--callgrind-out-file={}", profile.path().display()))
        .arg(env::current_exe().expect("this program has a path"))
        .args(["--run", hot.name, &rounds.to_string()])
        .output()
        .expect("valgrind was here a moment ago");
    assert!(
        ran.status.success(),
        "{} failed under callgrind:\n{}",
        hot.name,
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = fs::read_to_string(profile.path()).expect("callgrind wrote a profile");
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    let total = total.expect("a profile ends with its totals");
    total
        .trim()
        .parse()
        .expect("a profile counts instructions alone")
}
