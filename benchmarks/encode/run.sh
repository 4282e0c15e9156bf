#!/usr/bin/env bash
# run.sh BUILD_DIR: measures the encoders and prints one JSON line for each figure. The reference is DuckDB writing the
# same rows in the same run on one thread; without node or the npm package @duckdb/node-api it is null.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "${1:?usage: run.sh BUILD_DIR}" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

"$build/bin/encode_bench" --benchmark_min_time=0.3 --benchmark_repetitions=5 --benchmark_report_aggregates_only=true \
  --benchmark_out="$scratch/longshore.json" --benchmark_out_format=json >&2

echo '{}' | tee "$scratch/duckdb.json" >"$scratch/duckdb_parquet.json"
modules=$here/../../build/readers
if [ -d "$modules/node_modules/@duckdb/node-api" ]; then
  "$build/bin/encode_bench" --rows-file="$scratch/rows.csv"
  NODE_PATH=$modules/node_modules node "$here/duckdb_reference.cjs" "$scratch/rows.csv" "$scratch" >"$scratch/duckdb.json"
  NODE_PATH=$modules/node_modules node "$here/parquet_reference.cjs" "$scratch/rows.csv" "$scratch" >"$scratch/duckdb_parquet.json"
fi

python3 "$here/report.py" "$scratch/longshore.json" "$scratch/duckdb.json"
"$build/bin/parquet_bench" "$scratch/duckdb_parquet.json"

# Workbooks beside libxlsxwriter, where it is installed.
[ ! -x "$build/bin/xlsx_bench" ] || "$build/bin/xlsx_bench" "$scratch"

# Reports beside libharu, where it is installed.
[ ! -x "$build/bin/pdf_bench" ] || "$build/bin/pdf_bench"
