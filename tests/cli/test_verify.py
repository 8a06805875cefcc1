"""headrace verify, and inspect of SQLite files: what is the same is the same, and every change is found."""

import datetime
import decimal
import sqlite3
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import headrace

pytestmark = pytest.mark.files
N = 1000


def column(value, type):
    """N values, every seventh of them NULL."""
    return pa.array([None if i % 7 == 6 else value(i) for i in range(N)], type)


DAY = datetime.datetime(2026, 1, 1)
# Name, values, and what changes one of them in SQL of PostgreSQL.
COLUMNS = {
    "flag": (column(lambda i: i % 2 == 0, pa.bool_()), "NOT flag"),
    "small": (column(lambda i: i - 500, pa.int16()), "small + 1"),
    "whole": (column(lambda i: i * 10**12, pa.int64()), "whole + 1"),
    "real4": (column(lambda i: i / 8, pa.float32()), "real4 + 1"),
    "real8": (column(lambda i: i / 3, pa.float64()), "real8 + 1"),
    "price": (column(lambda i: decimal.Decimal(i) / 100, pa.decimal128(15, 2)), "price + 0.01"),
    "large": (column(lambda i: decimal.Decimal(i) * 10**20 + decimal.Decimal("0.001"), pa.decimal128(38, 3)), "large + 1"),
    "text": (column(lambda i: f"text {i} ä", pa.string()), "text || 'x'"),
    "bytes": (column(lambda i: bytes([i % 256, 0]), pa.binary()), "bytes || 'x'"),
    "day": (column(lambda i: (DAY + datetime.timedelta(days=i)).date(), pa.date32()), "day + 1"),
    "clock": (column(lambda i: datetime.time(i % 24, 1, 2, i), pa.time64("us")), "clock + interval '1 second'"),
    "local": (column(lambda i: DAY + datetime.timedelta(seconds=i, microseconds=i), pa.timestamp("us")), "local + interval '1 day'"),
    "zoned": (column(lambda i: DAY + datetime.timedelta(hours=i), pa.timestamp("us", tz="UTC")), "zoned + interval '1 day'"),
    "list": (column(lambda i: [i, None, i + 1][:i % 4], pa.list_(pa.int32())), "list || 1"),
    "word": (column(lambda i: f"w{i % 3}", pa.dictionary(pa.int32(), pa.string())), "'other'"),
}


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("verify") / "all.parquet"
    columns = {name: values for name, (values, _) in COLUMNS.items()}
    columns["id"] = pa.array(range(N), pa.int64())
    columns["record"] = column(lambda i: {"b": i, "a": "x"}, pa.struct([("b", pa.int32()), ("a", pa.string())]))
    pq.write_table(pa.table(columns), path, row_group_size=300)
    return path


def differing(done):
    assert done.code == 7, done
    report = done.json()
    assert report["status"] == "different" and report["difference"]
    return [c["name"] for c in report["columns"] if not c["same"]]


def test_postgres(postgres, source):
    assert headrace("load", source, *postgres.to("t")).code == 0
    done = headrace("verify", source, *postgres.to("t"), "--json")
    assert done.code == 0, done
    report = done.json()
    assert (report["status"], report["source_rows"], report["target_rows"]) == ("same", N, N)
    assert {c["name"]: c["compared"] for c in report["columns"]} == {
        name: "nulls" if name == "record" else "values" for name in [*COLUMNS, "id", "record"]}
    table = f"{postgres.schema}.t"
    for name, (_, change) in COLUMNS.items():
        postgres.execute(f"CREATE TABLE {postgres.schema}.kept AS SELECT * FROM {table} WHERE id = 77")
        postgres.execute(f"UPDATE {table} SET {name} = {change} WHERE id = 77")
        assert differing(headrace("verify", source, *postgres.to("t"), "--json")) == [name]
        postgres.execute(f"UPDATE {table} SET {name} = (SELECT {name} FROM {postgres.schema}.kept) WHERE id = 77; DROP TABLE {postgres.schema}.kept")
    postgres.execute(f"UPDATE {table} SET record = NULL WHERE id = 77")
    done = headrace("verify", source, *postgres.to("t"))
    assert done.code == 7 and "column record: 143 NULLs instead of 142" in done.out
    postgres.execute(f"DELETE FROM {table} WHERE id = 77")
    assert "999 rows instead of 1000" in headrace("verify", source, *postgres.to("t")).out


