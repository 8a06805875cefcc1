"""Where the server refuses a method another one is used, and the report says so."""

import pytest
from conftest import headrace


@pytest.fixture
def bound(postgres):
    """A table whose row-level security binds the role; returns the options of a load as that role."""
    role = postgres.schema + "_bound"
    postgres.execute(f"""
        CREATE TABLE {postgres.schema}.t (id bigint, name text, price double precision);
        CREATE ROLE {role};
        GRANT USAGE ON SCHEMA {postgres.schema} TO {role};
        GRANT INSERT, SELECT ON {postgres.schema}.t TO {role};
        ALTER TABLE {postgres.schema}.t ENABLE ROW LEVEL SECURITY;
        CREATE POLICY below ON {postgres.schema}.t TO {role} USING (true) WITH CHECK (id < 1000)""")
    yield ["--to", postgres.uri + f"&options=-crole%3D{role}", "--table", f"{postgres.schema}.t", "--mode", "append", "--json"]
    postgres.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("method", ["auto", "copy"])
def test_row_level_security_refuses_copy(postgres, orders, bound, method):
    done = headrace("load", orders, *bound, "--method", method)
    assert done.code == 0, done
    report = done.json()
    assert (report["method"], report["method_requested"]) == ("optimized", method)
    assert "row-level security" in report["fallback_reason"]
    assert postgres.count("t") == 1000


def test_policies_hold(postgres, orders, bound):
    postgres.execute(f"ALTER POLICY below ON {postgres.schema}.t WITH CHECK (id < 999)")
    done = headrace("load", orders, *bound)
    assert (done.code, done.error()["sqlstate"]) == (1, "42501"), done
    assert postgres.count("t") == 0


def test_no_fallback(postgres, orders, bound):
    done = headrace("load", orders, *bound, "--no-fallback")
    assert (done.code, done.error()["code"]) == (1, "unsupported")
    assert "row-level security" in done.error()["message"]
    assert postgres.count("t") == 0


def test_bad_data_is_no_reason(postgres, orders):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint CHECK (id < 10), name text, price double precision)")
    done = headrace("load", orders, *postgres.to("t", "--mode", "append", "--json"))
    assert done.error()["sqlstate"] == "23514"
    assert (done.json()["method"], done.json()["fallback_reason"]) == ("copy", None)
