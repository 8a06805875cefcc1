#!/usr/bin/env python3
"""headrace.load(pandas frame) beside to_sql and ADBC, and beside headrace's own command line on the same rows.

    HEADRACE_PG_FSYNC=on tests/servers/with_postgres.sh "$venv/bin/python" bench/frames.py [--rows N] [--rounds N]

$venv holds scripts/requirements-bench.txt. Every run is a process of its own: it makes the frame, and only the call is
timed (for the command line: the process). Rounds are interleaved and begin with another arm each time; ratios are taken
within a round. A time counts only if the table holds the rows of the reference, which the command line loaded: every
column of every row in PostgreSQL, and in SQLite with decimals and dates as each peer can write them.
"""
import argparse
import json
import os
import pathlib
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "release"
TABLE = "frame"


# --- the arms: frame, path of the Parquet file, target. What they import is imported before the clock.

def load_frame(frame, _path, target):
    import headrace
    return lambda: headrace.load(frame, target, TABLE)


def load_path(_frame, path, target):
    import headrace
    return lambda: headrace.load(path, target, TABLE)


def command_line(_frame, path, target):
    return lambda: subprocess.run([BUILD / "headrace", "load", path, "--to", target, "--table", TABLE, "--progress",
                                   "none"], check=True, stdout=subprocess.DEVNULL)


def postgres_to_sql(frame, _path, target):
    import sqlalchemy
    engine = sqlalchemy.create_engine(target.replace("postgresql://", "postgresql+psycopg2://", 1))
    return lambda: frame.to_sql(TABLE, engine, index=False, method="multi", chunksize=1000)


def postgres_adbc(frame, _path, target):
    import adbc_driver_postgresql.dbapi as adbc
    import pyarrow as pa

    def run():
        with adbc.connect(target) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(TABLE, pa.Table.from_pandas(frame, preserve_index=False), mode="create")
            connection.commit()
    return run


def sqlite_to_sql(frame, _path, target):
    plain = for_sqlite(frame)

    def run():
        connection = sqlite3.connect(target)
        plain.to_sql(TABLE, connection, index=False)
        connection.commit()
        connection.close()
    return run


def sqlite_adbc(frame, _path, target):
    import adbc_driver_sqlite.dbapi as adbc
    import pyarrow as pa
    plain = for_sqlite(frame)

    def run():
        with adbc.connect(target) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(TABLE, pa.Table.from_pandas(plain, preserve_index=False), mode="create")
            connection.commit()
    return run


ARMS = {
    "postgres": {"headrace frame": load_frame, "headrace path": load_path, "headrace command": command_line,
                 "adbc": postgres_adbc, "to_sql multi": postgres_to_sql},
    "sqlite": {"headrace frame": load_frame, "headrace path": load_path, "headrace command": command_line,
               "adbc": sqlite_adbc, "to_sql": sqlite_to_sql},
}
PAIRS = [("headrace frame", "to_sql multi"), ("headrace frame", "to_sql"), ("headrace frame", "adbc"),
         ("headrace path", "headrace command")]


def for_sqlite(frame):
    """What SQLite's clients can bind: decimals as floats, dates as text. Made before the clock, in their favour."""
    import datetime
    import decimal
    plain = frame.copy()
    for name in plain.columns:
        first = plain[name].iloc[0]
        if isinstance(first, decimal.Decimal):
            plain[name] = plain[name].astype("float64")
        elif isinstance(first, datetime.date):
            plain[name] = plain[name].astype(str)
    return plain


# --- one run, in a process of its own

