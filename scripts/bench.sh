#!/usr/bin/env bash
# bench.sh [NAME]   Runs benchmarks/NAME/run.sh, or all of them, and prints one JSON line a figure:
# {"name":…,"value":…,"unit":…,"reference":…,"ratio":…}. References are measured in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh build test >&2
scripts/readers.sh
cmake --preset release --log-level=WARNING -DLONGSHORE_BENCHMARKS=ON >/dev/null
cmake --build build/release -- --quiet >&2
runs=(benchmarks/*/run.sh)
if [ $# -gt 0 ]; then
  runs=("benchmarks/$1/run.sh")
  [ -x "${runs[0]}" ] || { echo "bench.sh: there is no benchmark $1; there are:" benchmarks/*/run.sh >&2; exit 2; }
fi
for run in "${runs[@]}"; do "$run" "$PWD/build/release"; done
