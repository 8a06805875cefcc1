"""What the Parquet file holds, as pyarrow reads it: the yardstick of sqlite_proof.py.
usage: source_facts.py SOURCE [--rows]
Prints one JSON object: rows, per column its kind and exact sums, one pairing sum, and every 997th row; with --rows
only the number of rows."""
import json
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SAMPLE_STEP = 997


def kind_of(arrow_type):
    t = pa.types
    kinds = (("integer", t.is_integer), ("decimal", t.is_decimal), ("date", t.is_date), ("timestamp", t.is_timestamp),
             ("text", lambda x: t.is_string(x) or t.is_large_string(x) or t.is_string_view(x)))
    for kind, belongs in kinds:
        if belongs(arrow_type):
            return kind
    raise SystemExit(f"no proof is written for columns of type {arrow_type}")


def whole_seconds(column, kind):
    """Seconds since 1970, rounded down, as int64."""
    if kind == "date":
        return pc.multiply(column.cast(pa.date32()).cast(pa.int32()).cast(pa.int64()), 86400)
    micros = column.cast(pa.timestamp("us")).cast(pa.int64())
    # Arrow's division truncates; nothing here lies before 1970, and a difference would only fail the proof.
    return pc.divide(micros, 1_000_000)


def column_facts(name, column):
    kind = kind_of(column.type)
    facts = {"name": name, "kind": kind, "nulls": column.null_count}
    if kind == "integer":
        facts["sum"] = str(pc.sum(column).as_py())
    elif kind == "decimal":
        facts["scale"] = column.type.scale
        facts["sum"] = str(int(pc.sum(column).as_py().scaleb(column.type.scale)))
    elif kind == "text":
        text = column.cast(pa.string())
        limits = pc.min_max(text).as_py()
        facts.update(length_sum=pc.sum(pc.utf8_length(text)).as_py(), min=limits["min"], max=limits["max"])
    else:
        facts["sum"] = str(pc.sum(whole_seconds(column, kind)).as_py())
    return facts


def pairing(table, columns):
    """A sum that changes when two columns are shifted against each other."""
    names = [column["name"] for column in columns if column["kind"] == "integer"]
    if len(names) < 2:
        return None
    first, last = (table[name].cast(pa.int64()) for name in (names[0], names[-1]))
    return {"first": names[0], "last": names[-1], "sum": str(pc.sum(pc.multiply(first, last)).as_py())}


def sampled(table):
    # Arrow cannot take rows of string_view columns.
    plain = pa.schema([field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field
                       for field in table.schema])
    rows = table.cast(plain).take(list(range(0, table.num_rows, SAMPLE_STEP))).to_pylist()
    return [[value if value is None or isinstance(value, int) else str(value) for value in row.values()]
            for row in rows]


def main():
    if sys.argv[2:] == ["--rows"]:
        json.dump({"rows": pq.ParquetFile(sys.argv[1]).metadata.num_rows}, sys.stdout)
        return
    table = pq.read_table(sys.argv[1])
    columns = [column_facts(name, table[name]) for name in table.column_names]
    json.dump({"rows": table.num_rows, "columns": columns, "pairing": pairing(table, columns),
               "sample_step": SAMPLE_STEP, "sample": sampled(table)}, sys.stdout)


main()
