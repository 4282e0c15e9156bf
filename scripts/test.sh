#!/usr/bin/env bash
# test.sh [--sanitize] [--only REGEX]   Installs what the tests need, builds, and runs all of them.
#   --sanitize   the same under AddressSanitizer + UndefinedBehaviorSanitizer, then under ThreadSanitizer
#   --only REGEX only the tests whose name matches
# The servers that tests need are started by the tests, on loopback with free ports in temporary directories.
set -euo pipefail
cd "$(dirname "$0")/.."
presets=(release)
select=()
while [ $# -gt 0 ]; do
  case $1 in
    --sanitize) presets=(asan tsan) ;;
    --only) select=(-R "${2:?--only needs a regular expression}"); shift ;;
    *) sed -n 2,5p "$0"; exit 2 ;;
  esac
  shift
done

scripts/install.sh build test
scripts/readers.sh
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="halt_on_error=1 second_deadlock_stack=1"
for preset in "${presets[@]}"; do
  echo "== build $preset"
  cmake --preset "$preset" --log-level=WARNING -DLONGSHORE_TESTS=ON >/dev/null
  cmake --build "build/$preset" -- --quiet
  echo "== test $preset"
  log=build/$preset/ctest.log
  if ! ctest --test-dir "build/$preset" --output-on-failure --parallel "$(nproc)" "${select[@]}" >"$log" 2>&1; then
    # Where, at the very end as well: the log may be cut, and one test of ctest may hold a hundred cases.
    grep -vE '^ *(Start +[0-9]+|[0-9]+/[0-9]+ Test +#[0-9]+:.* Passed)' "$log" | tail -n 300
    echo "Cases that failed:"
    grep -aE '^\[  FAILED  \] .*\(|: Failure$|^(FAIL|ERROR): |^[A-Za-z]*Error: ' "$log" | cut -c1-200 | head -n 40
    exit 1
  fi
  tail -n 12 "$log"
done
