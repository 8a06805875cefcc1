"""Other processes read a SQLite table all the while it is loaded, and a load is killed: they see the old rows or the new ones."""
import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import Load, wait_for

ROWS = 20_000

# Prints one line of JSON: how many readings, and those that were neither old nor new.
READER = """
import json, pathlib, sqlite3, sys
path, stop = sys.argv[1], pathlib.Path(sys.argv[2])
readings, seen, wrong = 0, set(), []
while not stop.exists():
    db = sqlite3.connect(path, timeout=60)
    for _ in range(3):
        row = db.execute("SELECT count(*), min(gen), max(gen), sum(id), (SELECT count(*) FROM t WHERE gen >= 0) FROM t").fetchone()
        readings += 1
        seen.add(row[1])
        if row[0] != %d or row[1] != row[2] or row[3] != %d or row[4] != row[0]:
            wrong.append(row)
    db.close()
print(json.dumps({"readings": readings, "seen": sorted(seen), "wrong": wrong[:5]}))
""" % (ROWS, ROWS * (ROWS - 1) // 2)


def source(folder, generation):
    path = folder / f"gen{generation}.parquet"
    pq.write_table(pa.table({"id": pa.array(range(ROWS), pa.int64()), "gen": pa.array([generation] * ROWS, pa.int64())}), path)
    return path


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("options", [["--mode", "replace"], ["--mode", "upsert"],
                                     ["--mode", "delete_insert", "--replace-where", "gen >= 0"]])
def test_readers_see_old_or_new(cli, tmp_path, journal, options):
    path, stop = tmp_path / "t.sqlite", tmp_path / "stop"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA journal_mode={journal}")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, gen INTEGER)")
        db.execute("CREATE INDEX by_gen ON t (gen)")
        db.executemany("INSERT INTO t VALUES (?, 0)", ((i,) for i in range(ROWS)))
    readers = [subprocess.Popen([sys.executable, "-c", READER, str(path), str(stop)], stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for generation in range(1, 5):
            done = subprocess.run([cli, "load", source(tmp_path, generation), "--to", path, "--table", "t", "--json",
                                   "--progress", "none", "--busy-timeout", "60s", *options], capture_output=True, timeout=120)
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["method"] == "api"
    finally:
        stop.touch()
    for reader in readers:
        out, _ = reader.communicate(timeout=60)
        found = json.loads(out)
        assert found["wrong"] == [], found
        assert found["readings"] > 3 and len(found["seen"]) >= 2
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT DISTINCT gen FROM t").fetchall() == [(4,)]
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA journal_mode").fetchone() == (journal,)


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_killed_load_leaves_the_old_rows(cli, tmp_path, journal):
    """Enough rows that SQLite has begun to write to the file: a hot journal is played back by the next reader."""
    path = tmp_path / "t.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"PRAGMA journal_mode={journal}")
        db.execute("CREATE TABLE fault (id INTEGER, name TEXT)")
        db.execute("CREATE TABLE other (a)")
        db.executemany("INSERT INTO fault VALUES (?, 'old')", ((i,) for i in range(1000)))
    load = Load(cli, f"sqlite:{path}", "--table", "fault", "--mode", "replace", "--memory", "32MiB")
    beside = path.parent / (path.name + ("-journal" if journal == "delete" else "-wal"))
    size = path.stat().st_size

    def spilled():
        load.feed(10)
        return (path.stat().st_size if journal == "delete" else beside.stat().st_size if beside.exists() else 0) > size + (4 << 20)
    wait_for(spilled, "SQLite to write to the file")
    load.process.send_signal(signal.SIGKILL)
    load.process.wait(timeout=30)
    assert beside.exists()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*), min(name), max(name) FROM fault").fetchone() == (1000, "old", "old")
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    load = Load(cli, f"sqlite:{path}", "--table", "fault", "--mode", "replace")
    load.feed(2)
    code, report, err = load.finish()
    assert code == 0, err
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM fault").fetchone() == (report["rows_written"],)


def test_an_interrupted_load_into_an_existing_file(cli, tmp_path):
    path = tmp_path / "t.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE fault (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute("INSERT INTO fault VALUES (1, 'old')")
    before = path.read_bytes()
    load = Load(cli, f"sqlite:{path}", "--table", "fault", "--mode", "replace")
    load.feed(20)
    wait_for(lambda: (tmp_path / "t.sqlite-journal").exists(), "the journal")
    load.process.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    code, _, _ = load.finish()
    assert code == 143
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["t.sqlite"]
