"""The CLI as a user runs it: arguments in; exit code, stdout and stderr out.

HEADRACE_CLI names the program; otherwise it is build/release/headrace. The tests that need PostgreSQL are skipped without HEADRACE_TEST_PG.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CLI = os.environ.get("HEADRACE_CLI", pathlib.Path(__file__).parents[2] / "build" / "release" / "headrace")
PG = os.environ.get("HEADRACE_TEST_PG")
PG_TCP = os.environ.get("HEADRACE_TEST_PG_TCP")
PG_PASSWORD = os.environ.get("HEADRACE_TEST_PG_PASSWORD")

# A shell that runs tests in the background ignores SIGINT, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "files: headrace reads a file or its standard input, which a build without Arrow C++ cannot")


@pytest.hookimpl(tryfirst=True)  # before -m looks at the markers
def pytest_collection_modifyitems(items):
    for item in items:
        if {"orders", "many_rows"} & set(item.fixturenames):
            item.add_marker("files")


def environment(**more):
    """Ours, without settings of headrace and libpq, with those in `more`."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("HEADRACE_", "PG"))}
    return own | {name: str(value) for name, value in more.items()}


class Finished:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        """stdout, which must be exactly one JSON object."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    def error(self):
        return self.json()["error"]

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


def headrace(*arguments, env=None, timeout=120, **popen):
    """Runs headrace to its end."""
    done = subprocess.run(
        [CLI, *map(str, arguments)], env=environment(**(env or {})), capture_output=True, text=True,
        timeout=timeout, stdin=popen.pop("stdin", subprocess.DEVNULL), **popen)
    return Finished(done.returncode, done.stdout, done.stderr)


def start(*arguments, env=None, **popen):
    """Starts headrace; the caller waits for it."""
    return subprocess.Popen(
        [CLI, *map(str, arguments)], env=environment(**(env or {})),
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | popen)


def finish(process, timeout=60):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Finished(process.returncode, out, err)


def wait_until(condition, seconds=30):
    """The first true value of condition()."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    pytest.fail(f"waited {seconds} s in vain")


class Feed:
    """An Arrow stream without end, written to a process's standard input by a thread.

    pause() leaves the reader waiting for more. Ends when the process closes its end.
    """

    def __init__(self, process):
        self.batches = 0
        self._ended = False
        self._stdin = process.stdin
        self._go = threading.Event()
        self._go.set()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def pause(self):
        self._go.clear()

    def end(self):
        """Ends the stream, as if there had been no more."""
        self._ended = True
        self._go.set()
        self._thread.join(30)
        self._stdin.close()

    def _write(self):
        batch = pa.record_batch({"a": pa.array(range(1000), pa.int64()), "b": pa.array(["text"] * 1000)})
        try:
            with pa.ipc.new_stream(pa.PythonFile(self._stdin, "w"), batch.schema) as writer:
                while self._go.wait() and not self._ended:
                    writer.write_batch(batch)
                    self._stdin.flush()
                    self.batches += 1
                    time.sleep(0.002)
        except OSError:
            pass


def start_fed(*arguments, **popen):
    """headrace load - ..., reading an Arrow stream that does not end."""
    process = start("load", "-", "--format", "arrow", *arguments, stdin=subprocess.PIPE, text=False, **popen)
    return process, Feed(process)


def finish_fed(process, timeout=60):
    """Like finish(), where stdin belongs to a Feed."""
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    return Finished(process.returncode, process.stdout.read().decode(), process.stderr.read().decode())


@pytest.fixture
def orders(tmp_path):
    """A Parquet file of 1,000 rows in two row groups; its stem is "orders"."""
    path = tmp_path / "orders.parquet"
    table = pa.table({
        "id": pa.array(range(1000), pa.int64()),
        "name": pa.array([None if i % 10 == 0 else f"name {i}" for i in range(1000)]),
        "price": pa.array([i / 4 for i in range(1000)], pa.float64()),
    })
    pq.write_table(table, path, row_group_size=500, compression="zstd")
    return path


@pytest.fixture(scope="session")
def many_rows(tmp_path_factory):
    """Twenty million rows in a small file: a PostgreSQL load of it takes many seconds."""
    path = tmp_path_factory.mktemp("many") / "many.parquet"
    group = pa.table({"a": pa.array([7] * 1_000_000, pa.int64()), "b": pa.array(["text"] * 1_000_000)})
    with pq.ParquetWriter(path, group.schema) as writer:
        for _ in range(20):
            writer.write_table(group)
    return path


class Postgres:
    """A schema of its own in the test server."""

    def __init__(self, connection):
        self.uri = PG
        self.schema = "cli_" + uuid.uuid4().hex[:12]
        self._connection = connection
        self.execute(f"CREATE SCHEMA {self.schema}")

    def execute(self, sql):
        cursor = self._connection.execute(sql)
        return cursor.fetchall() if cursor.description else None

    def relations(self):
        """Names of all that is in the schema."""
        return sorted(name for (name,) in self.execute(
            f"SELECT relname FROM pg_class WHERE relnamespace = '{self.schema}'::regnamespace"
            " AND relkind IN ('r', 'p', 'v', 'm', 'i', 'S')"))

    def count(self, table):
        return self.execute(f"SELECT count(*) FROM {self.schema}.{table}")[0][0]

    def to(self, table, *more):
        """The options for a load into `table` of this schema."""
        return ["--to", self.uri, "--table", f"{self.schema}.{table}", *more]


@pytest.fixture
def postgres():
    if not PG:
        pytest.fail("HEADRACE_TEST_PG is not set: run the tests by `make test`")
    with psycopg.connect(PG, autocommit=True) as connection:
        place = Postgres(connection)
        yield place
        place.execute(f"DROP SCHEMA {place.schema} CASCADE")


@pytest.fixture
def tcp():
    """Keyword string of a server that wants a password, and that password."""
    if not PG_TCP:
        pytest.fail("HEADRACE_TEST_PG_TCP is not set: run the tests by `make test`")
    return PG_TCP, PG_PASSWORD


@pytest.fixture
def role(postgres):
    """A role that may log in and nothing else, and the target as that role."""
    name = "role_" + uuid.uuid4().hex[:12]
    postgres.execute(f"CREATE ROLE {name} LOGIN")
    postgres.execute(f"GRANT USAGE ON SCHEMA {postgres.schema} TO {name}")
    yield name, PG.replace("//postgres@", f"//{name}@")
    postgres.execute(f"DROP OWNED BY {name}")
    postgres.execute(f"DROP ROLE {name}")


@contextlib.contextmanager
def pgbouncer(target, password, mode, pool_size=2, max_client_conn=100):
    """Keyword string of a pgbouncer in front of the server, with a pool of so many server connections."""
    program = shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin")
    assert program, "pgbouncer is not installed: scripts/install_dependencies.sh test"
    words = dict(word.split("=") for word in target.split())
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-pgbouncer-", dir="/tmp"))
    (folder / "users").write_text(f'"{words["user"]}" "{password}"\n')
    (folder / "ini").write_text(f"""[databases]
* = host={words["host"]} port={words["port"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = {max_client_conn}
""")
    command = [program, "-q", str(folder / "ini")]
    if os.geteuid() == 0:  # which it refuses to be
        user = os.environ.get("HEADRACE_PG_USER", "postgres")
        for path in folder, folder / "users", folder / "ini":
            shutil.chown(path, user)
        command = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", *command]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
    try:
        def listens():
            assert process.poll() is None, (folder / "log").read_text()
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0
        wait_until(listens)
        yield f"host=127.0.0.1 port={port} user={words['user']} dbname={words['dbname']}"
    finally:
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder)
