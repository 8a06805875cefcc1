"""pgpq's encoder alone: batches already in memory, one thread. usage: encode_pgpq.py SOURCE [--pgcopy OUT]
Prints one JSON object. The bytes are written by a second pass, outside the clock."""
import json
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
from pgpq import ArrowToPostgresBinaryEncoder

BATCH_ROWS = 65536


def encode(batches, sink):
    """Hands every piece of the PGCOPY file to sink and lets it go, so that pgpq can use its memory again."""
    encoder = ArrowToPostgresBinaryEncoder(batches[0].schema)
    sink(encoder.write_header())
    for batch in batches:
        sink(encoder.write_batch(batch))
    sink(encoder.finish())


def main():
    batches = list(pq.ParquetFile(sys.argv[1]).iter_batches(BATCH_ROWS))
    pa.set_cpu_count(1)
    size = 0

    def count(piece):
        nonlocal size
        size += len(piece)

    wall, cpu = time.perf_counter(), time.process_time()
    encode(batches, count)
    said = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    if sys.argv[2:3] == ["--pgcopy"]:
        with open(sys.argv[3], "wb") as out:
            encode(batches, out.write)
    print(json.dumps({"rows": sum(batch.num_rows for batch in batches), "bytes": size, **said}))


main()
