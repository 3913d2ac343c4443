mod replays;
mod shrinks;
mod sweeps;
mod usage;

use super::run_with;
use crate::{
    Capsule, Recording,
    campaign::{
        Exit, Registry,
        toy::{Toy, forgetful},
    },
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a command left behind.
struct Said {
    exit: Exit,
    out: String,
    err: String,
}

impl Said {
    fn last_line(&self) -> &str {
        self.out.lines().last().expect("the command said something")
    }
}

/// Runs a command line, program's name left out, against the toy's scenarios.
fn sim(args: &[&str]) -> Said {
    let registry = Registry::new().with::<Toy>();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = ["drystone-sim"].iter().chain(args);
    let exit = run_with(&registry, args, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("what is said is text");
    Said {
        exit,
        out: text(out),
        err: text(err),
    }
}

/// A directory of the test's own, and the arguments that send capsules there.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: TempDir::new().expect("a directory for the test"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn sim(&self, args: &[&str]) -> Said {
        let capsules = self.path("capsules");
        sim(&[args, &["--capsules", text(&capsules)]].concat())
    }

    /// The capsule of [`forgetful`], as a file.
    fn forgetful(&self) -> PathBuf {
        let scenario = forgetful();
        let plan = scenario.plan(7);
        let outcome = scenario.replay(&plan, Recording::off());
        let capsule = Capsule::of(&plan, &outcome, "replay it").expect("it fails");
        let path = self.path("forgetful.json");
        capsule
            .write(&path)
            .expect("a file in the test's directory");
        path
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of plain letters")
}
