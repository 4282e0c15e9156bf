#!/usr/bin/env bash
# fuzz.sh [SECONDS]   Builds the fuzz targets with clang (ASan + UBSan) and runs each for SECONDS (default 60).
# A crash leaves its input in build/fuzz/findings/ and fails; it becomes a test beside the code.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
scripts/install.sh build fuzz
cmake --preset fuzz --log-level=WARNING >/dev/null
cmake --build build/fuzz --target all_fuzz -- --quiet
mkdir -p build/fuzz/findings
for target in build/fuzz/bin/*_fuzz; do
  name=$(basename "$target")
  mkdir -p "build/fuzz/corpus/$name"
  echo "== $name, $seconds s"
  "$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
    -artifact_prefix=build/fuzz/findings/ "build/fuzz/corpus/$name" 2>"build/fuzz/$name.log" ||
    { tail -n 40 "build/fuzz/$name.log"; exit 1; }
  grep -E 'stat::number_of_executed_units' "build/fuzz/$name.log"
done
