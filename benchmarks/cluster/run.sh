#!/usr/bin/env bash
# run.sh BUILD_DIR   see run.py
exec env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$(dirname "$0")/run.py" "$@"
