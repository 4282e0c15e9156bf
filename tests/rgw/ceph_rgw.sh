#!/usr/bin/env bash
# A throw-away Ceph RADOS Gateway (a real S3 server: one monitor, one OSD in memory, one gateway) for tests and benchmarks.
#
#   ceph_rgw.sh start DIR          make a cluster in DIR (created if missing), wait until it answers, print what reaches it
#   ceph_rgw.sh stop DIR           stop the daemons of DIR and remove DIR
#   ceph_rgw.sh do DIR COMMAND…    one of the commands below, for a cluster that `start` made
#   ceph_rgw.sh serve              start a cluster of its own, print what reaches it and then `ready`; read commands, one a
#                                  line, and answer each with `ok` or `failed`; stop everything when standard input ends
#
#   kill                           SIGKILL the gateway, as a crash does; the data stays in the OSD
#   pause, resume                  SIGSTOP, SIGCONT the gateway: it is there and does not answer
#   start                          start the gateway again, on its ports
#   set OPTION VALUE               change a setting of the running gateway, e.g. `set rgw_max_concurrent_requests 1` for real
#                                  503 SlowDown answers
#   user UID ACCESS_KEY SECRET     another user, without buckets
#   admin ARGUMENTS…               radosgw-admin, e.g. `admin quota set --quota-scope=user --uid=tester --max-size=1M`
#   lifecycle                      run the lifecycle rules now (a day lasts RGW_DAY seconds, if that was given at the start)
#
# Printed are lines NAME=VALUE: S3_ENDPOINT, S3_TLS_ENDPOINT, S3_CA_FILE, S3_KMS_KEY_ID, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.
# Everything listens on 127.0.0.1 (the gateway on RGW_ADDRESS), on free ports; *.s3.localhost are names of buckets. STORE_BYTES bounds the memory that the
# objects may take (default 2 GiB). Only processes that this script started are ever signalled. With `serve` they
# die with it, however it ends.
# Packages: radosgw ceph-mon ceph-osd ceph-common.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly store_bytes=${STORE_BYTES:-2147483648}
readonly access_key=LONGSHORETESTKEY0001
readonly secret_key=longshore0test0secret0key0000000000000001
readonly fsid=00000000-0000-4000-8000-000000000001
readonly osd_uuid=00000000-0000-4000-8000-0000000000a0
# With `serve`, daemons are told to die when this process does.
die_together=()

complain() { echo "ceph_rgw: $*" >&2; }

# A process that nobody has reaped yet still has an entry; only one that runs with our configuration is ours.
running() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
  [ -n "$state" ] && [ "$state" != Z ] && { tr '\0' '\n' <"/proc/$1/cmdline"; } 2>/dev/null | grep -qxF "$dir/ceph.conf"
}
pid_of() { cat "$dir/$1.pid" 2>/dev/null; }
alive() { local pid; pid=$(pid_of "$1") && [ -n "$pid" ] && running "$pid"; }

free_ports() { python3 "$here/../free_port.py" 4; }

