"""ADBC's PostgreSQL driver: bulk ingest, append. usage: postgres_adbc.py SOURCE URI TABLE"""
import sys

import adbc_driver_postgresql.dbapi as adbc

from arrow_source import reader

source, uri, table = sys.argv[1:4]
with adbc.connect(uri) as connection:
    with connection.cursor() as cursor:
        cursor.adbc_ingest(table, reader(source), mode="append")
    connection.commit()
