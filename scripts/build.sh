#!/usr/bin/env bash
# build.sh [PRESET] [TARGET...]   Builds build/PRESET (default: release, everything that a user needs: build/release/bin/longshore).
# Presets: release, debug, asan, tsan, fuzz (CMakePresets.json).
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}
[ $# -gt 0 ] && shift
scripts/install.sh build

options=()
# Tests and benchmarks are configured only where their packages are installed (scripts/install.sh test).
if [ ! -e /usr/include/gtest/gtest.h ]; then options+=(-DLONGSHORE_TESTS=OFF); fi
if [ ! -e /usr/include/benchmark/benchmark.h ]; then options+=(-DLONGSHORE_BENCHMARKS=OFF); fi
cmake --preset "$preset" "${options[@]}" --log-level=WARNING >/dev/null
cmake --build "build/$preset" --target "${@:-longshore}"
