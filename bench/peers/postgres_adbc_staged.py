"""ADBC into a temporary table of text, then INSERT ... SELECT with casts in the same transaction: the way to types that
ADBC cannot send. usage: postgres_adbc_staged.py SOURCE URI TABLE COLUMN:TYPE..."""
import sys

import adbc_driver_postgresql.dbapi as adbc
import pyarrow.dataset as ds

from arrow_source import reader

source, uri, table, *casts = sys.argv[1:]
types = dict(cast.split(":", 1) for cast in casts)


def selected(name):
    kind = types.get(name)
    if kind and kind.startswith("geometry"):
        return f"ST_GeomFromText({name}, 4326)"
    return f"{name}::{kind}" if kind else name


names = ds.dataset(source).schema.names
with adbc.connect(uri) as connection:
    with connection.cursor() as cursor:
        cursor.adbc_ingest(f"{table}_text", reader(source), mode="create", temporary=True)
        cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) "
                       f"SELECT {', '.join(map(selected, names))} FROM {table}_text")
    connection.commit()
