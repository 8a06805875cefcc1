#!/bin/bash
# with_postgres.sh COMMAND...: runs COMMAND with a PostgreSQL server of its own, and exits as COMMAND did.
#
# The server is started in a temporary folder and is stopped and deleted afterwards, also after a failure, Ctrl-C or SIGTERM.
# Its log is left in build/postgres.log when COMMAND failed. fsync is off unless HEADRACE_PG_FSYNC=on: nobody pulls the plug here.
# COMMAND finds in its environment:
#   HEADRACE_TEST_PG            URI of the superuser, Unix socket, no password
#   HEADRACE_TEST_PG_TCP        the same as keywords, TCP, needs the password
#   HEADRACE_TEST_PG_PASSWORD   that password
#   HEADRACE_TEST_PG_CA         file of the CA that signed the server's certificate
#   HEADRACE_TEST_PG_DIR        the server's folder, for tests/servers/postgres.sh
#   HEADRACE_TEST_PYTHON        Python with the packages of scripts/requirements-test.txt
#   HEADRACE_FRAMES_PYTHON      Python with the packages of scripts/requirements-python.txt
#   HEADRACE_TEST_DATA          folder of the data that scripts/fetch_data.sh fetched
# shellcheck disable=SC2329  # the functions are called by traps
set -euo pipefail
. "$(dirname "$0")/../../scripts/common.sh"
[ $# -ge 1 ] || fail "usage: with_postgres.sh COMMAND..."

servers=$root/tests/servers
dir=$(mktemp -d "${TMPDIR:-/tmp}/headrace-test-XXXXXX")
child=

clean_up() {
  local status=$?
  trap - EXIT
  # A second Ctrl-C must not leave the server behind.
  trap '' INT TERM HUP
  [ "$status" = 0 ] || [ ! -d "$root/build" ] || cp "$dir/log" "$root/build/postgres.log" 2>/dev/null || true
  "$servers/postgres.sh" stop "$dir" </dev/null || true
  rm -rf "$dir"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

HEADRACE_PG_FSYNC=${HEADRACE_PG_FSYNC:-off} "$servers/postgres.sh" start "$dir" >/dev/null </dev/null
HEADRACE_TEST_PG=$(cat "$dir/uri")
HEADRACE_TEST_PG_TCP="host=127.0.0.1 port=$(cat "$dir/port") user=postgres dbname=postgres"
HEADRACE_TEST_PG_PASSWORD=$(cat "$dir/password")
HEADRACE_TEST_PG_CA=$dir/tls/ca.crt
HEADRACE_TEST_PG_DIR=$dir
HEADRACE_TEST_PYTHON=${HEADRACE_TEST_PYTHON:-$cache/venv-test/bin/python}
HEADRACE_FRAMES_PYTHON=${HEADRACE_FRAMES_PYTHON:-$cache/venv-python/bin/python}
HEADRACE_TEST_DATA=${HEADRACE_TEST_DATA:-$cache/data}
export HEADRACE_TEST_PG HEADRACE_TEST_PG_TCP HEADRACE_TEST_PG_PASSWORD HEADRACE_TEST_PG_CA HEADRACE_TEST_PG_DIR
export HEADRACE_TEST_PYTHON HEADRACE_FRAMES_PYTHON HEADRACE_TEST_DATA

# In the background, because bash runs a trap only when the command in the foreground is over; and with the default signals,
# because a background command would ignore SIGINT and hand that on to every program the tests start.
# The signal that ended us is passed on and the command's end awaited before the server goes.
forward() {
  trap - INT TERM HUP
  [ "$1" = INT ] || kill -s "$1" "$child" 2>/dev/null || true # Ctrl-C reached the whole group already
  wait "$child" 2>/dev/null || true
  exit "$2"
}
env --default-signal=INT,QUIT "$@" <&0 &
child=$!
trap 'forward HUP 129' HUP
trap 'forward INT 130' INT
trap 'forward TERM 143' TERM
status=0
wait "$child" || status=$?
exit "$status"
