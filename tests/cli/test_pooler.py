"""Loads through pgbouncer: every mode and method, in both pool modes, with fewer server connections than writers."""

import psycopg
import pytest
from conftest import PG, headrace, pgbouncer

MODES = {"create": [], "append": [], "replace": [], "truncate": [], "upsert": ["--key", "id"],
         "delete_insert": ["--replace-where", "id >= 0"]}


@pytest.fixture(params=["transaction", "session"], scope="module")
def pooled(request):
    with psycopg.connect(PG, autocommit=True) as admin:
        password = "pooled-pw"
        admin.execute(f"DROP ROLE IF EXISTS pooled_user; CREATE ROLE pooled_user LOGIN PASSWORD '{password}'")
        admin.execute("GRANT CREATE ON SCHEMA public TO pooled_user")
        port, host = admin.info.port, "127.0.0.1"
        target = f"host={host} port={port} user=pooled_user dbname={admin.info.dbname}"
        with pgbouncer(target, password, request.param, 4) as through:
            yield through, password, admin
        admin.execute("DROP OWNED BY pooled_user; DROP ROLE pooled_user")


@pytest.mark.parametrize("method", ["copy", "optimized", "async", "standard"])
@pytest.mark.parametrize("mode", MODES)
def test_load(pooled, orders, mode, method):
    through, password, admin = pooled
    if mode != "create":
        admin.execute("SET ROLE pooled_user")
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
