//! The targets under libFuzzer; `fuzz/guided.sh` builds and starts it.
#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls in from C by an unmangled name")]

use drystone_fuzz::{Target, target};
use std::{env, sync::OnceLock};

static CHOSEN: OnceLock<Target> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let chosen = CHOSEN.get_or_init(|| {
        let name = env::var("DRYSTONE_FUZZ_TARGET").expect("DRYSTONE_FUZZ_TARGET names a target");
        target(&name).unwrap_or_else(|| panic!("no target is called {name:?}"))
    });
    chosen(data);
});
