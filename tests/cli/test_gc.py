"""headrace gc: removes what dead loads left, and nothing else."""

import fcntl
import signal

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PG, finish, finish_fed, headrace, pgbouncer, start, start_fed, wait_until


def gc(*arguments, code=0):
    """States of the leftovers by name."""
    done = headrace("gc", *arguments, "--json")
    assert (done.code, done.err) == (code, ""), done
    report = done.json()
    assert list(report) == ["schema_version", "target", "dry_run", "removed", "leftovers"]
    assert report["removed"] == sum(left["state"] == "removed" for left in report["leftovers"])
    for left in report["leftovers"]:
        assert list(left) == ["name", "state", "load_id", "bytes", "detail"] and left["detail"]
    return {left["name"]: left["state"] for left in report["leftovers"]}


def start_load(postgres, table="t", *more):
    """A load of two connections that has sent rows into its staging table; its name."""
    process, feed = start_fed(*postgres.to(table, "--connections", 2, *more))

    def staging():
        names = [name for name in postgres.relations() if name.startswith("_headrace_") and name.endswith(f"_{table}")]
        copying = postgres.execute(
            "SELECT 1 FROM pg_stat_progress_copy JOIN pg_stat_activity USING (pid)"
            f" WHERE tuples_processed > 0 AND query LIKE 'COPY \"{postgres.schema}\".\"%{table}\"%'")
        return names if copying else None
    (name,) = wait_until(staging)
    return process, feed, name


def crashed_load(postgres, table="t", *more):
    process, _, name = start_load(postgres, table, *more)
    pids = [pid for (pid,) in postgres.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'headrace'")]
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not postgres.execute(f"SELECT 1 FROM pg_stat_activity WHERE pid = ANY(ARRAY{pids}::int[])"))
    assert name in postgres.relations()
    return name


@pytest.mark.files
@pytest.mark.parametrize("more", [[], ["--load-id", "o'clock \\ load"], ["--mode", "upsert", "--key", "a"]])
def test_gc_removes_what_a_killed_load_left(postgres, more):
    s = postgres.schema

    def left():  # the ledger of loads with an id of the user's own stays
        return [relation for relation in postgres.relations() if not relation.startswith("headrace_loads")]

    name = crashed_load(postgres, "t", *more)
    quoted = f'"{s}"."{name}"'
    assert gc("--to", PG, "--schema", s, "--dry-run") == {quoted: "removed"}
    assert left() == [name]
    text = headrace("gc", "--to", PG, "--schema", s, "--dry-run")
    assert text.code == 0 and "to remove   1\n" in text.out and name in text.out
    assert gc("--to", PG, "--schema", s) == {quoted: "removed"}
    assert left() == []
    assert gc("--to", PG, "--schema", s) == {}


@pytest.mark.files
def test_gc_never_touches_a_running_load(postgres):
    dead = crashed_load(postgres, "dead")
    process, feed, live = start_load(postgres, "live")
    found = gc("--to", PG)  # in all schemas
    assert found[f'"{postgres.schema}"."{dead}"'] == "removed"
    assert found[f'"{postgres.schema}"."{live}"'] == "live"
    assert postgres.relations() == [live]
    process.terminate()
    assert finish_fed(process).code == 143
    assert postgres.relations() == []


@pytest.mark.files
def test_load_does_not_notice_gc(postgres, tmp_path):
    """gc again and again, from before the staging table is made until after it is published."""
    group = pa.table({"a": pa.array([7] * 200_000, pa.int64()), "b": pa.array(["text"] * 200_000)})
    with pq.ParquetWriter(tmp_path / "x.parquet", group.schema) as writer:
        for _ in range(8):
            writer.write_table(group)
    process = start("load", tmp_path / "x.parquet", *postgres.to("t", "--connections", 2))
    seen = []
    while process.poll() is None:
        seen += gc("--to", PG, "--schema", postgres.schema).values()
    done = finish(process)
    assert done.code == 0, done
    assert set(seen) == {"live"}
    assert (postgres.count("t"), postgres.relations()) == (1_600_000, ["t"])


def test_gc_leaves_what_is_not_ours(postgres):
    s = postgres.schema
    names = ["_headrace_0123abcd_mine", "_headrace_0123abce_mine", "_headrace_0123abcf_mine"]
    for name in names:
        postgres.execute(f"CREATE TABLE {s}.{name} (a int)")
    postgres.execute(f"COMMENT ON TABLE {s}.{names[1]} IS 'my own'")
    # of a load with another id, as its name says
    postgres.execute(f"COMMENT ON TABLE {s}.{names[2]} IS 'headrace staging, load ffffffffffffffff'")
    for name in "_headrace_ledger", "_headrace_0123ABCD_t", "headrace_0123abcd_t":
        postgres.execute(f'CREATE TABLE {s}."{name}" (a int)')
        postgres.execute(f"COMMENT ON TABLE {s}.\"{name}\" IS 'headrace staging, load 0123abcd01234567'")
    before = postgres.relations()
    assert gc("--to", PG, "--schema", s) == {f'"{s}"."{name}"': "not ours" for name in names}
    assert postgres.relations() == before


