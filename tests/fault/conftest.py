"""Loads that can be stopped in the middle: the test feeds an Arrow stream to the CLI's standard input
batch by batch, so a fault happens at a known place and not by luck."""
import json
import os
import signal
import subprocess
import time

import psycopg
import pyarrow as pa
import pytest

ROWS_PER_BATCH = 5000


def batch(number):
    first = number * ROWS_PER_BATCH
    ids = pa.array(range(first, first + ROWS_PER_BATCH), pa.int64())
    text = pa.array([f"row {i} " + "x" * 40 for i in range(first, first + ROWS_PER_BATCH)])
    return pa.record_batch([ids, text], names=["id", "name"])


class Load:
    """A running `headrace load -`, fed by the test."""

    def __init__(self, cli, target, *options):
        command = [cli, "load", "-", "--format", "arrow", "--to", target, "--progress", "none", "--json", *options]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.writer = pa.ipc.new_stream(self.process.stdin, batch(0).schema)
        self.batches = 0

    def feed(self, count):
        for _ in range(count):
            self.writer.write_batch(batch(self.batches))
            self.batches += 1
        self.process.stdin.flush()

    def feed_until_broken(self, limit=4000):
        """Feeds until the CLI closes its input, as it does when it gives up."""
        try:
            self.feed(limit)
        except (BrokenPipeError, OSError, pa.ArrowException):
            return
        raise AssertionError("the load took all rows although it must fail")

    def finish(self, timeout=60):
        """Ends the stream; returns (exit code, report or None, stderr)."""
        try:
            self.writer.close()
            self.process.stdin.close()
        except (BrokenPipeError, OSError, pa.ArrowException):
            pass  # the CLI ended before its input did: its exit code tells
        return self.result(timeout)

    def result(self, timeout=60):
        self.process.stdin = None  # already closed, or of no interest
        out, err = self.process.communicate(timeout=timeout)
        return self.process.returncode, json.loads(out) if out.strip() else None, err.decode()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


def from_environment(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set: run the tests by `make test`"
    return value


@pytest.fixture
def cli():
    return from_environment("HEADRACE_CLI")


@pytest.fixture
def server():
    return from_environment("HEADRACE_TEST_PG")


@pytest.fixture
def db(server):
    with psycopg.connect(server, autocommit=True) as connection:
        for (name,) in staging_tables(connection):
            connection.execute(f'DROP TABLE "{name}"')
        connection.execute("DROP TABLE IF EXISTS fault")
        yield connection
        connection.execute("DROP TABLE IF EXISTS fault")


def staging_tables(connection):
    return connection.execute("SELECT relname FROM pg_class WHERE relname LIKE '\\_headrace\\_%' AND relkind = 'r'").fetchall()


def copying_backends(connection):
    """Pids of headrace's backends that have taken rows."""
    return [pid for (pid,) in connection.execute(
        "SELECT p.pid FROM pg_stat_progress_copy p JOIN pg_stat_activity a USING (pid) "
        "WHERE a.application_name = 'headrace' AND p.tuples_processed > 0")]
