"""DuckDB's postgres extension: INSERT ... SELECT, which it sends as binary COPY.
usage: postgres_duckdb.py SOURCE URI TABLE"""
import sys

from duckdb_extension import connect, quoted

source, uri, table = sys.argv[1:4]
connection = connect("postgres_scanner")
connection.execute(f"ATTACH {quoted(uri)} AS target (TYPE postgres)")
connection.execute(f"INSERT INTO target.public.{table} SELECT * FROM read_parquet({quoted(source)})")
connection.close()
