"""psycopg 3: INSERT by executemany, which sends through libpq's pipeline mode; one transaction.
usage: postgres_executemany.py SOURCE URI TABLE [WKT COLUMN...]"""
import sys

import psycopg
import pyarrow.dataset as ds

source, uri, table, *wkt = sys.argv[1:]
SRID = "SRID=4326;"


def values(batch, name):
    column = batch.column(name).to_pylist()
    return [None if value is None else SRID + value for value in column] if name in wkt else column


dataset = ds.dataset(source)
names = dataset.schema.names
insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))})"
with psycopg.connect(uri) as connection, connection.pipeline(), connection.cursor() as cursor:
    for batch in dataset.to_batches(batch_size=10_000):
        cursor.executemany(insert, list(zip(*(values(batch, name) for name in names))))
