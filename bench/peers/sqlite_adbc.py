"""ADBC's SQLite driver: bulk ingest. usage: sqlite_adbc.py SOURCE OUT TABLE on|off [INDEX...]
With `off` the connection runs without journal and without sync, the fastest settings SQLite has."""
import sys

import adbc_driver_sqlite.dbapi as adbc

from arrow_source import sqlite_reader
from sqlite_indexes import create_indexes

PRAGMAS = ("PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA locking_mode=EXCLUSIVE",
           "PRAGMA temp_store=MEMORY")


def turn_safety_off(connection, cursor):
    # journal_mode cannot change inside the transaction that ADBC keeps open.
    connection.adbc_connection.set_autocommit(True)
    for pragma in PRAGMAS:
        cursor.execute(pragma)
        cursor.fetchall()
    connection.adbc_connection.set_autocommit(False)


source, out, table, safety = sys.argv[1:5]
with adbc.connect(out) as connection:
    with connection.cursor() as cursor:
        if safety == "off":
            turn_safety_off(connection, cursor)
        cursor.adbc_ingest(table, sqlite_reader(source), mode="create")
    connection.commit()
create_indexes(out, table, sys.argv[5:])
