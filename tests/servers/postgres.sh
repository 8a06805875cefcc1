#!/bin/bash
# postgres.sh start DIR [PORT] | stop DIR: a throw-away PostgreSQL server for tests and benchmarks.
#
# start prints the superuser's URI (Unix socket). Without PORT it takes a free one. Started again it keeps data, port and socket.
# What lies in DIR (made if missing; as root its owner becomes $HEADRACE_PG_USER):
#   data/      the cluster               tls/ca.crt   the CA that signed the server's certificate (localhost, 127.0.0.1)
#   log        the server's log          password     of the superuser "postgres"
#   uri port socket_dir bindir           as they are now
# Socket: trust. TCP, 127.0.0.1 only: scram, with or without TLS. Prepared transactions are on, the time zone is UTC.
#
#   HEADRACE_PG_BINDIR   folder of initdb and pg_ctl     (default: the newest server under /usr/lib/postgresql that has PostGIS)
#   HEADRACE_PG_USER     who runs the server, if root starts it: PostgreSQL refuses root        (default: postgres)
#   HEADRACE_PG_FSYNC    on (default) or off, read at every start
#   HEADRACE_PG_CONF     further lines for postgresql.conf, read at every start
set -euo pipefail
. "$(dirname "$0")/../../scripts/common.sh"

usage() { fail "usage: postgres.sh start DIR [PORT] | stop DIR"; }
[ $# -ge 2 ] || usage
command=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
wanted_port=${3:-}
server_user=${HEADRACE_PG_USER:-postgres}

# as_server COMMAND...: as the server's user, in a folder it can enter, without the caller's PG* variables and locale.
as_server() {
  local clean=(env -i PATH=/usr/bin:/bin LC_ALL=C.UTF-8 HOME="$dir" "$@")
  if [ "$(id -u)" = 0 ]; then
    (cd / && setpriv --reuid "$server_user" --regid "$server_user" --init-groups "${clean[@]}")
  else
    "${clean[@]}"
  fi
}

# Below the range the kernel takes for outgoing connections, so that none of those gets in between.
free_port() {
  "$python" - <<'PY'
import random, socket
while True:
    port = random.randrange(20000, 30000)
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            continue
    print(port)
    break
PY
}

make_certificates() {
  mkdir -p "$dir/tls"
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  (
    cd "$dir/tls"
    umask 077
    openssl req -x509 "${key[@]}" -days 3650 -subj /CN=headrace-test-ca -keyout ca.key -out ca.crt \
      -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
    openssl req "${key[@]}" -subj /CN=localhost -keyout server.key -out server.csr
    echo 'subjectAltName=DNS:localhost,IP:127.0.0.1' >server.ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile server.ext -out server.crt
    chmod 644 ca.crt server.crt
  ) >"$dir/tls/log" 2>&1 || { cat "$dir/tls/log" >&2 && fail "openssl could not make the certificates"; }
}

make_cluster() {
  (umask 077 && echo "pw-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')" >"$dir/password")
  make_certificates
  if [ "$(id -u)" = 0 ]; then
    id "$server_user" >/dev/null 2>&1 || fail "there is no user $server_user: set HEADRACE_PG_USER to one who may run the server"
    chown -R "$server_user:" "$dir"
    as_server test -w "$dir" || fail "user $server_user cannot reach $dir: choose a folder whose parents everyone may enter"
  fi
  as_server "$bindir/initdb" -D "$dir/data" -U postgres --pwfile="$dir/password" -A scram-sha-256 --auth-local=trust \
    -E UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2 && fail "initdb failed"; }
  echo "include 'headrace.conf'" >>"$dir/data/postgresql.conf"
}

# The path of a socket may have 107 bytes at most, and DIR may be long: the socket lives under /tmp.
# mktemp gives the folder to its owner only, so nobody else gets in by "trust".
make_socket_dir() {
  socket_dir=$(cat "$dir/socket_dir" 2>/dev/null || true)
  if [ -z "$socket_dir" ]; then
    socket_dir=$(mktemp -d /tmp/headrace-pg-XXXXXX)
    echo "$socket_dir" >"$dir/socket_dir"
  elif [ ! -d "$socket_dir" ]; then
    mkdir -m 700 "$socket_dir"
  fi
  [ "$(id -u)" != 0 ] || chown "$server_user:" "$socket_dir"
}

write_conf() {
  cat >"$dir/data/headrace.conf" <<CONF
port = $1
listen_addresses = '127.0.0.1'
unix_socket_directories = '$socket_dir'
ssl = on
ssl_cert_file = '$dir/tls/server.crt'
ssl_key_file = '$dir/tls/server.key'
ssl_ca_file = '$dir/tls/ca.crt'
max_connections = 100
max_prepared_transactions = 32
shared_buffers = 512MB
max_wal_size = 8GB
fsync = ${HEADRACE_PG_FSYNC:-on}
timezone = 'UTC'
log_timezone = 'UTC'
logging_collector = off
log_line_prefix = '%m [%p] %a '
${HEADRACE_PG_CONF:-}
CONF
}

is_running() { [ -s "$dir/data/postmaster.pid" ] && as_server "$bindir/pg_ctl" -D "$dir/data" status >/dev/null 2>&1; }

start() {
  bindir=$(cat "$dir/bindir" 2>/dev/null || pg_bindir) || fail "no PostgreSQL server found: scripts/install_dependencies.sh test"
  if is_running; then
    cat "$dir/uri"
    return
  fi
  [ -s "$dir/data/PG_VERSION" ] || make_cluster
  echo "$bindir" >"$dir/bindir"
  make_socket_dir
  local port attempt
  port=${wanted_port:-$(cat "$dir/port" 2>/dev/null || free_port)}
  for attempt in 1 2 3 4 5; do
    write_conf "$port"
    : >"$dir/start.log"
    if as_server "$bindir/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start >"$dir/start.log" 2>&1; then
      echo "$port" >"$dir/port"
      echo "postgresql://postgres@/postgres?host=$socket_dir&port=$port" | tee "$dir/uri"
      return
    fi
    # Someone may have taken the port since it was tried; one that was asked for stays as it is.
    if [ -n "$wanted_port" ] || ! tail -n 8 "$dir/log" 2>/dev/null | grep -q 'Address already in use'; then
      break
    fi
    say "port $port was taken meanwhile (attempt $attempt)"
    port=$(free_port)
  done
  cat "$dir/start.log" >&2
  tail -n 20 "$dir/log" >&2 2>/dev/null || true
  rm -rf "$socket_dir"
  fail "the server in $dir did not start"
}

# Stopping what does not run is no error.
stop() {
  bindir=$(cat "$dir/bindir" 2>/dev/null) || return 0
  if is_running; then
    as_server "$bindir/pg_ctl" -D "$dir/data" -w -t 30 -m fast stop >/dev/null 2>&1 ||
      as_server "$bindir/pg_ctl" -D "$dir/data" -w -t 30 -m immediate stop >/dev/null 2>&1 ||
      fail "the server in $dir does not stop: pid $(head -n 1 "$dir/data/postmaster.pid")"
  fi
  socket_dir=$(cat "$dir/socket_dir" 2>/dev/null) || return 0
  case $socket_dir in /tmp/headrace-pg-??????) rm -rf "$socket_dir" ;; esac
}

case $command in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