# What each unusual setting is for stands above it.
write_configuration() {
  local mon_port=$1 mon_old_port=$2 port=$3 tls_port=$4
  cat >"$dir/ceph.conf" <<C
[global]
fsid = $fsid
mon_host = [v2:127.0.0.1:$mon_port/0,v1:127.0.0.1:$mon_old_port/0]
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# The gateway asks for encrypted messages by default, which needs the authentication that is off: it would hang.
ms_mon_client_mode = crc
ms_mon_cluster_mode = crc
ms_mon_service_mode = crc
mon_warn_on_insecure_global_id_reclaim_allowed = false
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv4 = true
ms_bind_ipv6 = false
# Of this range the daemons take what is free.
ms_bind_port_min = 20000
ms_bind_port_max = 29999
run_dir = $dir/run
admin_socket = $dir/run/\$name.asok
pid_file =
log_file = $dir/log/\$name.log
log_to_stderr = false
err_to_stderr = true
crash_dir = $dir/crash
setuser_match_path =
# One copy of everything, few placement groups, no manager.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 2000
# The monitor otherwise gathers changes for a second, which makes a start slow.
paxos_propose_interval = 0.02
paxos_min_wait = 0.005
# What a client asks before the OSD is quite ready is often only sent again at its next tick, by default after 5 s.
objecter_tick_interval = 0.2
# Changes of users are told to all gateways; one that was killed counts as one for a while and would be waited for.
client_notify_timeout = 1

[mon]
mon_data = $dir/mon
mon_cluster_log_file = $dir/log/cluster.log
mon_data_avail_crit = 1
mon_data_avail_warn = 2

[osd]
osd_data = $dir/osd
osd_objectstore = memstore
memstore_device_bytes = $store_bytes
osd_memory_target = 939524096
osd_class_load_list = *
osd_class_default_list = *

[client]
keyring = $dir/none

[client.rgw]
rgw_data = $dir/rgw
# Without tcp_nodelay every XML answer takes 40 ms longer (Nagle's algorithm against delayed acknowledgements).
rgw_frontends = beast endpoint=${RGW_ADDRESS:-127.0.0.1}:$port tcp_nodelay=1 ssl_endpoint=${RGW_ADDRESS:-127.0.0.1}:$tls_port ssl_certificate=$dir/tls.crt ssl_private_key=$dir/tls.key
rgw_thread_pool_size = 64
rgw_max_notify_retries = 0
rgw_dns_name = s3.localhost
# Customer keys and KMS keys without TLS, and one KMS key that exists only here.
rgw_crypt_require_ssl = false
rgw_crypt_s3_kms_backend = testing
rgw_crypt_s3_kms_encryption_keys = testkey-1=$(head -c 32 /dev/zero | base64)
# What is deleted takes memory until it is collected: within seconds, not the default two hours.
rgw_gc_obj_min_wait = 2
rgw_gc_processor_period = 5
rgw_gc_processor_max_time = 5
${RGW_DAY:+rgw_lc_debug_interval = $RGW_DAY}
${RGW_SETTINGS:-}
C
  cat >"$dir/env" <<C
S3_ENDPOINT=http://127.0.0.1:$port
S3_TLS_ENDPOINT=https://127.0.0.1:$tls_port
S3_CA_FILE=$dir/tls.crt
S3_KMS_KEY_ID=testkey-1
AWS_ACCESS_KEY_ID=$access_key
AWS_SECRET_ACCESS_KEY=$secret_key
AWS_REGION=us-east-1
C
}

