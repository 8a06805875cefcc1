"""Memory is bounded, whatever the number of rows."""
import os

from conftest import start_python

ROWS = int(os.environ.get("HEADRACE_PYTHON_ROWS", 5_000_000))

# argv: rows, kind. Prints the rows, and the growth of the peak memory since the imports in bytes.
STREAM = """
import resource, sys
import numpy as np, pyarrow as pa
import headrace
rows, kind = int(sys.argv[1]), sys.argv[2]
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
def batches():
    for start in range(0, rows, 100_000):
        numbers = np.arange(start, start + 100_000)
        yield pa.record_batch({"id": numbers, "ratio": numbers / 7, "text": numbers.astype("S9").astype("U9")})
headrace.load(iter([next(batches())]), "null:", "t")
before = peak()
source = batches()
if kind == "reader":
    first = next(batches())
    source = pa.RecordBatchReader.from_batches(first.schema, source)
report = headrace.load(source, "null:", "t")
print(report.rows_read, peak() - before)
"""

FRAME = """
import resource, sys
import numpy as np, pandas as pd
import headrace
rows = int(sys.argv[1])
numbers = np.arange(rows)
frame = pd.DataFrame({"id": numbers, "ratio": numbers / 7, "text": pd.Series(["some text %d" % (n % 1000) for n in numbers],
                      dtype=object), "more": numbers * 2.5})
headrace.load(frame.iloc[:10], "null:", "t")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
report = headrace.load(frame, "null:", "t")
print(report.rows_read, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before)
"""


def measured(program, *arguments):
    process = start_python(program, *arguments)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    rows, growth = map(int, out.split())
    return rows, growth / 2**20


def test_an_iterable_is_streamed():
    rows, growth = measured(STREAM, ROWS, "iterator")
    assert rows == ROWS
    assert growth < 150, f"{growth:.0f} MiB"


def test_a_reader_is_streamed():
    rows, growth = measured(STREAM, ROWS // 5, "reader")
    assert rows == ROWS // 5
    assert growth < 150, f"{growth:.0f} MiB"


def test_no_second_copy_of_a_frame():
    rows, growth = measured(FRAME, 2_000_000)
    assert rows == 2_000_000
    assert growth < 200, f"{growth:.0f} MiB"
