"""Reports, plans, errors, progress, logs: what a caller gets to see."""
import ast
import ctypes.util
import datetime
import json
import logging
import os
import pickle
import subprocess
import sys
import time
import types

import pyarrow as pa
import pytest
from conftest import ROOT, sqlite_rows

import headrace

TABLE = pa.table({"id": pa.array(range(1000), pa.int64()), "name": [f"n{i}" for i in range(1000)]})


def test_report(tmp_path):
    report = headrace.load(TABLE, tmp_path / "x.db", "t")
    assert report.ok and report.rows_read == report.rows_written == 1000
    assert report.method == "pages" and report.files == [str(tmp_path / "x.db")]
    assert set(report.phases) == {"plan", "prepare", "read", "encode", "send", "commit", "index", "analyze", "verify"}
    assert report.decisions[0].subject and report.decisions[0].reason
    raw = report.to_dict()
    assert json.loads(json.dumps(raw)) == raw and raw["schema_version"] == 1
    raw["files"].clear()
    assert report.files
    assert "1,000 written" in repr(report) and "pages" in repr(report)
    assert report._repr_html_().startswith("<table>") and "<script" not in report._repr_html_()


def test_html_is_escaped(tmp_path):
    report = headrace.load(TABLE, tmp_path / "x.db", "<script>")
    assert "<script" not in report._repr_html_() and "&lt;script&gt;" in report._repr_html_()


def test_plan_writes_nothing_and_reads_nothing(tmp_path, postgres):
    read = []

    def batches():
        for batch in TABLE.to_batches(max_chunksize=100):
            read.append(batch)
            yield batch
    reader = pa.RecordBatchReader.from_batches(TABLE.schema, batches())
    plan = headrace.plan(reader, postgres.uri, postgres.table("t"), connections=3)
    assert plan.method == "copy" and "CREATE" in plan.ddl[0] and len(plan.columns) == 2
    assert [d for d in plan.decisions if d.subject == "workers"][0].choice == "3"
    assert "CREATE" in repr(plan) and plan._repr_html_()
    assert postgres.relations() == [] and read == []
    assert headrace.plan(TABLE, tmp_path / "x.db", "t").method == "pages"
    assert list(tmp_path.iterdir()) == []


def test_check_recommend_gc(postgres, tmp_path):
    readiness = headrace.check(postgres.uri, postgres.table("t"))
    assert readiness and readiness.best_method == "copy" and "copy" in repr(readiness)
    assert any(f.subject == "server" and f.state == "ok" for f in readiness.findings)
    assert not headrace.check("sqlite:/nowhere/x.db")
    advice = headrace.recommend(50_000)
    assert (advice.method, advice.batch_size, advice.num_partitions) == ("optimized", 5000, 2)
    assert headrace.gc(tmp_path / "x.db", dry_run=True).leftovers == []


def test_errors_are_classes_with_places(tmp_path, postgres):
    headrace.load(TABLE, tmp_path / "x.db", "t")
    with pytest.raises(headrace.TargetExistsError, match="mode append") as caught:
        headrace.load(TABLE, tmp_path / "x.db", "t")
    assert caught.value.code == "target_exists" and not caught.value.retryable
    assert "--" not in str(caught.value)

    postgres.execute(f"CREATE TABLE {postgres.table('small')} (a smallint)")
    with pytest.raises(headrace.RejectedValueError) as caught:
        headrace.load(pa.table({"a": [1, 2, 70000]}), postgres.uri, postgres.table("small"), mode="append")
    assert isinstance(caught.value, ValueError)
    assert (caught.value.row, caught.value.column) == (3, "a")
    assert caught.value.report.status == "failed" and caught.value.report.rows_written == 0

    postgres.execute(f"CREATE TABLE {postgres.table('ruled')} (a bigint CHECK (a < 3))")
    with pytest.raises(headrace.RejectedValueError) as caught:
        headrace.load(pa.table({"a": [1, 2, 3]}), postgres.uri, postgres.table("ruled"), mode="append")
    assert (caught.value.sqlstate, caught.value.row) == ("23514", 3) and "23514" in str(caught.value)

    with pytest.raises(headrace.DatabaseConnectionError):
        headrace.load(TABLE, "postgresql://nobody@127.0.0.1:1/x", "t")
    with pytest.raises(headrace.UsageError, match="did you mean mode"):
        headrace.load(TABLE, tmp_path / "x.db", "t", moed="append")
    with pytest.raises(headrace.UsageError, match="table"):
        headrace.load(TABLE, tmp_path / "x.db")
    with pytest.raises(headrace.UnsupportedError):
        headrace.load(TABLE, postgres.uri, postgres.table("t"), method="s3_import")


