"""The tables of the PostgreSQL server: what the rows have to be, the target before a run, and the proof after it."""
from postgres_server import Server


def quoted(path):
    return "'" + str(path).replace("'", "''") + "'"


def proof_columns(workload):
    """What each column of the proof query says, in words."""
    names = [name for name, _ in workload.column_text]
    return ["rows", *(f"{name} ({what})" for name in names for what in ("set", "hash")), "whole rows (hash)"]


def proof_query(workload, table):
    """Rows, and sums of 64-bit hashes: any changed value changes one, the order of the rows does not."""
    if not workload.column_text:
        return f"SELECT count(*), sum(hash_record_extended(t.*, 0)::numeric) FROM {table} t"
    columns = workload.column_text
    each = ", ".join(f"count({name}), sum(hashtextextended({text}, 0)::numeric)" for name, text in columns)
    whole = ", ".join(f"coalesce({text}, '~')" for _, text in columns)
    return f"SELECT count(*), {each}, sum(hashtextextended(concat_ws('|', {whole}), 0)::numeric) FROM {table}"


def differences(workload, found, wanted):
    """Which parts of the proof are not as they should be."""
    pairs = zip(proof_columns(workload), found.split("|"), wanted.split("|"), strict=True)
    return [f"{what} is {is_now or 'NULL'}, not {ought or 'NULL'}" for what, is_now, ought in pairs if is_now != ought]


class PostgresTables:
    def __init__(self, options):
        self.server = Server(options.server_script, options.work / "server", options.shared_buffers)
        self.expected = {}  # (table, rows) -> what the proof query gives for the reference table
        self.running = False

    def ensure_server(self):
        if not self.running:
            self.running = True  # also when the start fails half way: close() then stops what there is
            self.server.start()
        return self.server

    def prepare(self, workload, arms=(), parts=(1, 2)):
        self.ensure_server()
        if workload.wkt:
            self.server.sql("SET client_min_messages = warning;\nCREATE EXTENSION IF NOT EXISTS postgis;")
        self.load_reference(workload)
        for number in parts:
            self.export(workload, number)
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
        self.expected = {}

    def parts(self, workload, number):
        """Names of the PGCOPY files for so many sessions."""
        if number == 1:
            return [workload.prepared(".pgcopy")]
        return [workload.prepared(f".{part}of{number}.pgcopy") for part in range(1, number + 1)]

    def export(self, workload, number):
        """The server's own PGCOPY files of the reference, in so many parts of about as many pages."""
        table = self.reference(workload)
        pages = int(self.server.sql(f"SELECT pg_relation_size('{table}') / 8192"))
        for part, path in enumerate(self.parts(workload, number)):
            first, end = pages * part // number, pages * (part + 1) // number
            upper = "" if part + 1 == number else f" AND ctid < '({end},0)'"
            suffix = path.name.removeprefix(workload.prepared("").name)
            # One scan in the order of the file; parallel workers would mix it.
            workload.make(suffix, lambda out, where=f"ctid >= '({first},0)'{upper}": self.server.sql(
                "SET max_parallel_workers_per_gather = 0;\n"
                f"\\copy (SELECT * FROM {table} WHERE {where}) to {quoted(out)} binary"))

    def checksum(self, workload, table):
        return self.server.sql(proof_query(workload, table))

    def expect(self, workload, rows):
        table = self.reference(workload, rows)
        if (table, workload.stamp()) not in self.expected:
            if rows:
                self.server.sql(f"DROP TABLE IF EXISTS {table};\nSET max_parallel_workers_per_gather = 0;\n"
                                f"CREATE TABLE {table} AS SELECT * FROM {self.reference(workload)} LIMIT {rows};")
            self.expected[table, workload.stamp()] = self.checksum(workload, table)
        return self.expected[table, workload.stamp()]

    def reset(self, workload, fill=""):
        """The target anew: with its indexes, and whatever rows fill puts into it before them; owned by the clients."""
        name = workload.table
        indexes = "".join(index.format(table=name) + ";\n" for index in workload.indexes)
        self.server.sql(f"DROP TABLE IF EXISTS {name};\nCREATE TABLE {name} ({workload.columns});\n{fill}\n{indexes}"
                        f"ALTER TABLE {name} OWNER TO bench;\n{'VACUUM ANALYZE ' + name if fill else ''};\nCHECKPOINT;")

    def prove(self, workload, rows=None):
        found, wanted = self.checksum(workload, workload.table), self.expect(workload, rows)
        return {"ok": found == wanted, "checksum": found, "differences": differences(workload, found, wanted)}

    def settings(self):
        return dict(self.server.settings(), connection="TCP to 127.0.0.1 without TLS")

    def close(self):
        if self.running:
            self.server.stop()
            self.running = False
