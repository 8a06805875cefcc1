"""append and delete_insert where most rows are new: a table of the new rows and those that stay is built and swapped in."""

import threading

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PG, headrace

pytestmark = pytest.mark.files
NEW, OLD = 200_000, 10_000


@pytest.fixture(scope="module")
def new_rows(tmp_path_factory):
    """Ids 0 up to NEW - 1, part 'a'."""
    path = tmp_path_factory.mktemp("rebuild") / "new.parquet"
    table = pa.table({"id": pa.array(range(NEW), pa.int32()), "part": pa.array(["a"] * NEW)})
    pq.write_table(table, path, row_group_size=NEW // 4)
    return path


def load(postgres, path, mode, *more, code=0):
    done = headrace("load", path, *postgres.to("t", "--mode", mode, "--json", "--progress", "none", *more))
    assert done.code == code, done
    assert [name for name in postgres.relations() if "headrace" in name] == []
    return done.json()


def decision(report, subject):
    return next(d for d in report["decisions"] if d["subject"] == subject)


@pytest.fixture
def grown(postgres):
    """A table of old rows, ids from 1,000,000 on, with indexes, a view, a serial and a generated column."""
    postgres.execute(f"""SET search_path = {postgres.schema};
        CREATE TABLE t (id int PRIMARY KEY, part text, s serial, twice bigint GENERATED ALWAYS AS (id::bigint * 2) STORED, CHECK (id >= 0));
        CREATE INDEX t_part ON t (part); CREATE VIEW v AS SELECT id, part FROM t;
        INSERT INTO t (id, part) SELECT 1000000 + g, 'b' FROM generate_series(1, {OLD}) g; ANALYZE t""")
    return postgres


@pytest.mark.parametrize("more", [[], ["--maintenance-work-mem", "64MiB"]])
def test_append_of_many_rows_to_few(grown, new_rows, more):
    report = load(grown, new_rows, "append", *more)
    assert report["commit_scope"] == "swap"
    rebuilt = decision(report, "indexes")
    assert rebuilt["choice"] == "rebuilt" and "200000 rows are new, about 10000 old" in rebuilt["reason"]
    assert report["rows_written"] == NEW and report["phases"]["index"] > 0
    assert grown.execute("SELECT count(*), count(DISTINCT id), count(DISTINCT s), sum(twice) = 2 * sum(id::bigint), min(part), max(part) FROM t") == [
        (NEW + OLD, NEW + OLD, NEW + OLD, True, "a", "b")]
    assert grown.count("v") == NEW + OLD
    # The sequence goes on.
    assert grown.execute("INSERT INTO t (id) VALUES (5000000) RETURNING s") == [(NEW + OLD + 1,)]
    assert grown.execute("SELECT reltuples > 0 FROM pg_class WHERE oid = 't'::regclass") == [(True,)]


def test_append_of_a_row_that_is_there(grown, new_rows):
    grown.execute("INSERT INTO t (id, part) VALUES (7, 'old')")
    error = load(grown, new_rows, "append", code=1)["error"]
    assert error["sqlstate"] == "23505" and "(id)=(7)" in error["message"] and "headrace" not in error["message"], error
    assert grown.count("t") == OLD + 1


@pytest.mark.parametrize("more, reason", [
    (["--connections", "1"], "one connection requested"),
    ("ALTER TABLE t ADD i int GENERATED ALWAYS AS IDENTITY", "sequence of the table's own"),
    ("CREATE MATERIALIZED VIEW mv AS SELECT id FROM t", "materialized view"),
    ("INSERT INTO t (id) SELECT 2000000 + g FROM generate_series(1, 15000) g", "25000 rows for 200000 new ones"),
])
def test_append_keeps_the_indexes(grown, new_rows, more, reason):
    options = more if isinstance(more, list) else []
    if not options:
        grown.execute(more)
        grown.execute("ANALYZE t")
    before = grown.execute("SELECT 't'::regclass::oid, count(*) FROM t")[0]
    report = load(grown, new_rows, "append", *options)
    assert report["commit_scope"] == "single"
    kept = decision(report, "indexes")
    assert kept["choice"] == "kept" and reason in kept["reason"], kept
    assert grown.execute("SELECT 't'::regclass::oid, count(*) FROM t") == [(before[0], before[1] + NEW)]


class Writer(threading.Thread):
    """Inserts rows of its own, one a transaction, as fast as it can."""

    def __init__(self, schema):
        super().__init__(daemon=True)
        self.schema, self.stop, self.written, self.failure = schema, threading.Event(), 0, None

    def run(self):
        try:
            with psycopg.connect(PG, autocommit=True) as connection:
                while not self.stop.is_set():
                    connection.execute(f"INSERT INTO {self.schema}.t (id, part) VALUES ({3_000_000 + self.written}, 'w')")
                    self.written += 1
        except Exception as e:  # kept for the test's own thread
            self.failure = e


@pytest.mark.parametrize("mode, more", [("append", []), ("delete_insert", ["--replace-where", "part = 'a'"])])
def test_no_row_of_a_writer_is_lost(grown, new_rows, mode, more):
    if mode == "delete_insert":
        grown.execute(f"INSERT INTO t (id, part) SELECT g, 'a' FROM generate_series(0, {NEW - 1}) g; ANALYZE t")
    writer = Writer(grown.schema)
    writer.start()
    report = load(grown, new_rows, mode, *more)
    writer.stop.set()
    writer.join(30)
    assert writer.failure is None, writer.failure
    assert report["commit_scope"] == "swap"
    assert writer.written > 0
    assert grown.execute("SELECT count(*) FILTER (WHERE part = 'a'), count(*) FILTER (WHERE part = 'b'), count(*) FILTER (WHERE part = 'w') FROM t") == [
        (NEW, OLD, writer.written)]


def test_delete_insert_of_most_rows(grown, new_rows):
    grown.execute(f"INSERT INTO t (id, part) SELECT g + 10000000, 'a' FROM generate_series(1, {NEW}) g; INSERT INTO t (id) VALUES (9999999); ANALYZE t")
    pages = grown.execute("SELECT pg_relation_size('t')")[0][0]
    for _ in range(2):
        report = load(grown, new_rows, "delete_insert", "--replace-where", "part = 'a' -- the first")
        assert report["commit_scope"] == "swap"
        assert "rows are replaced: a new table is built" in decision(report, "commit_scope")["reason"]
        assert grown.execute("SELECT part, count(*), min(id), max(id) FROM t GROUP BY part ORDER BY part") == [
            ("a", NEW, 0, NEW - 1), ("b", OLD, 1000001, 1000000 + OLD), (None, 1, 9999999, 9999999)]
    # Without growth: a DELETE would have left as many dead rows as new ones.
    assert grown.execute("SELECT pg_relation_size('t')")[0][0] < 1.1 * pages


def test_delete_insert_of_few_rows_stays_in_the_table(grown, new_rows):
    grown.execute(f"INSERT INTO t (id, part) SELECT g + 10000000, 'c' FROM generate_series(1, {NEW}) g; ANALYZE t")
    report = load(grown, new_rows, "delete_insert", "--replace-where", "part = 'a'")
    assert report["commit_scope"] == "staged"
    swap = decision(report, "swap")
    assert swap["choice"] == "no" and "rows stay" in swap["reason"]


def test_rows_outside_the_condition_are_an_error(grown, new_rows):
    grown.execute(f"INSERT INTO t (id, part) SELECT g + 10000000, 'z' FROM generate_series(1, {NEW}) g; ANALYZE t")
    error = load(grown, new_rows, "delete_insert", "--replace-where", "part = 'z'", code=1)["error"]
    assert error["code"] == "rejected_value" and "200000 rows of the source do not meet" in error["message"]
    assert grown.count("t") == NEW + OLD


def test_a_condition_that_is_no_condition(grown, new_rows):
    for condition in ("nothing = 1", "true); DROP TABLE t; --", "id"):
        error = load(grown, new_rows, "delete_insert", "--replace-where", condition, code=1)["error"]
        assert error["sqlstate"].startswith("42"), error
    assert grown.count("t") == OLD
