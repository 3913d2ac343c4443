#!/bin/bash
# The same all-to-all program on four simulated networks: builds them, then runs them in turn, so that a
# slow minute of the machine slows all of them. Prints one line for each run; on a busy machine trust the
# processor time (user+system) at its end more than the wall clock.
# Usage: run.sh [REPETITIONS]. BASELINES_TARGET_DIR is where the other three are built (here, by default).
set -euo pipefail
cd "$(dirname "$0")"
target=${BASELINES_TARGET_DIR:-$PWD/target}
repetitions=${1:-3}

for network in turmoil madsim commonware; do
  # From inside the folder: madsim's compiler flags are in its .cargo/config.toml.
  (cd "$network" && CARGO_TARGET_DIR=$target cargo build --release --locked --quiet)
done
cargo build --release --quiet --manifest-path ../../Cargo.toml --example transport
drystone=${CARGO_TARGET_DIR:-../../../target}/release/examples/transport

TIMEFORMAT='cpu_s=%U+%S'
measure() { { time "$@"; } 2>&1 | paste -sd' '; }

for _ in $(seq "$repetitions"); do
  for size in "10 100 60" "50 100 20" "10 10000 3600"; do # nodes, period in ms, simulated seconds
    read -ra size <<<"$size"
    for network in turmoil madsim commonware; do
      measure "$target/release/transport-$network" "${size[@]}" 0
    done
    measure "$drystone" "${size[@]}" 0
    measure "$drystone" "${size[@]}" 0 --faults
  done
done
