#!/usr/bin/env bash
# bench.sh [NAME]   Runs benchmarks/NAME/run.sh, or all of them, and prints one JSON line a figure:
# {"name":…,"value":…,"unit":…,"reference":…,"ratio":…}. References are measured in the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh build test >&2
cmake --preset release --log-level=WARNING -DLONGSHORE_BENCHMARKS=ON >&2
cmake --build build/release -- --quiet >&2
if [ $# -gt 0 ]; then
  [ -x "benchmarks/$1/run.sh" ] || { echo "bench.sh: there is no benchmark $1; there are: $(cd benchmarks && ls -d */ | tr -d /| tr '\n' ' ')" >&2; exit 2; }
  exec "benchmarks/$1/run.sh" "$PWD/build/release"
fi
for run in benchmarks/*/run.sh; do "$run" "$PWD/build/release"; done
