#!/usr/bin/env bash
# run.sh --seed N [--exports 50] …   The chaos run; see README.md and `chaos.py --help`. LONGSHORE_BINARY: another build than build/release.
# run.sh network [--cuts 3]          The same for two hosts whose links are cut; needs root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if [ "${1:-}" = network ]; then
  shift
  exec "$python" "$here/network_cut.py" "$@"
fi
exec "$python" "$here/chaos.py" "$@"