def test_values_in_the_wrong_rows(postgres, source):
    assert headrace("load", source, *postgres.to("t")).code == 0
    postgres.execute(f"UPDATE {postgres.schema}.t SET small = CASE id WHEN 1 THEN -498 ELSE -499 END WHERE id IN (1, 2)")
    done = headrace("verify", source, *postgres.to("t"), "--json")
    assert differing(done) == [] and "beside values of other rows" in done.json()["difference"]


@pytest.mark.parametrize("method", ["pages", "api"])
def test_sqlite(tmp_path, source, method):
    path = tmp_path / "t.sqlite"
    for level in ["none", "quick", "full"]:
        report = headrace("load", source, "--to", path, "--table", "t", "--method", method, "--verify", level, "--json").json()
        assert report["status"] == "ok", report
        assert (report["phases"]["verify"] > 0) == (level != "none")
        done = headrace("verify", source, "--to", path, "--table", "t", "--json")
        assert (done.code, done.json()["target_rows"]) == (0, N), done
        if level != "full":
            path.unlink()
    with closing(sqlite3.connect(path)) as db:
        for name in [*COLUMNS, "record"]:
            [old] = db.execute(f"SELECT {name} FROM t WHERE id = 77").fetchone()
            for change in ["NULL", f"CAST({name} AS TEXT) || '1'"]:
                with db:
                    db.execute(f"UPDATE t SET {name} = {change} WHERE id = 77")
                assert differing(headrace("verify", source, "--to", path, "--table", "t", "--json")) == [name]
            with db:
                db.execute(f"UPDATE t SET {name} = ? WHERE id = 77", (old,))
    assert headrace("verify", source, "--to", path, "--table", "t").code == 0


@pytest.mark.parametrize("form, name", [("geopackage", "t.gpkg"), ("spatialite", "t.sqlite"), ("wkb", "t.sqlite"), ("wkt", "t.sqlite")])
def test_geometries(tmp_path, form, name):
    path, places = tmp_path / name, tmp_path / "places.parquet"
    pq.write_table(pa.table({"id": [1, 2, 3], "geom": ["POINT(1 2)", None, "LINESTRING(0 0, 5 6)"]}), places)
    report = headrace("load", places, "--to", path, "--table", "t", "--geometry", form, "--verify", "full", "--json").json()
    assert report["status"] == "ok", report
    assert all(seconds >= 0 for seconds in report["phases"].values()), report["phases"]
    compare = ["verify", places, "--to", path, "--table", "t", "--geometry", form, "--json"]
    assert headrace(*compare).code == 0, headrace(*compare)
    pq.write_table(pa.table({"id": [1, 2, 3], "geom": ["POINT(1 2)", None, "LINESTRING(0 0, 5 7)"]}), places)
    assert differing(headrace(*compare)) == ["geom"]


@pytest.mark.parametrize("level", ["quick", "full"])
@pytest.mark.parametrize("there", [False, True])
def test_upsert_is_verified(tmp_path, level, there):
    path, rows = tmp_path / "t.sqlite", tmp_path / "rows.parquet"
    if there:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
            db.execute("INSERT INTO t VALUES (2, 'old'), (9, 'old')")
            db.commit()
    pq.write_table(pa.table({"id": [1, 2, 3], "v": ["a", "b", None]}), rows)
    done = headrace("load", rows, "--to", path, "--table", "t", "--mode", "upsert", "--key", "id", "--verify", level, "--json")
    assert done.code == 0, done
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT id, v FROM t ORDER BY id").fetchall() == [
            (1, "a"), (2, "b"), (3, None), *([(9, "old")] if there else [])]


def test_what_a_trigger_changes_is_found_before_it_is_published(tmp_path):
    path, source = tmp_path / "t.sqlite", tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": pa.array([1, 2, 3], pa.int64()), "name": ["a", "b", "c"]}), source)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)")
        db.execute("CREATE TRIGGER g AFTER INSERT ON t WHEN new.id = 2 BEGIN UPDATE t SET name = 'changed' WHERE id = 2; END")
    before = path.read_bytes()
    for mode in ["append", "upsert"]:
        done = headrace("load", source, "--to", path, "--table", "t", "--mode", mode, "--verify", "full", "--json")
        assert (done.code, done.error()["code"]) == (7, "verification"), done
        assert path.read_bytes() == before
    assert "column name: other values" in headrace(
        "load", source, "--to", path, "--table", "t", "--mode", "append", "--verify", "full", "--json").error()["message"]
    assert headrace("load", source, "--to", path, "--table", "t", "--mode", "append", "--verify", "quick").code == 0


