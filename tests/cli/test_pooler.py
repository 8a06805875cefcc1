"""Loads through pgbouncer: every mode and method, in both pool modes; too few slots; a pool mode that cannot be used."""

import contextlib
import uuid

import psycopg
import psycopg.conninfo
import pytest
from conftest import PG, headrace, pgbouncer

MODES = {"create": [], "append": [], "replace": [], "truncate": [], "upsert": ["--key", "id"],
         "delete_insert": ["--replace-where", "id >= 0"]}


@pytest.fixture(params=["transaction", "session"], scope="module")
def pooled(request):
    with pooled_role() as (admin, target, password), pgbouncer(target, password, request.param, 4) as through:
        yield through, password, admin


@contextlib.contextmanager
def pooled_role():
    """The superuser's session, the target of a role of its own, that role's password."""
    with psycopg.connect(PG, autocommit=True) as admin:
        role, password = f"pooled_{uuid.uuid4().hex[:8]}", "pooled-pw"
        admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'; GRANT CREATE ON SCHEMA public TO {role}")
        try:
            yield admin, f"host=127.0.0.1 port={admin.info.port} user={role} dbname={admin.info.dbname}", password
        finally:
            admin.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("method", ["copy", "optimized", "async", "standard"])
@pytest.mark.parametrize("mode", MODES)
def test_load(pooled, orders, mode, method):
    through, password, admin = pooled
    if mode != "create":
        admin.execute(f"SET ROLE {psycopg.conninfo.conninfo_to_dict(through)['user']}")
        admin.execute("CREATE TABLE public.pooled (id bigint PRIMARY KEY, name text, price double precision)")
        admin.execute("INSERT INTO public.pooled VALUES (-1, 'old', 0)")
        admin.execute("RESET ROLE")
    try:
        done = headrace("load", orders, "--to", through, "--table", "public.pooled", "--mode", mode, "--method", method,
                        "--connections", "2", "--json", *MODES[mode], env={"PGPASSWORD": password})
        assert done.code == 0, done
        kept = 1 if mode in ("append", "upsert", "delete_insert") else 0
        assert admin.execute("SELECT count(*), sum(id) FROM public.pooled").fetchone() == (1000 + kept, 499500 - kept)
        assert admin.execute("SELECT count(*) FROM pg_class WHERE relname LIKE '\\_headrace\\_%'").fetchone() == (0,)
        # Nothing of ours may stay on a server connection that others get.
        with psycopg.connect(f"{through} password={password}", autocommit=True) as other:
            assert other.execute("SHOW client_min_messages").fetchone() == ("notice",)
            assert other.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
    finally:
        admin.execute("DROP TABLE IF EXISTS public.pooled")


def test_a_pooler_with_too_few_slots(orders):
    """The plan sees the server's slots, not the pooler's: what is refused on the way is left out, and said."""
    with pooled_role() as (admin, target, password), \
            pgbouncer(target, password, "transaction", 8, max_client_conn=3) as through:
        done = headrace("load", orders, "--to", through, "--table", "public.pooled", "--connections", "4", "--json",
                        env={"PGPASSWORD": password})
        assert done.code == 0, done
        assert done.json()["connections"] == 2, done
        assert any("2 of 4 connections were refused" in warning for warning in done.json()["warnings"]), done
        assert admin.execute("SELECT count(*), sum(id) FROM public.pooled").fetchone() == (1000, 499500)


def test_a_pooler_of_statements_is_refused(orders):
    """Without transactions no load is all or nothing."""
    with pooled_role() as (admin, target, password), pgbouncer(target, password, "statement", 4) as through:
        done = headrace("load", orders, "--to", through, "--table", "public.pooled", "--retries", "0",
                        env={"PGPASSWORD": password})
        assert done.code == 4, done
        assert "statement pooling" in done.err, done
        assert "transaction" in done.err, done
        assert admin.execute("SELECT to_regclass('public.pooled')").fetchone() == (None,)