def test_errors_survive_pickle():
    error = headrace.ServerError("m", hint="h", sqlstate="23505", row=3, column="c", retryable=True)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is headrace.ServerError and str(again) == str(error)
    assert (again.row, again.column, again.retryable) == (3, "c", True)


def test_options_by_their_names(tmp_path, postgres):
    table = postgres.table("t")
    postgres.execute(f'CREATE TABLE {table} (id bigint PRIMARY KEY, name text, "a,b" text)')
    frame = pa.table({"id": [1, 2], "name": ["x", "y"], "a,b": ["p", "q"]})
    headrace.load(frame, postgres.uri, table, mode="append", lock_timeout=datetime.timedelta(seconds=2),
                  memory=256 << 20, no_analyze=True, retries=0)
    headrace.load(pa.table({"id": [2, 3], "name": ["new", "z"], "a,b": ["r", "s"]}), postgres.uri, table, mode="upsert",
                  key="id", update_columns=["a,b"], on_duplicate="last")
    assert postgres.rows("t") == [(1, "x", "p"), (2, "y", "r"), (3, "z", "s")]
    headrace.load(frame.slice(0, 1), postgres.uri, table, mode="delete_insert", replace_where="id > 1 OR id = 1")
    assert postgres.rows("t") == [(1, "x", "p")]
    nan = pa.table({"f": [float("nan")]})
    with pytest.raises(headrace.RejectedValueError):
        headrace.load(nan, tmp_path / "x.db", "t", nan_as_null=False)
    assert headrace.load(nan, tmp_path / "x.db", "t", nan_as_null=True).rows_repaired == 1
    assert sqlite_rows(tmp_path / "x.db", "t") == [(None,)]


def test_environment_of_the_command_line_is_not_read(tmp_path, monkeypatch):
    for name, value in ("MODE", "append"), ("TABLE", "other"), ("JSON", "1"), ("KEY", "x"):
        monkeypatch.setenv("HEADRACE_" + name, value)
    assert headrace.load(TABLE, tmp_path / "x.db", "t").mode == "create"


def test_progress_function(tmp_path):
    seen = []

    def slow():
        for batch in TABLE.to_batches(max_chunksize=100):
            yield batch
            time.sleep(0.06)
    headrace.load(slow(), tmp_path / "x.db", "t", progress=seen.append)
    assert seen and seen[-1].rows_written <= 1000 and seen[-1].rows_total == -1
    assert [p.seconds for p in seen] == sorted(p.seconds for p in seen)


def test_nothing_is_printed_unless_asked(tmp_path, capfd):
    headrace.load(TABLE, tmp_path / "x.db", "t")
    assert capfd.readouterr() == ("", "")
    headrace.load((b for b in TABLE.to_batches()), tmp_path / "x.db", "u", mode="append", progress="terminal")
    assert capfd.readouterr().out == ""
    with pytest.raises(headrace.UsageError, match="progress"):
        headrace.load(TABLE, tmp_path / "x.db", "v", mode="append", progress="loud")


def slow_batches():
    for batch in TABLE.to_batches(max_chunksize=200):
        yield batch
        time.sleep(0.12)


