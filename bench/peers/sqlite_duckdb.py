"""DuckDB's sqlite extension: CREATE TABLE AS. usage: sqlite_duckdb.py SOURCE OUT TABLE [INDEX...]"""
import sys

from duckdb_extension import connect, quoted
from sqlite_indexes import create_indexes

source, out, table = sys.argv[1:4]
connection = connect("sqlite_scanner")
connection.execute(f"ATTACH {quoted(out)} AS target (TYPE sqlite)")
connection.execute(f"CREATE TABLE target.{table} AS SELECT * FROM read_parquet({quoted(source)})")
connection.close()
create_indexes(out, table, sys.argv[4:])
