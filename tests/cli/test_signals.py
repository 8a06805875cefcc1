"""SIGINT and SIGTERM in the middle of a load: exit code, report, and nothing left."""

import json
import signal
import time

import pytest
from conftest import finish, finish_fed, start, start_fed, wait_until

pytestmark = pytest.mark.files
SIGNALS = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]


def check_cancelled(done, code):
    assert done.code == code, done
    report = json.loads(done.out)
    assert (report["status"], report["rows_written"]) == ("cancelled", 0)
    assert report["error"]["code"] == "cancelled"
    assert "headrace: error: " in done.err


def copying(postgres):
    """Process ids of the server's processes that have copied rows into our schema; other tests copy too."""
    return postgres.execute(
        "SELECT string_agg(pid::text, ',') FROM pg_stat_progress_copy JOIN pg_stat_activity USING (pid)"
        f" WHERE tuples_processed > 0 AND query LIKE '%{postgres.schema}%'")[0][0]


@pytest.mark.parametrize("number, code", SIGNALS)
@pytest.mark.parametrize("mode", ["create", "append", "replace"])
def test_postgres(many_rows, postgres, number, code, mode):
    if mode != "create":
        postgres.execute(f"CREATE TABLE {postgres.schema}.t AS SELECT 1::bigint AS a, 'before' AS b")
    before = postgres.relations()
    process = start("load", many_rows, *postgres.to("t", "--mode", mode, "--json"))
    backends = wait_until(lambda: copying(postgres))
    process.send_signal(number)
    asked = time.monotonic()
    check_cancelled(finish(process), code)
    assert time.monotonic() - asked < 10
    assert postgres.relations() == before
    if mode != "create":
        assert postgres.count("t") == 1
    wait_until(lambda: not postgres.execute(f"SELECT 1 FROM pg_stat_activity WHERE pid IN ({backends})"))


@pytest.mark.parametrize("number, code", SIGNALS)
def test_sqlite(tmp_path, number, code):
    process, feed = start_fed("--to", tmp_path / "x.db", "--table", "t", "--json")
    wait_until(lambda: feed.batches > 200)
    process.send_signal(number)
    check_cancelled(finish_fed(process), code)
    assert list(tmp_path.iterdir()) == []


def test_second_signal_ends_at_once():
    process, feed = start_fed("--to", "null:")
    wait_until(lambda: feed.batches > 20)
    feed.pause()  # the reader waits for standard input and cannot notice the first signal
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    assert finish_fed(process, timeout=10).code == 130


def test_report_is_whole_whenever_the_signal_comes(many_rows):
    process = start("load", many_rows, "--to", "null:", "--json")
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    done = finish(process)
    status = json.loads(done.out)["status"]
    assert (done.code, status) in [(143, "cancelled"), (0, "ok")], done
