#!/bin/bash
# install_dependencies.sh [wheel|build|demo|test|bench]: what is needed to build (demo, test, benchmark) headrace on Debian or Ubuntu.
#
#   wheel   compiler and libraries for the Python package, `pip install .`
#   build   compiler, tools, libraries, GoogleTest, Arrow C++
#   demo    build + npm (fetches the data) and the sqlite3 shell
#   test    demo + a PostgreSQL server with PostGIS, pgbouncer, openssl, SpatiaLite, GDAL, Python packages      (default)
#   bench   test + the peers we are measured against, as Python packages
#
# Looks first and installs only what is missing; with everything there it needs neither root nor a network.
# System packages come from apt (root or sudo), everything else goes into the cache folder (HEADRACE_CACHE).
# HEADRACE_SKIP_APT=1 leaves the system packages to you. No PostgreSQL cluster is created or started.
set -euo pipefail
. "$(dirname "$0")/common.sh"

usage() { sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"; }

wheel_packages=(
  g++ cmake ninja-build pkg-config python3 python3-venv
  libcli11-dev libfmt-dev nlohmann-json3-dev libsqlite3-dev libpq-dev libfast-float-dev
)
build_packages=(
  "${wheel_packages[@]}" libspdlog-dev libssl-dev
  libgtest-dev # the presets build the tests too
)
speed_packages=(ccache mold) # the build is only slower without them
demo_packages=(sqlite3)
test_packages=(sqlite3 openssl libsqlite3-mod-spatialite gdal-bin python3-gdal)

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# missing PACKAGE...: prints those that are not installed, one per line.
missing() {
  local package
  for package in "$@"; do installed "$package" || echo "$package"; done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@" # nobody is there to type a password
  fi
}

# apt says a lot: it goes to a log, of which a failure shows the end. Repeated because apt waits for dpkg's lock
# but not for the one of its package lists.
run_apt() {
  mkdir -p "$cache"
  retry 3 as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a \
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" </dev/null >"$cache/apt.log" 2>&1 ||
    { tail -n 20 "$cache/apt.log" >&2 && return 1; }
}

have_apt() {
  command -v apt-get >/dev/null || fail "no apt-get here: install by hand ($*) and set HEADRACE_SKIP_APT=1"
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || fail "missing: $*. Run this as root, or install sudo"
    [ -t 0 ] || sudo -n true 2>/dev/null || fail "missing: $*. sudo asks for a password: run this in a terminal or as root"
  fi
}

lists_are_fresh=
update_lists() {
  [ -z "$lists_are_fresh" ] || return 0
  say "apt: reading the package lists"
  run_apt update || say "apt: the lists could not be read anew, going on with the old ones"
  lists_are_fresh=yes
}

install_packages() {
  local packages=("$@")
  have_apt "${packages[@]}"
  update_lists
  say "apt: installing ${packages[*]}"
  run_apt install -y --no-install-recommends "${packages[@]}" || fail "apt could not install: ${packages[*]}"
}

has_postgis() {
  local bindir version
  bindir=$(pg_bindir) || return 1
  [ -n "${HEADRACE_PG_BINDIR:-}" ] && return 0 # chosen by hand: taken as it is
  version=$(basename "$(dirname "$bindir")")
  [ -e "/usr/share/postgresql/$version/extension/postgis.control" ]
}

# Debian's server package makes and starts a cluster "main" on port 5432, which nobody asked for here.
# Its switch against that lies in a file of postgresql-common; the line is taken out again afterwards.
install_postgres() {
  local version conf=/etc/postgresql-common/createcluster.conf mark='create_main_cluster = false # by headrace, for one installation'
  have_apt "PostgreSQL with PostGIS"
  update_lists
  version=$(LC_ALL=C apt-cache depends postgresql | sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
  [ -n "$version" ] || fail "apt knows no package 'postgresql'"
  installed postgresql-common || install_packages postgresql-common
  as_root sh -c "echo '$mark' >>$conf"
  # shellcheck disable=SC2064  # expand now
  trap "as_root sed -i '/by headrace, for one installation/d' $conf" EXIT
  install_packages "postgresql-$version" "postgresql-$version-postgis-3"
  as_root sed -i '/by headrace, for one installation/d' "$conf"
  trap - EXIT
}

# pgbouncer's package starts a service on port 6432, now and at every boot, which nobody asked for either.
install_pgbouncer() {
  local policy=/usr/sbin/policy-rc.d
  have_apt pgbouncer
  if [ ! -e "$policy" ]; then
    as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
    # shellcheck disable=SC2064  # expand now
    trap "as_root rm -f $policy" EXIT
    install_packages pgbouncer
    as_root rm -f "$policy"
    trap - EXIT
  else
    install_packages pgbouncer
  fi
  as_root systemctl disable pgbouncer >/dev/null 2>&1 || true # there may be no systemd
}

install_system_packages() {
  local wanted=("${build_packages[@]}") extra absent=()
  case $1 in
    wheel) wanted=("${wheel_packages[@]}") ;;
    demo) wanted+=("${demo_packages[@]}") ;;
    test | bench) wanted+=("${test_packages[@]}") ;;
  esac
  # npm of another origin (nodesource, nvm) is no package "npm", and as good.
  [[ "$1" = @(build|wheel) ]] || command -v npm >/dev/null || wanted+=(npm)
  mapfile -t absent < <(missing "${wanted[@]}")
  mapfile -t extra < <(missing "${speed_packages[@]}")
  if [ ${#absent[@]} -gt 0 ]; then
    changed=yes
    install_packages "${absent[@]}"
  fi
  # Not worth a password, a network or a failure.
  if [ ${#extra[@]} -gt 0 ] && [ -n "$changed" ]; then
    (install_packages "${extra[@]}") || say "going on without ${extra[*]}: builds are slower"
  fi
  case $1 in
    test | bench)
      if ! has_postgis; then
        changed=yes
        install_postgres
      fi
      if ! installed pgbouncer; then
        changed=yes
        install_pgbouncer
      fi
      ;;
  esac
}

group=${1:-test}
case $group in
  wheel | build | demo | test | bench) ;;
  -h | --help) usage && exit 0 ;;
  *) usage >&2 && exit 2 ;;
esac

changed=
[ -n "${HEADRACE_SKIP_APT:-}" ] || install_system_packages "$group"

if [ "$group" != wheel ] && ! "$root/scripts/fetch_arrow.sh" --print-dir >/dev/null; then
  changed=yes
  "$root/scripts/fetch_arrow.sh"
fi
case $group in
  test) venvs=(test python) ;;
  bench) venvs=(test bench) ;;
  *) venvs=() ;;
esac
for venv in "${venvs[@]}"; do
  if ! venv_is_ready "$venv"; then
    changed=yes
    ensure_venv "$venv"
  fi
done

if [ -n "$changed" ]; then
  say "dependencies for '$group' are installed"
else
  say "dependencies for '$group' are all there"
fi
