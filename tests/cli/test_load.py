"""Loads that succeed: report, progress, log lines."""

import json
import os
import pty
import re
import select
import sqlite3
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import finish_fed, headrace, start, start_fed

pytestmark = pytest.mark.files

# SPEC 5: the report's fields, in this order.
FIELDS = """schema_version status load_id table mode method method_requested method_reason fallback_reason
    commit_scope connections partitions rows_read rows_written rows_rejected rows_repaired bytes_read bytes_encoded
    bytes_sent seconds rows_per_second phases peak_memory_bytes client_cpu_seconds lock_seconds wal_bytes files warnings
    decisions""".split()
PHASES = "plan prepare read encode send commit index analyze verify".split()


def check_report(report, rows):
    assert list(report) == FIELDS
    assert list(report["phases"]) == PHASES
    assert (report["schema_version"], report["status"]) == (1, "ok")
    assert report["rows_read"] == report["rows_written"] == rows
    assert (report["rows_rejected"], report["rows_repaired"]) == (0, 0)
    assert report["seconds"] > 0 and report["bytes_read"] > 0 and report["peak_memory_bytes"] > 0
    assert report["rows_per_second"] == pytest.approx(rows / report["seconds"])
    assert all(list(decision) == ["subject", "choice", "reason"] for decision in report["decisions"])
    assert report["load_id"]


def test_postgres(orders, postgres):
    done = headrace("load", orders, *postgres.to("t", "--json"))
    assert done.code == 0, done
    report = done.json()
    check_report(report, 1000)
    assert (report["table"], report["mode"], report["method"]) == (f"{postgres.schema}.t", "create", "copy")
    assert postgres.count("t") == 1000
    assert postgres.relations() == ["t"]
    sums = postgres.execute(f"SELECT sum(id), sum(price), count(name) FROM {postgres.schema}.t")
    assert sums == [(499500, 124875.0, 900)]


@pytest.mark.parametrize("method, scope, batch", [("standard", "single", 1), ("optimized", "swap", 150), ("async", "swap", 150)])
def test_insert_methods(orders, postgres, method, scope, batch):
    arguments = "--json", "--method", method, "--batch-size", 150, "--max-workers", 2
    done = headrace("load", orders, *postgres.to("t", *arguments))
    assert done.code == 0, done
    report = done.json()
    check_report(report, 1000)
    assert (report["method"], report["commit_scope"]) == (method, scope)
    assert f"Writing 1,000 rows to PostgreSQL with batch size {batch}\n" in done.err
    assert postgres.relations() == ["t"]
    sums = postgres.execute(f"SELECT count(*), sum(id), sum(price), count(name) FROM {postgres.schema}.t")
    assert sums == [(1000, 499500, 124875.0, 900)]


def test_an_insert_that_the_server_refuses_names_its_rows(orders, postgres):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint CHECK (id <> 777), name text, price float8)")
    arguments = "--json", "--mode", "append", "--method", "optimized", "--batch-size", 150, "--connections", 1
    done = headrace("load", orders, *postgres.to("t", *arguments))
    assert done.code == 1
    error = done.error()
    assert error["message"].startswith("INSERT of rows 751 to 900 (partition 1): ")
    assert (error["code"], error["sqlstate"]) == ("rejected_value", "23514")
    assert (error["where"]["file"], error["where"]["partition"]) == (str(orders), 1)
    assert postgres.count("t") == 0


def test_sqlite(orders, tmp_path):
    target = tmp_path / "out" / "x.sqlite"
    target.parent.mkdir()
    done = headrace("load", orders, "--to", target, "--json")
    assert done.code == 0, done
    report = done.json()
    check_report(report, 1000)
    assert (report["table"], report["commit_scope"], report["wal_bytes"]) == ("orders", "file", None)
    with sqlite3.connect(target) as connection:
        assert connection.execute("SELECT count(*), sum(id) FROM orders").fetchone() == (1000, 499500)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert os.listdir(target.parent) == ["x.sqlite"]


