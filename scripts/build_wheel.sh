#!/bin/bash
# build_wheel.sh [DIR]: a wheel for other machines, into DIR (dist/): built by pip, its libraries bundled by auditwheel.
#
# Prints the path of the wheel. Its name says which glibc it needs; HEADRACE_WHEEL_GLIBC (default 2.36, this is Debian 12's)
# is the newest that is allowed. What it bundles: libpq with what that links, libsqlite3, libfmt.
set -euo pipefail
. "$(dirname "$0")/common.sh"
out=$(mkdir -p "${1:-$root/dist}" && cd "${1:-$root/dist}" && pwd)
newest=${HEADRACE_WHEEL_GLIBC:-2.36}

# The compiler of the other builds, so that its cache serves this one too; otherwise it is the one Python was built with.
export CC=${CC:-cc} CXX=${CXX:-c++}
ensure_venv python
bin=$cache/venv-python/bin
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
retry 3 "$bin/python" -m pip wheel -q --no-input --disable-pip-version-check --no-deps -w "$tmp" "$root" >&2 </dev/null ||
  fail "pip could not build the wheel"
PATH=$bin:$PATH "$bin/python" -m auditwheel -v repair -w "$tmp/repaired" "$tmp"/headrace-*.whl >"$tmp/log" 2>&1 ||
  { cat "$tmp/log" >&2 && fail "auditwheel could not bundle the libraries"; }
wheel=$(echo "$tmp"/repaired/headrace-*.whl)

# headrace-0.1.0-py3-none-manylinux_2_34_x86_64.whl
glibc=$(basename "$wheel" | sed -n 's/.*-py3-none-manylinux_\([0-9]*\)_\([0-9]*\)_.*/\1.\2/p')
[ -n "$glibc" ] || fail "the wheel has no manylinux tag: $(basename "$wheel")"
[ "$(printf '%s\n' "$glibc" "$newest" | sort -V | tail -n 1)" = "$newest" ] ||
  fail "the wheel needs glibc $glibc, which is newer than $newest"
mv "$wheel" "$out/"
say "needs glibc $glibc"
echo "$out/$(basename "$wheel")"
