#!/bin/bash
# fetch_arrow.sh [--print-dir]: Arrow C++ as a library to build against, out of the pyarrow wheel.
#
# Unpacks $cache/arrow-VERSION/pyarrow/{include,lib*.so.*}, where cmake/FindArrowWheel.cmake looks. Does nothing when that is there,
# or when the system has Arrow and Parquet 15 or newer with their CMake packages. The version and its checksums are
# in scripts/requirements-arrow.txt.
#   --print-dir   print the folder (empty: the system's Arrow is used) and whether it is ready; exit 0 ready, 1 not
#
# Never run Python with the SDK folder as working directory: "import pyarrow" would find the unpacked folder.
set -euo pipefail
. "$(dirname "$0")/common.sh"

version=$(sed -n 's/^pyarrow==\([0-9.]*\).*/\1/p' "$root/scripts/requirements-arrow.txt")
sdk=$cache/arrow-$version

# The same test that FindArrowWheel.cmake makes, as far as a script can make it.
system_has_arrow() {
  [ -z "${ARROW_WHEEL_DIR:-}" ] || return 1
  command -v pkg-config >/dev/null || return 1
  pkg-config --atleast-version=15 arrow parquet 2>/dev/null || return 1
  [ -e "$(pkg-config --variable=libdir arrow)/cmake/Arrow/ArrowConfig.cmake" ]
}

# The folder appears by a rename, with everything in it.
unpack() {
  [ -d "$sdk/pyarrow" ] && return 0 # another script was faster
  local tmp machine pip
  machine=$(uname -m)
  case $machine in
    x86_64 | aarch64) ;;
    *) fail "there is no Arrow wheel for $machine: install libarrow-dev and libparquet-dev" ;;
  esac
  tmp=$(mktemp -d "$cache/.arrow-XXXXXX")
  # shellcheck disable=SC2064  # tmp is local: expand it now
  trap "rm -rf '$tmp'" EXIT
  pip=("$python" -m pip)
  if ! "${pip[@]}" --version >/dev/null 2>&1; then
    "$python" -m venv "$tmp/venv" || fail "$python has neither pip nor venv: install python3-venv"
    pip=("$tmp/venv/bin/python" -m pip)
  fi
  say "Arrow C++ $version out of the pyarrow wheel into $sdk (55 MB to download)"
  retry 3 "${pip[@]}" download -q --no-input --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
    --implementation cp --python-version 3.11 --abi cp311 --platform "manylinux_2_28_$machine" \
    -d "$tmp" -r "$root/scripts/requirements-arrow.txt" >&2 || fail "pip could not download pyarrow $version"
  mkdir "$tmp/sdk"
  (cd "$tmp" && "$python" -m zipfile -e pyarrow-*.whl sdk) || fail "the wheel could not be unpacked into $tmp/sdk"
  # A third of the wheel is Python modules, Flight and Substrait, which nothing here links.
  (cd "$tmp/sdk/pyarrow" && rm -rf ./*.cpython-* libarrow_python* libarrow_flight* libarrow_substrait* tests)
  mv -T "$tmp/sdk" "$sdk"
}

if system_has_arrow; then
  [ "${1:-}" = --print-dir ] || say "Arrow C++ $(pkg-config --modversion arrow) of the system is used"
  exit 0
fi
if [ "${1:-}" = --print-dir ]; then
  echo "$sdk"
  [ -d "$sdk/pyarrow" ]
  exit
fi
[ -d "$sdk/pyarrow" ] || with_lock unpack
