"""Loading into SQLite: Parquet file to finished and synced database file."""
import hashlib
import os

import sqlite_proof
from arms import Arm, headrace, null_floor, peer
from reports import rows_in_report
from shell import BenchError
from target import Target

# pandas holds the frame and its Python objects: about 1.8 GB per million rows of lineitem.
PANDAS_ROWS = {"lineitem": 1_000_000}
PANDAS_NOTE = "decimals as float"


def sync(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def leftovers(path):
    """Journals of an unfinished transaction beside the file."""
    beside = [path.with_name(path.name + suffix) for suffix in ("-journal", "-wal")]
    return [str(file.name) for file in beside if file.exists() and file.stat().st_size]


class SqliteTarget(Target):
    name = "sqlite"
    workloads = ("lineitem", "flights", "lineitem_indexed", "flights_indexed")
    title = "SQLite: Parquet file to finished and synced database file, whole process"

    def __init__(self, options):
        self.options = options
        self.out = options.work / "out.sqlite"
        self.proven = {}  # (workload, rows, digest of the file) -> proof; equal bytes need no second proof
        self.size = {}  # workload -> bytes of the file the floor writes

    def arms(self):
        options, out = self.options, self.out
        return [
            Arm("headrace", "headrace, pages", ours=True, commands=self.pages),
            Arm("headrace_core", "headrace, pages, on one core", ours=True, yardstick=False,
                commands=lambda w, source: [["taskset", "-c", "0", *self.pages(w, source)[0]]]),
            Arm("duckdb", "DuckDB sqlite extension, CTAS",
                commands=lambda w, source: peer(options, "sqlite_duckdb.py", source, out, w.table, *w.sqlite_indexes)),
            Arm("adbc", "ADBC ingest", note="decimals and dates cast to text",
                commands=lambda w, source: peer(options, "sqlite_adbc.py", source, out, w.table, "on",
                                                *w.sqlite_indexes)),
            Arm("adbc_off", "ADBC ingest, journal and sync off", note="decimals and dates cast to text",
                commands=lambda w, source: peer(options, "sqlite_adbc.py", source, out, w.table, "off",
                                                *w.sqlite_indexes)),
            Arm("executemany", "Python executemany, journal and sync off", note="decimals and dates cast to text",
                commands=lambda w, source: peer(options, "sqlite_executemany.py", source, out, w.table,
                                                *w.sqlite_indexes)),
            Arm("pandas", "pandas to_sql", note=PANDAS_NOTE, rows=PANDAS_ROWS,
                commands=lambda w, source: peer(options, "sqlite_pandas.py", source, out, w.table,
                                                *w.sqlite_indexes)),
            Arm("import", "sqlite3 .import, journal and sync off", note="from a CSV made before the clock",
                commands=self.import_csv, inputs=lambda w, source: [w.csv()]),
            null_floor(options),
            # Last, so that its first run knows how many bytes a load writes.
            Arm("write", "floor: write and fsync", floor=True, note="as many bytes as the database file",
                commands=self.write_bytes),
        ]

    def pages(self, workload, source):
        indexes = [part for columns in workload.sqlite_indexes for part in ("--index", columns)]
        return headrace(self.options, source, "--to", f"sqlite:{self.out}", "--table", workload.table, "--mode", "create",
                        "--method", "pages", *indexes)

    def import_csv(self, workload, _source):
        columns = ", ".join(f'"{column["name"]}" {"INTEGER" if column["kind"] == "integer" else "TEXT"}'
                            for column in workload.facts()["columns"])
        return [["sqlite3", self.out, "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF",
                 f"CREATE TABLE {workload.table} ({columns})", ".mode csv",
                 f".import '{workload.csv()}' {workload.table}",
                 *(f"PRAGMA {pragma}" for pragma in ("temp_store=MEMORY", "cache_size=-1000000", "threads=2")),
                 *(f"CREATE INDEX {workload.table}_{columns} ON {workload.table} ({columns})"
                   for columns in workload.sqlite_indexes)]]

    def write_bytes(self, workload, _source):
        if workload.name not in self.size:
            raise BenchError("no arm has written a file whose size it could take")
        return [["dd", "if=/dev/zero", f"of={self.out}", "bs=1M", f"count={self.size[workload.name]}",
                 "iflag=count_bytes", "conv=fsync", "status=none"]]

    def prepare(self, workload, arms):
        workload.facts()
        for arm in arms:
            if arm.limit(workload):
                workload.facts(arm.limit(workload))
            if arm.name == "import":
                workload.csv()

    def reset(self, _workload):
        for suffix in ("", "-journal", "-wal", "-shm"):
            self.out.with_name(self.out.name + suffix).unlink(missing_ok=True)

    def finish(self, arm):
        return None if arm.name == "null" else lambda: sync(self.out)

    def prove(self, workload, arm, measured, _seen):
        facts = workload.facts(arm.limit(workload))
        if arm.name == "null":
            return rows_in_report(measured.stdout, facts["rows"])
        size = self.out.stat().st_size
        if arm.floor:
            return {"ok": size == self.size[workload.name], "output_bytes": size}
        if left := leftovers(self.out):
            return {"ok": False, "differences": [f"left behind: {', '.join(left)}"]}
        proof = dict(self.prove_file(workload, arm, facts), output_bytes=size)
        if proof["ok"] and not arm.limit(workload) and (arm.ours or workload.name not in self.size):
            self.size[workload.name] = size
        return proof

    def prove_file(self, workload, arm, facts):
        key = (workload.name, facts["rows"], digest(self.out))
        if key not in self.proven:
            self.proven[key] = sqlite_proof.prove(self.out, workload.table, facts, workload.sqlite_indexes)
        return dict(self.proven[key], sha256=key[2])

    def settings(self):
        return {"sync": "fsync of the file is inside the clock for every arm"}

    def close(self):
        self.reset(None)
