"""pgpq encodes, psycopg copies: the example of pgpq's README. usage: postgres_pgpq.py SOURCE URI TABLE"""
import sys

import psycopg
import pyarrow.dataset as ds
from pgpq import ArrowToPostgresBinaryEncoder

source, uri, table = sys.argv[1:4]
dataset = ds.dataset(source)
encoder = ArrowToPostgresBinaryEncoder(dataset.schema)
with psycopg.connect(uri) as connection, connection.cursor() as cursor:
    with cursor.copy(f"COPY {table} FROM STDIN WITH (FORMAT BINARY)") as copy:
        copy.write(encoder.write_header())
        for batch in dataset.to_batches():
            copy.write(encoder.write_batch(batch))
        copy.write(encoder.finish())
