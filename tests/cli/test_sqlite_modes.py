"""SQLite through its API: every mode into existing files, what stays as it is, busy files, load ids."""

import sqlite3
import time
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import finish, headrace, start

pytestmark = pytest.mark.files


def file_of(tmp_path, rows, name="in.parquet", columns=("id", "name", "n")):
    types = {"id": pa.int64(), "name": pa.string(), "n": pa.int32()}
    arrays = {column: pa.array([row[i] for row in rows], types[column]) for i, column in enumerate(columns)}
    path = tmp_path / name
    pq.write_table(pa.table(arrays), path, row_group_size=2)
    return path


def run(path, *statements):
    with closing(sqlite3.connect(path)) as db, db:
        for statement in statements:
            rows = db.execute(statement).fetchall()
        return rows


@pytest.fixture
def people(tmp_path):
    """id primary key, a column that loads do not know, a view and another table."""
    path = tmp_path / "people.sqlite"
    run(path, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, kept TEXT DEFAULT 'd')",
        "INSERT INTO t VALUES (1, 'one', 10, 'k1'), (2, 'two', 20, 'k2'), (3, NULL, 30, 'k3')",
        "CREATE INDEX by_n ON t (n)", "CREATE TABLE other (x)", "INSERT INTO other VALUES (42)",
        "CREATE VIEW v AS SELECT id, n FROM t")
    return path


def rows_of(path, columns="id, name, n, kept"):
    assert run(path, "PRAGMA integrity_check") == [("ok",)]
    return run(path, f"SELECT {columns} FROM t ORDER BY 1, 2, 3")


def objects(path):
    return run(path, "SELECT type, name, sql FROM sqlite_master WHERE name <> 'headrace_loads' "
                     "AND name NOT LIKE 'sqlite_%' ORDER BY 1, 2")


def load(path, source, mode, *more):
    done = headrace("load", source, "--to", f"sqlite:{path}", "--table", "t", "--mode", mode, "--json", *more)
    report = done.json()
    assert (done.code == 0) == (report["status"] == "ok"), done
    assert [p.name for p in path.parent.iterdir() if "headrace" in p.name] == []
    return report


def test_upsert_updates_and_inserts(people, tmp_path):
    before = objects(people)
    report = load(people, file_of(tmp_path, [(2, "zwei", None), (3, "drei", 33), (4, "vier", 44), (5, None, 55)]), "upsert")
    assert (report["status"], report["method"], report["commit_scope"]) == ("ok", "api", "single")
    assert (report["rows_written"], report["rows_rejected"]) == (4, 0)
    assert rows_of(people) == [(1, "one", 10, "k1"), (2, "zwei", None, "k2"), (3, "drei", 33, "k3"),
                               (4, "vier", 44, "d"), (5, None, 55, "d")]
    assert {"subject": "key", "choice": "id", "reason": "the primary key of the target"} in report["decisions"]
    assert objects(people) == before


def test_upsert_updates_only_what_is_asked(people, tmp_path):
    report = load(people, file_of(tmp_path, [(1, "x", 11), (9, "nine", 99)]), "upsert", "--key", "ID", "--update-columns", "N")
    assert report["status"] == "ok"
    assert rows_of(people) == [(1, "one", 11, "k1"), (2, "two", 20, "k2"), (3, None, 30, "k3"), (9, "nine", 99, "d")]


@pytest.mark.parametrize("keep, wanted", [("first", "a"), ("last", "d")])
def test_upsert_keeps_one_of_duplicates(people, tmp_path, keep, wanted):
    rows = [(7, "a", 1), (8, "z", 0), (7, "b", 2), (7, "c", 3), (7, "d", 4), (1, "uno", 5)]
    report = load(people, file_of(tmp_path, rows), "upsert", "--on-duplicate", keep, "--verify", "full")
    assert (report["status"], report["rows_read"], report["rows_written"], report["rows_rejected"]) == ("ok", 6, 3, 3)
    assert any("3 rows were left out" in warning for warning in report["warnings"])
    assert rows_of(people, "id, name, n")[-2:] == [(7, wanted, {"a": 1, "d": 4}[wanted]), (8, "z", 0)]
    assert rows_of(people, "id, name, n")[0] == (1, "uno", 5)