# launch NAME COMMAND…: in the background, out of reach of the terminal's signals
launch() {
  local name=$1
  shift
  if [ ${#die_together[@]} -gt 0 ]; then
    "${die_together[@]}" "$@" </dev/null >>"$dir/log/$name.out" 2>&1 3>&- &
  else
    setsid "$@" </dev/null >>"$dir/log/$name.out" 2>&1 3>&- &
  fi
  echo $! >"$dir/$name.pid"
  # No job of this shell any more: it would announce that one was killed.
  disown
}

gateway_answers() { curl -s -o /dev/null --noproxy '*' --max-time 5 "$(sed -n 's/^S3_ENDPOINT=//p' "$dir/env")/"; }

start_gateway() {
  ! alive gateway || { complain "the gateway runs already"; return 1; }
  rm -f "$dir/run/client.rgw.asok"  # one that was killed leaves it, and the next would do without
  launch gateway radosgw -c "$dir/ceph.conf" -n client.rgw -f
  for _ in $(seq 1 2400); do
    if gateway_answers; then return 0; fi
    alive gateway || { complain "the gateway does not start:"; tail -n 5 "$dir"/log/*rgw*.log "$dir/log/gateway.out" >&2; return 1; }
    sleep 0.025
  done
  complain "the gateway does not answer"
  return 1
}

# Called in conditions, where `set -e` does not hold: every step says itself what a failure means.
start_cluster() {
  local conf=$dir/ceph.conf ports
  mkdir -p "$dir"/{run,log,mon,osd,rgw,crash} || return 1
  if [ ! -s "$dir/tls.crt" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
      -addext "subjectAltName=IP:127.0.0.1,DNS:s3.localhost,DNS:*.s3.localhost" -keyout "$dir/tls.key" -out "$dir/tls.crt" \
      2>/dev/null || return 1
  fi
  ports=$(free_ports) || return 1
  # shellcheck disable=SC2086  # four numbers
  write_configuration $ports || return 1
  monmaptool --create --clobber --fsid "$fsid" --addv a "$(sed -n 's/^mon_host = //p' "$conf")" "$dir/monmap" >/dev/null || return 1
  ceph-mon -c "$conf" -i a --mkfs --monmap "$dir/monmap" || return 1
  launch monitor ceph-mon -c "$conf" -i a -f
  # Whoever asks it too early tries again only after seconds.
  until (: <"/dev/tcp/127.0.0.1/${ports%% *}") 2>/dev/null; do alive monitor || return 1; sleep 0.01; done
  ceph -c "$conf" --connect-timeout 20 osd new "$osd_uuid" >/dev/null || return 1
  ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd_uuid" 2>>"$dir/log/osd.out" || return 1
  launch osd ceph-osd -c "$conf" -i 0 -f
  add_user tester "$access_key" "$secret_key" || return 1
  start_gateway
}

# radosgw-admin runs under the gateway's name; the socket of that name is the gateway's.
read_admin_options() { admin_options=(-c "$dir/ceph.conf" -n client.rgw --admin-socket=); }

add_user() {
  local -a admin_options
  read_admin_options
  timeout 60 radosgw-admin "${admin_options[@]}" user create --uid="$1" --display-name="$1" --access-key="$2" \
    --secret-key="$3" >"$dir/log/user.out" 2>&1
}

# Another process may take a port between free_ports and its use, so a start is tried again.
start() {
  for program in ceph-mon ceph-osd radosgw radosgw-admin ceph openssl; do
    command -v "$program" >/dev/null || { complain "$program is not installed; run scripts/install.sh test"; exit 1; }
  done
  for _ in 1 2 3; do
    if start_cluster; then return 0; fi
    stop
  done
  complain "the cluster does not start"
  exit 1
}

stop() {
  local name pid
  # Nothing here is worth an orderly shutdown.
  for name in gateway osd monitor; do
    if alive "$name"; then kill -KILL "$(pid_of "$name")"; fi
  done
  for name in gateway osd monitor; do
    pid=$(pid_of "$name") || continue
    for _ in $(seq 1 400); do running "$pid" || break; sleep 0.025; done
  done
  rm -rf "$dir"
}

command_of_gateway() {
  local -a admin_options
  read_admin_options
  case ${1:-} in
    kill)
      kill -KILL "$(pid_of gateway)"
      while alive gateway; do sleep 0.01; done
      ;;
    pause) kill -STOP "$(pid_of gateway)" ;;
    resume) kill -CONT "$(pid_of gateway)" ;;
    start) start_gateway ;;
    set) ceph --admin-daemon "$dir/run/client.rgw.asok" config set "$2" "$3" >"$dir/log/set.out" ;;
    user) add_user "$2" "$3" "$4" ;;
    admin) shift; radosgw-admin "${admin_options[@]}" "$@" ;;
    lifecycle) radosgw-admin "${admin_options[@]}" lc process >/dev/null 2>&1 ;;
    *) complain "there is no command '${1:-}'"; return 1 ;;
  esac
}

serve() {
  die_together=(setpriv --pdeathsig KILL)
  dir=$(mktemp -d "${TMPDIR:-/tmp}/longshore-rgw-XXXXXX")
  trap 'trap "" INT TERM HUP; stop' EXIT
  trap 'exit 143' INT TERM HUP
  start
  cat "$dir/env"
  echo ready
  local -a words
  while read -r -a words; do
    [ ${#words[@]} -gt 0 ] || continue
    if command_of_gateway "${words[@]}" >&2; then echo ok; else echo failed; fi
  done
}

usage() { sed -n 2,26p "$0"; exit 2; }

action=${1:-}
if [ "$action" = serve ]; then
  serve
  exit
fi
[ $# -ge 2 ] || usage
dir=$(realpath -m "$2")
case $action in
  start)
    [ ! -e "$dir/ceph.conf" ] || { complain "there is a cluster in $dir; stop it first"; exit 1; }
    start
    cat "$dir/env"
    ;;
  stop) stop ;;
  do) shift 2; command_of_gateway "$@" ;;
  *) usage ;;
esac
