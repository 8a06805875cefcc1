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


def test_a_view_takes_rows_by_insert(postgres, orders):
    s = postgres.schema
    postgres.execute(f"CREATE TABLE {s}.t (id bigint, name text, price double precision); CREATE VIEW {s}.v AS SELECT * FROM {s}.t")
    done = headrace("load", orders, *postgres.to("v", "--mode", "append", "--json"))
    assert done.code == 0, done
    assert done.json()["method"] == "optimized" and "view" in done.json()["fallback_reason"]
    assert postgres.count("t") == 1000
    assert headrace("load", orders, *postgres.to("v", "--mode", "append", "--no-fallback")).code == 1
    assert headrace("load", orders, *postgres.to("v", "--mode", "replace")).code == 1
    assert postgres.count("t") == 1000


def test_a_view_with_a_trigger_takes_copy(postgres, orders):
    s = postgres.schema
    postgres.execute(f"""
        CREATE TABLE {s}.t (id bigint, name text, price double precision);
        CREATE VIEW {s}.v AS SELECT id, name, price FROM {s}.t GROUP BY 1, 2, 3;
        CREATE FUNCTION {s}.put() RETURNS trigger LANGUAGE plpgsql AS
          'BEGIN INSERT INTO {s}.t VALUES (new.id, new.name, new.price); RETURN new; END'""")
    refused = headrace("load", orders, *postgres.to("v", "--mode", "append", "--json"))
    assert (refused.code, refused.error()["code"]) == (1, "unsupported"), refused
    assert "takes no rows" in refused.error()["message"]
    postgres.execute(f"CREATE TRIGGER put INSTEAD OF INSERT ON {s}.v FOR EACH ROW EXECUTE FUNCTION {s}.put()")
    done = headrace("load", orders, *postgres.to("v", "--mode", "append", "--json"))
    assert done.code == 0, done
    assert (done.json()["method"], done.json()["fallback_reason"]) == ("copy", None)
    assert postgres.count("t") == 1000


def test_rules_are_run(postgres, orders):
    s = postgres.schema
    postgres.execute(f"""
        CREATE TABLE {s}.t (id bigint, name text, price double precision); CREATE TABLE {s}.log (id bigint);
        CREATE RULE keep AS ON INSERT TO {s}.t DO ALSO INSERT INTO {s}.log VALUES (new.id)""")
    done = headrace("load", orders, *postgres.to("t", "--mode", "append", "--json"))
    assert done.code == 0, done
    assert done.json()["method"] == "optimized" and "rules" in done.json()["fallback_reason"]
    assert (postgres.count("t"), postgres.count("log")) == (1000, 1000)
