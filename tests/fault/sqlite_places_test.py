"""Places where no SQLite file can be made or changed: a clear error, the right exit code, and what is there stays byte for byte."""
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def place():
    """A folder that others may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-places-", dir="/tmp"))
    folder.chmod(0o755)
    pq.write_table(pa.table({"id": pa.array([1, 2], pa.int64())}), folder / "in.parquet")
    yield folder
    shutil.rmtree(folder)


def load(cli, place, path, *options, bound_by_permissions=False):
    command = [cli, "load", place / "in.parquet", "--to", f"sqlite:{path}", "--table", "t", "--json", "--progress", "none",
               "--retries", "0", "--busy-timeout", "200ms", *options]
    if bound_by_permissions and os.geteuid() == 0:  # root, without the right to pass over them
        command = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, capture_output=True, timeout=60)
    report = json.loads(done.stdout)
    assert (done.returncode == 0) == (report["status"] == "ok")
    if done.returncode:
        assert report["error"]["message"] in done.stderr.decode()
    return done.returncode, report


def make(path, *statements):
    with closing(sqlite3.connect(path)) as db, db:
        for statement in ["CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (9)", *statements]:
            db.execute(statement)
    return path


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


MODES = [["create"], ["append"], ["replace"], ["replace", "--method", "api"], ["truncate"], ["upsert", "--key", "id"],
         ["delete_insert", "--replace-where", "id > 0"]]


def ids(modes):
    return ["-".join(m).replace("--", "") for m in modes]


@pytest.mark.parametrize("mode", MODES, ids=ids(MODES))
def test_a_folder_is_no_file(cli, place, mode):
    (place / "dir.sqlite").mkdir()
    before = contents(place)
    code, report = load(cli, place, place / "dir.sqlite", "--mode", *mode)
    assert code == 1 and "is a folder" in report["error"]["message"]
    assert contents(place) == before


@pytest.mark.parametrize("mode", MODES, ids=ids(MODES))
@pytest.mark.parametrize("content", [b"id,name\n1,a\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000, b"x"], ids=["text", "broken", "short"])
def test_a_file_that_is_not_sqlite(cli, place, mode, content):
    path = place / "other.sqlite"
    path.write_bytes(content)
    before = contents(place)
    code, report = load(cli, place, path, "--mode", *mode)
    assert code in (1, 2), report
    assert str(path) in report["error"]["message"]
    assert contents(place) == before


@pytest.mark.parametrize("mode", MODES, ids=ids(MODES))
def test_a_missing_folder(cli, place, mode):
    before = contents(place)
    code, report = load(cli, place, place / "no" / "such.sqlite", "--mode", *mode)
    assert code == 3 and "no" in report["error"]["message"]
    assert contents(place) == before


@pytest.mark.parametrize("mode", MODES, ids=ids(MODES))
def test_an_unwritable_folder(cli, place, mode):
    (place / "dir").mkdir()
    if mode[0] != "create":
        make(place / "dir" / "t.sqlite", "CREATE UNIQUE INDEX u ON t (id)").chmod(0o666)
    (place / "dir").chmod(0o555)
    before = contents(place)
    code, report = load(cli, place, place / "dir" / "t.sqlite", "--mode", *mode, bound_by_permissions=True)
    (place / "dir").chmod(0o755)
    assert code == 1 and report["error"]["code"] == "io", report
    assert "permission" in report["error"]["message"].lower() and report["error"]["hint"]
    assert contents(place) == before


@pytest.mark.parametrize("mode", MODES[1:], ids=ids(MODES[1:]))
def test_a_read_only_file(cli, place, mode):
    (place / "dir").mkdir()
    (place / "dir").chmod(0o777)
    make(place / "dir" / "t.sqlite", "CREATE UNIQUE INDEX u ON t (id)").chmod(0o444)
    before = contents(place)
    code, report = load(cli, place, place / "dir" / "t.sqlite", "--mode", *mode, bound_by_permissions=True)
    assert code == 1, report
    assert "t" in report["error"]["message"]
    assert contents(place) == before


@pytest.mark.parametrize("mode", MODES[1:], ids=ids(MODES[1:]))
def test_a_full_disk(cli, place, mode):
    """A file system of its own where that may be mounted, so small that the rows do not fit."""
    folder = place / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], capture_output=True).returncode == 0
    if not mounted:
        pytest.fail("mounting a tmpfs is not permitted here: run the tests as root")
    try:
        path = make(folder / "t.sqlite", "CREATE UNIQUE INDEX u ON t (id)", "CREATE INDEX i ON t (id)")
        pq.write_table(pa.table({"id": pa.array(range(100, 100_000), pa.int64())}), place / "in.parquet")
        before = contents(folder)
        code, report = load(cli, place, path, "--mode", *mode)
        assert code == 1 and report["error"]["code"] == "io", report
        assert any(word in report["error"]["message"] for word in ("full", "space")), report
        assert contents(folder) == before
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        subprocess.run(["umount", folder], check=True)
