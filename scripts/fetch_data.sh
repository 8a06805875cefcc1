#!/bin/bash
# fetch_data.sh NAME...: test and benchmark data into $cache/data; prints the path of each. What is there is not fetched again.
#
#   flights-3m     3,000,000 flights, Parquet, 13.5 MB: flights-3m.parquet. Of the npm package vega-datasets, by npm.
#   lineitem SF    TPC-H lineitem of that scale factor, Parquet, about 200 MB at 1: lineitem-sfSF.parquet.
#                  Made by tpchgen-cli of scripts/requirements-test.txt.
#   world-map      countries, provinces and borders as a GeoPackage, 12.8 MB: world_map.gpkg. Of the package qgis-common, by apt.
#
# Without npm: put the file in place by hand (it is data/flights-3m.parquet of vega-datasets 3.2.1); its checksum is tested.
set -euo pipefail
. "$(dirname "$0")/common.sh"

data=$cache/data
tmp=
trap '[ -z "$tmp" ] || rm -rf "$tmp"' EXIT

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }

# Every file appears by a rename, so what has its name is complete.
new_tmp() {
  mkdir -p "$data"
  tmp=$(mktemp -d "$data/.tmp-XXXXXX")
}

flights_sha256=dbeb920c90f59b6ccaff823dcc3d08f25a97fa1ce128d93f40be4e931f5900b0

is_flights() { [ -f "$1" ] && echo "$flights_sha256  $1" | sha256sum --check --status; }

flights_3m() {
  local file=$data/flights-3m.parquet package=vega-datasets@3.2.1
  if ! is_flights "$file"; then
    command -v npm >/dev/null || fail "npm is missing: scripts/install_dependencies.sh demo, or put flights-3m.parquet of $package at $file"
    say "flights-3m out of the npm package $package (18 MB to download)"
    new_tmp
    # A cache of its own: npm would keep the package a second time for ever.
    retry 3 npm pack "$package" --silent --pack-destination "$tmp" --cache "$tmp/npm" >/dev/null </dev/null ||
      fail "npm could not fetch $package"
    tar -xzf "$tmp"/vega-datasets-*.tgz -C "$tmp" package/data/flights-3m.parquet
    is_flights "$tmp/package/data/flights-3m.parquet" || fail "flights-3m.parquet of $package is not the file it was (sha256)"
    mv "$tmp/package/data/flights-3m.parquet" "$file"
    rm -rf "$tmp"
  fi
  echo "$file"
}

lineitem() {
  local file=$data/lineitem-sf$1.parquet
  if [ ! -f "$file" ]; then
    ensure_venv test
    say "lineitem at scale factor $1 by tpchgen-cli"
    new_tmp
    "$cache/venv-test/bin/tpchgen-cli" parquet -s "$1" --tables=lineitem --output-dir="$tmp" >&2 </dev/null
    mv "$tmp/lineitem.parquet" "$file"
    rm -rf "$tmp"
  fi
  echo "$file"
}

world_map() {
  local file=$data/world_map.gpkg
  if [ ! -f "$file" ]; then
    say "world_map.gpkg out of the package qgis-common (23 MB to download)"
    new_tmp
    chmod 755 "$tmp"
    (cd "$tmp" && retry 3 apt-get -qq download qgis-common >&2 </dev/null) || fail "apt could not fetch qgis-common: run apt-get update"
    dpkg-deb --fsys-tarfile "$tmp"/qgis-common_*.deb | tar -x -C "$tmp" --wildcards '*/world_map.gpkg' --transform 's|.*/||'
    [ "$(head -c 15 "$tmp/world_map.gpkg")" = "SQLite format 3" ] || fail "qgis-common has no world_map.gpkg"
    mv "$tmp/world_map.gpkg" "$file"
    rm -rf "$tmp"
  fi
  echo "$file"
}

[ $# -gt 0 ] || { usage >&2 && exit 2; }
while [ $# -gt 0 ]; do
  case $1 in
    flights-3m) flights_3m ;;
    world-map) world_map ;;
    lineitem)
      [[ ${2:-} =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "lineitem needs a scale factor, such as 0.1"
      lineitem "$2"
      shift
      ;;
    -h | --help) usage ;;
    *) fail "no such data: $1 (see fetch_data.sh --help)" ;;
  esac
  shift
done
