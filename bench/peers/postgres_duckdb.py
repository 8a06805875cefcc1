"""DuckDB's postgres extension: INSERT ... SELECT, which it sends as binary COPY.
usage: postgres_duckdb.py SOURCE URI TABLE [WKT COLUMN...]"""
import sys

from duckdb_extension import connect, quoted

source, uri, table, *wkt = sys.argv[1:]
# Text without an SRID is refused by a column that declares one.
replaced = ", ".join(f"'SRID=4326;' || {name} AS {name}" for name in wkt)
columns = f"* REPLACE ({replaced})" if wkt else "*"
connection = connect("postgres_scanner")
connection.execute(f"ATTACH {quoted(uri)} AS target (TYPE postgres)")
connection.execute(f"INSERT INTO target.public.{table} SELECT {columns} FROM read_parquet({quoted(source)})")
connection.close()
