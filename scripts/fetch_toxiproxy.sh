#!/bin/bash
# fetch_toxiproxy.sh: prints the path of toxiproxy-server, the proxy by which the fault tests cut and slow connections.
#
# Built once from the Go module of the pinned version into the cache; the module's sources are not kept.
set -euo pipefail
. "$(dirname "$0")/common.sh"
version=2.12.0
program=$cache/toxiproxy-$version/toxiproxy-server

build() {
  [ -x "$program" ] && return 0 # another script was faster
  command -v go >/dev/null || fail "go is not installed (1.22 or newer): the network faults are tested with toxiproxy"
  say "building toxiproxy $version"
  local work=$cache/toxiproxy-$version.part
  rm -rf "$work"
  mkdir -p "$work"
  (cd "$work" && GOBIN=$work GOFLAGS=-modcacherw GOMODCACHE=$work/modules GOCACHE=$work/objects retry 3 \
    go install -trimpath -ldflags='-s -w' "github.com/Shopify/toxiproxy/v2/cmd/server@v$version") >&2
  mkdir -p "$(dirname "$program")"
  mv "$work/server" "$program"
  rm -rf "$work"
}

[ -x "$program" ] || with_lock build
echo "$program"
