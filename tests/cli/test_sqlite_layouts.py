"""One table in several SQLite files: which rows are where, the manifest and the view, and what is left when a load ends early."""

import hashlib
import json
import os
import signal
import sqlite3
import time
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import finish_fed, headrace, start_fed, wait_until

pytestmark = pytest.mark.files
ROWS = 10_000


def source_of(tmp_path, rows=ROWS, first=0, name="in.parquet"):
    path = tmp_path / name
    numbers = range(first, first + rows)
    pq.write_table(pa.table({"id": pa.array(numbers, pa.int64()), "text": pa.array([f"text {i}" for i in numbers]),
                             "day": pa.array([None if i % 4 == 3 else f"2026-01-0{i % 4 + 1}" for i in numbers])}),
                   path, row_group_size=700)
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "set"
    path.mkdir()
    return path


def load(folder, source, *more, mode="create", layout="partitioned"):
    done = headrace("load", source, "--to", f"sqlite:{folder}", "--table", "t", "--mode", mode, "--layout", layout, "--json",
                    "--verify", "full", *more)
    assert (done.code == 0) == (done.json()["status"] == "ok"), done
    return done.json()


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def manifest_of(folder):
    """The manifest, after everything it says was compared with the files."""
    manifest = json.loads((folder / "t.manifest.json").read_text())
    for part in manifest["parts"]:
        file = folder / part["file"]
        assert file.stat().st_size == part["bytes"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == part["sha256"]
        with closing(sqlite3.connect(file)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert db.execute("SELECT count(*) FROM t").fetchone() == (part["rows"],)
    assert manifest["rows"] == sum(part["rows"] for part in manifest["parts"])
    return manifest


def by_view(folder, query):
    """What the script's view gives."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        with closing(sqlite3.connect(":memory:")) as db:
            db.executescript((folder / "t.sql").read_text())
            return db.execute(query).fetchall()
    finally:
        os.chdir(before)


def whole_set(parts, generation=1, first=0):
    mark = "" if generation == 1 else f"_g{generation}"
    return sorted([f"t{mark}_part_{i + first:03}.sqlite" for i in range(parts)] + ["t.manifest.json", "t.sql"])


@pytest.mark.parametrize("options, sizes", [
    (["--num-partitions", "4"], [2500] * 4),
    (["--num-partitions", "3"], [3334, 3334, 3332]),
    (["--max-records", "4000"], [4000, 4000, 2000]),
    (["--max-records", "1"], None),
    ([], [ROWS]),
])
def test_files_by_number_of_rows(folder, tmp_path, options, sizes):
    if sizes is None:
        error = load(folder, source_of(tmp_path), *options)["error"]
        assert "at most 1000" in error["message"] and names(folder) == []
        return
    report = load(folder, source_of(tmp_path), *options, "--batch-rows", "512", "--connections", "2")
    assert (report["rows_written"], report["commit_scope"], report["method"]) == (ROWS, "file", "pages")
    assert sorted(os.path.basename(f) for f in report["files"]) == names(folder) == whole_set(len(sizes))
    assert [part["rows"] for part in manifest_of(folder)["parts"]] == sizes
    assert by_view(folder, "SELECT count(*), min(id), max(id), count(DISTINCT text) FROM t") == [(ROWS, 0, ROWS - 1, ROWS)]
    first = 0
    for part in manifest_of(folder)["parts"]:  # in the order of the source
        with closing(sqlite3.connect(folder / part["file"])) as db:
            assert [id for (id,) in db.execute("SELECT id FROM t ORDER BY rowid")] == list(range(first, first + part["rows"]))
        first += part["rows"]


def test_files_are_the_same_in_every_run(tmp_path):
    sums = []
    for run in range(3):
        folder = tmp_path / f"run{run}"
        folder.mkdir()
        load(folder, source_of(tmp_path), "--max-records", "3000", "--batch-rows", "128", "--connections", str(run + 1))
        sums.append([part["sha256"] for part in manifest_of(folder)["parts"]])
    assert sums[0] == sums[1] == sums[2]


def test_a_file_for_each_value(folder, tmp_path):
    report = load(folder, source_of(tmp_path), "--partition-by", "DAY", "--batch-rows", "512", "--connections", "2")
    assert report["status"] == "ok", report
    manifest = manifest_of(folder)
    assert manifest["partition_by"] == "day"
    assert [(part["value"], part["rows"]) for part in manifest["parts"]] == [
        ("2026-01-01", 2500), ("2026-01-02", 2500), ("2026-01-03", 2500), (None, 2500)]
    for number, part in enumerate(manifest["parts"]):
        with closing(sqlite3.connect(folder / part["file"])) as db:
            assert db.execute("SELECT DISTINCT day FROM t").fetchall() == [(part["value"],)]
            assert [id for (id,) in db.execute("SELECT id FROM t ORDER BY rowid")] == list(range(number, ROWS, 4))
    assert by_view(folder, "SELECT count(*), sum(id) FROM t") == [(ROWS, ROWS * (ROWS - 1) // 2)]
    assert "more than 125 values" in load(folder, source_of(tmp_path), "--partition-by", "id", mode="replace")["error"]["message"]
    assert names(folder) == whole_set(4)


def test_optimized_is_one_file_until_it_is_too_large_and_back(folder, tmp_path):
    limit = ["--optimized-rows", "5000"]
    assert load(folder, source_of(tmp_path, 5000), *limit, "--load-id", "one", layout="optimized")["status"] == "ok"
    assert names(folder) == ["t.sqlite"]
    report = load(folder, source_of(tmp_path, 5001), *limit, "--load-id", "two", layout="optimized", mode="replace")
    assert report["status"] == "ok", report
    assert names(folder) == whole_set(2)
    assert by_view(folder, "SELECT count(*) FROM t") == [(5001,)]
    assert [entry["load_id"] for entry in manifest_of(folder)["loads"]] == ["one", "two"]
    assert load(folder, source_of(tmp_path, 10), *limit, layout="optimized", mode="replace")["status"] == "ok"
    assert names(folder) == ["t.sqlite"]
    report = load(folder, source_of(tmp_path, 7), *limit, "--load-id", "one", layout="optimized", mode="replace")
    assert "nothing was done" in report["warnings"][0], report
    with closing(sqlite3.connect(folder / "t.sqlite")) as db:
        assert db.execute("SELECT load_id, rows FROM headrace_loads ORDER BY 1").fetchall() == [("one", 5000), ("two", 5001)]


def test_optimized_leaves_a_file_with_other_tables_alone(folder, tmp_path):
    path = folder / "t.sqlite"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE t (id INTEGER, text TEXT, day TEXT)")
        db.execute("CREATE TABLE other (a)")
    before = path.read_bytes()
    error = load(folder, source_of(tmp_path), "--optimized-rows", "10", layout="optimized", mode="replace")["error"]
    assert error["code"] == "target_exists" and path.read_bytes() == before and names(folder) == ["t.sqlite"]


def test_replace_removes_the_surplus_and_append_adds_files(folder, tmp_path):
    load(folder, source_of(tmp_path), "--num-partitions", "5")
    assert "already exists" in load(folder, source_of(tmp_path))["error"]["message"]
    load(folder, source_of(tmp_path, 100), "--num-partitions", "2", mode="replace")
    assert names(folder) == whole_set(2, generation=2)
    report = load(folder, source_of(tmp_path, 50, first=100), "--max-records", "30", mode="append")
    assert report["status"] == "ok", report
    assert names(folder) == sorted(whole_set(2, generation=2) + ["t_g3_part_002.sqlite", "t_g3_part_003.sqlite"])
    assert [part["rows"] for part in manifest_of(folder)["parts"]] == [50, 50, 30, 20]
    assert by_view(folder, "SELECT count(*), count(DISTINCT id) FROM t") == [(150, 150)]
    # A set is known by its manifest, without --layout.
    done = headrace("verify", source_of(tmp_path, 150), "--to", f"sqlite:{folder}", "--table", "t", "--json")
    assert (done.code, done.json()["status"], done.json()["target_rows"]) == (0, "same", 150)
    done = headrace("verify", source_of(tmp_path, 149), "--to", f"sqlite:{folder}", "--table", "t")
    assert done.code == 7 and "150 rows instead of 149" in done.out
    pq.write_table(pa.table({"id": pa.array([1], pa.int64())}), tmp_path / "less.parquet")
    assert "has no column" in load(folder, tmp_path / "less.parquet", mode="append")["error"]["message"]


def test_a_load_id_is_run_once(folder, tmp_path):
    assert load(folder, source_of(tmp_path, 10), "--load-id", "a", mode="append")["rows_written"] == 10
    report = load(folder, source_of(tmp_path, 10), "--load-id", "a", mode="append")
    assert report["rows_written"] == 0 and "nothing was done" in report["warnings"][0]
    assert manifest_of(folder)["rows"] == 10


def test_an_empty_source_makes_an_empty_file(folder, tmp_path):
    assert load(folder, source_of(tmp_path, 0), "--num-partitions", "3")["status"] == "ok"
    assert names(folder) == whole_set(1)
    assert by_view(folder, "SELECT * FROM t") == []


def test_more_files_than_sqlite_attaches(folder, tmp_path):
    report = load(folder, source_of(tmp_path), "--num-partitions", "12")
    assert any("attaches 10" in warning for warning in report["warnings"])
    assert "SQLITE_MAX_ATTACHED=12" in (folder / "t.sql").read_text()
    assert len(manifest_of(folder)["parts"]) == 12


@pytest.mark.parametrize("options, message", [
    (["--num-partitions", "2", "--max-records", "5"], "exclude each other"),
    (["--partition-by", "nothing"], "no column nothing"),
    (["--mode", "upsert", "--key", "id"], "not for a table in several files"),
    (["--method", "api"], "page by page"),
])
def test_what_cannot_be_done(folder, tmp_path, options, message):
    done = headrace("load", source_of(tmp_path), "--to", f"sqlite:{folder}", "--table", "t", "--layout", "partitioned", "--json", *options)
    assert done.code in (1, 2) and message in done.error()["message"], done
    assert names(folder) == []


def test_layouts_are_for_sqlite_alone(tmp_path):
    done = headrace("load", source_of(tmp_path), "--to", "null:", "--layout", "partitioned", "--json")
    assert done.code == 2 and "SQLite" in done.error()["message"]


def test_of_two_loads_at_once_the_second_to_publish_fails(folder, tmp_path):
    load(folder, source_of(tmp_path, 10))
    process, feed = start_fed("--to", f"sqlite:{folder}", "--table", "t", "--layout", "partitioned", "--mode", "replace",
                              "--progress", "none", "--json")
    wait_until(lambda: feed.batches > 20)
    feed.pause()
    assert load(folder, source_of(tmp_path, 20), "--num-partitions", "2", mode="replace")["status"] == "ok"
    after = {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}
    feed.end()
    done = finish_fed(process)
    assert done.code == 1 and "was changed by another load" in json.loads(done.out)["error"]["message"], done
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == after
    assert manifest_of(folder)["rows"] == 20


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_a_stopped_load_leaves_the_old_set(folder, tmp_path, exists, number, code):
    if exists:
        pq.write_table(pa.table({"a": pa.array([1], pa.int64()), "b": ["x"]}), tmp_path / "old.parquet")
        load(folder, tmp_path / "old.parquet")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    process, feed = start_fed("--to", f"sqlite:{folder}", "--table", "t", "--layout", "partitioned", "--max-records", "5000",
                              "--mode", "replace", "--progress", "none")
    wait_until(lambda: len([n for n in names(folder) if "_part_001" in n]) > 0)
    live = headrace("gc", "--to", f"sqlite:{folder}", "--json").json()
    assert live["removed"] == 0 and {leftover["state"] for leftover in live["leftovers"]} == {"live"}
    process.send_signal(number)
    feed.pause()
    assert finish_fed(process).code == code
    assert {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")} == before
    removed = []

    def is_collected():
        """gc takes a file that was made just now for that of a load that is starting."""
        done = headrace("gc", "--to", f"sqlite:{folder}", "--json")
        assert done.code == 0, done
        removed.append(done.json()["removed"])
        return all(leftover["state"] != "live" for leftover in done.json()["leftovers"])

    wait_until(is_collected, 60)
    assert (sum(removed) > 0) == (number == signal.SIGKILL)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_files_of_a_load_that_died_while_it_published(folder, tmp_path):
    """As a kill between the renames of files and of the manifest leaves it."""
    load(folder, source_of(tmp_path, 10), "--num-partitions", "2")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    load(folder, source_of(tmp_path, 20), "--num-partitions", "2", mode="replace")
    new = {p.name: p.read_bytes() for p in folder.iterdir()}
    for name, content in before.items():
        (folder / name).write_bytes(content)
    (folder / ".t.manifest.json.headrace-dead.tmp").write_bytes(new["t.manifest.json"])
    (folder / "t.sql").write_bytes(new["t.sql"])
    assert set(names(folder)) > set(before)
    dry = headrace("gc", "--to", f"sqlite:{folder}", "--dry-run", "--json").json()
    assert dry["removed"] == 3 and len(names(folder)) == 7
    assert headrace("gc", "--to", f"sqlite:{folder}", "--json").json()["removed"] == 3
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    # The other way round: the manifest was renamed, and the old files are there still.
    for name, content in new.items():
        (folder / name).write_bytes(content)
    assert headrace("gc", "--to", f"sqlite:{folder}", "--json").json()["removed"] == 2
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == new
    # A further load does the same before it begins.
    (folder / ".t.manifest.json.headrace-dead.tmp").write_bytes(new["t.manifest.json"].replace(b"_g2_", b"_g3_").replace(
        b'"generation": 2', b'"generation": 3'))
    (folder / "t_g3_part_000.sqlite").write_bytes(b"half")
    assert load(folder, source_of(tmp_path, 7), mode="replace")["status"] == "ok"
    assert names(folder) == whole_set(1, generation=3)


def test_a_manifest_of_another_program_is_left_alone(folder, tmp_path):
    (folder / "t.manifest.json").write_text('{"parts": []}')
    error = load(folder, source_of(tmp_path), mode="replace")["error"]
    assert "no manifest" in error["message"]
    assert (folder / "t.manifest.json").read_text() == '{"parts": []}' and names(folder) == ["t.manifest.json"]


def test_a_full_disk_leaves_the_old_set(folder, tmp_path):
    load(folder, source_of(tmp_path, 10))
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    import resource
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    done = headrace("load", source_of(tmp_path), "--to", f"sqlite:{folder}", "--table", "t", "--mode", "replace", "--layout",
                    "partitioned", "--num-partitions", "2", "--json", preexec_fn=limit)
    assert done.code == 1 and done.error()["code"] == "io", done
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
