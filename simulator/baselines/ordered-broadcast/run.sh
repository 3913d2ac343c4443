#!/bin/bash
# Runs the whole matrix, about 25 minutes; of REPS runs of a row the one with the least processor time is
# kept. Usage: run.sh [OUT.csv]. Build first: cargo build --release --locked
set -euo pipefail
bench=${B:-target/release/bench-ob}
out=${1:-results.csv}
reps=${REPS:-3}

row() {
  local runs=$1
  shift
  for _ in $(seq "$runs"); do timeout 900 "$bench" "$@"; done | sort -t, -k12,12g | sed -n 1p | tee -a "$out"
}

"$bench" --header >"$out"

# Processor time: links without latency, a cycle of 10 us so that virtual time does not matter.
for scheme in ed25519 multisig-minsig multisig-minpk threshold-minsig secp256r1 mock; do
  row "$reps" "$scheme" 4 200 0 0 10
  row "$reps" "$scheme" 10 40 0 0 10
  case $scheme in ed25519 | mock) height=12 ;; *) height=6 ;; esac
  row 1 "$scheme" 25 "$height" 0 0 10
done

# Latency: links of 10 ms, the runtime's default cycle and a short one, with and without jitter.
for n in 4 10 25; do
  row 1 mock "$n" 50 10000 0 1000
  row 1 mock "$n" 50 10000 0 10
  row 1 mock "$n" 50 10000 1000 10
done

# Disks: links of 10 ms, one disk for each node, syncs that take virtual time.
for n in 4 10 25; do
  for fsync_us in 500 2000 5000; do FSYNC_US=$fsync_us row 1 mock "$n" 30 10000 0 10; done
done

# Loss: with upstream's rebroadcast timer of 5 s, and with one of 100 ms.
for loss in 0.01 0.05; do
  for n in 4 10; do
    LOSS=$loss row 1 mock "$n" 50 10000 0 10
    LOSS=$loss REBROADCAST_MS=100 row 1 mock "$n" 50 10000 0 10
  done
done