def test_progress_on_a_terminal(capsys):
    headrace.load(slow_batches(), "null:", "t", progress="terminal")
    out, err = capsys.readouterr()
    assert out == "" and "\rheadrace: " in err and " rows/s" in err
    assert err.endswith("\r") and err.rstrip("\r").endswith(" "), "the line is not taken away"


def test_progress_in_a_notebook(monkeypatch):
    shown = []
    handle = types.SimpleNamespace(update=shown.append)
    display = types.SimpleNamespace(HTML=str, display=lambda html, display_id: handle)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    headrace.load(slow_batches(), "null:", "t", progress="notebook")
    assert any(" rows/s" in html for html in shown) and shown[-1] == ""


def test_syntax_is_python_3_9():
    for path in (ROOT / "python").rglob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 9))


def test_log_lines(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="headrace"):
        headrace.load(TABLE, tmp_path / "x.db", "t")
    lines = [r.getMessage() for r in caplog.records]
    assert lines[0].startswith("Writing 1,000 rows to SQLite with batch size ")
    assert lines[-2].startswith("Method 'pages' completed in ") and lines[-1].startswith("Throughput: ")


def test_passwords_are_nowhere(caplog, conn_params):
    secret = "hush-" + "7" * 20
    attempts = [dict(conn_params, password=secret), f"postgresql://postgres:{secret}@127.0.0.1:1/x",
                f"host=127.0.0.1 port=1 password={secret} nonsense=1", f"postgresql://postgres:{secret}@[bad/x"]
    with caplog.at_level(logging.DEBUG):
        for to in attempts:
            with pytest.raises(headrace.HeadraceError) as caught:
                headrace.load(TABLE, to, "t", retries=0)
            told = str(caught.value) + repr(caught.value) + repr(caught.value.report and caught.value.report.to_dict())
            assert secret not in told
    assert secret not in caplog.text


def test_a_library_that_does_not_load_says_why(tmp_path):
    def importing(library):
        return subprocess.run([sys.executable, "-c", "import headrace"], capture_output=True, text=True,
                              env={**os.environ, "HEADRACE_LIBRARY": str(library)})
    missing = importing(tmp_path / "none.so")
    assert missing.returncode == 1 and "does not load" in missing.stderr and "pip install" in missing.stderr
    (tmp_path / "bad.so").write_text("no library")
    assert "does not load" in importing(tmp_path / "bad.so").stderr
    other = importing(ctypes.util.find_library("z") or "libz.so.1")
    assert other.returncode == 1 and "does not load" in other.stderr


def test_c_example(tmp_path):
    program = os.environ.get("HEADRACE_C_EXAMPLE")
    assert program, "HEADRACE_C_EXAMPLE is not set: run the tests by `make test`"
    done = subprocess.run([program, f"sqlite:{tmp_path}/n.db", "numbers", "250001"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows_written"] == 250_001
    assert "Writing 250,001 rows to SQLite" in done.stderr
    rows = sqlite_rows(tmp_path / "n.db", "numbers")
    assert len(rows) == 250_001 and rows[250_000] == (250_000, "n250000")
    refused = subprocess.run([program, "postgresql://x@127.0.0.1:1/x", "numbers", "1"], capture_output=True, text=True)
    assert refused.returncode == 4 and json.loads(refused.stdout)["error"]["code"] == "connection"


def test_raw_interface_refuses_nonsense():
    from headrace import _native
    for command, request, words in [("load", {"to": "null:", "help": True}, "help"), ("walk", {}, "walk"),
                                    ("version", {}, "not one"), ("load", {"to": {}}, "to"),
                                    ("load", {"to": "null:", "source": 3}, "source"), ("load", {}, "source")]:
        code, result = _native.run(command, request)
        assert code == 2 and words in result["error"]["message"], (command, request, result)
    assert headrace.__version__.count(".") == 2
    assert (ROOT / "python" / "headrace" / "py.typed").exists()
