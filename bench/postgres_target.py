"""Loading into PostgreSQL: Parquet file to committed rows in an empty, logged table."""
from aims import postgres_aims
from arms import Arm, headrace, null_floor, peer
from postgres_tables import quoted
from reports import rows_in_report
from spark_arms import spark_arms
from target import Target

# Rows of the arms that would take hours with the whole file; of the entity files as many as there are.
PANDAS_ROWS = {"lineitem": 100_000, "flights": 100_000}
EXECUTEMANY_ROWS = {"lineitem": 500_000, "flights": 500_000, "entity": 20_000, "entity_bare": 20_000}
STANDARD_ROWS = {"lineitem": 200_000, "flights": 200_000, "entity": 20_000, "entity_bare": 20_000}
PLAIN, ENTITY = ("lineitem", "flights"), ("entity", "entity_bare")
# Arrow has no type that says jsonb or geometry, so these peers send the bytes of the text.
NO_TEXT = dict.fromkeys(ENTITY, "sends text as it is, which is no jsonb and no geometry in binary COPY")
PSQL = ["-Xq", "-v", "ON_ERROR_STOP=1", "-c"]


def load(options, server, workload, source, *arguments):
    return headrace(options, source, "--to", server.uri, "--table", workload.table, *arguments)


def connections(chosen):
    return [] if chosen == "auto" else ["--connections", chosen]


def copy(server, workload, path, form):
    return ["psql", server.uri, *PSQL, f"\\copy {workload.table} from {quoted(path)} {form}"]


def psql_sessions(tables, number, **more):
    """So many psql at once, each with its part of the rows."""
    note = "from a PGCOPY file made before the clock" if number == 1 else \
        "not atomic; from PGCOPY files made before the clock"
    label = "psql binary COPY" + (f", {number} sessions" if number > 1 else "")
    return Arm(more.pop("name", "psql" if number == 1 else f"psql_{number}"), label, note=note, **more,
               commands=lambda w, source: [copy(tables.server, w, part, "binary") for part in tables.parts(w, number)],
               inputs=lambda w, source: tables.parts(w, number))


class PostgresTarget(Target):
    name = "postgres"
    title = "PostgreSQL: Parquet file to committed rows in an empty, logged table, whole process"
    workloads = PLAIN + ENTITY

    def __init__(self, options, tables):
        self.options, self.tables, self.server = options, tables, tables.server

    def arms(self):
        return [*self.own_arms(), *self.peer_arms(), *spark_arms(self.options, self.server),
                # Without a server there are no geometry columns: their text would go through as it is.
                null_floor(self.options, PLAIN)]

    def ours(self, name, label, *arguments, **more):
        return Arm(name, label, ours=True, **more, commands=lambda w, source: load(
            self.options, self.server, w, source, "--mode", "append", *arguments))

    def own_arms(self):
        many = self.options.connections
        copy_by = ("--method", "copy")
        return [
            self.ours("headrace_1", "headrace, 1 connection", *copy_by, *connections("1")),
            self.ours("headrace", f"headrace, connections {many}", *copy_by, *connections(many)),
            self.ours("headrace_2", "headrace, 2 connections", *copy_by, *connections("2"), workloads=ENTITY,
                      yardstick=False),
            self.ours("optimized", "headrace, method optimized", "--method", "optimized"),
            self.ours("async", "headrace, method async", "--method", "async", yardstick=False),
            self.ours("standard", "headrace, method standard", "--method", "standard", yardstick=False,
                      rows=STANDARD_ROWS),
        ]

    def peer_arms(self):
        options, server, tables = self.options, self.server, self.tables
        return [
            psql_sessions(tables, 1), psql_sessions(tables, 2),
            Arm("psql_csv", "psql csv COPY", note="from a CSV made before the clock",
                commands=lambda w, source: [copy(server, w, w.csv(), "csv")], inputs=lambda w, source: [w.csv()]),
            Arm("pgpq", "pgpq + psycopg", cannot=NO_TEXT,
                commands=lambda w, source: peer(options, "postgres_pgpq.py", source, server.uri, w.table)),
            Arm("adbc", "ADBC ingest, append", cannot=NO_TEXT,
                commands=lambda w, source: peer(options, "postgres_adbc.py", source, server.uri, w.table)),
            Arm("adbc_staged", "ADBC ingest as text, INSERT ... SELECT with casts", workloads=ENTITY,
                commands=lambda w, source: peer(options, "postgres_adbc_staged.py", source, server.uri, w.table,
                                                *w.casts)),
            Arm("duckdb", "DuckDB postgres extension",
                commands=lambda w, source: peer(options, "postgres_duckdb.py", source, server.uri, w.table, *w.wkt)),
            Arm("executemany", "psycopg 3 executemany, pipeline", rows=EXECUTEMANY_ROWS,
                commands=lambda w, source: peer(options, "postgres_executemany.py", source, server.uri, w.table,
                                                *w.wkt)),
            Arm("pandas", "pandas to_sql, multi", rows=PANDAS_ROWS, workloads=PLAIN,
                commands=lambda w, source: peer(options, "postgres_pandas.py", source, server.uri, w.table)),
        ]

    def prepare(self, workload, arms):
        self.tables.prepare(workload, arms)

    def reset(self, workload):
        self.tables.reset(workload)

    def prove(self, workload, arm, measured, _seen):
        if arm.floor:
            return rows_in_report(measured.stdout, workload.facts()["rows"])
        return self.tables.prove(workload, arm.limit(workload))

    def remarks(self, result):
        return [], postgres_aims(result)

    def environment(self):
        return self.server.env

    def server_cpu(self):
        return self.server.cpu_seconds()

    def settings(self):
        return self.tables.settings()
