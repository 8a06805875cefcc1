"""The server is restarted in the middle of a load: the load waits for it, begins again and ends whole."""
import json
import os
import pathlib
import subprocess

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import copying_backends, staging_tables, wait_for

POSTGRES = pathlib.Path(__file__).resolve().parents[1] / "servers" / "postgres.sh"
ROWS = 800_000


def control(*words):
    done = subprocess.run([POSTGRES, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
                          env=dict(os.environ, HEADRACE_PG_FSYNC="off"))
    return done.stdout.strip().splitlines()[-1:]


@pytest.fixture(scope="module")
def own_server():
    folder = subprocess.run(["mktemp", "-d", "/tmp/headrace-restart-XXXXXX"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        yield folder, control("start", folder)[0]
    finally:
        control("stop", folder)
        subprocess.run(["rm", "-rf", folder], check=True)


@pytest.mark.parametrize("mode", ["create", "replace", "upsert"])
def test_restart(cli, own_server, tmp_path, mode):
    folder, uri = own_server
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"id": pa.array(range(ROWS), pa.int64()), "name": ["x" * 60] * ROWS}), path, row_group_size=100_000)
    with psycopg.connect(uri, autocommit=True) as db:
        db.execute("DROP TABLE IF EXISTS fault")
        if mode != "create":
            db.execute("CREATE TABLE fault (id bigint PRIMARY KEY, name text); INSERT INTO fault VALUES (0, 'old'), (-1, 'old')")
        load = subprocess.Popen([cli, "load", path, "--to", uri, "--table", "fault", "--mode", mode, "--connections", "2",
                                 "--retries", "8", "--json", "--progress", "none"], stdout=subprocess.PIPE, text=True)
        wait_for(lambda: copying_backends(db), "a backend in COPY")
    control("stop", folder)
    control("start", folder)
    out, _ = load.communicate(timeout=120)
    assert load.returncode == 0, out
    assert any("attempt 1 failed and was repeated" in warning for warning in json.loads(out)["warnings"]), out
    with psycopg.connect(uri, autocommit=True) as db:
        kept = 1 if mode == "upsert" else 0
        assert db.execute("SELECT count(*), sum(id) FROM fault").fetchone() == (ROWS + kept, ROWS * (ROWS - 1) // 2 - kept)
        assert staging_tables(db) == []
