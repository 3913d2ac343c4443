#!/bin/sh
# fuzz/guided.sh TARGET [libFuzzer options]: fuzzes one target, guided by coverage, on the stable toolchain.
# Without a target it lists them. TARGET+Bug, as in tip_manager+ForgetLocks, has a known bug planted in the engine.
#
# New inputs, and the input of a failure, go to target/fuzz/TARGET; fuzz/corpus/TARGET is only read. It runs until it finds
# something or -max_total_time=SECONDS or -runs=COUNT stops it; -help=1 tells the other options.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

need() {
    printf 'fuzz/guided.sh: %s\n' "$1" >&2
    exit 2
}
command -v cargo >/dev/null || need "cargo is missing: install Rust 1.95 or later, https://rustup.rs"
command -v "${CXX:-c++}" >/dev/null ||
    need "${CXX:-c++} is missing: libFuzzer is compiled from C++; install g++ (Debian: apt-get install g++) or set CXX"

name=${1:-}
if [ -z "$name" ]; then
    printf 'usage: fuzz/guided.sh TARGET [libFuzzer options], where TARGET is one of\n'
    exec cargo run --quiet --release --locked --manifest-path "$here/Cargo.toml"
fi
shift
features=guided
case $name in *+*) features=guided,canary ;; esac
corpus=$here/corpus/${name%%+*}
[ -d "$corpus" ] || corpus= # The states begin with nothing.
found=${CARGO_TARGET_DIR:-$here/../target}/fuzz/$name
mkdir -p "$found"

# Only the crates of this workspace are instrumented, and cargo keeps what is built through a wrapper apart: all else is
# built once for tests and fuzzing.
export RUSTC_WORKSPACE_WRAPPER="$here/instrument.sh" DRYSTONE_FUZZ_TARGET="$name"
exec cargo run --release --locked --manifest-path "$here/Cargo.toml" --no-default-features --features "$features" --bin guided -- \
    "$found" ${corpus:+"$corpus"} -artifact_prefix="$found/" "$@"