@pytest.mark.parametrize("target", ["sqlite:{}/x.anything", "{}/x.sqlite3", "{}/x.db"])
def test_sqlite_targets(orders, tmp_path, target):
    done = headrace("load", orders, "--to", target.format(tmp_path), "--table", "t")
    assert done.code == 0, done
    assert len(list(tmp_path.glob("x.*"))) == 1


def test_targets_without_a_table(orders, tmp_path):
    again = tmp_path / "again.parquet"
    again.write_bytes(orders.read_bytes())
    assert headrace("load", orders, again, "--to", "null:", "--json").json()["rows_written"] == 2000
    done = headrace("load", orders, "--to", f"pgcopy:{tmp_path}/x.bin")
    assert done.code == 0, done
    assert (tmp_path / "x.bin").read_bytes().startswith(b"PGCOPY\n\xff\r\n\0")


def test_csv_options(tmp_path):
    (tmp_path / "x.csv").write_text("1;NA;x\n2;3.5;-\n")
    done = headrace("load", "x.csv", "--to", "x.db", "--delimiter", ";", "--no-header", "--null", "NA", "--null", "-",
                    "--type", "column_1=int64", "--type", "column_2=float64", "--type", "column_3=utf8", cwd=tmp_path)
    assert done.code == 0, done
    with sqlite3.connect(tmp_path / "x.db") as connection:
        assert connection.execute("SELECT column_1, column_2, column_3 FROM x ORDER BY 1").fetchall() == [
            (1, None, "x"), (2, 3.5, None)]


