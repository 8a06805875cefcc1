#!/bin/bash
# fetch_spark.sh: Spark (320 MB to download) and pgjdbc, pinned, into the cache. Prints two lines: the Python that has
# pyspark, and the driver's jar. bench/run.py calls it when Spark's arms are asked for; what is there is not fetched again.
# Needs Java 17 (Spark 3.5 knows no newer one) and Maven.
set -euo pipefail
. "$(dirname "$0")/../scripts/common.sh"

version=42.7.13
sha256=6e0e4cc2d8cae902084f8a2b18728b073a6fd9d1f87c9d8bff8f298c18185b93
jar=$cache/pgjdbc/postgresql-$version.jar

is_jar() { [ -f "$1" ] && echo "$sha256  $1" | sha256sum --check --status; }

command -v java >/dev/null || fail "java is not installed: apt-get install openjdk-17-jre-headless"
ensure_venv spark
if ! is_jar "$jar"; then
  command -v mvn >/dev/null || fail "mvn is not installed: apt-get install maven"
  say "fetching pgjdbc $version"
  mvn -q -B dependency:get -Dartifact=org.postgresql:postgresql:$version -Dtransitive=false >&2 </dev/null
  fetched=$HOME/.m2/repository/org/postgresql/postgresql/$version/postgresql-$version.jar
  is_jar "$fetched" || fail "the jar of pgjdbc $version is not the file it was (sha256)"
  mkdir -p "$(dirname "$jar")"
  cp "$fetched" "$jar.part"
  mv "$jar.part" "$jar"
fi
echo "$cache/venv-spark/bin/python"
echo "$jar"
