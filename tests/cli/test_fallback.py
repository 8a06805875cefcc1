"""Where the server refuses a method another one is used, and the report says so."""

import contextlib
import socket
import struct
import threading

import pytest
from conftest import PG_PASSWORD, headrace


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


def pump(source, sink, change=lambda message: message, startup=False):
    """Passes the messages of one direction on, each through `change`."""
    reading = source.makefile("rb")
    with contextlib.suppress(OSError):
        while True:
            kind = b"" if startup else reading.read(1)
            size = reading.read(4)
            if len(size) < 4:
                break
            body = reading.read(struct.unpack("!I", size)[0] - 4)
            startup = False
            sink.sendall(change(kind + size + body))
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def without_copy(message):
    """A COPY statement becomes one that the server refuses as a pooler without COPY would."""
    if message[:1] != b"Q" or not message[5:].startswith(b"COPY "):
        return message
    sql = b"DO $$BEGIN RAISE 'COPY is not supported here' USING ERRCODE = 'feature_not_supported'; END$$\0"
    return b"Q" + struct.pack("!I", len(sql) + 4) + sql


@pytest.fixture
def copyless(tcp):
    """A stand-in for a pooler that does not know COPY: known ones do. Everything else passes through to the real server."""
    words = dict(word.split("=", 1) for word in tcp[0].split())
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", int(words["port"])))
                threading.Thread(target=pump, args=(client, server, without_copy, True), daemon=True).start()
                threading.Thread(target=pump, args=(server, client), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"host=127.0.0.1 port={listener.getsockname()[1]} user={words['user']} dbname={words['dbname']} sslmode=disable"
    listener.close()


@pytest.mark.parametrize("mode", ["create", "append"])
def test_a_pooler_without_copy(postgres, copyless, orders, mode):
    if mode == "append":
        postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, name text, price double precision)")
    done = headrace("load", orders, "--to", copyless, "--table", f"{postgres.schema}.t", "--mode", mode, "--json",
                    env={"PGPASSWORD": PG_PASSWORD})
    assert done.code == 0, done
    report = done.json()
    assert (report["method"], report["method_requested"]) == ("optimized", "auto")
    assert "COPY is not supported here" in report["fallback_reason"]
    assert postgres.count("t") == 1000


def test_a_pooler_without_copy_and_no_fallback(postgres, copyless, orders, tmp_path):
    target = ["--to", copyless, "--table", f"{postgres.schema}.t", "--json"]
    done = headrace("load", orders, *target, "--no-fallback", env={"PGPASSWORD": PG_PASSWORD})
    assert (done.code, done.error()["sqlstate"]) == (1, "0A000"), done
    (tmp_path / "a.csv").write_text("id,name,price\n1,a,0.5\n")
    with open(tmp_path / "a.csv", "rb") as file:  # a stream cannot be read again
        stream = headrace("load", "-", "--format", "csv", *target, stdin=file, env={"PGPASSWORD": PG_PASSWORD})
    assert stream.code == 1 and "--method optimized" in stream.error()["hint"], stream
    assert postgres.execute(f"SELECT to_regclass('{postgres.schema}.t')") == [(None,)]
