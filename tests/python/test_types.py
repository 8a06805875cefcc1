"""Values of every type arrive equal, from whatever holds them; tables that hypothesis makes."""
import datetime
import decimal
import sqlite3

import pandas as pd
import polars as pl
import psycopg
import pyarrow as pa
import pytest
from conftest import PG, sqlite_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import headrace

UTC = datetime.timezone.utc
AT = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999)
# name -> Arrow type, values, what PostgreSQL gives, what SQLite gives
TYPES = {
    "bool": (pa.bool_(), [True, False], [True, False], [1, 0]),
    "int8": (pa.int8(), [-128, 127], [-128, 127], [-128, 127]),
    "int16": (pa.int16(), [-32768, 32767], [-32768, 32767], [-32768, 32767]),
    "int32": (pa.int32(), [-2**31, 2**31 - 1], [-2**31, 2**31 - 1], [-2**31, 2**31 - 1]),
    "int64": (pa.int64(), [-2**63, 2**63 - 1], [-2**63, 2**63 - 1], [-2**63, 2**63 - 1]),
    "uint8": (pa.uint8(), [0, 255], [0, 255], [0, 255]),
    "uint16": (pa.uint16(), [0, 65535], [0, 65535], [0, 65535]),
    "uint32": (pa.uint32(), [0, 2**32 - 1], [0, 2**32 - 1], [0, 2**32 - 1]),
    "uint64": (pa.uint64(), [0, 2**63 - 1], [decimal.Decimal(0), decimal.Decimal(2**63 - 1)], [0, 2**63 - 1]),
    "float32": (pa.float32(), [1.5, -0.25], [1.5, -0.25], [1.5, -0.25]),
    "float64": (pa.float64(), [0.1, -1e308], [0.1, -1e308], [0.1, -1e308]),
    "decimal": (pa.decimal128(20, 3), [decimal.Decimal("12345678901234567.891"), decimal.Decimal("-0.001")],
                [decimal.Decimal("12345678901234567.891"), decimal.Decimal("-0.001")],
                ["12345678901234567.891", "-0.001"]),
    "text": (pa.string(), ["", "ünï\n'\"\\t"], ["", "ünï\n'\"\\t"], ["", "ünï\n'\"\\t"]),
    "large_text": (pa.large_string(), ["a", "b" * 5000], ["a", "b" * 5000], ["a", "b" * 5000]),
    "binary": (pa.binary(), [b"", b"\x00\xff"], [b"", b"\x00\xff"], [b"", b"\x00\xff"]),
    "date": (pa.date32(), [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)],
             [datetime.date(1, 1, 1), datetime.date(9999, 12, 31)], ["0001-01-01", "9999-12-31"]),
    "time": (pa.time64("us"), [datetime.time(0), datetime.time(23, 59, 59, 999999)],
             [datetime.time(0), datetime.time(23, 59, 59, 999999)], ["00:00:00", "23:59:59.999999"]),
    "timestamp": (pa.timestamp("us"), [AT, datetime.datetime(1970, 1, 1)], [AT, datetime.datetime(1970, 1, 1)],
                  ["2024-02-29 23:59:59.999999", "1970-01-01 00:00:00"]),
    "timestamptz": (pa.timestamp("us", "Europe/Berlin"), [AT.replace(tzinfo=UTC)] * 2, [AT.replace(tzinfo=UTC)] * 2,
                    ["2024-02-29 23:59:59.999999Z"] * 2),
    "duration": (pa.duration("us"), [datetime.timedelta(days=1, seconds=2), datetime.timedelta(0)],
                 [datetime.timedelta(days=1, seconds=2), datetime.timedelta(0)], None),
    "list": (pa.list_(pa.int32()), [[1, None, 3], []], [[1, None, 3], []], ["[1,null,3]", "[]"]),
    "struct": (pa.struct({"a": pa.int64(), "b": pa.string()}), [{"a": 1, "b": "x"}, {"a": None, "b": None}],
               [{"a": 1, "b": "x"}, {"a": None, "b": None}], ['{"a":1,"b":"x"}', '{"a":null,"b":null}']),
    "dictionary": (pa.dictionary(pa.int8(), pa.string()), ["x", "y"], ["x", "y"], ["x", "y"]),
    "null": (pa.null(), [None, None], [None, None], [None, None]),
}
FRAMES = {
    "pyarrow": lambda table: table,
    "pandas_arrow": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas": lambda table: table.to_pandas(),
    "polars": pl.from_arrow,
}
# With a NULL among them, pandas' own types make these columns floats or objects.
PANDAS_CHANGES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "list",
                  "struct", "duration", "null"}


