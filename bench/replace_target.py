"""Replacing all rows of a filled table with 12 indexes, while a reader looks at it."""
import contextlib
import json
import subprocess

from aims import aim, times
from arms import Arm
from entity_workload import COLUMNS, OLD_COLUMN
from postgres_tables import quoted
from postgres_target import PostgresTarget, connections, load
from shell import BenchError
from target import Extra
from workloads import BENCH

OLD_WAY = "psql: staging + DELETE + INSERT ... SELECT"


def old_way(table, path):
    """What the writer of old did, at its best: a prepared binary file, staging without WAL, one transaction."""
    stage = f"{table}_stage"
    return ("BEGIN", f"CREATE UNLOGGED TABLE {stage} (LIKE {table})", f"\\copy {stage} from {quoted(path)} binary",
            f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM {stage}", f"DROP TABLE {stage}", "COMMIT")


def old_rows():
    """Select list of the rows that are to be replaced."""
    return ", ".join(OLD_COLUMN[1] if name == OLD_COLUMN[0] else name for name in COLUMNS)


class Reader:
    """peers/reader.py as a process beside the load."""

    def __init__(self, options, server, table):
        command = [options.python, BENCH / "peers" / "reader.py", server.uri, table]
        self.process = subprocess.Popen([str(part) for part in command], env=server.env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise BenchError(f"the reader did not start: {self.process.communicate()[1].strip()[-300:]}")

    def stop(self):
        """What it saw; or the error it ended with."""
        out, err = self.process.communicate("\n")
        if self.process.returncode:
            return {"reader_error": (err.strip().splitlines() or ["no message"])[-1][:200]}
        seen = json.loads(out)
        return {"reader_statements": seen["statements"], "reader_longest": seen["longest"], "reader_p99": seen["p99"],
                "reader_idle_longest": seen["idle_longest"], "companion_cpu_seconds": seen["cpu_seconds"]}


class ReplaceTarget(PostgresTarget):
    name = "replace"
    title = "PostgreSQL: all rows of a filled table with 12 indexes replaced, until the new ones are committed"
    workloads = ("entity",)
    extras = (Extra("size_before", "MB before", "{:.0f}", 1e6), Extra("size_after", "MB after", "{:.0f}", 1e6),
              Extra("growth", "growth"), Extra("wal_bytes", "WAL MB", "{:.0f}", 1e6),
              Extra("reader_longest", "reader's longest wait ms", "{:.1f}", 1e-3, worst=True),
              Extra("reader_idle_longest", "before the load ms", "{:.1f}", 1e-3, worst=True),
              Extra("reader_p99", "99 % of waits ms", "{:.1f}", 1e-3), Extra("reader_statements", "reads", "{:.0f}"))

    def arms(self):
        return [self.replacing("headrace_1", "1 connection", *connections("1")),
                self.replacing("headrace", f"connections {self.options.connections}",
                               *connections(self.options.connections)),
                Arm("old_way", OLD_WAY, note="from a PGCOPY file made before the clock, unlogged staging table",
                    commands=self.old_way, inputs=lambda w, source: self.tables.parts(w, 1))]

    def replacing(self, name, label, *arguments):
        return Arm(name, f"headrace --mode replace, {label}", ours=True, commands=lambda w, source: load(
            self.options, self.server, w, source, "--mode", "replace", *arguments))

    def old_way(self, workload, _source):
        statements = old_way(workload.table, self.tables.parts(workload, 1)[0])
        return [["psql", self.server.uri, "-Xq", "-v", "ON_ERROR_STOP=1",
                 *(part for statement in statements for part in ("-c", statement))]]

    def prepare(self, workload, arms):
        self.tables.prepare(workload, arms, (1,))

    def reset(self, workload):
        table = workload.table
        self.server.sql(f"DROP TABLE IF EXISTS {table}_stage")
        self.tables.reset(workload, fill=f"INSERT INTO {table} SELECT {old_rows()} FROM "
                                         f"{self.tables.reference(workload)};")

    def state(self, workload):
        size, wal = self.server.sql(f"SELECT pg_total_relation_size('{workload.table}'), "
                                    "pg_current_wal_lsn() - '0/0'::pg_lsn").split("|")
        return int(size), int(wal)

    @contextlib.contextmanager
    def watch(self, workload):
        seen = {}
        size, wal = self.state(workload)
        reader = Reader(self.options, self.server, workload.table)
        try:
            yield seen
        finally:
            seen.update(reader.stop())
        size_after, wal_after = self.state(workload)
        seen.update(size_before=size, size_after=size_after, growth=size_after / size, wal_bytes=wal_after - wal)

    def prove(self, workload, arm, measured, seen):
        proof = super().prove(workload, arm, measured, seen)
        wrong = proof["differences"]
        indexes = int(self.server.sql(f"SELECT count(*) FROM pg_index WHERE indisvalid AND indrelid = "
                                      f"'{workload.table}'::regclass"))
        if indexes != len(workload.indexes):
            wrong = [*wrong, f"{indexes} valid indexes, not {len(workload.indexes)}"]
        if "reader_error" in seen:
            wrong = [*wrong, f"the reader failed: {seen['reader_error']}"]
        return dict(proof, ok=not wrong, differences=wrong)

    def remarks(self, result):
        return [], aims(result)


def aims(result):
    found = []
    lines = {line["arm"]: line for line in result["arms"] if line["status"] == "proven"}
    for ours in ("headrace_1", "headrace"):
        if ours not in lines:
            continue
        label, ratio = lines[ours]["label"], times(result, ours, "old_way")
        if ratio:
            found.append(aim(f"{label} is at least 2 times as fast as the old way", ratio, at_least=2))
        extra = lines[ours]["extra"]
        found.append(aim(f"{label}: the table does not grow (at most 1.05 times)", extra["growth"], at_most=1.05))
        found.append(aim(f"{label}: a reader waits less than 50 ms", extra["reader_longest"] * 1e3, at_most=50))
    return found