def test_upsert_refuses_duplicates(people, tmp_path):
    before = rows_of(people)
    report = load(people, file_of(tmp_path, [(7, "a", 1), (8, "b", 2), (7, "c", 3)]), "upsert")
    assert report["error"]["code"] == "rejected_value"
    assert report["error"]["message"] == "key (id) = (7) occurs in 2 rows of the source"
    assert "--on-duplicate" in report["error"]["hint"]
    assert rows_of(people) == before


def test_upsert_takes_values_for_the_same_as_the_index_does(tmp_path):
    path = tmp_path / "c.sqlite"
    run(path, "CREATE TABLE t (id INTEGER, name TEXT COLLATE NOCASE, n INTEGER, UNIQUE (name))", "INSERT INTO t VALUES (1, 'Anna', 1)")
    rows = [(2, "ANNA", 2), (3, "anna", 3), (4, None, 4), (5, None, 5)]
    assert "occurs in 2 rows" in load(path, file_of(tmp_path, rows), "upsert", "--key", "name")["error"]["message"]
    report = load(path, file_of(tmp_path, rows), "upsert", "--key", "name", "--on-duplicate", "last", "--verify", "full")
    assert (report["status"], report["rows_written"]) == ("ok", 3)
    # A key keeps the spelling it has; rows with a NULL in the key are never the same.
    assert rows_of(path, "id, name, n") == [(3, "Anna", 3), (4, None, 4), (5, None, 5)]


def test_upsert_makes_a_missing_table_with_its_key(tmp_path):
    path = tmp_path / "new.sqlite"
    assert load(path, file_of(tmp_path, [(2, "b", 1), (1, "a", 2)]), "upsert", "--key", "id")["status"] == "ok"
    assert rows_of(path, "id, name, n") == [(1, "a", 2), (2, "b", 1)]
    assert load(path, file_of(tmp_path, [(2, "c", 3), (3, "d", 4)]), "upsert")["status"] == "ok"
    assert rows_of(path, "id, name, n") == [(1, "a", 2), (2, "c", 3), (3, "d", 4)]


@pytest.mark.parametrize("arguments, code, message", [
    (["upsert", "--key", "name"], 1, "has no unique index on (name)"),
    (["upsert", "--key", "nothing"], 1, "key nothing is not a column that the source fills"),
    (["upsert", "--update-columns", "id"], 2, "update column id is a key"),
    (["append", "--key", "id"], 2, "are for mode upsert"),
    (["delete_insert"], 2, "needs the condition"),
    (["delete_insert", "--replace-where", "no_such = 1"], 1, "no_such"),
    (["delete_insert", "--replace-where", "id = 1; DELETE FROM t"], 1, "syntax error"),
    (["delete_insert", "--replace-where", "id = 1); DELETE FROM t; --"], 1, "not a single statement"),
    (["delete_insert", "--replace-where", "n = 10 AND id = 1"], 1, "1 rows of the source do not meet the condition"),
    (["append"], 1, "UNIQUE constraint failed"),
    (["create"], 1, "already exists"),
])
def test_what_cannot_be_done_changes_nothing(people, tmp_path, arguments, code, message):
    before = people.read_bytes()
    done = headrace("load", file_of(tmp_path, [(1, "a", 1)]), "--to", people, "--table", "t", "--mode", *arguments, "--json")
    assert done.code == code, done
    assert message in done.error()["message"]
    assert people.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.parquet", "people.sqlite"]


def test_delete_insert(people, tmp_path):
    before = objects(people)
    report = load(people, file_of(tmp_path, [(2, "neu", 21), (6, "neu", 22), (7, "neu", 23)]), "delete_insert",
                  "--replace-where", "n BETWEEN 20 AND 30 -- the twenties", "--verify", "full")
    assert report["status"] == "ok", report
    assert rows_of(people) == [(1, "one", 10, "k1"), (2, "neu", 21, "d"), (6, "neu", 22, "d"), (7, "neu", 23, "d")]
    assert objects(people) == before


