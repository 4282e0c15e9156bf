#!/usr/bin/env bash
# bare_debian.sh PACKAGE   As root on a bare Debian 12 without systemd (a container or chroot that may be thrown away): installs the
# package with what it depends on and nothing else, runs what longshore.service would run as the user it would run as, and exports.
# Not among the tests of scripts/test.sh, which must not change the machine: debootstrap --variant=minbase makes such a system.
set -euo pipefail
package=$(realpath "$1")
[ ! -e /usr/bin/longshore ] || { echo "bare_debian.sh: longshore is installed here already" >&2; exit 2; }

fail() { echo "bare_debian.sh: $*" >&2; exit 1; }
# Bash's own sockets: there is no curl on such a system.
get() {
  exec 3<>"/dev/tcp/127.0.0.1/8080" || return 1
  printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$1" >&3
  cat <&3
  exec 3<&-
}

apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$package" >/tmp/install.log 2>&1 || { tail -n 20 /tmp/install.log; fail "apt-get failed"; }
missing=$(ldd /usr/bin/longshore | grep 'not found' || true)
[ -z "$missing" ] || fail "libraries are missing: $missing"
dpkg --verify longshore || fail "the installed files are not those of the package"
[ "$(stat -c %U:%a /var/lib/longshore)" = longshore:700 ] || fail "/var/lib/longshore is not the service's own"
[ "$(stat -c %G:%a /etc/longshore/longshore.yaml)" = longshore:640 ] || fail "the configuration can be read by others"

# The line, the user and the environment of the unit.
unit=/lib/systemd/system/longshore.service
command=$(sed -n 's/^ExecStart=//p' "$unit")
user=$(sed -n 's/^User=//p' "$unit")
work=$(mktemp -d)
chmod 755 "$work"

start() {
  # shellcheck disable=SC1091,SC2086  # the unit's own words, and its environment file
  (set -a && . /etc/default/longshore && set +a && cd / && umask 0077 &&
    exec setpriv --reuid="$user" --regid="$user" --init-groups --no-new-privs --bounding-set=-all $command) >"$work/log" 2>&1 &
  service=$!
  for _ in $(seq 100); do
    if grep -q listening "$work/log"; then return 0; fi
    kill -0 "$service" 2>/dev/null || { cat "$work/log"; fail "the service ended"; }
    sleep 0.1
  done
  cat "$work/log"
  fail "the service does not listen"
}
stop() {
  kill -TERM "$service"
  wait "$service" || { cat "$work/log"; fail "the service did not end well"; }
}

# As installed: nothing can be exported yet, and it is healthy.
start
[[ $(get /readyz) == *'"status":"ready"'* ]] || fail "not ready as installed: $(get /readyz)"
stop

# With the sample data, in the places that the package made for the real ones.
longshore demo data "$work/demo" --rows 20000 >/dev/null 2>&1 || fail "no sample data"
install -o longshore -g longshore -m 0600 "$work/demo/app.db" /var/lib/longshore/app.db
sed 's|path: .*app\.db|path: /var/lib/longshore/app.db|' "$work/demo/catalog.yaml" >/etc/longshore/catalog.yaml
cat >>/etc/longshore/longshore.yaml <<'C'
  tokens:
    - { token: bare-debian-token-0001, tenant: acme, user: you, roles: [admin] }
C
start
export LONGSHORE_SERVER=http://127.0.0.1:8080 LONGSHORE_TOKEN=bare-debian-token-0001
for format in csv jsonl json parquet xlsx pdf; do
  longshore export orders --format "$format" -o "$work/orders.$format" -q --manifest "$work/orders.$format.json" ||
    { cat "$work/log"; fail "the export as $format failed"; }
  longshore verify "$work/orders.$format" "$work/orders.$format.json" >/dev/null 2>&1 || fail "the file is not that of its manifest"
done
[ -z "$(find /var/lib/longshore ! -user longshore)" ] || fail "files of somebody else in /var/lib/longshore"
stop

apt-get purge -y -q longshore >/tmp/purge.log 2>&1 || { tail /tmp/purge.log; fail "apt-get purge failed"; }
[ ! -e /etc/longshore/longshore.yaml ] || fail "purging left the configuration"
rm -rf "$work"
echo "installed, started, exported $(echo csv jsonl json parquet xlsx pdf | wc -w) formats, stopped and purged"
