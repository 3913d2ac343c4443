#!/bin/bash
# Our lanes beside ordered-broadcast, on the same work: builds both, runs them interleaved, prints what came out beside
# what DESIGN.md holds us to. About ten minutes on two quiet cores; --full adds every size, scheme, disk and loss.
# Usage: lanes.sh [--full] [--only "mock 25"] [--repetitions N] [--csv OUT.csv]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${BASELINES_TARGET:-$here/ordered-broadcast/target}
[[ " $* " == *" --csv"* ]] || set -- "$@" --csv "$here/lanes.csv"

(cd "$here/ordered-broadcast" && CARGO_TARGET_DIR=$target cargo build --release --locked)
exec cargo run --release --locked --manifest-path "$here/../../Cargo.toml" \
  -p drystone-simulator --no-default-features --features bench-signatures --example lanes -- \
  compare --baseline "$target/release/bench-ob" "$@"
