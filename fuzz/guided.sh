#!/bin/sh
# fuzz/guided.sh TARGET [libFuzzer options]: fuzzes one target, guided by coverage, on the stable toolchain.
# New inputs go to target/fuzz/TARGET; fuzz/corpus/TARGET is only read.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=$1
shift
found="${CARGO_TARGET_DIR:-$here/../target}/fuzz/$name"
mkdir -p "$found" "$here/corpus/$name"
export RUSTC_WORKSPACE_WRAPPER="$here/instrument.sh" DRYSTONE_FUZZ_TARGET="$name"
exec cargo run --release --manifest-path "$here/Cargo.toml" --features guided --bin guided -- \
    "$found" "$here/corpus/$name" -artifact_prefix="$found/" "$@"
