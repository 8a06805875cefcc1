#!/bin/bash
# demo.sh: three million flights out of a Parquet file into SQLite, on a machine that has nothing installed yet.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$root"

# Shows the command as one would type it, then runs it. No argument here holds a double quote.
run() {
  local word
  printf '\n$'
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:=+-]*) printf ' "%s"' "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n'
  "$@"
}

run scripts/install_dependencies.sh demo
run cmake --preset release
run cmake --build --preset release --target headrace_cli
flights=$(scripts/fetch_data.sh flights-3m)
mkdir -p build/demo

run build/release/headrace load "$flights" --to sqlite:build/demo/flights.sqlite --table flights --mode replace

run ls -l "$flights" build/demo/flights.sqlite
run sqlite3 -header -column build/demo/flights.sqlite \
  "SELECT origin, count(*) AS departures, round(avg(delay), 1) AS mean_delay_minutes
   FROM flights GROUP BY origin ORDER BY departures DESC LIMIT 10"
run sqlite3 build/demo/flights.sqlite "SELECT count(*) FROM flights" "PRAGMA integrity_check"
