//! Every failure that was ever found stays found: the plans of old capsules pass now, and run the same twice.

use drystone_simulator::{Recording, campaign::World, registry};
use std::{fs, path::Path};

#[test]
fn what_failed_once_holds_now() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/capsules");
    let registry = registry();
    let mut replayed = 0;
    for entry in fs::read_dir(&directory).expect("the folder of capsules is there") {
        let path = entry.expect("a readable folder").path();
        let text = fs::read_to_string(&path).expect("a readable capsule");
        let scenario = registry
            .find_for(&text)
            .expect("a capsule of a known scenario");
        let tell = || {
            scenario
                .tell(World::Capsule(&text), Recording::off())
                .unwrap_or_else(|broken| panic!("{}: {broken}", path.display()))
                .outcome
        };
        let outcome = tell();
        assert!(
            outcome.passed(),
            "{}: {:?}",
            path.display(),
            outcome.failure
        );
        assert_eq!(outcome.trace_hash, tell().trace_hash, "{}", path.display());
        replayed += 1;
    }
    assert!(replayed > 0, "no capsules in {}", directory.display());
}
