# common.sh: what the scripts share. Source it, do not run it.
# Results (paths, URIs) go to stdout, everything said to a person goes to stderr.
# shellcheck shell=bash disable=SC2034  # the variables are for whoever sources this

# Absolute path of the repository, and of the folder for everything that is downloaded.
# cmake/FindArrowWheel.cmake computes the same cache folder: change both.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${HEADRACE_CACHE:-${XDG_CACHE_HOME:-${HOME:-$(cd ~ && pwd)}/.cache}/headrace}
case $cache in /*) ;; *) cache=$root/$cache ;; esac

# The system's Python, not the first one on PATH: its venv module comes with the packages we install.
python=${HEADRACE_PYTHON:-/usr/bin/python3}
[ -x "$python" ] || python=python3

say() { printf 'headrace: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# retry N COMMAND...: for downloads; waits 2, 4, 8 ... seconds between attempts.
retry() {
  local left=$1 pause=2
  shift
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    say "failed, once more in $pause s: $*"
    sleep "$pause"
    pause=$((pause * 2))
  done
}

# with_lock COMMAND...: one script at a time may write into the cache.
with_lock() {
  mkdir -p "$cache"
  (flock 9 && "$@" 9>&-) 9>"$cache/.lock"
}

# venv_is_ready NAME: $cache/venv-NAME holds exactly scripts/requirements-NAME.txt, for a Python that still runs.
venv_is_ready() {
  local dir=$cache/venv-$1
  [ -f "$dir/.stamp" ] && [ -x "$dir/bin/python" ] && venv_stamp "$1" "$dir/bin/python" | cmp -s - "$dir/.stamp"
}

# What decides whether an environment is up to date: the Python, the list, and the lists that the list names with -r.
venv_stamp() {
  local list=$root/scripts/requirements-$1.txt further
  "$2" -V && cat "$list" && sed -n 's/^-r //p' "$list" | while read -r further; do cat "$root/scripts/$further"; done
}

# ensure_venv NAME: makes $cache/venv-NAME unless it is ready. The stamp is written last, so half an install is made anew.
ensure_venv() {
  venv_is_ready "$1" || with_lock make_venv "$1"
}

make_venv() {
  local dir=$cache/venv-$1
  venv_is_ready "$1" && return 0 # another script was faster
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "the pinned Python packages need Python 3.11 or newer, $python is $("$python" -V 2>&1); set HEADRACE_PYTHON"
  say "Python packages of scripts/requirements-$1.txt into $dir"
  rm -rf "$dir"
  "$python" -m venv "$dir" || fail "$python -m venv failed: is python3-venv installed?"
  retry 3 "$dir/bin/python" -m pip install -q --no-input --disable-pip-version-check \
    -r "$root/scripts/requirements-$1.txt" >&2 || fail "pip could not install scripts/requirements-$1.txt"
  venv_stamp "$1" "$dir/bin/python" >"$dir/.stamp"
}

# pg_bindir: folder of initdb and pg_ctl. $HEADRACE_PG_BINDIR, or the newest installed server that has PostGIS,
# or the newest one. Fails when there is none.
pg_bindir() {
  local dir version newest=
  if [ -n "${HEADRACE_PG_BINDIR:-}" ]; then
    [ -x "$HEADRACE_PG_BINDIR/initdb" ] && echo "$HEADRACE_PG_BINDIR"
    return
  fi
  for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
    [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] || continue
    version=$(basename "$(dirname "$dir")")
    if [ -e "/usr/share/postgresql/$version/extension/postgis.control" ]; then
      echo "$dir"
      return
    fi
    newest=${newest:-$dir}
  done
  [ -n "$newest" ] && echo "$newest"
}
