"""--atomic fast, ended between its commits: the same load id again leaves out what is committed; no row is lost, none is there twice."""
import contextlib
import json
import os
import random
import signal
import subprocess
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import staging_tables, wait_for

RUNS = int(os.environ.get("HEADRACE_FAULT_RUNS", "8"))
OLD, NEW = 1_000, 100_000
STATE = "SELECT count(*), count(DISTINCT id), coalesce(sum(gen), 0) FROM target"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("together") / "new.parquet"
    table = pa.table({"id": pa.array(range(OLD, OLD + NEW), pa.int64()), "gen": pa.array([1] * NEW, pa.int32()),
                      "filler": pa.array(["x" * 50] * NEW)})
    pq.write_table(table, path, row_group_size=4_000)
    return path


@pytest.fixture
def target(db):
    db.execute("DROP TABLE IF EXISTS target, headrace_loads, headrace_load_parts; CREATE TABLE target (id bigint, gen integer, filler text)")
    db.execute(f"INSERT INTO target SELECT g, 0, 'old' FROM generate_series(0, {OLD - 1}) g")
    yield db
    db.execute("DROP TABLE IF EXISTS target, headrace_loads, headrace_load_parts")


def resume(pids):
    """Also when some have ended: one that stays stopped keeps its locks for ever."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def command_of(cli, server, source, load_id, *more):
    return [cli, "load", source, "--to", server, "--table", "target", "--mode", "append", "--atomic", "fast", "--json",
            "--progress", "none", "--connections", "3", "--load-id", load_id, "--batch-rows", "1000", *more]


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def part_backends(db):
    return [pid for (pid,) in db.execute("SELECT DISTINCT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
                                         "WHERE l.relation = 'target'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted "
                                         "AND a.application_name = 'headrace' ORDER BY 1")]


def control_backend(db):
    """The backend of a load that holds its lock; it looks for the curtain."""
    return [pid for (pid,) in db.execute(
        "SELECT DISTINCT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' "
        "AND l.mode = 'ExclusiveLock' AND a.application_name = 'headrace'")]


def complete_parts(db):
    return [pid for (pid,) in db.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'headrace' AND state = 'idle in transaction' "
        "AND query LIKE 'INSERT INTO %headrace_load_parts%' ORDER BY 1")]


def test_killed_between_two_commits(cli, server, target, source):
    """Server processes are stopped so that two transactions are committed and the third is not when the client is killed."""
    process = subprocess.Popen(command_of(cli, server, source, "halfway"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    stopped = []

    def stop(pid):
        os.kill(pid, signal.SIGSTOP)
        stopped.append(pid)

    try:
        wait_for(lambda: len(part_backends(target)) == 3, "three transactions", 90)
        (control,) = wait_for(lambda: control_backend(target), "the lock of the load", 90)
        stop(control)
        parts = wait_for(lambda: (lambda p: p if len(p) == 3 else None)(complete_parts(target)), "complete transactions", 90)
        stop(parts[1])
        os.kill(control, signal.SIGCONT)
        wait_for(lambda: target.execute("SELECT count(*) FROM headrace_load_parts").fetchone()[0] == 2, "two commits", 90)
        process.kill()
        process.communicate(timeout=60)
        target.execute("SELECT pg_terminate_backend(%s)", [parts[1]])
    finally:
        process.kill()
        resume(stopped)
    between = target.execute(STATE).fetchone()  # waits until the curtain is up
    assert OLD < between[0] < OLD + NEW and between[0] == between[1]
    report = run(command_of(cli, server, source, "halfway"))
    assert any(f"{between[0] - OLD} rows had been committed" in warning for warning in report["warnings"]), report["warnings"]
    assert target.execute(STATE).fetchone() == (OLD + NEW, OLD + NEW, NEW)
    assert staging_tables(target) == []


def test_a_transaction_that_is_ended_is_made_good_by_the_retry(cli, server, target, source):
    """The same, but the client lives: it tells what happened, and its next attempt loads what is missing."""
    process = subprocess.Popen(command_of(cli, server, source, "retried"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    stopped = []
    try:
        wait_for(lambda: len(part_backends(target)) == 3, "three transactions", 90)
        (control,) = wait_for(lambda: control_backend(target), "the lock of the load", 90)
        os.kill(control, signal.SIGSTOP)
        stopped.append(control)
        parts = wait_for(lambda: (lambda p: p if len(p) == 3 else None)(complete_parts(target)), "complete transactions", 90)
        target.execute("SELECT pg_terminate_backend(%s)", [parts[1]])
        wait_for(lambda: len(complete_parts(target)) == 2, "its end", 90)
        os.kill(stopped.pop(), signal.SIGCONT)
        out, _ = process.communicate(timeout=120)
    finally:
        resume(stopped)
        process.kill()
    report = json.loads(out)
    assert process.returncode == 0, report
    assert any("interrupted between its commits" in warning for warning in report["warnings"]), report["warnings"]
    assert any("had been committed by an interrupted run" in warning for warning in report["warnings"])
    assert target.execute(STATE).fetchone() == (OLD + NEW, OLD + NEW, NEW)


def parts_by_hand(db, kept):
    """Leaves what a crash between the commits leaves: some parts are committed, the others not."""
    db.execute("CREATE TABLE headrace_load_parts (load_id text, table_name text, xid bigint, mode text NOT NULL, source text NOT NULL, "
               "rows bigint NOT NULL, intervals text NOT NULL, PRIMARY KEY (load_id, table_name, xid))")
    for number, (source, intervals) in enumerate(kept):
        for first, count in intervals:
            db.execute("INSERT INTO target SELECT g, 1, repeat('x', 50) FROM generate_series(%s::bigint, %s) g", [OLD + first, OLD + first + count - 1])
        text = ",".join(f"{first}+{count}" for first, count in intervals)
        db.execute("INSERT INTO headrace_load_parts VALUES ('half', 'target', %s, 'append', %s, %s, %s)",
                   [number, source, sum(count for _, count in intervals), text])


@pytest.mark.parametrize("more", [[], ["--connections", "1"], ["--atomic", "strict"], ["--method", "optimized"]])
def test_what_is_committed_is_left_out(cli, server, target, source, more):
    parts_by_hand(target, [(str(source), [(0, 1000), (2500, 7), (99_999, 1)]), (str(source), [(1000, 1000), (4001, 3999)])])
    command = command_of(cli, server, source, "half")
    for i in range(0, len(more), 2):
        if more[i] in command:
            command[command.index(more[i]) + 1] = more[i + 1]
        else:
            command += more[i:i + 2]
    report = run(command)
    assert any("6007 rows had been committed" in warning for warning in report["warnings"]), report["warnings"]
    assert target.execute(STATE).fetchone() == (OLD + NEW, OLD + NEW, NEW)
    assert target.execute("SELECT rows FROM headrace_loads").fetchall() == [(NEW,)]
    assert target.execute("SELECT count(*) FROM headrace_load_parts").fetchone() == (0,)
    report = run(command)
    assert any("nothing was done" in warning for warning in report["warnings"])


def test_another_source_does_not_complete_it(cli, server, target, source):
    parts_by_hand(target, [("other.parquet", [(0, 1000)])])
    done = subprocess.run(command_of(cli, server, source, "half"), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done
    assert "was interrupted as append of other.parquet" in json.loads(done.stdout)["error"]["message"]


@pytest.mark.parametrize("number", range(RUNS))
def test_killed_at_any_moment(cli, server, target, source, number):
    """The process or one of its backends ends about when the commits run."""
    choice = random.Random(f"together {number}")
    process = subprocess.Popen(command_of(cli, server, source, f"run {number}", "--retries", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(lambda: len(part_backends(target)) > 0 or process.poll() is not None, "the transactions")
    time.sleep(choice.uniform(0, 0.25))
    if number % 2:
        process.kill()
    else:
        pids = part_backends(target)
        if pids:
            target.execute("SELECT pg_terminate_backend(%s)", [choice.choice(pids)])
    process.communicate(timeout=120)
    run(command_of(cli, server, source, f"run {number}"))
    assert target.execute(STATE).fetchone() == (OLD + NEW, OLD + NEW, NEW)
    assert staging_tables(target) == []


def test_equal_keys_of_two_transactions_do_not_wait_for_ever(cli, server, target, source, tmp_path):
    target.execute("ALTER TABLE target ADD PRIMARY KEY (id)")
    path = tmp_path / "twice.parquet"
    ids = list(range(OLD, OLD + 3000)) * 4
    pq.write_table(pa.table({"id": pa.array(ids, pa.int64()), "gen": pa.array([1] * len(ids), pa.int32())}), path, row_group_size=3000)
    done = subprocess.run([*command_of(cli, server, path, "twice", "--retries", "0"), "--lock-timeout", "500ms"], capture_output=True, text=True, timeout=60)
    error = json.loads(done.stdout)["error"]
    assert done.returncode != 0 and error["sqlstate"] in ("55P03", "23505"), error
    assert target.execute(STATE).fetchone() == (OLD, OLD, 0)