def run_one(target_name, arm, path, target):
    import pandas as pd
    frame = pd.read_parquet(path)
    call = ARMS[target_name][arm](frame, path, target)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    who = resource.RUSAGE_CHILDREN if arm == "headrace command" else resource.RUSAGE_SELF
    used = resource.getrusage(who)
    start = time.perf_counter()
    call()
    seconds = time.perf_counter() - start
    after = resource.getrusage(who)
    print(json.dumps({
        "seconds": seconds, "cpu": after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime,
        "peak_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024}))


# --- proof

class Postgres:
    name = "postgres"

    def __init__(self, uri, _folder):
        import psycopg2
        self.target = uri
        self._connection = psycopg2.connect(uri)
        self._connection.autocommit = True

    def _execute(self, sql):
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else None

    def reset(self):
        self._execute(f"DROP TABLE IF EXISTS {TABLE}")
        self._execute("CHECKPOINT")

    def digest(self):
        """Rows, and the sum of a hash of every row as text: frames give other integer widths and numeric(p, s)."""
        columns = self._execute("SELECT string_agg(CASE WHEN t LIKE 'numeric%' THEN format('%I::numeric(15,2)', n)"
                                " WHEN t LIKE 'timestamp%' OR t = 'date' THEN format('%I::date', n)"
                                " ELSE quote_ident(n) END, ',') FROM (SELECT attname n, format_type(atttypid, NULL) t"
                                f" FROM pg_attribute WHERE attrelid = '{TABLE}'::regclass AND attnum > 0"
                                " ORDER BY attnum) x")[0][0]
        return self._execute("SELECT count(*), sum(hashtextextended(r::text, 0)::numeric)"
                             f" FROM (SELECT {columns} FROM {TABLE}) r")


class Sqlite:
    name = "sqlite"

    def __init__(self, folder):
        self._path = pathlib.Path(folder) / "out.sqlite"
        self.target = str(self._path)

    def reset(self):
        self._path.unlink(missing_ok=True)

    def digest(self):
        """Rows, and per column sums of numbers or of lengths and first characters, over all rows."""
        with sqlite3.connect(self._path) as connection:
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({TABLE})")]
            sums = []
            for name in names:
                sums.append(connection.execute(
                    f'SELECT count("{name}"), CASE WHEN typeof(max("{name}")) = \'text\' THEN'
                    f' sum(length("{name}")) || min("{name}") || max("{name}")'
                    f' ELSE round(sum("{name}"), 0) END FROM {TABLE}').fetchone())
            return sums


def measure(options, target, folder, path):
    arms = {name: arm for name, arm in ARMS[target.name].items() if not options.arms or name in options.arms}
    target.reset()
    command_line(None, path, target.target)()
    reference = target.digest()
    runs = {name: [] for name in arms}
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "HEADRACE_LIBRARY": str(BUILD / "libheadrace_c.so")}
    names = list(arms)
    for number in range(options.rounds):
        for name in names[number % len(names):] + names[:number % len(names)]:
            target.reset()
            done = subprocess.run([sys.executable, __file__, "--one", target.name, name, path, target.target],
                                  capture_output=True, text=True, env=environment, check=False)
            if done.returncode != 0:
                runs[name].append({"failed": done.stderr.strip().splitlines()[-1]})
                continue
            result = json.loads(done.stdout)
            if target.digest() != reference:
                result = {"failed": f"other rows than the reference: {target.digest()} for {reference}"}
            runs[name].append(result)
    target.reset()
    return runs


def table_of(target, runs, rows):
    lines = [f"### {target}, {rows:,} rows", "", "| arm | median s | min | max | client CPU s | peak above the frame MiB |",
             "|---|---|---|---|---|---|"]
    for name, results in runs.items():
        failed = [r["failed"] for r in results if "failed" in r]
        if failed:
            lines.append(f"| {name} | failed: {failed[0]} | | | | |")
            continue
        seconds = [r["seconds"] for r in results]
        lines.append(f"| {name} | {statistics.median(seconds):.3f} | {min(seconds):.3f} | {max(seconds):.3f} |"
                     f" {statistics.median(r['cpu'] for r in results):.3f} |"
                     f" {statistics.median(r['peak_mib'] for r in results):.0f} |")
    for ours, other in PAIRS:
        if ours in runs and other in runs and not any("failed" in r for r in runs[ours] + runs[other]):
            pairs = list(zip(runs[ours], runs[other]))
            time_ratio = statistics.median(b["seconds"] / a["seconds"] for a, b in pairs)
            cpu_ratio = statistics.median(b["cpu"] / max(a["cpu"], 1e-9) for a, b in pairs)
            lines.append(f"\n{ours} against {other}: {time_ratio:.2f} times as fast, {cpu_ratio:.2f} times less client CPU")
    return "\n".join(lines) + "\n"


def main():
    if sys.argv[1:2] == ["--one"]:
        return run_one(*sys.argv[2:6])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", help="Parquet file (default: lineitem at scale factor 1 of scripts/fetch_data.sh)")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--target", choices=("postgres", "sqlite"), action="append")
    parser.add_argument("--arms", type=lambda text: text.split(","), help="names, with commas between")
    parser.add_argument("--json", type=pathlib.Path, help="every run, into this file")
    options = parser.parse_args()
    import pyarrow.parquet as pq
    source = options.source or subprocess.run([ROOT / "scripts" / "fetch_data.sh", "lineitem", "1"], check=True,
                                              capture_output=True, text=True).stdout.strip()
    everything = {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.parquet")
        pq.write_table(pq.read_table(source).slice(0, options.rows), path, row_group_size=100_000)
        for name in options.target or ("postgres", "sqlite"):
            target = Postgres(os.environ["HEADRACE_TEST_PG"], folder) if name == "postgres" else Sqlite(folder)
            everything[name] = measure(options, target, folder, path)
            print(table_of(name, everything[name], options.rows), flush=True)
    if options.json:
        options.json.write_text(json.dumps(everything, indent=1))
    return int(any("failed" in run for runs in everything.values() for results in runs.values() for run in results))


if __name__ == "__main__":
    sys.exit(main())
