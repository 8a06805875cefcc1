"""headrace check: whether a target is ready, against real servers and files."""

import contextlib
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import uuid

import psycopg
import pytest
from conftest import PG, headrace, pgbouncer


def check(*arguments, code, env=None):
    """The parsed answer, and its findings by subject; the text must say the same."""
    done = headrace("check", *arguments, "--json", env=env)
    assert done.code == code, done
    value = done.json()
    assert value["ready"] == (code == 0)
    assert bool(value["best_method"]) == value["ready"] and value["reason"]
    text = headrace("check", *arguments, env=env)
    assert text.code == code and text.err == done.err
    for finding in value["findings"]:
        assert list(finding) == ["subject", "state", "detail", "advice"]
        assert finding["state"] in ("ok", "warning", "missing", "error")
        assert finding["detail"]
        assert finding["state"] != "error" or finding["advice"], finding
        assert finding["subject"] in text.out
    found = {finding["subject"]: finding for finding in value["findings"]}
    assert len(found) == len(value["findings"])
    return value, found


def states(found, *subjects):
    return [found[subject]["state"] for subject in subjects]


def test_check_as_superuser(postgres):
    before = postgres.relations()
    value, found = check(*postgres.to("t"), code=0)
    assert (value["server_kind"], value["best_method"]) == ("plain", "copy")
    assert value["table"] == f"{postgres.schema}.t"
    assert states(found, "server", "server kind", "pooler", "tls", "writable", "temporary tables",
                  "prepared transactions", "free connections", "schema", "copy") == ["ok"] * 10
    assert found["server"]["detail"].startswith("PostgreSQL 1")
    assert "socket" in found["tls"]["detail"]
    assert found["wal level"]["detail"].startswith("replica")
    assert found["synchronous commit"]["detail"].startswith("on")
    assert states(found, "table", "aws_s3", "s3 role and bucket") == ["missing"] * 3
    assert found["s3 role and bucket"]["detail"] == "not checked: s3_import is not implemented"
    assert postgres.relations() == before
    value, found = check("--to", PG, code=0)
    assert value["table"] is None and "table" not in found