@pytest.mark.parametrize("mode", ["replace", "truncate"])
def test_all_rows_go_and_all_else_stays(people, tmp_path, mode):
    before = objects(people)
    report = load(people, file_of(tmp_path, [(7, "a", 1), (8, "b", 2)]), mode, "--verify", "full")
    assert (report["status"], report["method"]) == ("ok", "api")
    assert report["phases"]["verify"] > 0
    assert rows_of(people) == [(7, "a", 1, "d"), (8, "b", 2, "d")]
    assert run(people, "SELECT x FROM other") == [(42,)]
    assert objects(people) == before


def test_indexes_of_a_table_with_new_rows_are_built_at_the_end(people, tmp_path):
    run(people, "CREATE UNIQUE INDEX u ON t (name)", "ANALYZE")
    before = objects(people)
    source = file_of(tmp_path, [(i, f"name {i}", i % 100) for i in range(20_000)])
    report = load(people, source, "replace")
    assert report["status"] == "ok"
    assert [d["choice"] for d in report["decisions"] if d["subject"] == "indexes"] == ["build after"]
    assert report["phases"]["index"] > 0
    assert objects(people) == before
    assert rows_of(people, "count(*), max(n), min(id)") == [(20_000, 99, 0)]
    assert run(people, "SELECT stat FROM sqlite_stat1 WHERE idx = 'by_n'") == [("20000 200",)]
    assert "by_n" in run(people, "EXPLAIN QUERY PLAN SELECT id FROM t WHERE n = 7")[0][3]


def test_the_target_decides_the_types(tmp_path):
    path = tmp_path / "types.sqlite"
    run(path, "CREATE TABLE t (n REAL, ID TEXT, name, twice INTEGER AS (n * 2) STORED, missing DEFAULT 5)")
    report = load(path, file_of(tmp_path, [(1, "a", 3)]), "append", "--verify", "full")
    assert report["status"] == "ok", report
    assert run(path, "SELECT typeof(n), n, typeof(id), id, name, twice, missing FROM t") == [("real", 3.0, "text", "1", "a", 6, 5)]
    done = headrace("load", file_of(tmp_path, [(1,)], columns=("id",)), "--to", path, "--table", "t", "--mode", "append")
    assert done.code == 0
    pq.write_table(pa.table({"twice": pa.array([1], pa.int64())}), tmp_path / "g.parquet")
    assert "generated" in headrace("load", tmp_path / "g.parquet", "--to", path, "--table", "t", "--mode", "append", "--json").error()["message"]


@pytest.mark.parametrize("mode", ["wal", "delete", "persist", "truncate"])
def test_journal_mode_and_header_stay(people, tmp_path, mode):
    with closing(sqlite3.connect(people)) as db:
        assert db.execute(f"PRAGMA journal_mode={mode}").fetchone() == (mode,)
        db.execute("PRAGMA user_version=7")
        db.execute("PRAGMA application_id=99")
        # A connection that stays open keeps the -wal alive.
        report = load(people, file_of(tmp_path, [(8, "a", 1)]), "append")
        assert report["status"] == "ok", report
        assert db.execute("SELECT name FROM t WHERE id = 8").fetchall() == [("a",)]
        assert load(people, file_of(tmp_path, [(9, "b", 1)]), "replace")["method"] == "api"
        assert db.execute("SELECT id FROM t").fetchall() == [(9,)]
    assert run(people, "PRAGMA journal_mode") == [(mode if mode == "wal" else "delete",)]
    assert run(people, "PRAGMA user_version") + run(people, "PRAGMA application_id") == [(7,), (99,)]


