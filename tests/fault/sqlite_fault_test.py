"""After a fault a SQLite target is as before, and the next run works."""
import resource
import sqlite3
import subprocess
from contextlib import closing

import pytest
from conftest import ROWS_PER_BATCH, Load, wait_for


def count(path):
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT count(*) FROM fault").fetchone()[0]


def make_old(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE fault (id INTEGER, name TEXT)")
        connection.execute("INSERT INTO fault VALUES (1, 'old')")
    return path.read_bytes()


def leftovers(folder, path):
    return [p.name for p in folder.iterdir() if p != path]


@pytest.mark.parametrize("mode", ["create", "replace"])
def test_kill_dash_nine(cli, tmp_path, mode):
    path = tmp_path / "t.sqlite"
    before = make_old(path) if mode == "replace" else None
    load = Load(cli, f"sqlite:{path}", "--table", "fault", "--mode", mode)
    load.feed(300)
    wait_for(lambda: leftovers(tmp_path, path), "the temporary file")
    load.kill()
    assert (path.read_bytes() if path.exists() else None) == before
    assert all("headrace" in name for name in leftovers(tmp_path, path))
    load = Load(cli, f"sqlite:{path}", "--table", "fault", "--mode", mode)
    load.feed(10)
    code, _, err = load.finish()
    assert code == 0, err
    assert count(path) == 10 * ROWS_PER_BATCH


@pytest.mark.parametrize("method", ["pages", "api"])
def test_full_disk(cli, tmp_path, method):
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
    try:
        path = folder / "t.sqlite"
        before = make_old(path) if method == "pages" else None
        load = Load(cli, f"sqlite:{path}", "--table", "fault", "--mode", "replace", "--method", method)
        load.feed_until_broken()
        code, report, err = load.finish()
        assert code == 1, err
        assert report["error"]["code"] == "io"
        assert "space" in report["error"]["message"] or "full" in report["error"]["message"]
        assert (path.read_bytes() if path.exists() else None) == before
        assert leftovers(folder, path) == []
    finally:
        subprocess.run(["umount", folder], check=True)


def test_file_size_limit(cli, tmp_path):
    """What a full disk is to a user without the right to mount: a write that fails."""
    path = tmp_path / "t.sqlite"
    command = [cli, "load", "-", "--format", "arrow", "--to", f"sqlite:{path}", "--table", "fault", "--json", "--progress", "none"]
    source = tmp_path / "in.arrow"
    import pyarrow as pa
    from conftest import batch
    with pa.OSFile(str(source), "wb") as sink, pa.ipc.new_stream(sink, batch(0).schema) as writer:
        for i in range(60):
            writer.write_batch(batch(i))
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    done = subprocess.run(command, stdin=source.open("rb"), capture_output=True, preexec_fn=limit, timeout=60)
    assert done.returncode == 1, done.stderr
    assert leftovers(tmp_path, path) == ["in.arrow"]


def test_source_that_breaks_off(cli, tmp_path):
    path = tmp_path / "t.sqlite"
    load = Load(cli, f"sqlite:{path}", "--table", "fault")
    load.feed(50)
    load.process.stdin.close()  # no end-of-stream mark
    code, report, err = load.result()
    if code == 0:  # Arrow takes a closed pipe between two messages as the end of the stream
        assert report["rows_written"] == 50 * ROWS_PER_BATCH
        assert count(path) == 50 * ROWS_PER_BATCH
    else:
        assert not path.exists()
