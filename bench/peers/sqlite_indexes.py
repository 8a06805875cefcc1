"""CREATE INDEX at SQLite's best settings, after a peer's load. usage: sqlite_indexes.py OUT TABLE COLUMNS..."""
import sqlite3
import sys

# A helper thread for the sort, memory for all of it, nothing synced before the end.
PRAGMAS = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", "temp_store=MEMORY", "cache_size=-1000000",
           "threads=2")


def create_indexes(out, table, indexes):
    connection = sqlite3.connect(out, isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").fetchall()
    for columns in indexes:
        name = "_".join((table, *columns.split(",")))
        connection.execute(f"CREATE INDEX {name} ON {table} ({columns})")
    connection.close()


if __name__ == "__main__":
    create_indexes(sys.argv[1], sys.argv[2], sys.argv[3:])
