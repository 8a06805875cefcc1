"""The guide's functions: both signatures, connection parameters in every client's words, TLS, the command."""
import logging
import os
import ssl
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import sqlite_rows

import headrace
from headrace._conninfo import target_of
from headrace.compat.postgres_connectivity import ranking

TABLE = pa.table({"entity": pa.array(range(2000), pa.int64()), "dataset": ["tree"] * 1000 + ["wall"] * 1000})


@pytest.fixture
def params(conn_params, postgres):
    """The server, with our schema in front."""
    return {**conn_params, "options": f"-c search_path={postgres.schema},public"}


def test_first_signature(params, postgres, caplog):
    with caplog.at_level(logging.INFO, logger="headrace"):
        report = headrace.write_to_postgres(TABLE, params)
    assert (report.method, report.mode, report.rows_written) == ("optimized", "append", 2000)
    headrace.write_to_postgres(TABLE, params, "optimized", 500, 1)
    assert postgres.count("entity") == 4000
    lines = [r.getMessage() for r in caplog.records]
    assert lines[0] == "Writing 2,000 rows to PostgreSQL with batch size 1000"
    assert lines[-2].startswith("Method 'optimized' completed in ")


def test_second_signature(params, postgres):
    headrace.write_to_postgres(TABLE, params)
    half = pa.table({"entity": [1, 2, 3], "dataset": ["tree"] * 3})
    report = headrace.write_to_postgres(half, "tree", params)
    assert report.mode == "delete_insert"
    assert postgres.execute(f"SELECT dataset, count(*) FROM {postgres.table('entity')} GROUP BY 1 ORDER BY 1") == [
        ("tree", 3), ("wall", 1000)]
    odd = "tr'ee\\"  # no SQL comes in by a dataset
    headrace.write_to_postgres(pa.table({"entity": [4], "dataset": [odd]}), odd, conn_params=params)
    with pytest.raises(headrace.RejectedValueError, match="condition"):
        headrace.write_to_postgres(half, "wall", params)
    half = pa.table({"entity": [1, 2, 3], "dataset": ["wall"] * 3})
    headrace.write_to_postgres(half, dataset="wall", conn_params=params, method="copy")
    assert postgres.execute(f"SELECT count(*) FROM {postgres.table('entity')}") == [(7,)]


@pytest.mark.parametrize("rows", [5_000, 50_000, 500_000, 5_000_000])
def test_recommendation_as_keywords(rows, params, postgres):
    recommendation = headrace.get_performance_recommendations(rows)
    assert recommendation["notes"]
    report = headrace.write_to_postgres(TABLE, params, **recommendation)
    assert report.method == recommendation["method"] and postgres.count("entity") == 2000


@pytest.mark.parametrize("method", ["standard", "optimized", "async", "copy"])
def test_methods(method, params, postgres):
    report = headrace.write_to_postgres(TABLE, params, method=method, batch_size=300, max_workers=2, num_partitions=3,
                                        temp_s3_bucket="bucket", target_table="other")
    assert report.method == method and postgres.count("other") == 2000


def test_arguments_that_do_not_fit(params):
    with pytest.raises(headrace.UsageError, match="conn_params"):
        headrace.write_to_postgres(TABLE)
    with pytest.raises(TypeError, match="two values for method"):
        headrace.write_to_postgres(TABLE, params, "copy", method="copy")
    with pytest.raises(headrace.UsageError):
        headrace.write_to_postgres(TABLE, params, method="fast")
    with pytest.raises(headrace.UnsupportedError):
        headrace.write_to_postgres(TABLE, params, method="s3_import")


WORDS = {
    "pg8000": {"host": "h", "port": 5433, "user": "u", "password": "p'a\\ b", "database": "d", "timeout": 30,
               "tcp_keepalive": True, "source_address": None},
    "libpq": {"host": "h", "port": "5433", "user": "u", "password": "p'a\\ b", "dbname": "d", "connect_timeout": "30",
              "keepalives": 1},
    "secret": {"host": "h", "port": 5433, "username": "u", "password": "p'a\\ b", "dbName": "d", "engine": "postgres",
               "timeout": 30.0, "tcp_keepalive": 1},
}


