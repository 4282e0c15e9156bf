#!/usr/bin/env bash
# run.sh BUILD_DIR   see run.py
exec python3 "$(dirname "$0")/run.py" "$@"
