"""Backends ended at random moments, over all modes: afterwards the table is as before or as it shall be, nothing is left,
and the same load again, by its id, completes it without a row twice.

HEADRACE_FAULT_RUNS says how many runs; `make test` does a few."""
import os
import random
import subprocess
import time
import uuid

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import staging_tables

RUNS = int(os.environ.get("HEADRACE_FAULT_RUNS", "25"))
OLD, NEW = 1_000, 60_000
MODES = ["create", "append", "replace", "truncate", "upsert", "delete_insert"]
METHODS = ["copy", "optimized", "async"]
STATE = "SELECT count(*), count(DISTINCT id), coalesce(sum(gen), 0) FROM target"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("random") / "new.parquet"
    table = pa.table({"id": pa.array(range(500, 500 + NEW), pa.int64()), "gen": pa.array([1] * NEW, pa.int32()),
                      "filler": pa.array(["x" * 50] * NEW)})
    pq.write_table(table, path, row_group_size=4_000)
    return path


def state(db):
    if db.execute("SELECT to_regclass('target')").fetchone()[0] is None:
        return None
    return db.execute(STATE).fetchone()


def make_target(db, mode):
    db.execute("DROP TABLE IF EXISTS target")
    if mode == "create":
        return
    key = "PRIMARY KEY" if mode == "upsert" else ""
    db.execute(f"CREATE TABLE target (id bigint {key}, gen integer, filler text)")
    db.execute(f"INSERT INTO target SELECT g, 0, 'old' FROM generate_series(0, {OLD - 1}) g")


def finished_state(mode):
    if mode == "append":
        return (OLD + NEW, 500 + NEW, NEW)
    if mode in ("upsert", "delete_insert"):  # ids 500 to 999 are updated, or deleted and inserted
        return (500 + NEW, 500 + NEW, NEW)
    return (NEW, NEW, NEW)


def end_a_backend(server, choice, deadline):
    with psycopg.connect(server, autocommit=True) as connection:
        while time.monotonic() < deadline:
            pids = [pid for (pid,) in connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'headrace' ORDER BY pid").fetchall()]
            if pids:
                connection.execute("SELECT pg_terminate_backend(%s)", [choice.choice(pids)])
                return True
            time.sleep(0.005)
    return False


@pytest.mark.parametrize("run", range(RUNS))
def test_random_end_of_a_backend(cli, server, db, source, run):
    choice = random.Random(f"headrace {run}")
    mode, method = MODES[run % len(MODES)], choice.choice(METHODS)
    make_target(db, mode)
    before, after = state(db), finished_state(mode)
    more = {"upsert": ["--key", "id"], "delete_insert": ["--replace-where", "id >= 500"]}.get(mode, [])
    command = [cli, "load", source, "--to", server, "--table", "target", "--mode", mode, "--method", method, "--json",
               "--progress", "none", "--connections", str(choice.choice([1, 3])), "--load-id", uuid.uuid4().hex[:12], *more]
    process = subprocess.Popen([*command, "--retries", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(choice.uniform(0, 0.5))
    end_a_backend(server, choice, time.monotonic() + 3)
    out, err = process.communicate(timeout=120)
    assert state(db) in (before, after), (mode, method, out, err)
    assert (process.returncode == 0) <= (state(db) == after), (mode, method, out, err)
    assert staging_tables(db) == [], (mode, method, out, err)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert state(db) == after, (mode, method, out, done.stdout)
    assert staging_tables(db) == []
    db.execute("DROP TABLE target")
    db.execute("DROP TABLE IF EXISTS headrace_loads")
