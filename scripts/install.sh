#!/usr/bin/env bash
# install.sh [build|test|check|package|fuzz]...   Installs the Debian 12 packages that Longshore needs: `build` to build and run it,
# `test` what the tests use besides, `check` the formatter and static checks, `package` what makes a Debian package, `fuzz` the fuzzer. Default: build. Needs root or sudo.
# Does nothing when everything is there. docs/dependencies.md says why each library is here.
set -euo pipefail

build_packages=(
  g++ cmake ninja-build ccache mold pkg-config
  libboost1.81-dev libboost-url1.81-dev libboost-json1.81-dev
  libexpected-dev libisal-dev libzstd-dev zlib1g-dev
  libsqlite3-dev libpq-dev libmariadb-dev libcurl4-openssl-dev libssl-dev libyaml-cpp-dev libcli11-dev
  libspdlog-dev libfmt-dev prometheus-cpp-dev
  libthrift-dev libsnappy-dev libxxhash-dev libdeflate-dev libcctz-dev tzdata libpugixml-dev
  libharfbuzz-dev libfreetype-dev libfribidi-dev fonts-dejavu-core
  ca-certificates curl
)
test_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev
  postgresql postgresql-client pgbouncer sqlite3 util-linux procps iproute2
  mariadb-server-core mariadb-client-core
  python3 python3-zstandard python3-yaml zstd gzip iso-codes
  python3-openpyxl libreoffice-calc-nogui default-jdk-headless qpdf poppler-utils
  libhpdf-dev libxlsxwriter-dev fonts-droid-fallback wrk faketime
  radosgw ceph-mon ceph-osd ceph-common openssl python3-boto3
  docker-compose systemd dpkg-dev file
)
check_packages=(clang-16 clang-format-16 clang-tidy-16 shellcheck)
package_packages=(dpkg-dev file)
fuzz_packages=(clang-16 libclang-rt-16-dev)

# A Node.js from elsewhere brings its own npm, which Debian's packages conflict with.
command -v node >/dev/null || test_packages+=(nodejs)
command -v npm >/dev/null || test_packages+=(npm)

packages=()
for group in "${@:-build}"; do
  case $group in
    build) packages+=("${build_packages[@]}") ;;
    test) packages+=("${test_packages[@]}") ;;
    check) packages+=("${check_packages[@]}") ;;
    package) packages+=("${package_packages[@]}") ;;
    fuzz) packages+=("${fuzz_packages[@]}") ;;
    *) sed -n 2,4p "$0"; exit 2 ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "install.sh: needs root or sudo to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A PostgreSQL package must not start a cluster of its own: tests and demo start theirs in temporary directories.
# (mariadb-server-core is the server without a service; the package mariadb-server would start one.)
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  "${as_root[@]}" mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi
if ! { "${as_root[@]}" apt-get update -q &&
       "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "install.sh: apt-get failed; this script is for Debian 12 (bookworm)" >&2
  exit 1
fi
