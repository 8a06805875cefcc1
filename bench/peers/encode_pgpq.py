"""pgpq's encoder alone: batches already in memory, one thread. usage: encode_pgpq.py SOURCE [PGCOPY_OUT]
Prints one JSON object. Hashing and the optional file are outside the timed intervals."""
import hashlib
import json
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
from pgpq import ArrowToPostgresBinaryEncoder

BATCH_ROWS = 65536


def batches_in_memory(path):
    return list(pq.ParquetFile(path).iter_batches(BATCH_ROWS))


def encode(batches, sink):
    """Seconds and CPU seconds spent in the encoder; every piece goes to sink between the intervals."""
    seconds = cpu_seconds = 0.0
    encoder = ArrowToPostgresBinaryEncoder(batches[0].schema)
    steps = [encoder.write_header]
    steps += [lambda batch=batch: encoder.write_batch(batch) for batch in batches]
    steps += [encoder.finish]
    for step in steps:
        wall, cpu = time.perf_counter(), time.process_time()
        piece = step()
        seconds += time.perf_counter() - wall
        cpu_seconds += time.process_time() - cpu
        sink(piece)
    return seconds, cpu_seconds


def main():
    batches = batches_in_memory(sys.argv[1])
    pa.set_cpu_count(1)
    digest, size = hashlib.sha256(), 0
    out = open(sys.argv[2], "wb") if sys.argv[2:] else None

    def sink(piece):
        nonlocal size
        digest.update(piece)
        size += len(piece)
        if out:
            out.write(piece)

    seconds, cpu_seconds = encode(batches, sink)
    if out:
        out.close()
    print(json.dumps({"rows": sum(batch.num_rows for batch in batches), "seconds": seconds, "bytes": size,
                      "cpu_seconds": cpu_seconds, "sha256": digest.hexdigest()}))


main()