def test_a_damaged_file_is_not_published(tmp_path):
    """Damage that was there before: an entry of an index that has no row."""
    path, source = tmp_path / "t.sqlite", tmp_path / "in.parquet"
    pq.write_table(pa.table({"id": pa.array([1], pa.int64())}), source)
    with closing(sqlite3.connect(path)) as db:
        with db:
            db.execute("CREATE TABLE t (id INTEGER)")
            db.execute("CREATE TABLE u (a INTEGER)")
            db.execute("CREATE INDEX i ON u (a)")
            db.execute("INSERT INTO u VALUES (5)")
        db.execute("PRAGMA writable_schema=1")
        with db:
            db.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX i ON u (-a)' WHERE name = 'i'")
    before = path.read_bytes()
    done = headrace("load", source, "--to", path, "--table", "t", "--mode", "append", "--verify", "full", "--json")
    assert (done.code, done.error()["code"]) == (7, "verification"), done
    assert "integrity_check" in done.error()["message"]
    assert path.read_bytes() == before


@pytest.mark.parametrize("target, code, message", [("null:", 3, "no table"), ("none.sqlite", 3, "no table"), ("in.parquet", 2, "")])
def test_what_cannot_be_compared(tmp_path, source, target, code, message):
    place = target if target.endswith(":") else f"sqlite:{tmp_path / target}" if target.endswith("sqlite") else tmp_path / target
    done = headrace("verify", source, "--to", place, "--table", "t", "--json")
    assert done.code == code and message in done.error()["message"], done


def test_verify_on_a_load_is_for_sqlite(postgres, source):
    done = headrace("load", source, *postgres.to("t", "--verify", "full", "--json"))
    assert done.code == 1 and "headrace verify" in done.error()["hint"]
    assert postgres.relations() == []


def test_inspect(tmp_path, source):
    path = tmp_path / "t.sqlite"
    assert headrace("load", source, "--to", path, "--table", "t").code == 0
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE INDEX by_text ON t (text, id)")
        db.execute("CREATE TABLE k (a TEXT PRIMARY KEY, b) WITHOUT ROWID")
        db.executemany("INSERT INTO k VALUES (?, ?)", ((f"key {i}", "x" * (i * 50)) for i in range(300)))
        db.execute("CREATE TABLE big (b)")
        db.executemany("INSERT INTO big VALUES (?)", ((b"y" * i,) for i in [0, 100, 4061, 4062, 5000, 100_000]))
        db.execute("CREATE VIEW v AS SELECT 1")
        db.execute("DELETE FROM t WHERE id % 3 = 0")
    before = path.read_bytes()
    facts = headrace("inspect", path, "--json").json()
    assert path.read_bytes() == before
    with closing(sqlite3.connect(path)) as db:
        truth = {name: (leaf, interior, overflow, payload - unused) for name, leaf, interior, overflow, payload, unused in db.execute(
            "SELECT name, sum(pagetype = 'leaf'), sum(pagetype = 'internal'), sum(pagetype = 'overflow'), "
            "sum(pgsize) FILTER (WHERE pagetype <> 'overflow'), sum(unused) FILTER (WHERE pagetype <> 'overflow') FROM dbstat GROUP BY name")}
        rows = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ["t", "k", "big"]}
    found = {tree["name"]: tree for tree in facts["trees"]}
    assert set(found) == {"t", "by_text", "k", "big"}
    for name, tree in found.items():
        leaf, interior, overflow, used = truth[name]
        assert (tree["leaf_pages"], tree["interior_pages"], tree["overflow_pages"]) == (leaf, interior, overflow), name
        assert tree["rows"] == rows[tree["table"] or name]
        assert abs(tree["fill"] - used / ((leaf + interior) * 4096)) < 1e-9, name
    assert (facts["page_bytes"], facts["views"], facts["journal_mode"]) == (4096, ["v"], "delete")
    assert "by_text" in headrace("inspect", path).out
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=wal")
        db.execute("INSERT INTO big VALUES (1)")
        db.commit()
        facts = headrace("inspect", path, "--json").json()
        assert "-wal" in facts["pages_unknown"] and {t["name"]: t["rows"] for t in facts["trees"]}["big"] == 7
    assert headrace("inspect", tmp_path / "none.sqlite").code == 3
    (tmp_path / "text.db").write_text("x" * 5000)
    assert headrace("inspect", tmp_path / "text.db").code == 2