def staging_table(postgres, name="_headrace_0123abcd_t", load="0123abcd01234567"):
    postgres.execute(f"CREATE TABLE {postgres.schema}.{name} (a int)")
    postgres.execute(f"COMMENT ON TABLE {postgres.schema}.{name} IS 'headrace staging, load {load}'")
    return f'"{postgres.schema}"."{name}"'


def test_gc_without_permission(postgres, role):
    name, uri = role
    table = staging_table(postgres)
    assert gc("--to", uri, "--schema", postgres.schema) == {table: "not permitted"}
    postgres.execute(f"ALTER TABLE {table} OWNER TO {name}")
    assert gc("--to", uri, "--schema", postgres.schema) == {table: "removed"}
    # A schema that the user cannot use is not searched.
    table = staging_table(postgres)
    postgres.execute(f"REVOKE USAGE ON SCHEMA {postgres.schema} FROM {name}")
    assert table not in gc("--to", uri)
    assert headrace("gc", "--to", uri, "--schema", postgres.schema).code == 1
    assert headrace("gc", "--to", uri, "--schema", "no_such_schema").code == 3


def test_gc_of_a_table_in_use(postgres):
    table = staging_table(postgres)
    with psycopg.connect(PG) as reader:
        reader.execute(f"SELECT * FROM {table}")
        assert gc("--to", PG, "--schema", postgres.schema, code=1) == {table: "failed"}
    other = staging_table(postgres, "_headrace_0123abce_t", "0123abce01234567")
    postgres.execute(f"CREATE VIEW {postgres.schema}.v AS SELECT a FROM {table}")
    # One that cannot be dropped does not keep the others.
    assert gc("--to", PG, "--schema", postgres.schema, code=1) == {table: "failed", other: "removed"}


def test_gc_through_a_pooler(postgres, tcp):
    target, password = tcp
    table = staging_table(postgres)
    with pgbouncer(target, password, "transaction") as pooled:
        done = headrace("gc", "--to", pooled, "--schema", postgres.schema, "--json", env={"PGPASSWORD": password})
    assert done.code == 0, done
    assert [(left["name"], left["state"]) for left in done.json()["leftovers"]] == [(table, "removed")]


# --- SQLite


def temporary_files(path):
    return sorted(file for file in path.parent.iterdir() if file.name.startswith(f".{path.name}.headrace-"))


def start_sqlite_load(path):
    process, feed = start_fed("--to", path, "--table", "t", "--mode", "replace")
    (file,) = wait_until(lambda: [f for f in temporary_files(path) if f.stat().st_size > 0])
    return process, feed, file


@pytest.mark.files
def test_gc_of_sqlite(tmp_path):
    path = tmp_path / "x.db"
    process, _, dead = start_sqlite_load(path)
    process.kill()
    process.wait()
    assert temporary_files(path) == [dead]
    journal = dead.with_name(dead.name + "-journal")
    journal.touch()
    process, _, live = start_sqlite_load_beside(path, dead)
    other = tmp_path / ".y.db.headrace-0123abcd.tmp"  # of another target
    other.write_text("x")
    assert gc("--to", path, "--dry-run") == {str(dead): "removed", str(live): "live"}
    assert temporary_files(path) == sorted([dead, live, journal])
    assert gc("--to", f"sqlite:{path}") == {str(dead): "removed", str(live): "live"}
    assert temporary_files(path) == [live] and other.exists()
    process.terminate()
    assert finish_fed(process).code == 143
    assert temporary_files(path) == [] and not path.exists()


def start_sqlite_load_beside(path, dead):
    process, feed = start_fed("--to", path, "--table", "t", "--mode", "replace")
    def made():
        return [f for f in temporary_files(path) if f != dead and f.suffix == ".tmp" and f.stat().st_size > 0]
    (file,) = wait_until(made)
    return process, feed, file


def test_gc_of_sqlite_leaves_strange_and_new_files(tmp_path):
    path = tmp_path / "x.db"
    folder, link, new, held = (tmp_path / f".x.db.headrace-{name}.tmp" for name in ("folder", "link", "new", "held"))
    folder.mkdir()
    link.symlink_to(tmp_path / "precious.db")
    (tmp_path / "precious.db").write_text("precious")
    new.touch()
    held.write_text("rows")
    (tmp_path / ".x.db.headrace-.tmp").touch()
    (tmp_path / ".x.db.headrace-0123456789.tmp").touch()  # longer than our ids
    before = sorted(tmp_path.iterdir())
    with open(held) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert gc("--to", path) == {str(folder): "not ours", str(link): "not ours", str(new): "live", str(held): "live"}
    assert sorted(tmp_path.iterdir()) == before
    assert gc("--to", path)[str(held)] == "removed"


def test_gc_of_sqlite_errors(tmp_path):
    assert gc("--to", tmp_path / "x.db") == {}
    assert headrace("gc", "--to", tmp_path / "no" / "x.db").code == 3
    done = headrace("gc", "--to", tmp_path / "x.db", "--schema", "public")
    assert done.code == 2 and "no schemas" in done.err
