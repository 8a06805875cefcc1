"""TLS as libpq's words ask for it: every connection is verified, and what cannot be is not used."""
import os
import subprocess

import pytest
from conftest import headrace

CA = os.environ.get("HEADRACE_TEST_PG_CA", "")


@pytest.fixture
def tls(postgres):
    """A table that keeps whether the sessions that fill it use TLS; keywords of a verified connection to it."""
    s = postgres.schema
    postgres.execute(f"""
        CREATE TABLE {s}.sessions (pid integer, tls boolean, version text);
        CREATE TABLE {s}.t (id bigint, name text, price double precision);
        CREATE FUNCTION {s}.keep() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
          INSERT INTO {s}.sessions SELECT pid, ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid(); RETURN NULL;
        END$$;
        CREATE TRIGGER keep AFTER INSERT ON {s}.t EXECUTE FUNCTION {s}.keep()""")
    words = dict(word.split("=") for word in os.environ["HEADRACE_TEST_PG_TCP"].split())
    words.update(host="localhost", hostaddr="127.0.0.1", sslmode="verify-full", sslrootcert=CA)
    return words


def load(orders, postgres, words, *options):
    target = " ".join(f"{key}={value}" for key, value in words.items())
    return headrace("load", orders, "--to", target, "--table", f"{postgres.schema}.t", "--mode", "append", "--json", *options,
                    env={"PGPASSWORD": os.environ["HEADRACE_TEST_PG_PASSWORD"]})


@pytest.mark.parametrize("method", ["copy", "async"])
def test_verify_full(orders, postgres, tls, method):
    done = load(orders, postgres, tls, "--method", method)
    assert done.code == 0, done
    assert postgres.count("t") == 1000
    sessions = postgres.execute(f"SELECT DISTINCT tls, version LIKE 'TLSv1._' FROM {postgres.schema}.sessions")
    assert sessions == [(True, True)]


def test_disable_is_obeyed(orders, postgres, tls):
    assert load(orders, postgres, {**tls, "sslmode": "disable"}).code == 0
    assert postgres.execute(f"SELECT DISTINCT tls FROM {postgres.schema}.sessions") == [(False,)]


@pytest.fixture
def other_ca(tmp_path):
    path = tmp_path / "other.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=other",
                    "-keyout", tmp_path / "other.key", "-out", path], check=True, capture_output=True)
    return path


def test_another_ca_is_refused(orders, postgres, tls, other_ca):
    done = load(orders, postgres, {**tls, "sslrootcert": other_ca})
    assert done.code == 4, done
    assert "certificate verify failed" in done.error()["message"]
    assert postgres.count("t") == 0


def test_another_host_name_is_refused(orders, postgres, tls):
    done = load(orders, postgres, {**tls, "host": "database.example"})
    assert done.code == 4, done
    assert "database.example" in done.error()["message"]
    assert postgres.count("t") == 0


def test_a_missing_ca_file_is_told(orders, postgres, tls, tmp_path):
    done = load(orders, postgres, {**tls, "sslrootcert": tmp_path / "none.crt"})
    assert done.code == 4, done
    assert "none.crt" in done.error()["message"]
    assert postgres.count("t") == 0
