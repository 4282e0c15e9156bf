#!/usr/bin/env bash
# readers.sh   Puts the npm packages that tests and benchmarks read our files with (tests/readers/package.json) into build/readers.
# Does nothing when they are there in these versions.
set -euo pipefail
cd "$(dirname "$0")/.."
readers=build/readers
if ! cmp -s tests/readers/package-lock.json "$readers/installed.json"; then
  rm -rf "$readers"
  mkdir -p "$readers"
  cp tests/readers/package.json tests/readers/package-lock.json tests/readers/.npmrc "$readers"
  (cd "$readers" && npm install --no-save --loglevel=error >&2)
  cp tests/readers/package-lock.json "$readers/installed.json"
fi
