"""What a new SQLite table may be asked for: primary key, indexes, STRICT, types; and what is said when rows refuse."""

import datetime
import sqlite3
from contextlib import closing
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import headrace

pytestmark = pytest.mark.files


def write(path, row_group=2, **columns):
    pq.write_table(pa.table(columns), path, row_group_size=row_group)
    return path


def load(source, target, *more):
    return headrace("load", source, "--to", target, "--table", "t", "--json", *more)


def query(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_primary_key_is_the_rowid_in_any_order(tmp_path):
    source = write(tmp_path / "a.parquet", id=[5, 2, -9, 2**62], name=["e", "b", "z", "q"])
    target = tmp_path / "a.sqlite"
    report = load(source, target, "--primary-key", "ID").json()
    assert report["method"] == "pages" and report["rows_written"] == 4
    assert query(target, "SELECT rowid, id, name FROM t") == [(-9, -9, "z"), (2, 2, "b"), (5, 5, "e"), (2**62, 2**62, "q")]
    assert query(target, "SELECT sql FROM sqlite_master") == [('CREATE TABLE "t" ("id" INTEGER PRIMARY KEY, "name" TEXT)',)]
    assert query(target, "PRAGMA integrity_check") == [("ok",)]
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == []


@pytest.mark.parametrize("ids,first,second", [([1, 2, 3, 3], "row 3", "row 4"), ([7, 2, 3, 4, 5, 7], "row 1", "row 6")])
def test_a_primary_key_that_is_there_twice(tmp_path, ids, first, second):
    source = write(tmp_path / "a.parquet", id=ids)
    target = tmp_path / "a.sqlite"
    report = load(source, target, "--primary-key", "id").json()
    message = report["error"]["message"]
    assert report["status"] == "failed" and f"id = {ids[-1]} is there twice" in message
    assert f"{first} of" in message and f"{second} of" in message and "a.parquet" in message
    assert not target.exists()


def test_null_in_the_primary_key(tmp_path):
    source = write(tmp_path / "a.parquet", id=[1, None], part=["a", "b"])
    for key in ["id", "part,id"]:
        error = load(source, tmp_path / "a.sqlite", "--primary-key", key).json()["error"]
        assert "NULL" in error["message"] and error["where"]["row"] == 2


def test_unique_index_names_rows_and_values(tmp_path):
    source = write(tmp_path / "a.parquet", a=["x", None, "y", None, "x"], b=[1, 1, 1, 1, 1])
    target = tmp_path / "a.sqlite"
    report = load(source, target, "--unique-index", "a,b").json()
    message = report["error"]["message"]
    assert "idx_t_a_b is unique" in message and "('x', 1)" in message and "row 1 of" in message and "row 5 of" in message
    assert report["error"]["where"]["row"] == 5
    assert not target.exists()
    # NULLs are distinct.
    rest = write(tmp_path / "b.parquet", a=["x", None, "y", None], b=[1, 1, 1, 1])
    assert load(rest, target, "--unique-index", "a,b").code == 0
    assert query(target, "PRAGMA integrity_check") == [("ok",)]


def test_rows_of_a_duplicate_are_named_by_file_and_row_group(tmp_path):
    for name, first in (("a", 0), ("b", 1000)):
        pq.write_table(pa.table({"k": [first + i if (name, i) != ("b", 750) else 333 for i in range(1000)]}),
                       tmp_path / f"{name}.parquet", row_group_size=200)
    done = headrace("load", tmp_path / "a.parquet", tmp_path / "b.parquet", "--to", tmp_path / "t.sqlite", "--table", "t",
                    "--unique-index", "k", "--json")
    error = done.error()
    assert f"row 334 of partition 1 ({tmp_path / 'a.parquet'})" in error["message"], error
    assert f"row 751 of partition 8 ({tmp_path / 'b.parquet'})" in error["message"], error
    assert (error["where"]["partition"], error["where"]["row"]) == (8, 751)


def test_indexes_by_both_methods(tmp_path):
    source = write(tmp_path / "a.parquet", a=[3, 1, 2], b=["u", "v", "w"])
    options = ["--index", "a", "--index", "b,a", "--unique-index", "b"]
    for method in ["pages", "api"]:
        target = tmp_path / f"{method}.sqlite"
        assert load(source, target, *options, "--method", method).json()["method"] == method
        names = query(target, "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1")
        assert names == [("idx_t_a",), ("idx_t_b",), ("idx_t_b_a",)]
        assert query(target, "SELECT b FROM t INDEXED BY idx_t_a WHERE a > 1 ORDER BY a") == [("w",), ("u",)]
    # Added to what is there; an index of the same name stays.
    more = write(tmp_path / "more.parquet", a=[3], b=["x"])
    assert load(more, target, "--mode", "append", "--index", "a", "--index", "a,b").code == 0
    assert ("idx_t_a_b",) in query(target, "SELECT name FROM sqlite_master")


def test_what_the_page_writer_cannot_do(tmp_path):
    source = write(tmp_path / "a.parquet", a=["x", "Y"], b=[True, False])
    target = tmp_path / "a.sqlite"
    report = load(source, target, "--index", "a COLLATE NOCASE,b DESC").json()
    assert report["method"] == "api" and "idx_t_a_b" in report["method_reason"]
    assert query(target, "SELECT sql FROM sqlite_master WHERE type = 'index'") == [
        ('CREATE INDEX "idx_t_a_b" ON "t" ("a" COLLATE NOCASE, "b" DESC)',)]
    refused = load(source, tmp_path / "b.sqlite", "--index", "a DESC", "--method", "pages")
    assert refused.code == 1 and "page writer cannot be used" in refused.json()["error"]["message"]
    assert load(source, tmp_path / "c.sqlite", "--primary-key", "b").json()["method"] == "api"


@pytest.mark.parametrize("option,words", [
    (["--index", "c"], "c is not a column"), (["--index", "a,a"], "named twice"), (["--primary-key", "c"], "c is not a column"),
    (["--index", "a nonsense"], "not a column")])
def test_wrong_columns(tmp_path, option, words):
    source = write(tmp_path / "a.parquet", a=[1])
    done = load(source, tmp_path / "a.sqlite", *option)
    assert done.code in (1, 2) and words in done.json()["error"]["message"]


def test_options_of_sqlite_with_another_target(tmp_path):
    source = write(tmp_path / "a.parquet", a=[1])
    done = headrace("load", source, "--to", f"pgcopy:{tmp_path}/x", "--index", "a", "--json")
    assert done.code == 2 and "--index: only for SQLite" in done.json()["error"]["message"]


def test_strict(tmp_path):
    day = datetime.date(2024, 2, 29)
    source = write(tmp_path / "a.parquet", n=[1], price=pa.array([Decimal("1.50")], pa.decimal128(9, 2)), day=[day], ok=[True])
    target = tmp_path / "a.sqlite"
    assert load(source, target, "--strict").code == 0
    sql = query(target, "SELECT sql FROM sqlite_master")[0][0]
    assert sql.endswith(" STRICT") and '"price" REAL' in sql
    assert query(target, "SELECT * FROM t") == [(1, 1.5, "2024-02-29", 1)]
    assert query(target, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("method", ["pages", "api"])
def test_types_by_option(tmp_path, method):
    times = [datetime.datetime(2024, 2, 29, 12, 30, 15), None, datetime.datetime(1, 1, 1)]
    source = write(tmp_path / "a.parquet", d=pa.array([Decimal("12.30"), None, Decimal("-0.05")], pa.decimal128(20, 2)),
                   ok=[True, None, False], day=pa.array([t and t.date() for t in times], pa.date32()),
                   at=pa.array(times, pa.timestamp("ms")))
    options = ["--method", method]
    target = tmp_path / "a.sqlite"
    assert load(source, target, *options, "--decimal", "scaled", "--boolean", "text", "--date", "integer").code == 0
    assert query(target, "SELECT d, ok FROM t") == [(1230, "true"), (None, None), (-5, "false")]
    assert query(target, "SELECT date(day, 'unixepoch'), datetime(at, 'unixepoch'), typeof(at) FROM t") == [
        ("2024-02-29", "2024-02-29 12:30:15", "integer"), (None, None, "null"), ("0001-01-01", "0001-01-01 00:00:00", "integer")]
    target = tmp_path / "b.sqlite"
    assert load(source, target, *options, "--decimal", "real", "--date", "real").code == 0
    assert query(target, "SELECT d, typeof(d) FROM t WHERE d > 0") == [(12.3, "real")]
    assert query(target, "SELECT date(day), datetime(at), julianday(datetime(at)) = at FROM t WHERE day IS NOT NULL") == [
        ("2024-02-29", "2024-02-29 12:30:15", 1), ("0001-01-01", "0001-01-01 00:00:00", 1)]
    target = tmp_path / "c.sqlite"
    assert load(source, target, *options, "--decimal", "text").code == 0
    assert query(target, "SELECT d FROM t") == [("12.30",), (None,), ("-0.05",)]


def test_types_never_lose_digits(tmp_path):
    source = write(tmp_path / "a.parquet", at=pa.array([datetime.datetime(2024, 1, 1, 0, 0, 0, 1)], pa.timestamp("us")))
    for stored in ["integer", "real"]:
        error = load(source, tmp_path / "a.sqlite", "--date", stored).json()["error"]
        assert error["where"]["row"] == 1 and "fraction" in error["message"] + error["message"].replace("digits past", "fraction")
    source = write(tmp_path / "b.parquet", d=pa.array([Decimal(10**20)], pa.decimal128(30, 0)))
    for stored in ["real", "scaled"]:
        done = load(source, tmp_path / "a.sqlite", "--decimal", stored)
        # 10^20 is no 64-bit integer, and has too many digits for a double that is read back.
        assert done.code == 1 and "100000000000000000000" in done.json()["error"]["message"]


def test_verify_knows_keys(tmp_path):
    source = write(tmp_path / "a.parquet", id=[3, 1, 2], name=["c", "a", "b"])
    assert load(source, tmp_path / "a.sqlite", "--primary-key", "id", "--index", "name", "--verify", "full").code == 0
    assert headrace("verify", source, "--to", tmp_path / "a.sqlite", "--table", "t").code == 0


def test_statistics_are_left_out_on_request(tmp_path):
    source = write(tmp_path / "a.parquet", a=[1, 1, 2])
    assert load(source, tmp_path / "a.sqlite", "--index", "a").code == 0
    assert query(tmp_path / "a.sqlite", "SELECT * FROM sqlite_stat1") == [("t", "idx_t_a", "3 2")]
    assert load(source, tmp_path / "b.sqlite", "--index", "a", "--no-analyze").code == 0
    assert query(tmp_path / "b.sqlite", "SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'") == [(0,)]


def test_the_plan_shows_the_statements(tmp_path):
    source = write(tmp_path / "a.parquet", id=[1], a=["x"])
    plan = headrace("plan", source, "--to", tmp_path / "a.sqlite", "--table", "t", "--primary-key", "id", "--index", "a", "--json").json()
    assert plan["ddl"][:2] == ['CREATE TABLE "t" ("id" INTEGER PRIMARY KEY, "a" TEXT)', 'CREATE INDEX "idx_t_a" ON "t" ("a")']
    assert {"primary key", "index idx_t_a"} <= {d["subject"] for d in plan["decisions"]}