@pytest.mark.parametrize("words", WORDS)
def test_words_of_connection_parameters(words):
    with target_of(WORDS[words]) as target:
        parts = sorted(target.split("' "))
    with target_of(WORDS["libpq"]) as reference:
        assert parts == sorted(reference.split("' "))
    assert "password='p\\'a\\\\ b'" in target


def test_odd_connection_parameters():
    with target_of({"unix_sock": "/run/postgresql/.s.PGSQL.5433", "user": b"u"}) as target:
        assert set(target.split()) == {"host='/run/postgresql'", "port='5433'", "user='u'"}
    with pytest.raises(headrace.UsageError, match="dbname twice"):
        target_of({"database": "a", "dbname": "b"}).__enter__()
    with pytest.raises(headrace.UsageError, match="NUL"):
        target_of({"host": "a\0b"}).__enter__()
    with pytest.raises(headrace.UsageError, match="ssl_context"):
        target_of({"ssl_context": "yes"}).__enter__()


def test_tls_is_verified_when_asked(params, postgres, tmp_path):
    trusted = ssl.create_default_context(cafile=os.environ["HEADRACE_TEST_PG_CA"])
    report = headrace.write_to_postgres(TABLE, {**params, "host": "localhost", "ssl_context": trusted})
    assert report.ok and postgres.count("entity") == 2000
    # The system's authorities did not sign it.
    for context in True, ssl.create_default_context():
        with pytest.raises(headrace.DatabaseConnectionError, match="certificate"):
            headrace.write_to_postgres(TABLE, {**params, "ssl_context": context})
    unverified = ssl.create_default_context()
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    assert headrace.write_to_postgres(TABLE, {**params, "ssl_context": unverified}).ok
    with target_of({"ssl_context": trusted}) as target:
        path = target.split("sslrootcert='")[1].rstrip("'")
        assert "sslmode='verify-full'" in target and os.path.exists(path)
    assert not os.path.exists(path)


def test_readiness(params):
    assert headrace.get_copy_protocol_recommendation()["method"] == "copy"
    looked = headrace.get_copy_protocol_recommendation(params)
    assert looked["recommended"] and looked["reason"] and looked["findings"]
    assert headrace.get_performance_recommendations(row_count=2_000_000, available_memory_gb=4)["num_partitions"] == 8


def test_benchmark(params, postgres, capsys):
    results = headrace.benchmark_postgres_writers(TABLE, params, test_methods=["standard", "copy", "fast"])
    assert postgres.relations() == []
    assert set(results) == {"standard", "copy", "fast"} and list(results)[-1] == "fast"
    assert results["copy"]["rows"] == 2000 and results["copy"]["time"] > 0 and not results["fast"]["success"]
    out = capsys.readouterr().out
    assert out.startswith("Performance ranking (fastest to slowest):\n1. ") and "Performance improvement: " in out
    headrace.write_to_postgres(TABLE, params)
    headrace.benchmark_postgres_writers(TABLE, params, test_methods=["copy", "optimized", "async"])
    assert postgres.count("entity") == 2000


def test_ranking_in_the_guides_words():
    times = {"copy": 15.2, "optimized": 23.1, "standard": 89.4}
    results = [{"method": m, "success": True, "time": t, "rows_per_second": 100_000 / t, "error": None}
               for m, t in times.items()]
    assert ranking(results) == [
        "Performance ranking (fastest to slowest):", "1. COPY: 15.2s (6,579 rows/sec)",
        "2. OPTIMIZED: 23.1s (4,329 rows/sec)", "3. STANDARD: 89.4s (1,119 rows/sec)", "",
        "Performance improvement: 5.9x faster"]


