"""Attempts after failures that may pass, and loads with an id of their own."""

import pytest
from conftest import headrace

pytestmark = pytest.mark.files


@pytest.fixture
def guarded(postgres):
    """A table whose trigger fails with an SQLSTATE of choice in the first so many transactions."""
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, name text, price double precision)")

    def fail(times, sqlstate):
        postgres.execute(f"""
            CREATE SEQUENCE {postgres.schema}.attempts;
            CREATE FUNCTION {postgres.schema}.guard() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
              IF nextval('{postgres.schema}.attempts') <= {times} THEN
                RAISE EXCEPTION 'not now' USING ERRCODE = '{sqlstate}';
              END IF;
              RETURN NULL;
            END $$;
            CREATE TRIGGER guard AFTER INSERT ON {postgres.schema}.t
              EXECUTE FUNCTION {postgres.schema}.guard()""")

    postgres.fail = fail
    return postgres


@pytest.mark.parametrize("sqlstate", ["40001", "40P01", "53200", "55P03", "57P02"])
def test_a_failure_that_passes_is_retried(guarded, orders, sqlstate):
    guarded.fail(1, sqlstate)
    done = headrace("load", orders, *guarded.to("t", "--mode", "append", "--json"))
    assert done.code == 0, done
    report = done.json()
    assert (report["status"], report["rows_written"]) == ("ok", 1000)
    assert any(w.startswith("attempt 1 failed") and "not now" in w for w in report["warnings"])
    assert guarded.count("t") == 1000


def test_retries_end(guarded, orders):
    guarded.fail(1000, "40001")
    done = headrace("load", orders, *guarded.to("t", "--mode", "append", "--retries", "1", "--json"))
    assert done.code == 5, done
    error = done.error()
    assert (error["code"], error["sqlstate"]) == ("retries_exhausted", "40001")
    assert "given up after 2 attempts" in error["message"]
    assert guarded.count("t") == 0


@pytest.mark.parametrize("sqlstate", ["23514", "22003", "42501"])
def test_a_failure_of_the_data_is_not_retried(guarded, orders, sqlstate):
    guarded.fail(1, sqlstate)
    done = headrace("load", orders, *guarded.to("t", "--mode", "append", "--json"))
    assert done.code == 1, done
    assert done.error()["sqlstate"] == sqlstate
    assert done.json()["warnings"] == []


def test_without_retries(guarded, orders):
    guarded.fail(1, "40001")
    done = headrace("load", orders, *guarded.to("t", "--mode", "append", "--retries", "0", "--json"))
    assert (done.code, done.error()["code"]) == (1, "server")


@pytest.mark.parametrize("mode, more", [
    ("create", []), ("append", []), ("append", ["--connections", "1"]), ("replace", []), ("truncate", []),
    ("upsert", ["--key", "id"]), ("delete_insert", ["--replace-where", "id >= 0"])])
def test_the_same_id_again_does_nothing(postgres, orders, mode, more):
    if mode != "create":
        postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint PRIMARY KEY, name text, price double precision)")
        postgres.execute(f"INSERT INTO {postgres.schema}.t VALUES (-1, 'old', 0)")
    command = ["load", orders, *postgres.to("t", "--mode", mode, "--load-id", "night 1", "--json", *more)]
    first = headrace(*command)
    assert first.code == 0, first
    assert first.json()["load_id"] == "night 1"
    rows = postgres.execute(f"SELECT * FROM {postgres.schema}.t ORDER BY id")
    again = headrace(*command)
    assert again.code == 0, again
    report = again.json()
    assert (report["status"], report["rows_written"], report["rows_read"]) == ("ok", 0, 0)
    assert any("load night 1 was committed at" in warning for warning in report["warnings"])
    assert postgres.execute(f"SELECT * FROM {postgres.schema}.t ORDER BY id") == rows
    ledger = postgres.execute(f"SELECT load_id, table_name, mode, method, rows FROM {postgres.schema}.headrace_loads")
    assert ledger == [("night 1", "t", mode, "copy", 1000)]


def test_a_load_that_failed_is_not_in_the_ledger(guarded, orders):
    guarded.fail(1, "23514")
    command = ["load", orders, *guarded.to("t", "--mode", "append", "--load-id", "x", "--json")]
    assert headrace(*command).code == 1
    assert guarded.count("headrace_loads") == 0
    assert headrace(*command).code == 0
    assert (guarded.count("headrace_loads"), guarded.count("t")) == (1, 1000)


def test_one_id_for_two_tables(postgres, orders):
    for table in ("a", "b"):
        assert headrace("load", orders, *postgres.to(table, "--load-id", "x")).code == 0
    assert (postgres.count("a"), postgres.count("b"), postgres.count("headrace_loads")) == (1000, 1000, 2)


def test_a_ledger_that_may_not_be_made(postgres, orders):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, name text, price double precision)")
    role = postgres.schema + "_writer"
    postgres.execute(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA {postgres.schema} TO {role}; GRANT INSERT, SELECT ON {postgres.schema}.t TO {role}")
    try:
        done = headrace("load", orders, "--to", postgres.uri + f"&options=-crole%3D{role}", "--table", f"{postgres.schema}.t",
                        "--mode", "append", "--load-id", "x", "--json")
        assert done.code == 1, done
        assert "CREATE TABLE IF NOT EXISTS" in done.error()["hint"]
        assert postgres.count("t") == 0
    finally:
        postgres.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
