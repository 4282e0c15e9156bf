#!/usr/bin/env bash
# demo.sh [--exit-when-done]   The main job on the embedded default: installs and builds Longshore, makes a sample SaaS
# database (five tenants; audit_logs of 1,000,000 rows), serves it, exports a tenant's rows through the API with live
# progress, downloads the file by a signed link, proves it against its manifest, and shows it; then the other formats.
#   --exit-when-done   stop the server at the end instead of leaving it for you to play with
# LONGSHORE_DEMO_ROWS changes the number of rows, LONGSHORE_DEMO_DIR where everything is kept (default: build/demo).
set -euo pipefail
cd "$(dirname "$0")/.."
stay=yes
case ${1:-} in
  --exit-when-done) stay=no ;;
  '') ;;
  *) sed -n 2,6p "$0"; exit 2 ;;
esac

bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
show() { printf '%s$ %s%s\n' "$bold" "$*" "$plain"; "$@"; }

say "Installing and building (a few minutes the first time)"
scripts/install.sh build
scripts/build.sh release longshore >build.log 2>&1 || { tail -n 30 build.log >&2; exit 1; }
rm -f build.log

dir=${LONGSHORE_DEMO_DIR:-$PWD/build/demo}
rm -rf "$dir"
mkdir -p "$dir"
PATH=$PWD/build/release/bin:$PATH

say "Making a sample database"
show longshore demo data "$dir" --rows "${LONGSHORE_DEMO_ROWS:-1000000}"

say "Starting the server"
longshore serve --config "$dir/longshore.yaml" --listen 127.0.0.1:0 --log-format json >"$dir/server.log" 2>&1 &
server=$!
stop_server() {
  if kill -0 "$server" 2>/dev/null; then
    kill -TERM "$server"
    wait "$server" || true
  fi
}
trap stop_server EXIT
url=
for _ in $(seq 1 200); do
  url=$(sed -n 's/.*"message":"listening","endpoint":"\([^"]*\)".*/http:\/\/\1/p' "$dir/server.log")
  [ -z "$url" ] || break
  kill -0 "$server" 2>/dev/null || { cat "$dir/server.log" >&2; exit 1; }
  sleep 0.05
done
[ -n "$url" ] || { echo "demo.sh: the server does not listen after 10 s; see $dir/server.log" >&2; exit 1; }
export LONGSHORE_SERVER=$url LONGSHORE_TOKEN=demo-acme-admin-token
echo "listening on $url"
curl -fsS "$url/readyz"
echo

say "Exporting acme's audit log as CSV: create, watch, download by signed link, verify"
show longshore export audit_logs --output "$dir/audit_logs.csv" --manifest "$dir/audit_logs.manifest.json"
say "The same file proved again, offline"
show longshore verify "$dir/audit_logs.csv" "$dir/audit_logs.manifest.json"
say "Its first lines"
head -n 4 "$dir/audit_logs.csv" | cut -c 1-"${COLUMNS:-160}"

say "Filtered, some columns, JSON Lines, gzip"
show longshore export audit_logs --format jsonl --compression gzip --columns id,createdAt,action,status \
  --filter 'status>=400' --from 2026-02-01 --output "$dir/errors.jsonl.gz"
zcat "$dir/errors.jsonl.gz" | head -n 3 || true

say "The same large table as Parquet, and one of orders in every format: the name of the file says which"
show longshore export audit_logs --output "$dir/audit_logs.parquet"
for format in csv jsonl json parquet xlsx pdf; do
  show longshore export orders --quiet --title Orders --time-zone Europe/Warsaw --output "$dir/orders.$format"
done
(cd "$dir" && stat --format='%12s bytes  %n' audit_logs.csv audit_logs.parquet orders.*)

say "What does not fit is said before anything is read"
curl -fsS "$url/v1/exports/estimate" -H "Authorization: Bearer $LONGSHORE_TOKEN" -H 'Content-Type: application/json' \
  -d '{"exportType":"audit_logs","format":"pdf"}'
echo

say "What the server knows of them"
show longshore jobs list

cat <<TEXT

${bold}== Done. To go on:${plain}
  export PATH=$PWD/build/release/bin:\$PATH LONGSHORE_SERVER=$url LONGSHORE_TOKEN=demo-acme-admin-token
  longshore export orders -o orders.csv               another dataset; also customers, transactions, users
  LONGSHORE_TOKEN=demo-acme-analyst-token longshore export audit_logs --columns id,ipAddress
                                                      a role without pii.read: refused, and told why
  LONGSHORE_TOKEN=demo-globex-admin-token longshore jobs list
                                                      another tenant sees nothing of this
  curl -H "Authorization: Bearer \$LONGSHORE_TOKEN" $url/v1/datasets
  curl $url/openapi.json                   the whole API
  less $dir/catalog.yaml                   what may be exported; write one of your own with
  longshore catalog init --source 'host=… dbname=…'
TEXT
if [ "$stay" = yes ]; then
  echo
  echo "The server goes on; Ctrl-C stops it."
  trap 'exit 0' INT TERM
  wait "$server" || true
fi
