"""lineitem after a load: the TPC-H specification's own answers at scale factor 1, and at a tenth of it every value
of every column as pyarrow reads it."""
import datetime
import decimal
import os
import sqlite3
import subprocess
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

Q1 = """SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), sum(l_extendedprice * (1 - l_discount)),
 sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)), avg(l_quantity), avg(l_extendedprice), avg(l_discount), count(*)
 FROM lineitem WHERE l_shipdate <= {last_day} GROUP BY 1, 2 ORDER BY 1, 2"""
Q6 = """SELECT sum(l_extendedprice * l_discount) FROM lineitem WHERE l_shipdate >= {first_day} AND l_shipdate < {end_day}
 AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"""
# TPC-H specification, answers of the qualification database (scale factor 1), DELTA = 90.
Q1_ANSWER = [
    ("A", "F", Decimal("37734107.00"), Decimal("56586554400.73"), Decimal("53758257134.87"), Decimal("55909065222.83"), Decimal("25.52"), Decimal("38273.13"), Decimal("0.05"), 1478493),
    ("N", "F", Decimal("991417.00"), Decimal("1487504710.38"), Decimal("1413082168.05"), Decimal("1469649223.19"), Decimal("25.52"), Decimal("38284.47"), Decimal("0.05"), 38854),
    ("N", "O", Decimal("74476040.00"), Decimal("111701729697.74"), Decimal("106118230307.61"), Decimal("110367043872.50"), Decimal("25.50"), Decimal("38249.12"), Decimal("0.05"), 2920374),
    ("R", "F", Decimal("37719753.00"), Decimal("56568041380.90"), Decimal("53741292684.60"), Decimal("55889619119.83"), Decimal("25.51"), Decimal("38250.85"), Decimal("0.05"), 1478870),
]
Q6_ANSWER = (Decimal("123141078.23"),)


def from_environment(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set: run the tests by `make test`"
    return value


def source(scale):
    path = Path(from_environment("HEADRACE_TEST_DATA")) / f"lineitem-sf{scale}.parquet"
    assert path.exists(), f"{path}: scripts/fetch_data.sh lineitem {scale}"
    return path


def load(scale, target, *options):
    command = [from_environment("HEADRACE_CLI"), "load", source(scale), "--to", target, "--table", "lineitem",
               "--mode", "replace", "--progress", "none", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def rounded(row):
    """Numbers to two decimals, as the specification prints them; SQLite may sum decimals to an integer."""
    cents = decimal.Decimal("0.01")
    return tuple(v if isinstance(v, str) else decimal.Decimal(str(v)).quantize(cents, decimal.ROUND_HALF_UP) for v in row)


def assert_same(got, wanted, slack):
    assert len(got) == len(wanted)
    for g, w in zip(got, wanted):
        assert g == w if isinstance(w, str) else abs(g - w) <= slack, (got, wanted)


def answers(run, day, slack=Decimal(0)):
    rows = run(Q1.format(last_day=day("1998-09-02")))
    assert len(rows) == len(Q1_ANSWER)
    for got, wanted in zip(rows, Q1_ANSWER):
        assert_same(rounded(got), rounded(wanted), slack)
    assert_same(rounded(run(Q6.format(first_day=day("1994-01-01"), end_day=day("1995-01-01")))[0]), rounded(Q6_ANSWER), slack)


@pytest.fixture
def server():
    uri = from_environment("HEADRACE_TEST_PG")
    yield uri
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS lineitem")


def test_reference_answers_sqlite(tmp_path):
    path = tmp_path / "lineitem.sqlite"
    load("1", f"sqlite:{path}")
    with closing(sqlite3.connect(path)) as db:
        # SQLite multiplies and sums in double precision: the last cent of 10^11 may differ.
        answers(lambda sql: db.execute(sql).fetchall(), lambda text: f"'{text}'", slack=Decimal("0.01"))
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    first = path.read_bytes()
    load("1", f"sqlite:{path}")
    assert path.read_bytes() == first, "two runs made different files"


def test_reference_answers_postgres(server):
    load("1", server)
    with psycopg.connect(server) as db:
        answers(lambda sql: db.execute(sql).fetchall(), lambda text: f"date '{text}'")


def expected_columns(scale, convert):
    table = pq.read_table(source(scale))
    for name in table.column_names:
        yield name, [convert(v) for v in table[name].to_pylist()]


def assert_same_columns(scale, fetch, convert):
    for name, wanted in expected_columns(scale, convert):
        got = fetch(name)
        if got != wanted:  # comparing first: pytest's own difference of 600,000 values takes minutes
            at = next(i for i, (g, w) in enumerate(zip(got, wanted)) if g != w) if len(got) == len(wanted) else "length"
            pytest.fail(f"column {name} differs at row {at}: {len(got)} and {len(wanted)} values")


@pytest.mark.parametrize("method", ["pages", "api"])
def test_every_value_sqlite(tmp_path, method):
    path = tmp_path / "lineitem.sqlite"
    load("0.1", f"sqlite:{path}", "--method", method)

    def convert(v):
        if isinstance(v, decimal.Decimal):
            return float(v)
        return v.isoformat() if isinstance(v, datetime.date) else v

    with closing(sqlite3.connect(path)) as db:
        assert_same_columns("0.1", lambda name: [r[0] for r in db.execute(f"SELECT {name} FROM lineitem ORDER BY rowid")], convert)


@pytest.mark.parametrize("options", [["--connections", "1"], ["--connections", "3"], ["--copy-format", "text"]])
def test_every_value_postgres(server, options):
    load("0.1", server, *options)
    with psycopg.connect(server) as db:
        def fetch(name):
            return [r[0] for r in db.execute(f"SELECT {name} FROM lineitem ORDER BY l_orderkey, l_linenumber")]
        assert_same_columns("0.1", fetch, lambda v: v)
