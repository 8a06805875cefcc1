"""After a fault a PostgreSQL target is as before, nothing of the load is left, and the next run works."""
import signal

import pytest
from conftest import ROWS_PER_BATCH, Load, copying_backends, staging_tables, wait_for

MODES = ["create", "append", "replace"]


def old_rows(db, mode):
    """The table before the load; None when there is none."""
    if mode == "create":
        return None
    db.execute("CREATE TABLE fault (id bigint, name text)")
    if mode == "replace":
        db.execute("INSERT INTO fault SELECT g, 'old' FROM generate_series(1, 100) g")
    return rows(db)


def rows(db):
    if db.execute("SELECT to_regclass('fault')").fetchone()[0] is None:
        return None
    return db.execute("SELECT count(*), sum(id), min(name), max(name) FROM fault").fetchone()


def whole_load_works(cli, server, db, mode):
    load = Load(cli, server, "--table", "fault", "--mode", mode, "--connections", "2")
    load.feed(10)
    code, report, err = load.finish()
    assert code == 0, err
    assert report["rows_written"] == 10 * ROWS_PER_BATCH
    count, total, *_ = rows(db)
    n = 10 * ROWS_PER_BATCH
    assert (count, total) == (n, n * (n - 1) // 2)
    assert staging_tables(db) == []


@pytest.mark.parametrize("mode", MODES)
def test_killed_backend(cli, server, db, mode):
    before = old_rows(db, mode)
    load = Load(cli, server, "--table", "fault", "--mode", mode, "--connections", "2")
    load.feed(200)
    victim = wait_for(lambda: copying_backends(db), "a backend in COPY")[0]
    db.execute("SELECT pg_terminate_backend(%s)", [victim])
    load.feed_until_broken()
    code, report, err = load.finish()
    assert code in (1, 4), err
    assert report["status"] == "failed"
    assert report["error"]["sqlstate"] == "57P01"
    assert rows(db) == before
    assert staging_tables(db) == []
    whole_load_works(cli, server, db, mode)


@pytest.mark.parametrize("mode", MODES)
def test_kill_dash_nine(cli, server, db, mode):
    before = old_rows(db, mode)
    load = Load(cli, server, "--table", "fault", "--mode", mode, "--connections", "2")
    load.feed(200)
    wait_for(lambda: copying_backends(db), "a backend in COPY")
    load.kill()
    wait_for(lambda: not copying_backends(db), "the server to notice")
    assert rows(db) == before
    for (name,) in staging_tables(db):  # recognisable by name and comment
        comment = db.execute("SELECT obj_description(%s::regclass)", [f'"{name}"']).fetchone()[0]
        assert comment and "headrace" in comment
    for (name,) in staging_tables(db):
        db.execute(f'DROP TABLE "{name}"')
    whole_load_works(cli, server, db, mode)


@pytest.mark.parametrize("number,expected", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signal(cli, server, db, number, expected):
    load = Load(cli, server, "--table", "fault", "--connections", "2")
    load.feed(200)
    wait_for(lambda: copying_backends(db), "a backend in COPY")
    load.process.send_signal(number)
    load.feed_until_broken()
    code, report, err = load.finish()
    assert code == expected, err
    assert report["status"] == "cancelled"
    assert rows(db) is None
    assert staging_tables(db) == []


def test_bad_value_in_the_middle(cli, server, db):
    """The value stands after rows that were sent already."""
    db.execute("CREATE TABLE fault (id integer, name text)")
    db.execute("ALTER TABLE fault ADD CHECK (id < 700000)")
    load = Load(cli, server, "--table", "fault", "--mode", "append", "--connections", "2")
    load.feed_until_broken()
    code, report, err = load.finish()
    assert code == 1, err
    assert report["error"]["sqlstate"] == "23514"
    assert rows(db)[0] == 0
    assert staging_tables(db) == []


def test_lock_on_the_target_is_not_waited_for_for_ever(cli, server, db):
    import psycopg
    before = old_rows(db, "replace")
    with psycopg.connect(server) as reader:
        reader.execute("SELECT count(*) FROM fault").fetchone()  # holds ACCESS SHARE until it ends
        load = Load(cli, server, "--table", "fault", "--mode", "replace", "--connections", "2", "--lock-timeout", "300ms")
        load.feed(5)
        code, report, err = load.finish()
        assert code == 1, err
        assert report["error"]["sqlstate"] == "55P03"
        assert report["error"]["hint"]
    assert rows(db) == before
    assert staging_tables(db) == []
