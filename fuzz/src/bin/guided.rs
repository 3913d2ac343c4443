//! The targets under libFuzzer; `fuzz/guided.sh` builds and starts it.
#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls in from C by an unmangled name")]

use drystone_fuzz::{Target, target};
use std::{env, process, sync::OnceLock};

static CHOSEN: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = env::var("DRYSTONE_FUZZ_TARGET").unwrap_or_default();
    target(&name).unwrap_or_else(|| {
        eprintln!("no target is called {name:?}: fuzz/guided.sh without a name lists them");
        process::exit(2)
    })
}

libfuzzer_sys::fuzz_target!(
    init: {
        CHOSEN.get_or_init(chosen);
    },
    |data: &[u8]| {
        let target = CHOSEN.get_or_init(chosen);
        target(data);
    }
);
