"""Every kind of source gives the same table, in PostgreSQL and in SQLite."""
import datetime
import decimal
import sqlite3
from contextlib import closing

import duckdb
import geopandas
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import shapely
from conftest import sqlite_rows

import headrace

ROWS = 40_000


def plain_table(rows=ROWS):
    """Types that every frame holds, without NULLs."""
    numbers = np.arange(rows)
    return pa.table({
        "id": pa.array(numbers, pa.int64()),
        "small": pa.array(numbers % 1000, pa.int16()),
        "ratio": pa.array(numbers / 7, pa.float64()),
        "flag": pa.array(numbers % 3 == 0, pa.bool_()),
        "name": pa.array([f"name {n % 977} ü" for n in range(rows)], pa.string()),
        "at": pa.array(numbers * 1_000_001, pa.timestamp("us")),
        "zoned": pa.array(numbers * 1_000_003, pa.timestamp("us", "UTC")),
    })


TABLE = plain_table()
NAMES = TABLE.column_names


def parquet(folder):
    path = folder / "file.parquet"
    pq.write_table(TABLE, path, row_group_size=15_000)
    return path


def parts(folder):
    for number in range(4):
        pq.write_table(TABLE.slice(number * (ROWS // 4), ROWS // 4), folder / f"p{number}.parquet")
    return [folder / f"p{number}.parquet" for number in range(4)]


def arrow_file(folder):
    path = folder / "file.arrow"
    with pa.ipc.new_file(path, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=9_999)
    return path


class OnlyStream:
    def __arrow_c_stream__(self, requested_schema=None):
        return TABLE.__arrow_c_stream__(requested_schema)


class OnlyArray:
    def __arrow_c_array__(self, requested_schema=None):
        return TABLE.combine_chunks().to_batches()[0].__arrow_c_array__(requested_schema)


def lazily(make, count=7):
    step = ROWS // count + 1
    return (make(TABLE.slice(start, step)) for start in range(0, ROWS, step))


SOURCES = {
    "pyarrow_table": lambda folder: TABLE,
    "pyarrow_sliced": lambda folder: pa.concat_tables([TABLE.slice(0, 777), TABLE.slice(777)]),
    "pyarrow_batch": lambda folder: TABLE.combine_chunks().to_batches()[0],
    "pyarrow_reader": lambda folder: TABLE.to_reader(max_chunksize=5_000),
    "pyarrow_dataset": lambda folder: ds.dataset(parquet(folder)),
    "pyarrow_scanner": lambda folder: ds.dataset(parquet(folder)).scanner(),
    "path": parquet,
    "path_text": lambda folder: str(parquet(folder)),
    "file_uri": lambda folder: parquet(folder).as_uri(),
    "paths": parts,
    "folder": lambda folder: parts(folder)[0].parent,
    "glob": lambda folder: parts(folder) and str(folder / "p*.parquet"),
    "arrow_file": arrow_file,
    "pandas_numpy": lambda folder: pd.DataFrame({name: TABLE[name].to_pandas() for name in NAMES}),
    "pandas_arrow": lambda folder: TABLE.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas_object": lambda folder: TABLE.to_pandas().astype({"name": object}),
    "polars": lambda folder: pl.from_arrow(TABLE),
    "polars_lazy": lambda folder: pl.scan_parquet(parquet(folder)),
    "duckdb": lambda folder: duckdb.from_arrow(TABLE),
    "stream": lambda folder: OnlyStream(),
    "array": lambda folder: OnlyArray(),
    "batches": lambda folder: iter(TABLE.to_batches(max_chunksize=3_333)),
    "generator_of_tables": lambda folder: lazily(lambda t: t),
    "generator_of_pandas": lambda folder: lazily(lambda t: t.to_pandas()),
    "generator_of_polars": lambda folder: lazily(pl.from_arrow),
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "r.sqlite"
    headrace.load(TABLE, path, "t")
    rows = sqlite_rows(path, "t")
    assert len(rows) == ROWS
    assert rows[3] == (3, 3, 3 / 7, 1, "name 3 ü", "1970-01-01 00:00:03.000003", "1970-01-01 00:00:03.000009Z")
    return rows


@pytest.mark.parametrize("kind", SOURCES)
def test_sqlite(kind, tmp_path, reference):
    (tmp_path / "in").mkdir()
    report = headrace.load(SOURCES[kind](tmp_path / "in"), tmp_path / "t.sqlite", "t")
    assert (report.status, report.rows_written) == ("ok", ROWS)
    assert sqlite_rows(tmp_path / "t.sqlite", "t") == reference


@pytest.mark.parametrize("kind", SOURCES)
def test_postgres(kind, tmp_path, postgres):
    headrace.load(TABLE, postgres.uri, postgres.table("reference"))
    report = headrace.load(SOURCES[kind](tmp_path), postgres.uri, postgres.table("t"))
    assert report.rows_written == ROWS == postgres.count("t")
    assert postgres.same("t", "reference")
    assert postgres.types("t") == postgres.types("reference") == {
        "id": "bigint", "small": "smallint", "ratio": "double precision", "flag": "boolean", "name": "text",
        "at": "timestamp without time zone", "zoned": "timestamp with time zone"}


def test_a_stream_is_written_by_several_connections(postgres):
    report = headrace.load(iter(TABLE.to_batches(max_chunksize=1000)), postgres.uri, postgres.table("t"), connections=3)
    assert (report.connections, report.method, report.commit_scope) == (3, "copy", "swap")
    assert postgres.execute(f"SELECT count(*), count(DISTINCT id), sum(id) FROM {postgres.table('t')}") == [
        (ROWS, ROWS, ROWS * (ROWS - 1) // 2)]


def test_csv_hive_and_table_name(tmp_path):
    for year in 2024, 2025:
        (tmp_path / f"year={year}").mkdir()
        pyarrow.csv.write_csv(TABLE.select(["id", "name"]).slice(0, 10), tmp_path / f"year={year}" / "part.csv")
    headrace.load(tmp_path, tmp_path / "x.db", "t")
    rows = sqlite_rows(tmp_path / "x.db", "t", "id, year")
    assert rows[:2] == [(0, "name 0 ü", 2024), (0, "name 0 ü", 2025)] and len(rows) == 20
    headrace.load(tmp_path / "year=2024" / "part.csv", tmp_path / "y.db")
    assert len(sqlite_rows(tmp_path / "y.db", "part")) == 10


def test_pandas_missing_values_are_null(tmp_path):
    frame = pd.DataFrame({
        "f": [1.5, float("nan")], "s": pd.Series(["a", None], dtype=object), "i": pd.array([1, None], dtype="Int64"),
        "t": pd.to_datetime(["2024-01-02", None]), "c": pd.Categorical(["x", None]),
        "d": [decimal.Decimal("1.50"), None], "day": [datetime.date(2024, 1, 2), None]})
    headrace.load(frame, tmp_path / "x.db", "t")
    assert sqlite_rows(tmp_path / "x.db", "t") == [
        (1.5, "a", 1, "2024-01-02 00:00:00", "x", 1.5, "2024-01-02"), (None,) * 7]


@pytest.mark.parametrize("values, arrow_type", [
    (["1.50", None, "-12345.1"], pa.decimal128(7, 2)), (["0.04"], pa.decimal128(2, 2)), (["1", "20"], pa.decimal128(2, 0)),
    (["1.5"] * 2000 + ["0.123"], pa.decimal128(4, 3)), (["9" * 38], pa.decimal128(38, 0)), (["9" * 50], pa.decimal256(50, 0)),
])
def test_pandas_decimals(values, arrow_type):
    frame = pd.DataFrame({"d": [v and decimal.Decimal(v) for v in values]})
    (column,) = headrace._frames.PandasFrame(frame, None, None).schema
    assert column.type == arrow_type == pa.infer_type(frame["d"].array, from_pandas=True)


def test_pandas_index(tmp_path, caplog):
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["x", "y"], name="key"))
    headrace.load(frame, tmp_path / "x.db", "named")
    assert sqlite_rows(tmp_path / "x.db", "named") == [("x", 1), ("y", 2)]
    unnamed = frame.rename_axis(None)
    report = headrace.load(unnamed, tmp_path / "x.db", "unnamed", mode="append")
    assert sqlite_rows(tmp_path / "x.db", "unnamed") == [(1,), (2,)]
    assert "index=True" in report.warnings[0]
    headrace.load(unnamed, tmp_path / "x.db", "asked", mode="append", index=True)
    assert sqlite_rows(tmp_path / "x.db", "asked") == [("x", 1), ("y", 2)]
    headrace.load(frame, tmp_path / "x.db", "left_out", mode="append", index=False)
    assert sqlite_rows(tmp_path / "x.db", "left_out") == [(1,), (2,)]


def test_pandas_declared_schema(tmp_path):
    chunks = [pd.DataFrame({"a": [None, None]}), pd.DataFrame({"a": ["x", "y"]})]
    with pytest.raises(headrace.TypeMismatchError, match="(?s)column a .*schema="):
        headrace.load(iter(chunks), tmp_path / "x.db", "t")
    assert not (tmp_path / "x.db").exists()
    headrace.load(iter(chunks), tmp_path / "x.db", "t", schema=pa.schema({"a": pa.string()}))
    assert sqlite_rows(tmp_path / "x.db", "t") == [(None,), (None,), ("x",), ("y",)]


def test_geopandas(postgres, tmp_path):
    frame = geopandas.GeoDataFrame({"n": [1, 2]}, geometry=[shapely.Point(1, 2), None], crs="EPSG:4326")
    postgres.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    postgres.execute(f"CREATE TABLE {postgres.table('g')} (n int, geometry geometry(Point, 4326))")
    headrace.load(frame, postgres.uri, postgres.table("g"), mode="append")
    assert postgres.execute(f"SELECT n, ST_AsEWKT(geometry) FROM {postgres.table('g')} ORDER BY n") == [
        (1, "SRID=4326;POINT(1 2)"), (2, None)]
    headrace.load(frame, tmp_path / "x.db", "g")
    ((_, wkb), (_, null)) = sqlite_rows(tmp_path / "x.db", "g")
    assert shapely.from_wkb(wkb) == shapely.Point(1, 2) and null is None


def test_polars_types(tmp_path):
    frame = pl.DataFrame({
        "c": pl.Series(["a", "b", None], dtype=pl.Categorical), "e": pl.Series(["u", "v", None], dtype=pl.Enum(["u", "v"])),
        "l": [[1, 2], [], None], "s": [{"x": 1}, {"x": None}, None], "t": [datetime.time(1, 2, 3), None, None],
        "d": [datetime.timedelta(seconds=1), None, None], "n": [None, None, None], "u": pl.Series([2**63 - 1, 0, None], dtype=pl.UInt64)})
    headrace.load(frame, tmp_path / "x.db", "t")
    assert sqlite_rows(tmp_path / "x.db", "t")[0] == ("a", "u", "[1,2]", '{"x":1}', "01:02:03", "PT1S", None, 2**63 - 1)


@pytest.mark.parametrize("source, error, words", [
    ("nowhere.parquet", headrace.NotFoundError, "does not exist"),
    ("s3://bucket/x.parquet", headrace.UnsupportedError, "s3"),
    ("https://example.org/x.parquet", headrace.UsageError, "https"),
    ("-", headrace.UsageError, "standard input"),
    ({"a": [1]}, headrace.UsageError, "dict"),
    (17, headrace.UsageError, "int"),
    (b"bytes", headrace.UsageError, "bytes"),
    (pl.Series("a", [1]), headrace.UsageError, "Series"),
    (iter([]), headrace.UsageError, "empty"),
    (iter([1, 2]), headrace.SourceError, "int"),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), headrace.UsageError, "two columns"),
    (pd.DataFrame({"a": [1, "x", 2.5]}), headrace.TypeMismatchError, "column a"),
])
def test_refused(source, error, words, tmp_path):
    with pytest.raises(error, match=words):
        headrace.load(source, tmp_path / "x.db", "t")
    assert list(tmp_path.iterdir()) == []


def test_spark_waits_for_its_issue(tmp_path):
    frame = type("DataFrame", (), {"__module__": "pyspark.sql.dataframe"})()
    with pytest.raises(headrace.UnsupportedError, match="Spark"):
        headrace.load(frame, tmp_path / "x.db", "t")


def test_an_empty_frame_makes_an_empty_table(tmp_path):
    headrace.load(TABLE.slice(0, 0), tmp_path / "x.db", "t")
    headrace.load(pd.DataFrame({"a": pd.Series(dtype="int64")}), tmp_path / "x.db", "u", mode="append")
    assert sqlite_rows(tmp_path / "x.db", "t") == sqlite_rows(tmp_path / "x.db", "u") == []


def test_files_of_a_folder_may_have_further_columns(tmp_path):
    (tmp_path / "f").mkdir()
    pq.write_table(pa.table({"a": pa.array([1], pa.int32())}), tmp_path / "f" / "1.parquet")
    pq.write_table(pa.table({"a": pa.array([2**40], pa.int64()), "b": ["x"]}), tmp_path / "f" / "2.parquet")
    headrace.load(tmp_path / "f", tmp_path / "x.db", "t")
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT a, b FROM t").fetchall() == [(1, None), (2**40, "x")]


def test_files_of_types_that_do_not_go_together(tmp_path):
    (tmp_path / "f").mkdir()
    pq.write_table(pa.table({"a": [1]}), tmp_path / "f" / "1.parquet")
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "f" / "2.parquet")
    with pytest.raises(headrace.SourceError, match="a"):
        headrace.load(tmp_path / "f", tmp_path / "x.db", "t")


def test_int96_before_1677(tmp_path):
    days = pa.table({"t": pa.array([datetime.datetime(1, 1, 1), datetime.datetime(2026, 1, 1)], pa.timestamp("us"))})
    pq.write_table(days, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    headrace.load(tmp_path / "a.parquet", tmp_path / "x.db", "t")
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT t FROM t").fetchall() == [("0001-01-01 00:00:00",), ("2026-01-01 00:00:00",)]


def test_options_of_csv(tmp_path):
    (tmp_path / "a.csv").write_text('a;b\n1;"x\ny"\n')
    headrace.load(tmp_path / "a.csv", tmp_path / "x.db", "t", delimiter=";")
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        assert db.execute("SELECT a, b FROM t").fetchall() == [(1, "x\ny")]
    for option in ({"no_header": True}, {"null": "NA"}, {"type": "a=int64"}, {"delimiter": ";;"}):
        with pytest.raises(headrace.UsageError):
            headrace.load(tmp_path / "a.csv", tmp_path / "y.db", "t", **option)


def test_a_schema_for_what_has_its_own_types(tmp_path):
    for source in (pa.table({"a": [1]}), pl.DataFrame({"a": [1]})):
        with pytest.raises(headrace.UsageError, match="schema"):
            headrace.load(source, tmp_path / "x.db", "t", schema=pa.schema({"a": pa.string()}))
    with pytest.raises(headrace.TypeMismatchError, match="Python objects"):
        headrace.load(pl.DataFrame({"a": [object()]}, schema={"a": pl.Object}), tmp_path / "x.db", "t")
