#!/usr/bin/env bash
# check.sh [--fix]   The formatter, clang-tidy's short list and shellcheck, over the tracked files. --fix formats in place.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install.sh build check

mapfile -t sources < <(git ls-files '*.h' '*.cpp')
if [ "${1:-}" = --fix ]; then
  clang-format-16 -i "${sources[@]}"
else
  clang-format-16 --dry-run --Werror "${sources[@]}"
fi
echo "format: ${#sources[@]} files"

mapfile -t shell < <(git ls-files '*.sh' .ci/run)
shellcheck "${shell[@]}"
echo "shellcheck: ${#shell[@]} files"

# A compilation database of its own: clang reads neither GCC's precompiled headers nor all of its warning flags.
cmake --preset tidy --log-level=WARNING >/dev/null
mapfile -t units < <(git ls-files 'src/*.cpp' 'apps/*.cpp' | grep -v /tests/)
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT
if ! printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-16 -p build/tidy --quiet >"$findings" 2>/dev/null; then
  cat "$findings"
  exit 1
fi
echo "clang-tidy: ${#units[@]} files"
