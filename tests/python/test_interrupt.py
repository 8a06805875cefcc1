"""A load that does not end well: Ctrl-C, an exception in the source, a killed interpreter. The target is as it was."""
import signal
import threading
import time

import pyarrow as pa
import pytest
from conftest import sqlite_rows, start_python, wait_until

import headrace

BATCH = pa.record_batch({"a": pa.array(range(1000), pa.int64()), "b": ["text"] * 1000})

# argv: target, table, what kind of source, mode
PROGRAM = """
import signal, sys, time
import pyarrow as pa
import headrace
signal.signal(signal.SIGINT, signal.default_int_handler)
target, table, kind, mode = sys.argv[1:]
batch = pa.record_batch({"a": pa.array(range(1000), pa.int64()), "b": ["text"] * 1000})

def endless():
    number = 0
    while True:
        number += 1
        if number == 300:
            print("running")
        if number > 300 and kind.endswith("sleeping"):
            time.sleep(3600)
        yield batch
source = endless()
if kind.startswith("reader"):
    source = pa.RecordBatchReader.from_batches(batch.schema, source)
try:
    headrace.load(source, target, table, mode=mode)
except KeyboardInterrupt:
    print("interrupted", time.time())
    sys.exit(7)
"""
KINDS = ["iterator", "iterator_sleeping", "reader", "reader_sleeping"]


def interrupt(process, number=signal.SIGINT):
    assert process.stdout.readline() == "running\n", process.stderr.read()
    time.sleep(0.3)
    process.send_signal(number)
    return time.time()


def check_interrupted(process, asked):
    out, err = process.communicate(timeout=30)
    assert process.returncode == 7, err
    assert float(out.split()[1]) - asked < 1.0, f"it took {float(out.split()[1]) - asked:.2f} s"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", ["create", "append"])
def test_ctrl_c_postgres(kind, mode, postgres):
    if mode == "append":
        postgres.execute(f"CREATE TABLE {postgres.table('t')} AS SELECT 1::bigint AS a, 'before' AS b")
    before = postgres.relations()
    process = start_python(PROGRAM, postgres.uri, postgres.table("t"), kind, mode)
    check_interrupted(process, interrupt(process))
    assert postgres.relations() == before
    if mode == "append":
        assert postgres.rows("t") == [(1, "before")]


@pytest.mark.parametrize("kind", KINDS)
def test_ctrl_c_sqlite(kind, tmp_path):
    process = start_python(PROGRAM, tmp_path / "x.db", "t", kind, "create")
    check_interrupted(process, interrupt(process))
    assert list(tmp_path.iterdir()) == []


def test_killed_interpreter_postgres(postgres):
    process = start_python(PROGRAM, postgres.uri, postgres.table("t"), "iterator", "create")
    interrupt(process, signal.SIGKILL)
    process.communicate()
    assert "t" not in postgres.relations()
    # The server notices that its client is gone, then the tables are for gc.
    wait_until(lambda: not any(left["state"] == "live" for left in
                               headrace.gc(postgres.uri, postgres.schema, dry_run=True).leftovers))
    headrace.gc(postgres.uri, schema=postgres.schema)
    assert postgres.relations() == []


def test_killed_interpreter_sqlite(tmp_path):
    headrace.load(pa.table({"a": [1], "b": ["before"]}), tmp_path / "x.db", "t")
    process = start_python(PROGRAM, tmp_path / "x.db", "t", "iterator", "replace")
    interrupt(process, signal.SIGKILL)
    process.communicate()
    assert sqlite_rows(tmp_path / "x.db", "t") == [(1, "before")]
    headrace.gc(tmp_path / "x.db")
    assert [path.name for path in tmp_path.iterdir()] == ["x.db"]


class Broken(Exception):
    pass


def broken(batches=50):
    for _ in range(batches):
        yield BATCH
    raise Broken("out of order")


@pytest.mark.parametrize("wrap", [lambda g: g, lambda g: pa.RecordBatchReader.from_batches(BATCH.schema, g)])
@pytest.mark.parametrize("batches", [0, 50])
def test_an_exception_in_the_source_is_the_cause(wrap, batches, postgres, tmp_path):
    for target, table in (postgres.uri, postgres.table("t")), (tmp_path / "x.db", "t"):
        with pytest.raises(headrace.SourceError, match="Broken: out of order") as caught:
            headrace.load(wrap(broken(batches)), target, table)
        assert type(caught.value.__cause__) is Broken
        assert caught.value.__cause__.__traceback__ is not None
    assert postgres.relations() == [] and list(tmp_path.iterdir()) == []


def test_an_exception_in_progress_stops_the_load(tmp_path):
    def progress(now):
        raise Broken(now.phase)

    def endless():
        while True:
            time.sleep(0.001)
            yield BATCH
    with pytest.raises(Broken):
        headrace.load(endless(), tmp_path / "x.db", "t", progress=progress)
    assert list(tmp_path.iterdir()) == []


def test_cancel_token(tmp_path):
    token = headrace.CancelToken()

    def endless():
        while True:
            time.sleep(0.001)
            yield BATCH
    threading.Timer(0.5, token.cancel).start()
    with pytest.raises(headrace.LoadCancelled) as caught:
        headrace.load(endless(), tmp_path / "x.db", "t", cancel=token)
    assert caught.value.report.status == "cancelled" and list(tmp_path.iterdir()) == []


def test_a_failing_target_ends_an_endless_source(tmp_path):
    def endless():
        while True:
            yield BATCH
    (tmp_path / "x.db").write_text("this is no database, and long enough to be looked at as one" * 100)
    with pytest.raises(headrace.HeadraceError):
        headrace.load(endless(), tmp_path / "x.db", "t", mode="append")


def test_several_loads_at_once(tmp_path):
    failures = []

    def one(number):
        try:
            headrace.load(iter([BATCH] * 100), tmp_path / f"{number}.db", "t")
        except BaseException as error:
            failures.append(error)
    threads = [threading.Thread(target=one, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [len(sqlite_rows(tmp_path / f"{n}.db", "t")) for n in range(6)] == [100_000] * 6


def test_other_threads_run_during_a_load(tmp_path):
    table = pa.table({"a": pa.array(range(3_000_000))})
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)
    thread = threading.Thread(target=tick)
    thread.start()
    try:
        start = time.monotonic()
        headrace.load(table, tmp_path / "x.db", "t")
        seconds = time.monotonic() - start
    finally:
        stop.set()
        thread.join()
    during = [t for t in ticks if start < t < start + seconds]
    assert len(during) > seconds / 0.1, f"{len(during)} ticks in {seconds:.2f} s"
