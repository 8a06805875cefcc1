"""The first ROWS rows of a Parquet file, for arms too slow for the whole. usage: subset.py SOURCE OUT ROWS"""
import sys

import pyarrow as pa
import pyarrow.parquet as pq

source, out, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
file = pq.ParquetFile(source)
batches = []
for batch in file.iter_batches():
    batches.append(batch.slice(0, left))
    left -= batches[-1].num_rows
    if left == 0:
        break
table = pa.Table.from_batches(batches, schema=file.schema_arrow)
pq.write_table(table, out, compression="snappy", row_group_size=113_000)