def test_csv_null_values_from_the_environment(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n,NA\n")
    done = headrace("load", "x.csv", "--to", "x.db", cwd=tmp_path,
                    env={"HEADRACE_NULL": "NA;none", "HEADRACE_TYPE": "a=utf8;b=utf8"})
    assert done.code == 0, done
    with sqlite3.connect(tmp_path / "x.db") as connection:
        assert connection.execute("SELECT a, b FROM x").fetchall() == [("", None)]


def test_report_as_text(orders, tmp_path):
    done = headrace("load", orders, "--to", tmp_path / "x.db")
    assert done.code == 0, done
    lines = done.out.splitlines()
    assert lines[:2] == ["status      ok", "table       orders"]
    assert "rows        1,000 written, 1,000 read" in lines
    labels = [line.split("  ")[0] for line in lines if line and not line.startswith(" ")]
    assert [label for label in ["target", "time", "method", "commit", "memory", "client cpu", "decisions"]
            if label not in labels] == []


def test_log_lines(orders, postgres):
    done = headrace("load", orders, *postgres.to("t"))
    assert done.code == 0, done
    assert re.search(r"^Writing 1,000 rows to PostgreSQL with batch size \d+$", done.err, re.M)
    assert re.search(r"^Method 'copy' completed in \d+\.\d seconds$", done.err, re.M)
    assert re.search(r"^Throughput: [\d,]+ rows/second$", done.err, re.M)
    assert not re.search(r"Writing|Throughput|rows/s,? ?.*left", done.out)


def test_log_names_the_parallel_writers(orders, postgres):
    done = headrace("load", orders, *postgres.to("t", "--connections", 3))
    assert done.code == 0, done
    assert "Using 3 partitions for parallel writes\n" in done.err


def test_progress_none_is_silent(orders):
    done = headrace("load", orders, "--to", "null:", "--progress", "none")
    assert (done.code, done.err) == (0, "")


def test_progress_json(orders):
    done = headrace("load", orders, "--to", "null:", "--progress", "json", "--json")
    assert done.code == 0, done
    events = [json.loads(line) for line in done.err.splitlines()]
    assert {event["event"] for event in events} <= {"log", "progress"}
    assert any(event.get("message", "").startswith("Writing 1,000 rows") for event in events)
    check_report(done.json(), 1000)


def test_progress_json_while_running():
    process, _ = start_fed("--to", "null:", "--progress", "json")
    while True:
        event = json.loads(process.stderr.readline())
        if event["event"] == "progress":
            break
    assert list(event) == ["event", "phase", "rows_written", "rows_total", "bytes_sent", "seconds", "rows_per_second"]
    assert event["rows_total"] is None
    process.terminate()
    assert finish_fed(process).code == 143


def test_progress_on_a_terminal_is_one_rewritten_line():
    ours, theirs = pty.openpty()
    process, _ = start_fed("--to", "null:", stderr=theirs)
    os.close(theirs)
    seen = b""
    while seen.count(b"\x1b[K") < 3:
        assert select.select([ours], [], [], 30)[0], seen
        seen += os.read(ours, 4096)
    process.terminate()
    process.wait(30)
    os.close(ours)
    lines = [part for part in seen.split(b"\r") if b"rows/s" in part]
    assert len(lines) >= 2 and all(line.endswith(b"\x1b[K") and b"\n" not in line for line in lines[:2]), seen
    assert b"\x1b" not in process.stdout.read()


def test_reader_that_goes_away_is_no_failure(orders):
    process = start("load", orders, "--to", "null:", "--progress", "none")
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""


def test_result_that_cannot_be_written_is_a_failure(orders):
    with open("/dev/full", "w") as full:
        process = start("load", orders, "--to", "null:", stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "could not be written" in err


def test_source_from_a_pipe(tmp_path):
    csv = "a,b\n" + "".join(f"{i},x\n" for i in range(5000))
    process = start("load", "-", "--format", "csv", "--to", tmp_path / "x.db", "--table", "t", "--json",
                    stdin=subprocess.PIPE)
    out, err = process.communicate(csv, timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out)["rows_written"] == 5000


def test_nan_as_null_is_counted(tmp_path):
    source, target = tmp_path / "t.parquet", tmp_path / "t.sqlite"
    values = [1.5, float("nan"), None, float("nan")] * 1000
    pq.write_table(pa.table({"x": pa.array(values, pa.float64(), from_pandas=False), "y": [1.0] * len(values)}), source)
    refused = headrace("load", source, "--to", target, "--json")
    assert (refused.code, refused.error()["where"]["column"]) == (1, "x")
    done = headrace("load", source, "--to", target, "--nan-as-null", "--json")
    assert done.code == 0, done
    report = done.json()
    assert report["rows_repaired"] == 2000
    assert report["warnings"] == ["column x: 2000 values of NaN stored as NULL (--nan-as-null)"]
    with sqlite3.connect(target) as connection:
        assert connection.execute("SELECT count(*), count(x) FROM t").fetchone() == (4000, 1000)


def test_geometry_options(tmp_path, postgres):
    postgres.execute("CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public")
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (g public.geometry(MultiPoint), h public.geometry)")
    source = tmp_path / "t.csv"
    source.write_text("g,h\nPOINT(1 2),SRID=4326;POINT(1 2)\nMULTIPOINT(3 4),POINT(3 4)\n")
    options = ["--mode", "append", "--json", "--srid", 27700]
    refused = headrace("load", source, *postgres.to("t", *options))
    assert refused.code == 1
    assert "--promote-to-multi" in refused.error()["message"]
    done = headrace("load", source, *postgres.to("t", *options, "--promote-to-multi"))
    assert done.code == 0, done
    assert done.json()["rows_repaired"] == 1
    assert "column g: 1 value promoted to multi (--promote-to-multi)" in done.json()["warnings"]
    rows = postgres.execute(f"SELECT public.ST_AsEWKT(g), public.ST_AsEWKT(h) FROM {postgres.schema}.t ORDER BY 1")
    assert rows == [("SRID=27700;MULTIPOINT(1 2)", "SRID=4326;POINT(1 2)"),
                    ("SRID=27700;MULTIPOINT(3 4)", "SRID=27700;POINT(3 4)")]
    assert headrace("load", source, *postgres.to("t", "--srid", "1000000")).code == 2
