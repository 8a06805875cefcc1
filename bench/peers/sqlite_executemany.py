"""pyarrow and the sqlite3 module: executemany in one transaction, no journal, no sync.
usage: sqlite_executemany.py SOURCE OUT TABLE [INDEX...]"""
import sqlite3
import sys

import pyarrow as pa

from arrow_source import sqlite_reader
from sqlite_indexes import create_indexes

source, out, table = sys.argv[1:4]
reader = sqlite_reader(source)
connection = sqlite3.connect(out, isolation_level=None)
for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
    connection.execute(f"PRAGMA {pragma}")
declared = ", ".join(f'"{field.name}" {"INTEGER" if pa.types.is_integer(field.type) else "TEXT"}'
                     for field in reader.schema)
connection.execute(f"CREATE TABLE {table} ({declared})")
insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(reader.schema))})"
connection.execute("BEGIN")
for batch in reader:
    connection.executemany(insert, zip(*(column.to_pylist() for column in batch.columns)))
connection.execute("COMMIT")
connection.close()
create_indexes(out, table, sys.argv[4:])