@pytest.mark.parametrize("frame", FRAMES)
def test_every_type(frame, postgres, tmp_path):
    names = [name for name in TYPES if frame != "pandas" or name not in PANDAS_CHANGES]
    table = pa.table({name: pa.array([*TYPES[name][1], None], TYPES[name][0]) for name in names})
    source = FRAMES[frame](table)
    headrace.load(source, postgres.uri, postgres.table("t"))
    headrace.load(source, tmp_path / "x.db", "t")
    in_postgres, in_sqlite = postgres.execute(f"TABLE {postgres.table('t')}"), sqlite_rows(tmp_path / "x.db", "t")
    for column, name in enumerate(names):
        _, _, for_postgres, for_sqlite = TYPES[name]
        assert [row[column] for row in in_postgres] == [*for_postgres, None], name
        if for_sqlite is not None and (frame, name) != ("polars", "time"):  # polars' times have nine digits
            assert [row[column] for row in in_sqlite] == [*for_sqlite, None], name


# SQLite keeps no NUL in text, and PostgreSQL takes none.
TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
COLUMNS = {
    "i": (pa.int64(), st.integers(-2**63, 2**63 - 1)),
    "f": (pa.float64(), st.floats(allow_nan=False, allow_infinity=False)),
    "b": (pa.bool_(), st.booleans()),
    "t": (pa.string(), TEXT),
    "x": (pa.binary(), st.binary(max_size=20)),
    "d": (pa.date32(), st.dates()),
    "at": (pa.timestamp("us"), st.datetimes()),
    "n": (pa.decimal128(12, 2), st.decimals(-10**9, 10**9, places=2)),
}


@st.composite
def tables(draw):
    rows = draw(st.integers(0, 30))
    columns = draw(st.lists(st.sampled_from(sorted(COLUMNS)), min_size=1, unique=True))
    values = {name: draw(st.lists(st.none() | COLUMNS[name][1], min_size=rows, max_size=rows)) for name in columns}
    return pa.table({name: pa.array(values[name], COLUMNS[name][0]) for name in columns})


def in_chunks(table, draw_size):
    return pa.Table.from_batches(table.to_batches(max_chunksize=max(1, draw_size)), table.schema)


def sqlite_value(name, value):
    if value is None or name in "iftx":
        return value
    if name == "b":
        return int(value)
    if name == "n":
        return float(value)
    return value.isoformat() if name == "d" else value.isoformat(" ")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(), chunk=st.integers(1, 7), frame=st.sampled_from(["pyarrow", "pandas_arrow", "polars"]))
def test_any_table(table, chunk, frame, tmp_path_factory):
    source = FRAMES[frame](in_chunks(table, chunk))
    path = tmp_path_factory.mktemp("any") / "x.db"
    report = headrace.load(source, path, "t")
    assert report.rows_written == table.num_rows
    with sqlite3.connect(path) as connection:
        rows = connection.execute("SELECT * FROM t ORDER BY rowid").fetchall()
    expected = [tuple(sqlite_value(name, row[name]) for name in table.column_names) for row in table.to_pylist()]
    assert [tuple(row) for row in rows] == expected
    with psycopg.connect(PG, autocommit=True) as connection:
        name = f"any_{id(table):x}"
        try:
            headrace.load(source, PG, name)
            rows = connection.execute(f"TABLE {name}").fetchall()
        finally:
            connection.execute(f"DROP TABLE IF EXISTS {name}")
    key = repr
    assert sorted(map(key, rows)) == sorted(key(tuple(row.values())) for row in table.to_pylist())