def test_write_to_sqlite(tmp_path):
    report = headrace.write_to_sqlite(TABLE, tmp_path / "x.sqlite", method="single_file")
    assert report.files == [str(tmp_path / "x.sqlite")] and len(sqlite_rows(tmp_path / "x.sqlite", "data")) == 2000
    headrace.write_to_sqlite(TABLE, tmp_path / "folder", table_name="entity")
    headrace.write_to_sqlite(TABLE.slice(0, 5), tmp_path / "folder", table_name="entity")
    assert len(sqlite_rows(tmp_path / "folder" / "entity.sqlite", "entity")) == 5
    with pytest.raises(headrace.UsageError, match="zip"):
        headrace.write_to_sqlite(TABLE, tmp_path / "x.sqlite", method="zip")
    with pytest.raises(headrace.UnsupportedError, match="S3"):
        headrace.write_to_sqlite(TABLE, "s3://bucket/x/")


def parquet_to_sqlite(*arguments):
    return subprocess.run([sys.executable, "-m", "headrace.parquet_to_sqlite", *map(str, arguments)],
                          capture_output=True, text=True)


def test_parquet_to_sqlite(tmp_path):
    pq.write_table(TABLE, tmp_path / "in.parquet")
    done = parquet_to_sqlite("--input", tmp_path / "in.parquet", "--output", tmp_path / "out.sqlite")
    assert done.returncode == 0 and done.stdout.startswith("2,000 rows written to ") and done.stderr == ""
    assert len(sqlite_rows(tmp_path / "out.sqlite", "data")) == 2000
    done = parquet_to_sqlite("-i", tmp_path, "-o", tmp_path / "o", "-t", "entity", "-m", "single_file", "-r", 10, "-v")
    assert done.returncode == 0, done.stderr
    assert "[INFO] Writing 2,000 rows to SQLite with batch size " in done.stderr
    assert len(sqlite_rows(tmp_path / "o" / "entity.sqlite", "entity")) == 2000
    missing = parquet_to_sqlite("-i", tmp_path / "none.parquet", "-o", tmp_path / "y.sqlite")
    assert missing.returncode == 3 and "does not exist" in missing.stderr and "Traceback" not in missing.stderr
    assert parquet_to_sqlite("-i", "x").returncode == 2


@pytest.mark.parametrize("method", ["optimized", "single_file", "partitioned"])
def test_sqlite_of_an_iterable_has_all_rows(tmp_path, method):
    rows = pa.table({"a": range(10)})
    report = headrace.write_to_sqlite(iter(rows.to_batches(max_chunksize=2)), tmp_path / "out", method=method)
    assert report.rows_written == 10


def test_a_file_beside_a_set_is_another_table(tmp_path):
    rows = pa.table({"a": range(10)})
    headrace.write_to_sqlite(rows, tmp_path, method="partitioned", num_partitions=2)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    for method in ("single_file", "optimized"):
        report = headrace.write_to_sqlite(rows.slice(0, 3), tmp_path / f"{method}.sqlite", method=method, table_name="other")
        assert list(report.files) == [str(tmp_path / f"{method}.sqlite")]
    report = headrace.load(rows, tmp_path / "third.sqlite", "data", mode="replace")
    assert list(report.files) == [str(tmp_path / "third.sqlite")]
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_a_benchmark_needs_rows_for_each_method(params):
    with pytest.raises(headrace.UsageError, match="only once"):
        headrace.benchmark_postgres_writers(TABLE.to_reader(), params, test_methods=["copy", "optimized"])


def test_a_dataset_before_a_connection_string(postgres):
    table = pa.table({"entity": [1], "dataset": ["tree"]})
    report = headrace.write_to_postgres(table, "tree", postgres.uri, target_table=f"{postgres.schema}.entity")
    assert (report.mode, report.rows_written) == ("delete_insert", 1)
