"""Places as Parquet with WKB: a million points, or the provinces of the world, ten times over.
usage: places.py OUT points | places.py OUT world MAP.gpkg | places.py --digest SOURCE
--digest prints the SHA-256 over number, name and WKB of all rows, as the proof computes it from a GeoPackage."""
import hashlib
import random
import sqlite3
import struct
import sys

import pyarrow as pa
import pyarrow.parquet as pq

POINTS = 1_000_000
COPIES = 10


def points():
    r = random.Random(1)
    for i in range(POINTS):
        yield f"place {i}", struct.pack("<BIdd", 1, 1, r.uniform(-180, 180), r.uniform(-90, 90))


def provinces(path):
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT fid, geom FROM states_provinces ORDER BY fid").fetchall()
    for copy in range(COPIES):
        for fid, blob in rows:
            yield f"province {copy}.{fid}", blob[8 + (0, 32, 48, 48, 64)[blob[3] >> 1 & 7]:]


def digest(source):
    found, number = hashlib.sha256(), 0
    for batch in pq.ParquetFile(source).iter_batches():
        for name, wkb in zip(batch.column("name").to_pylist(), batch.column("geom").to_pylist()):
            number += 1
            found.update(f"{number} {name} ".encode())
            found.update(wkb)
    return found.hexdigest()


if sys.argv[1] == "--digest":
    print(digest(sys.argv[2]))
else:
    rows = list(points() if sys.argv[2] == "points" else provinces(sys.argv[3]))
    table = pa.table({"name": [name for name, _ in rows], "geom": pa.array([wkb for _, wkb in rows], pa.binary())})
    pq.write_table(table, sys.argv[1], row_group_size=100_000 if sys.argv[2] == "points" else 5_000)