def test_check_existing_table(postgres):
    s = postgres.schema
    postgres.execute(f"CREATE TABLE {s}.t (a int PRIMARY KEY); CREATE MATERIALIZED VIEW {s}.v AS SELECT a FROM {s}.t")
    postgres.execute(f"CREATE FUNCTION {s}.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    postgres.execute(f"CREATE TRIGGER audit BEFORE INSERT ON {s}.t FOR EACH ROW EXECUTE FUNCTION {s}.f()")
    _, found = check(*postgres.to("t"), code=0)
    assert states(found, "table", "copy", "triggers") == ["ok", "ok", "warning"]
    assert "columns: 1, indexes: 1, owner: postgres" in found["table"]["detail"]
    assert found["triggers"]["detail"].startswith("audit")
    assert states(found, "swap") == ["warning"] and f"view {s}.v" in found["swap"]["detail"]
    postgres.execute(f"CREATE TABLE {s}.plain (a int)")
    assert states(check(*postgres.to("plain"), code=0)[1], "table", "copy", "swap") == ["ok"] * 3


def test_check_of_what_is_no_table(postgres):
    postgres.execute(f"CREATE VIEW {postgres.schema}.v AS SELECT 1 AS a")
    _, found = check(*postgres.to("v"), code=1)
    assert states(found, "copy") == ["error"] and "view" in found["copy"]["detail"]
    _, found = check("--to", PG, "--table", "no_such_schema.t", code=1)
    assert states(found, "schema") == ["error"]


def test_check_as_a_role_without_privileges(postgres, role):
    name, uri = role
    s = postgres.schema
    postgres.execute(f"CREATE TABLE {s}.t (a int)")
    value, found = check("--to", uri, "--table", f"{s}.t", code=1)
    assert value["reason"] == "copy: the user may not insert into the table"
    assert found["copy"]["advice"] == f'GRANT INSERT ON "{s}"."t" TO "{name}"'
    _, found = check("--to", uri, "--table", f"{s}.new", code=1)
    assert found["copy"]["advice"] == f'GRANT CREATE ON SCHEMA "{s}" TO "{name}"'
    postgres.execute(f"REVOKE USAGE ON SCHEMA {s} FROM {name}")
    _, found = check("--to", uri, "--table", f"{s}.t", code=1)
    assert states(found, "schema") == ["error"] and "USAGE" in found["schema"]["advice"]


def test_what_check_advises_helps(postgres, role):
    _, uri = role
    s = postgres.schema
    postgres.execute(f"CREATE TABLE {s}.t (a int)")
    for table in "t", "new":
        _, found = check("--to", uri, "--table", f"{s}.{table}", code=1)
        postgres.execute(found["copy"]["advice"])
        check("--to", uri, "--table", f"{s}.{table}", code=0)


def test_check_row_security(orders, postgres, role):
    name, uri = role
    s = postgres.schema
    postgres.execute(f"CREATE TABLE {s}.t (id bigint, name text, price double precision); GRANT ALL ON {s}.t TO {name}")
    postgres.execute(f"ALTER TABLE {s}.t ENABLE ROW LEVEL SECURITY")
    postgres.execute(f"CREATE POLICY p ON {s}.t USING (true) WITH CHECK (id >= 0)")
    value, found = check("--to", uri, "--table", f"{s}.t", code=0)
    assert states(found, "copy") == ["warning"] and "row-level security" in found["copy"]["detail"]
    assert value["best_method"] == "optimized" and "--method optimized" in found["copy"]["advice"]
    # What it says is so.
    arguments = [orders, "--to", uri, "--table", f"{s}.t", "--mode", "append"]
    assert "row-level security" in headrace("load", *arguments, "--method", "copy", "--no-fallback").err
    assert headrace("load", *arguments, "--method", value["best_method"]).code == 0
    assert postgres.count("t") == 1000
    value, _ = check(*postgres.to("t"), code=0)  # the owner is not held by it
    assert value["best_method"] == "copy"


def test_check_few_connections(postgres, role):
    name, uri = role
    postgres.execute(f"ALTER ROLE {name} CONNECTION LIMIT 2")
    postgres.execute(f"GRANT CREATE ON SCHEMA {postgres.schema} TO {name}")
    _, found = check("--to", uri, "--table", f"{postgres.schema}.t", code=0)
    assert states(found, "free connections") == ["warning"]
    assert found["free connections"]["detail"].startswith("1 more")


@pytest.mark.files
@pytest.mark.parametrize("mode, more", [("create", []), ("append", []), ("replace", []), ("truncate", []), ("upsert", ["--key", "id"]),
                                        ("delete_insert", ["--replace-where", "id >= 0"])])
def test_the_only_connection_is_enough(postgres, orders, role, mode, more):
    name, uri = role
    s = postgres.schema
    postgres.execute(f"ALTER ROLE {name} CONNECTION LIMIT 1; GRANT CREATE, USAGE ON SCHEMA {s} TO {name}")
    if mode != "create":
        postgres.execute(f"CREATE TABLE {s}.t (id bigint PRIMARY KEY, name text, price double precision); ALTER TABLE {s}.t OWNER TO {name}")
    done = headrace("load", orders, "--to", uri, "--table", f"{s}.t", "--mode", mode, "--retries", "0", "--json", *more)
    assert done.code == 0, done
    assert (postgres.count("t"), done.json()["connections"]) == (1000, 1)


@pytest.mark.files
def test_limits_of_the_role_for_its_queries_are_not_for_loads(postgres, role, many_rows):
    name, uri = role
    postgres.execute(f"ALTER ROLE {name} SET statement_timeout = '50ms'; GRANT CREATE ON SCHEMA {postgres.schema} TO {name}")
    done = headrace("load", many_rows, "--to", uri, "--table", f"{postgres.schema}.t", "--json")
    assert done.code == 0, done


def test_check_server_kinds():
    """Stand-ins: the function that Aurora has, the setting that RDS has."""
    name = "kind_" + uuid.uuid4().hex[:12]
    uri = PG.replace("/postgres?", f"/{name}?")
    with psycopg.connect(PG, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            connection.execute(f"ALTER DATABASE {name} SET rds.extensions = 'aws_s3'")
            assert check("--to", uri, code=0)[0]["server_kind"] == "rds"
            with psycopg.connect(uri, autocommit=True) as inside:
                inside.execute("SET allow_system_table_mods = on")
                inside.execute("CREATE FUNCTION pg_catalog.aurora_version() RETURNS text LANGUAGE sql AS $$SELECT '15.4.1'$$")
            value, found = check("--to", uri, code=0)
            assert value["server_kind"] == "aurora"
            assert found["server kind"]["detail"] == "Amazon Aurora 15.4.1"
            assert states(found, "postgis") == ["missing"]
            assert found["postgis"]["advice"] == "CREATE EXTENSION postgis"
            with psycopg.connect(uri, autocommit=True) as inside:
                inside.execute("CREATE EXTENSION postgis")
                version = inside.execute("SELECT extversion FROM pg_extension WHERE extname = 'postgis'").fetchone()[0]
            _, found = check("--to", uri, code=0)
            assert (found["postgis"]["state"], found["postgis"]["detail"]) == ("ok", version)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def own_server(folder, **conf):
    """URI of a server in `folder` with these settings, running."""
    script = pathlib.Path(__file__).parents[1] / "servers" / "postgres.sh"
    lines = "\n".join(f"{name} = {value}" for name, value in conf.items())
    env = os.environ | {"HEADRACE_PG_FSYNC": "off", "HEADRACE_PG_CONF": f"shared_buffers = 16MB\n{lines}"}
    started = subprocess.run([script, "start", folder], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             text=True, check=True)
    try:
        yield started.stdout.strip()
    finally:
        subprocess.run([script, "stop", folder], stdin=subprocess.DEVNULL, check=True)


def test_check_standby_and_small_server():
    with tempfile.TemporaryDirectory(prefix="headrace-check-", dir="/tmp") as folder:
        with own_server(folder, wal_level="replica"):
            pass
        signal_file = pathlib.Path(folder, "data", "standby.signal")
        signal_file.touch()
        shutil.chown(signal_file, signal_file.parent.owner())
        with own_server(folder) as uri:
            value, found = check("--to", uri, code=1)
            assert states(found, "writable", "copy") == ["error", "ok"]
            assert value["reason"].startswith("writable: the server is in recovery")
        signal_file.unlink()
        with own_server(folder, wal_level="minimal", max_wal_senders=0, max_prepared_transactions=0,
                        synchronous_commit="off", max_connections=6) as uri:
            _, found = check("--to", uri, code=0)
            assert states(found, "writable", "wal level", "prepared transactions", "free connections") == [
                "ok", "ok", "missing", "warning"]
            assert found["wal level"]["detail"].startswith("minimal")
            assert found["synchronous commit"]["detail"].startswith("off: a crash right after")


def test_check_tls(tcp):
    target, password = tcp
    env = {"PGPASSWORD": password}
    _, found = check("--to", f"{target} sslmode=require", code=0, env=env)
    assert found["tls"]["state"] == "ok" and found["tls"]["detail"].startswith("TLSv1.")
    _, found = check("--to", f"{target} sslmode=disable", code=0, env=env)
    assert found["tls"]["state"] == "warning" and "sslmode" in found["tls"]["advice"]


def test_check_failures_to_connect(tcp):
    target, password = tcp
    done = headrace("check", "--to", target, "--json", env={"PGPASSWORD": password + "x"})
    assert (done.code, done.error()["code"], done.error()["sqlstate"]) == (4, "authentication", "28P01"), done
    assert done.error()["hint"] and password not in done.out + done.err
    for verb in "check", "gc":
        done = headrace(verb, "--to", "host=127.0.0.1 port=1 user=someone password=hush", "--json")
        assert (done.code, done.error()["code"]) == (4, "connection"), done
        assert "hush" not in done.out + done.err


def test_success_does_not_tell_the_password(postgres, tcp):
    target, password = tcp
    for verb in ["check"], ["gc", "--schema", postgres.schema]:
        for json in [], ["--json"]:
            done = headrace(*verb, "--to", f"{target} password={password}", *json)
            assert done.code == 0, done
            assert password not in done.out + done.err and "process list" in done.err


@pytest.mark.parametrize("mode, pool_size, said", [
    ("transaction", 2, "in transaction mode"), ("transaction", 1, "in transaction mode"),
    ("session", 2, "in session mode"), ("session", 1, "a second connection failed")])
def test_check_finds_a_pooler(tcp, mode, pool_size, said):
    target, password = tcp
    with pgbouncer(target, password, mode, pool_size) as pooled:
        for _ in range(pool_size):  # the pool is empty at first, and filled afterwards
            _, found = check("--to", pooled, code=0, env={"PGPASSWORD": password})
            assert found["pooler"]["state"] == "warning"
            assert said in found["pooler"]["detail"]
    _, found = check("--to", target, code=0, env={"PGPASSWORD": password})
    assert found["pooler"]["state"] == "ok"


# --- SQLite


def test_check_new_sqlite_file(tmp_path):
    value, found = check("--to", tmp_path / "x.db", "--table", "t", code=0)
    assert (value["best_method"], value["server_kind"]) == ("pages", "file")
    assert states(found, "sqlite", "folder", "file", "free disk space") == ["ok"] * 4
    assert list(tmp_path.iterdir()) == []


def test_check_sqlite_file(tmp_path):
    path = tmp_path / "x.db"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE t (a)")
        db.execute("CREATE VIEW v AS SELECT a FROM t")
        db.commit()
        before = path.read_bytes()
        value, found = check("--to", path, "--table", "t", code=0)
        assert (value["best_method"], states(found, "file", "table", "busy")) == ("api", ["ok", "ok", "ok"])
        assert states(check("--to", path, "--table", "new", code=0)[1], "table") == ["missing"]
        _, found = check("--to", path, "--table", "v", code=1)
        assert states(found, "table") == ["error"]
        assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
        db.execute("BEGIN IMMEDIATE")
        _, found = check("--to", path, "--table", "t", code=0)
        assert states(found, "busy") == ["warning"] and "locked" in found["busy"]["detail"]
        db.rollback()
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("INSERT INTO t VALUES (1)")
        _, found = check("--to", path, code=0)
        assert states(found, "busy") == ["warning"] and "-wal" in found["busy"]["detail"]


def test_check_sqlite_not_ready(tmp_path):
    other = tmp_path / "x.db"
    other.write_bytes(b"something else " * 1000)
    _, found = check("--to", other, code=1)
    assert states(found, "file") == ["error"]
    assert other.read_bytes() == b"something else " * 1000
    _, found = check("--to", tmp_path / "no" / "x.db", code=1)
    assert states(found, "folder") == ["error"]
    (tmp_path / "folder.db").mkdir()
    _, found = check("--to", tmp_path / "folder.db", code=1)
    assert states(found, "file") == ["error"]
