"""A Parquet file as CSV without header, written by DuckDB and so without any code of the loaders under test.
usage: csv_by_duckdb.py SOURCE OUT [WKT COLUMN...], which get their SRID"""
import sys

import duckdb

source, out = ("'" + path.replace("'", "''") + "'" for path in sys.argv[1:3])
connection = duckdb.connect()
types = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({source})").fetchall()
wkt = sys.argv[3:]


def selected(name, kind):
    if kind == "TIMESTAMP":
        return f"strftime(\"{name}\", '%Y-%m-%d %H:%M:%S.%f') AS \"{name}\""
    return f"'SRID=4326;' || \"{name}\"" if name in wkt else f'"{name}"'


columns = [selected(name, kind) for name, kind, *_ in types]
connection.execute(f"COPY (SELECT {', '.join(columns)} FROM read_parquet({source})) TO {out} (HEADER false)")
