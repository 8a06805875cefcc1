"""An entity-like Parquet file: 15 columns with WKT and JSON as text, as the entity writer of old had them.
usage: entity.py OUT ROWS. The same rows every time; a smaller file is the beginning of a larger one.

  entity               12000000000 + row                 organisation_entity  of 454, Zipf, 1 % NULL
  name                 40 % NULL, else 5-120 characters   json  2-8 keys, 60-600 bytes; 2 % {}, 1 % nested
  entry_date           skewed to 900 recent days          geojson  NULL
  start_date, end_date 30 % and 95 % NULL                 geometry  MULTIPOLYGON, 0.1 % NULL
  quality              10 % '' (not NULL)                 point  30 % set

Vertices: log-normal, median 25, 99 % below 2,000, at most 100,000. 85 % have one part, 10 % several, 5 % a hole. Every
geometry is a MULTIPOLYGON: the column takes nothing else, so no peer could load the POLYGONs of the real data.
"""
import datetime
import json
import math
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 10_000  # rows of a row group; each has random numbers of its own
SEED = 20251122
WORDS = ("conservation area", "listed building", 'the "Old" Forge', "tree, preservation order", "a|b", "tab\there",
         "back\\slash", "two\r\nlines", "Caf\u00e9 Na\u00efve", "Llanfair\u00adpwll T\u0177 \u0174yn",
         "\U0001f333 green belt", "ancient woodland", "scheduled monument", "flood zone", "heritage site", "O'Brien's",
         "county park", "100% local")
KEYS = ("document-url", "documentation-url", "notes", "description", "legislation", "naptan-code", "listed-grade",
        "uprn")
TYPOLOGIES = ("geography", "legal-instrument", "document")
TODAY = datetime.date(2025, 8, 19)
SCHEMA = pa.schema([("entity", pa.int64()), ("name", pa.string()), ("entry_date", pa.date32()),
                    ("start_date", pa.date32()), ("end_date", pa.date32()), ("dataset", pa.string()),
                    ("json", pa.string()), ("organisation_entity", pa.int64()), ("prefix", pa.string()),
                    ("reference", pa.string()), ("typology", pa.string()), ("geojson", pa.string()),
                    ("geometry", pa.string()), ("point", pa.string()), ("quality", pa.string())])


def words(r, length):
    text = ""
    while len(text) < length:
        text += WORDS[r.integers(len(WORDS))] + " "
    return text[:length]


def name(r):
    return None if r.random() < 0.4 else words(r, int(r.integers(5, 121)))


def json_text(r, row):
    chance = r.random()
    if chance < 0.02:
        return "{}"
    keys = KEYS[:int(r.integers(2, len(KEYS) + 1))]
    room = max(8, int(r.integers(60, 601)) // len(keys) - 20)
    found = {key: f"https://www.example.org/{key}/{row}?a=1&b=2" if key.endswith("url") else words(r, room)
             for key in keys}
    if chance < 0.03:
        found["nested"] = {"list": [1, 2.5, None, True], "text": words(r, 10)}
    return json.dumps(found, ensure_ascii=bool(r.random() < 0.5))


def ring(r, x, y, radius, vertices):
    """Closed, and without crossings: the angle only grows."""
    angles = np.linspace(0, 2 * math.pi, vertices - 1, endpoint=False)
    distances = radius * (1 + 0.3 * r.random(vertices - 1))
    xs = (x + distances * np.cos(angles)).tolist()
    ys = (y + distances * np.sin(angles)).tolist()
    points = [f"{a:.6f} {b:.6f}" for a, b in zip(xs, ys)]
    return "(" + ",".join(points + points[:1]) + ")"


def multipolygon(r, x, y):
    vertices = int(min(100_000, max(5, math.exp(math.log(25) + 1.88 * r.standard_normal()))))
    kind = r.random()
    if kind < 0.05:  # a hole well inside the outer ring
        outer, inner = max(5, vertices * 2 // 3), max(5, vertices // 3)
        return f"MULTIPOLYGON (({ring(r, x, y, 0.01, outer)},{ring(r, x, y, 0.003, inner)}))"
    parts = int(r.integers(2, 6)) if kind < 0.15 else 1
    polygons = [f"({ring(r, x + 0.05 * part, y, 0.01, max(5, vertices // parts))})" for part in range(parts)]
    return f"MULTIPOLYGON ({','.join(polygons)})"


def entity(r, row, organisations):
    x, y = r.uniform(-6.4, 1.6), r.uniform(49.9, 55.8)
    started = datetime.date(1850, 1, 1) + datetime.timedelta(int(r.integers(0, 64_000)))
    entered = TODAY - datetime.timedelta(int(min(899, r.exponential(120))))
    quality = r.random()
    return (12_000_000_000 + row, name(r), entered, None if r.random() < 0.3 else started,
            None if r.random() < 0.95 else TODAY, "article-4-direction-area", json_text(r, row),
            None if r.random() < 0.01 else int(organisations), "article-4-direction-area",
            f"A4D-{row % 97}/{row}" if r.random() < 0.7 else str(row), TYPOLOGIES[r.integers(3)], None,
            None if r.random() < 0.001 else multipolygon(r, x, y),
            f"POINT({x:.6f} {y:.6f})" if r.random() < 0.3 else None,
            "some" if quality < 0.6 else "authoritative" if quality < 0.9 else "")


def group(first, rows):
    r = np.random.default_rng([SEED, first])
    organisations = 1 + (r.zipf(1.3, GROUP) - 1) % 454
    made = [entity(r, first + number, organisations[number]) for number in range(rows)]
    return pa.Table.from_arrays([pa.array(column, field.type) for column, field in zip(zip(*made), SCHEMA)],
                                schema=SCHEMA)


def main():
    out, rows = sys.argv[1], int(sys.argv[2])
    with pq.ParquetWriter(out, SCHEMA, compression="snappy") as writer:
        for first in range(0, rows, GROUP):
            writer.write_table(group(first, min(GROUP, rows - first)), row_group_size=GROUP)


main()
