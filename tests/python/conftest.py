"""The Python package as a user has it, against real servers and files.

HEADRACE_LIBRARY names the native library, and python/ is on PYTHONPATH: ctest sets both. The tests that need
PostgreSQL fail without HEADRACE_TEST_PG.
"""
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import time
import uuid

import psycopg
import pytest

ROOT = pathlib.Path(__file__).parents[2]
PG = os.environ.get("HEADRACE_TEST_PG")

# A shell that runs tests in the background ignores SIGINT, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Postgres:
    """A schema of its own in the test server."""

    def __init__(self, connection):
        self.uri = PG
        self.schema = "py_" + uuid.uuid4().hex[:12]
        self._connection = connection
        self.execute(f"CREATE SCHEMA {self.schema}")

    def execute(self, sql):
        cursor = self._connection.execute(sql)
        return cursor.fetchall() if cursor.description else None

    def table(self, name):
        return f"{self.schema}.{name}"

    def rows(self, name, order="1"):
        return self.execute(f"SELECT * FROM {self.table(name)} ORDER BY {order}")

    def count(self, name):
        return self.execute(f"SELECT count(*) FROM {self.table(name)}")[0][0]

    def types(self, name):
        return dict(self.execute(
            "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
            f" WHERE attrelid = '{self.table(name)}'::regclass AND attnum > 0 ORDER BY attnum"))

    def relations(self):
        return sorted(name for (name,) in self.execute(
            f"SELECT relname FROM pg_class WHERE relnamespace = '{self.schema}'::regnamespace AND relkind IN ('r', 'p')"))

    def same(self, one, other):
        """Whether two tables hold the same rows, counted."""
        a, b = self.table(one), self.table(other)
        return self.execute(f"SELECT (SELECT count(*) FROM (TABLE {a} EXCEPT ALL TABLE {b}) x) +"
                            f" (SELECT count(*) FROM (TABLE {b} EXCEPT ALL TABLE {a}) y)") == [(0,)]


@pytest.fixture
def postgres():
    if not PG:
        pytest.fail("HEADRACE_TEST_PG is not set: run the tests by `make test`")
    with psycopg.connect(PG, autocommit=True) as connection:
        place = Postgres(connection)
        yield place
        place.execute(f"DROP SCHEMA {place.schema} CASCADE")


@pytest.fixture
def conn_params(postgres):
    """The server by TCP with its password, as the guide's functions take it."""
    words = dict(word.split("=") for word in os.environ["HEADRACE_TEST_PG_TCP"].split())
    return {"host": words["host"], "port": int(words["port"]), "user": words["user"], "database": words["dbname"],
            "password": os.environ["HEADRACE_TEST_PG_PASSWORD"], "timeout": 30}


def sqlite_rows(path, table, order="rowid"):
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}').fetchall()


def wait_until(condition, seconds=30):
    """The first true value of condition()."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    pytest.fail(f"waited {seconds} s in vain")


def start_python(program, *arguments):
    """Runs `program` in another interpreter."""
    return subprocess.Popen([sys.executable, "-u", "-c", program, *map(str, arguments)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
