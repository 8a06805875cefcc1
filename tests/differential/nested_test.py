"""A Parquet file of nested columns after a load: every value of every row as pyarrow reads it."""
import datetime
import json
import os
import sqlite3
import subprocess
from contextlib import closing
from decimal import Decimal

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 3000
POINT = pa.struct([("x", pa.float64()), ("label", pa.string())])
SCHEMA = pa.schema([
    ("id", pa.int64()),
    ("ints", pa.list_(pa.int32())),
    ("embedding", pa.list_(pa.float32(), 8)),
    ("words", pa.large_list(pa.string())),
    ("prices", pa.list_(pa.decimal128(15, 2))),
    ("days", pa.list_(pa.date32())),
    ("matrix", pa.list_(pa.list_(pa.int64()))),
    ("point", POINT),
    ("points", pa.list_(POINT)),
    ("attributes", pa.map_(pa.string(), pa.int32())),
    ("deep", pa.struct([("a", pa.list_(pa.struct([("m", pa.map_(pa.int32(), pa.string()))]))), ("b", pa.bool_())])),
])
ARRAYS = ["ints", "embedding", "words", "prices", "days", "matrix"]
OBJECTS = ["point", "attributes", "deep"]


def from_environment(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set: run the tests by `make test`"
    return value


def point(i):
    return None if i % 13 == 0 else {"x": None if i % 7 == 0 else i / 8, "label": f'p "{i}" \\ {{x,\n}} grün'}


def row(i):
    return {
        "id": i,
        "ints": None if i % 11 == 0 else [None if k % 5 == 4 else i - k for k in range(i % 9)],
        "embedding": None if i % 17 == 0 else [(i + k) / 64 for k in range(8)],
        "words": None if i % 6 == 0 else [[None, "", "null", "a b", 'q"\\', "plain"][(i + k) % 6] for k in range(i % 5)],
        "prices": [Decimal(i * k - 7).scaleb(-2) for k in range(i % 4)],
        "days": [datetime.date(2000, 2, 29) + datetime.timedelta(days=i * k) for k in range(i % 3)],
        "matrix": None if i % 4 == 0 else [[i, k, None] for k in range(i % 3)],
        "point": point(i),
        "points": None if i % 9 == 0 else [point(i + k) for k in range(i % 4)],
        "attributes": None if i % 10 == 0 else [(f"key {k}", None if k == 2 else i * k) for k in range(i % 5)],
        "deep": None if i % 8 == 0 else {"a": [{"m": [(i, "v")]}, None, {"m": None}][:i % 4], "b": i % 2 == 0},
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("nested") / "nested.parquet"
    pq.write_table(pa.Table.from_pylist([row(i) for i in range(ROWS)], SCHEMA), path, row_group_size=1000)
    return path


@pytest.fixture
def server():
    uri = from_environment("HEADRACE_TEST_PG")
    yield uri
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS nested")


def load(source, target, *options):
    command = [from_environment("HEADRACE_CLI"), "load", source, "--to", target, "--table", "nested", "--progress", "none",
               *options]
    return subprocess.run(command, capture_output=True, text=True)


def as_object(value, field):
    """What JSON has for a value of pyarrow."""
    if value is None:
        return None
    if pa.types.is_map(field):
        return {str(k): as_object(v, field.item_type) for k, v in value}
    if pa.types.is_struct(field):
        return {f.name: as_object(value[f.name], f.type) for f in field}
    if pa.types.is_list(field) or pa.types.is_large_list(field) or pa.types.is_fixed_size_list(field):
        return [as_object(v, field.value_type) for v in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def wanted(source):
    return pq.read_table(source).to_pylist()


@pytest.mark.parametrize("copy_format", ["binary", "text"])
def test_postgres(source, server, copy_format):
    done = load(source, server, "--copy-format", copy_format)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(server) as connection:
        got = connection.execute("SELECT * FROM nested ORDER BY id").fetchall()
        types = dict(connection.execute("SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
                                        " WHERE attrelid = 'nested'::regclass AND attnum > 0").fetchall())
    assert types["ints"] == "integer[]" and types["embedding"] == "real[]" and types["prices"] == "numeric(15,2)[]"
    assert types["points"] == "jsonb[]" and types["deep"] == "jsonb"
    for values, w in zip(got, wanted(source), strict=True):
        g = dict(zip(SCHEMA.names, values, strict=True))
        for name in ARRAYS:
            assert g[name] == w[name], (g["id"], name)
        for name in OBJECTS + ["points"]:
            assert g[name] == as_object(w[name], SCHEMA.field(name).type), (g["id"], name)


@pytest.mark.parametrize("method", ["pages", "api"])
def test_sqlite(source, tmp_path, method):
    path = tmp_path / "nested.sqlite"
    done = load(source, f"sqlite:{path}", "--method", method)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(path)) as connection:
        got = connection.execute("SELECT * FROM nested ORDER BY id").fetchall()
    for values, w in zip(got, wanted(source), strict=True):
        g = dict(zip(SCHEMA.names, values, strict=True))
        for name in SCHEMA.names[1:]:
            parsed = None if g[name] is None else json.loads(g[name], parse_float=Decimal)
            expected = as_object(w[name], SCHEMA.field(name).type)
            assert parsed == expected, (g["id"], name)


def test_existing_columns(source, server, tmp_path):
    """Arrays of another element type that holds the values, and JSON arrays."""
    path = tmp_path / "some.parquet"
    pq.write_table(pq.read_table(source, columns=["id", "ints", "matrix", "point"]), path)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("CREATE TABLE nested (id bigint, ints numeric(9,1)[], matrix jsonb, point json)")
        done = load(path, server, "--mode", "append")
        assert done.returncode == 0, done.stderr
        got = connection.execute("SELECT ints, matrix, point FROM nested ORDER BY id").fetchall()
    assert got == [(w["ints"], w["matrix"], as_object(w["point"], POINT)) for w in wanted(source)]


@pytest.mark.parametrize("declared", ["integer", "text", "shades[]"])
def test_columns_that_hold_no_list_are_refused(source, server, tmp_path, declared):
    path = tmp_path / "ints.parquet"
    pq.write_table(pq.read_table(source, columns=["ints"]), path)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP TYPE IF EXISTS shades CASCADE; CREATE TYPE shades AS ENUM ('red')")
        connection.execute(f"CREATE TABLE nested (ints {declared})")
        done = load(path, server, "--mode", "append")
        assert done.returncode == 1
        assert "column ints: list<" in done.stderr and f"cannot be stored in {declared}" in done.stderr
        connection.execute("DROP TABLE nested; DROP TYPE shades")


def test_ragged_lists_are_rejected_with_their_row(server, tmp_path):
    path = tmp_path / "ragged.parquet"
    pq.write_table(pa.table({"m": [[[1, 2], [3, 4]], [[1], [2, 3]]]}), path)
    done = load(path, server)
    assert done.returncode == 1
    assert "inner lists of 1 and of 2 items" in done.stderr
    with psycopg.connect(server) as connection:
        assert connection.execute("SELECT to_regclass('nested')").fetchone() == (None,)
