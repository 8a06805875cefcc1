"""Readers during loads see the table as it was before or after a load, never between."""
import json
import os
import subprocess
import threading
import time

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import staging_tables, wait_for

ROWS = 30_000
LOADS = 6
READERS = 8

# What one reading sees: rows, the smallest and the largest generation, and a checksum of the ids.
READ = "SELECT count(*), coalesce(min(gen), 0), coalesce(max(gen), 0), coalesce(sum(id), 0)::bigint FROM shared"


class Reader(threading.Thread):
    """Reads in a loop, in transactions of one statement or of several in one snapshot."""

    def __init__(self, server, isolation):
        super().__init__(daemon=True)
        self.server, self.isolation = server, isolation
        self.stop = threading.Event()
        self.readings, self.longest, self.failure = [], 0.0, None

    def run(self):
        try:
            with psycopg.connect(self.server) as connection:
                connection.isolation_level = self.isolation
                while not self.stop.is_set():
                    again = 1 if self.isolation == psycopg.IsolationLevel.READ_COMMITTED else 2
                    seen = []
                    for _ in range(again):
                        start = time.perf_counter()
                        seen.append(connection.execute(READ).fetchone())
                        self.longest = max(self.longest, time.perf_counter() - start)
                    connection.rollback()
                    assert len(set(seen)) == 1, f"one snapshot gave {seen}"
                    self.readings.append(seen[0])
        except Exception as e:  # kept for the test's own thread
            self.failure = e


def file_of(tmp_path, generation, first_id):
    path = tmp_path / f"gen{generation}.parquet"
    ids = range(first_id, first_id + ROWS)
    table = pa.table({"id": pa.array(ids, pa.int64()), "gen": pa.array([generation] * ROWS, pa.int32())})
    pq.write_table(table, path, row_group_size=5_000)
    return path


def states(mode):
    """Every state that a reading may see, in the order of the loads."""
    def whole(generation):
        return (ROWS, generation, generation, ROWS * (ROWS - 1) // 2)

    if mode != "append":
        return [whole(generation) for generation in range(LOADS + 1)]
    return [((n + 1) * ROWS, 0, n, (n + 1) * ROWS * ((n + 1) * ROWS - 1) // 2) for n in range(LOADS + 1)]


# Appends come into partitions that the loads make.
PARTITIONS = f"""CREATE TABLE shared (id bigint PRIMARY KEY, gen integer) PARTITION BY RANGE (id);
CREATE TABLE shared_1 PARTITION OF shared FOR VALUES FROM (0) TO ({ROWS // 2});
CREATE TABLE shared_2 PARTITION OF shared FOR VALUES FROM ({ROWS // 2}) TO ({ROWS})"""


@pytest.mark.parametrize("mode, more", [
    ("replace partitioned", []),
    ("append partitioned", ["--create-partitions", "20000"]),
    ("replace", []),
    ("upsert", ["--key", "id"]),
    ("delete_insert", ["--replace-where", "id >= 0"]),
    ("append", []),
    ("truncate", []),
])
def test_readers_see_whole_loads(cli, server, db, tmp_path, mode, more):
    mode, partitioned, _ = mode.partition(" partitioned")
    db.execute(PARTITIONS if partitioned else "CREATE TABLE shared (id bigint PRIMARY KEY, gen integer)")
    try:
        db.execute(f"INSERT INTO shared SELECT g, 0 FROM generate_series(0, {ROWS - 1}) g")
        # TRUNCATE is not for snapshots taken before it, as PostgreSQL's manual says.
        levels = [psycopg.IsolationLevel.READ_COMMITTED]
        if mode != "truncate":
            levels.append(psycopg.IsolationLevel.REPEATABLE_READ)
        readers = [Reader(server, levels[i % len(levels)]) for i in range(READERS)]
        for reader in readers:
            reader.start()
        lock_seconds = 0.0
        for generation in range(1, LOADS + 1):
            path = file_of(tmp_path, generation, generation * ROWS if mode == "append" else 0)
            command = [cli, "load", path, "--to", server, "--table", "shared", "--mode", mode, "--connections", "3",
                       "--json", "--progress", "none", *more]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            lock_seconds = max(lock_seconds, json.loads(done.stdout)["lock_seconds"])
            assert not partitioned or json.loads(done.stdout)["commit_scope"] == "swap"
        for reader in readers:
            reader.stop.set()
        for reader in readers:
            reader.join(60)
        allowed = states(mode)
        for reader in readers:
            assert reader.failure is None, reader.failure
            assert reader.readings
            order = [allowed.index(reading) for reading in reader.readings]  # ValueError: a state between
            assert order == sorted(order), "an older state came after a newer one"
        total = sum(len(reader.readings) for reader in readers)
        print(f"{mode}: {total} readings over {LOADS} commits; longest reading "
              f"{max(reader.longest for reader in readers) * 1000:.0f} ms, longest exclusive lock {lock_seconds * 1000:.0f} ms")
        assert db.execute(READ).fetchone() == allowed[-1]
        assert staging_tables(db) == []
    finally:
        db.execute("DROP TABLE shared")


FAST_COMMITS = int(os.environ.get("HEADRACE_FAST_COMMITS", "6"))
FAST_READINGS = int(os.environ.get("HEADRACE_FAST_READINGS", "20"))


def test_new_statements_see_fast_appends_whole(cli, server, db, tmp_path):
    """N transactions committed behind a curtain: new READ COMMITTED statements see all of a load or nothing."""
    db.execute("CREATE TABLE shared (id bigint, gen integer)")
    try:
        db.execute(f"INSERT INTO shared SELECT g, 0 FROM generate_series(0, {ROWS - 1}) g")
        readers = [Reader(server, psycopg.IsolationLevel.READ_COMMITTED) for _ in range(4)]
        for reader in readers:
            reader.start()
        for generation in range(1, FAST_COMMITS + 1):
            done = subprocess.run(
                [cli, "load", file_of(tmp_path, generation, generation * ROWS), "--to", server, "--table", "shared",
                 "--mode", "append", "--atomic", "fast", "--connections", "3", "--json", "--progress", "none"],
                capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stdout + done.stderr
            assert (json.loads(done.stdout)["commit_scope"], json.loads(done.stdout)["connections"]) == ("together", 3)
        wait_for(lambda: sum(len(reader.readings) for reader in readers) >= FAST_READINGS, "readings", 120)
        for reader in readers:
            reader.stop.set()
        for reader in readers:
            reader.join(60)
        for reader in readers:
            assert reader.failure is None, reader.failure
            counts = [count for count, *_ in reader.readings]
            assert counts and [c for c in counts if c % ROWS != 0] == []
            assert counts == sorted(counts)
            for count, _, newest, total in reader.readings:
                assert (newest, total) == (count // ROWS - 1, count * (count - 1) // 2)
        print(f"fast: {sum(len(reader.readings) for reader in readers)} readings over {FAST_COMMITS} commits")
        assert db.execute("SELECT count(*) FROM shared").fetchone() == ((FAST_COMMITS + 1) * ROWS,)
        assert db.execute("SELECT count(*) FROM headrace_load_parts").fetchone() == (0,)
    finally:
        db.execute("DROP TABLE shared; DROP TABLE IF EXISTS headrace_load_parts")