def test_busy_files_are_waited_for(people, tmp_path):
    source = file_of(tmp_path, [(8, "a", 1)])
    with closing(sqlite3.connect(people, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        process = start("load", source, "--to", people, "--table", "t", "--mode", "append", "--busy-timeout", "30s", "--json")
        time.sleep(0.5)
        assert process.poll() is None
        db.execute("INSERT INTO other VALUES (1)")
        db.execute("COMMIT")
        assert finish(process).code == 0
    assert len(rows_of(people)) == 4


@pytest.mark.parametrize("retries, code, name", [(0, 1, "busy"), (1, 5, "retries_exhausted")])
@pytest.mark.parametrize("lock", ["IMMEDIATE", "EXCLUSIVE"])
def test_busy_files_are_given_up(people, tmp_path, lock, retries, code, name):
    source, before = file_of(tmp_path, [(8, "a", 1)]), people.read_bytes()
    with closing(sqlite3.connect(people, isolation_level=None)) as db:
        db.execute(f"BEGIN {lock}")
        begin = time.monotonic()
        done = headrace("load", source, "--to", people, "--table", "t", "--mode", "append", "--busy-timeout", "300ms",
                        "--retries", retries, "--json")
        assert 0.3 <= time.monotonic() - begin < 10
    assert (done.code, done.error()["code"]) == (code, name)
    assert "locked" in done.error()["message"] and "--busy-timeout" in done.error()["hint"]
    assert people.read_bytes() == before


@pytest.mark.parametrize("exists", [False, True])
def test_a_load_id_is_run_once(people, tmp_path, exists):
    path = people if exists else tmp_path / "new.sqlite"
    source = file_of(tmp_path, [(8, "a", 1), (9, "b", 2)])
    report = load(path, source, "append", "--load-id", "night")
    assert (report["status"], report["rows_written"]) == ("ok", 2)
    assert report["method"] == ("api" if exists else "pages")
    rows = rows_of(path, "id, name, n")
    ledger = run(path, "SELECT load_id, table_name, mode, rows, source FROM headrace_loads")
    assert ledger == [("night", "t", "append", 2, str(source))]
    report = load(path, source, "append", "--load-id", "night")
    assert (report["status"], report["rows_written"]) == ("ok", 0)
    assert "nothing was done: load night was committed at" in report["warnings"][0]
    assert rows_of(path, "id, name, n") == rows
    # Another id, and the same id into another table, are other loads.
    assert load(path, file_of(tmp_path, [(10, "c", 3)]), "append", "--load-id", "noon")["rows_written"] == 1
    done = headrace("load", source, "--to", path, "--table", "u", "--load-id", "night")
    assert done.code == 0, done
    assert run(path, "SELECT count(*) FROM headrace_loads") == [(3,)]


def test_load_ids_survive_a_new_file(tmp_path):
    path, source = tmp_path / "t.sqlite", file_of(tmp_path, [(1, "a", 1)])
    assert load(path, source, "create", "--load-id", "one")["method"] == "pages"
    assert load(path, source, "replace", "--load-id", "two", "--verify", "full")["method"] == "pages"
    assert load(path, source, "replace")["method"] == "pages"
    assert run(path, "SELECT load_id, mode FROM headrace_loads ORDER BY 1") == [("one", "create"), ("two", "replace")]
    assert "nothing was done" in load(path, source, "replace", "--load-id", "one")["warnings"][0]
    assert len(rows_of(path, "id, name, n")) == 1


def test_a_failed_load_leaves_no_load_id(people, tmp_path):
    report = load(people, file_of(tmp_path, [(1, "a", 1)]), "append", "--load-id", "bad")
    assert report["error"]["code"] == "rejected_value"
    assert run(people, "SELECT count(*) FROM sqlite_master WHERE name = 'headrace_loads'") == [(0,)]


def test_refused_rows_are_named(people, tmp_path):
    rows = [(i, "x", i) for i in range(100, 400)]
    rows[250] = (2, "x", 0)
    report = load(people, file_of(tmp_path, rows), "append")
    assert report["error"]["where"]["row"] == 251
    assert "UNIQUE constraint failed: t.id" in report["error"]["message"]
