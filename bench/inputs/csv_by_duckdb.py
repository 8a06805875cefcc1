"""A Parquet file as CSV without header, written by DuckDB and so without any code of the loaders under test.
usage: csv_by_duckdb.py SOURCE OUT"""
import sys

import duckdb

source, out = ("'" + path.replace("'", "''") + "'" for path in sys.argv[1:3])
connection = duckdb.connect()
types = connection.execute(f"DESCRIBE SELECT * FROM read_parquet({source})").fetchall()
columns = [f"strftime(\"{name}\", '%Y-%m-%d %H:%M:%S.%f') AS \"{name}\"" if kind == "TIMESTAMP" else f'"{name}"'
           for name, kind, *_ in types]
connection.execute(f"COPY (SELECT {', '.join(columns)} FROM read_parquet({source})) TO {out} (HEADER false)")
