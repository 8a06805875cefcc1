"""Loading into PostgreSQL: Parquet file to committed rows in an empty, logged table."""
from arms import Arm, headrace, null_floor, peer
from postgres_server import Server
from reports import rows_in_report

PANDAS_ROWS = {"lineitem": 100_000, "flights": 100_000}  # the whole file would take hours
PSQL = ["-Xq", "-v", "ON_ERROR_STOP=1", "-c"]


def quoted(path):
    return "'" + str(path).replace("'", "''") + "'"


class PostgresTarget:
    name = "postgres"
    title = "PostgreSQL: Parquet file to committed rows in an empty, logged table, whole process"

    def __init__(self, options):
        self.options = options
        self.server = Server(options.server_script, options.work / "server", options.shared_buffers)
        self.expected = {}  # (workload, rows) -> what the proof query gives for the reference table
        self.running = False

    def ensure_server(self):
        if not self.running:
            self.running = True  # also when the start fails half way: close() then stops what there is
            self.server.start()
        return self.server

    def arms(self):
        options, server = self.options, self.server
        many = options.connections
        return [
            Arm("headrace_1", "headrace, 1 connection", ours=True,
                commands=lambda w, source: self.headrace(w, source, "1")),
            Arm("headrace", f"headrace, connections {many}", ours=True,
                commands=lambda w, source: self.headrace(w, source, many)),
            Arm("psql", "psql binary COPY", note="from a PGCOPY file made before the clock",
                commands=lambda w, source: [self.copy(w, w.prepared(".pgcopy"), "binary")],
                inputs=lambda w, source: [w.prepared(".pgcopy")]),
            Arm("psql_2", "psql binary COPY, 2 sessions", note="not atomic; from PGCOPY files made before the clock",
                commands=lambda w, source: [self.copy(w, half, "binary") for half in self.halves(w)],
                inputs=lambda w, source: self.halves(w)),
            Arm("psql_csv", "psql csv COPY", note="from a CSV made before the clock",
                commands=lambda w, source: [self.copy(w, w.csv(), "csv")], inputs=lambda w, source: [w.csv()]),
            Arm("pgpq", "pgpq + psycopg",
                commands=lambda w, source: peer(options, "postgres_pgpq.py", source, server.uri, w.table)),
            Arm("adbc", "ADBC ingest, append",
                commands=lambda w, source: peer(options, "postgres_adbc.py", source, server.uri, w.table)),
            Arm("duckdb", "DuckDB postgres extension",
                commands=lambda w, source: peer(options, "postgres_duckdb.py", source, server.uri, w.table)),
            Arm("pandas", "pandas to_sql, multi", rows=PANDAS_ROWS,
                commands=lambda w, source: peer(options, "postgres_pandas.py", source, server.uri, w.table)),
            null_floor(options),
        ]

    def headrace(self, workload, source, connections):
        chosen = [] if connections == "auto" else ["--connections", connections]
        return headrace(self.options, source, "--to", self.server.uri, "--table", workload.table,
                        "--mode", "append", *chosen)

    def copy(self, workload, path, form):
        return ["psql", self.server.uri, *PSQL, f"\\copy {workload.table} from {quoted(path)} {form}"]

    def halves(self, workload):
        return [workload.prepared(".1of2.pgcopy"), workload.prepared(".2of2.pgcopy")]

    def prepare(self, workload, arms):
        self.ensure_server()
        self.load_reference(workload)
        self.export(workload)
        for arm in arms:
            workload.subset(arm.limit(workload))
            self.expect(workload, arm.limit(workload))

    def reference(self, workload, rows=None):
        return f"ref_{workload.table}" + (f"_{rows}" if rows else "")

    def load_reference(self, workload):
        """The rows by a path of their own: CSV by another program, parsed by the server."""
        table, stamp = self.reference(workload), workload.stamp()
        if self.server.sql(f"SELECT obj_description(to_regclass('{table}'))") == stamp:
            return
        # Creating the table in the transaction of the COPY keeps the order of the rows: otherwise later short rows
        # fill gaps in earlier pages, and neither the subsets nor the exported bytes would follow the source.
        self.server.sql(f"BEGIN;\nDROP TABLE IF EXISTS {table};\nCREATE TABLE {table} ({workload.columns});\n"
                        f"\\copy {table} from {quoted(workload.csv())} csv\nCOMMENT ON TABLE {table} IS '{stamp}';\n"
                        f"COMMIT;\nVACUUM ANALYZE {table};")

    def export(self, workload):
        """The server's own PGCOPY files of the reference: one whole, and two halves for two sessions."""
        table = self.reference(workload)
        middle = int(self.server.sql(f"SELECT pg_relation_size('{table}') / 8192 / 2"))
        parts = {".pgcopy": "true", ".1of2.pgcopy": f"ctid < '({middle},0)'", ".2of2.pgcopy": f"ctid >= '({middle},0)'"}
        for suffix, condition in parts.items():
            # One scan in the order of the file; parallel workers would mix it.
            workload.make(suffix, lambda out, condition=condition: self.server.sql(
                "SET max_parallel_workers_per_gather = 0;\n"
                f"\\copy (SELECT * FROM {table} WHERE {condition}) to {quoted(out)} binary"))

    def checksum(self, table):
        """Rows, and the sum of a 64-bit hash of every whole row: any changed value changes it, the order does not."""
        return self.server.sql(f"SELECT count(*), sum(hash_record_extended(t.*, 0)::numeric) FROM {table} t")

    def expect(self, workload, rows):
        if (workload.name, rows) not in self.expected:
            table = self.reference(workload, rows)
            if rows:
                self.server.sql(f"DROP TABLE IF EXISTS {table};\nSET max_parallel_workers_per_gather = 0;\n"
                                f"CREATE TABLE {table} AS SELECT * FROM {self.reference(workload)} LIMIT {rows};")
            self.expected[workload.name, rows] = self.checksum(table)
        return self.expected[workload.name, rows]

    def reset(self, workload):
        self.server.sql(f"DROP TABLE IF EXISTS {workload.table};\nCREATE TABLE {workload.table} ({workload.columns});\n"
                        f"ALTER TABLE {workload.table} OWNER TO bench;\nCHECKPOINT;")

    def finish(self, _arm):
        return None  # committed is durable: synchronous_commit is on

    def prove(self, workload, arm, measured):
        if arm.floor:
            return rows_in_report(measured.stdout, workload.facts()["rows"])
        return self.prove_table(workload, arm.limit(workload))

    def prove_table(self, workload, rows=None):
        found, wanted = self.checksum(workload.table), self.expect(workload, rows)
        return {"ok": found == wanted, "checksum": found,
                "differences": [] if found == wanted else [f"rows|checksum is {found}, not {wanted}"]}

    def environment(self):
        return self.server.env

    def server_cpu(self):
        return self.server.cpu_seconds()

    def settings(self):
        return dict(self.server.settings(), connection="TCP to 127.0.0.1 without TLS")

    def close(self):
        if self.running:
            self.server.stop()
            self.running = False
