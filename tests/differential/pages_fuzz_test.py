"""Random tables by the page writer and through SQLite: the same values, and files that SQLite finds nothing wrong with.

HEADRACE_FUZZ_TABLES says how many tables; HEADRACE_FUZZ_SEED moves to others. Every table is loaded by both methods,
compared with what pyarrow reads, and changed afterwards by INSERT, UPDATE, DELETE and VACUUM, under the SQLite of this
Python and, where the module apsw is installed, under the one it brings, which is newer.
"""
import datetime
import os
import random
import sqlite3
import subprocess
from contextlib import closing
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

try:
    import apsw
except ImportError:
    apsw = None

TABLES = int(os.environ.get("HEADRACE_FUZZ_TABLES", "24"))
SEED = int(os.environ.get("HEADRACE_FUZZ_SEED", "1"))
PAGE_SIZES = [512, 1024, 2048, 4096, 8192, 16384, 32768, 65536]
WORDS = ["", "a", "A", "ab", "a\0", "a\0b", "\0", "ä", "zebra", "zebra crossing", "é" * 40]
INTEGERS = [0, 1, -1, 127, 128, -128, -129, 255, 32767, 32768, 2**23, 2**31, -2**31, 2**47, 2**53, 2**53 + 1, 2**63 - 1,
            -2**63, 72057594037927936]
REALS = [0.0, 0.5, -0.5, 1.0, -1.0, 1e-300, -1e-300, 1e18, -1e18, 2.0**53, 2.0**63, -2.0**63, 1e300, float("inf"),
         float("-inf"), 5.25, -5.25, 1 / 3]


class Table:
    """A table, and what the load is asked for."""

    def __init__(self, number):
        self.random = random.Random(SEED * 1_000_003 + number)
        r = self.random
        self.page_size = r.choice(PAGE_SIZES)
        self.rows = r.choice([0, 1, 2, 30, 300, 300, 3000])
        self.few_values = r.random() < 0.4
        self.large_left = 12_000_000 if r.random() < 0.2 else 400_000
        kinds = ["int", "int", "text", "text", "real", "blob", "bool", "decimal", "long decimal", "date", "timestamp", "dictionary"]
        self.kinds = [r.choice(kinds) for _ in range(r.randint(1, 7))]
        if r.random() < 0.1:
            self.kinds += ["int"] * 140  # a header of more than 127 bytes
        self.names = [f"c{i}" for i in range(len(self.kinds))]
        columns = [[self.value(kind) for _ in range(self.rows)] for kind in self.kinds]
        self.types = [self.type(kind) for kind in self.kinds]
        self.options = ["--page-size", str(self.page_size)]
        self.key = None
        self.add_key(columns)
        self.indexes = []
        for _ in range(r.choice([0, 0, 1, 1, 2, 3])):
            on = r.sample(self.names[:20], min(len(self.names), r.randint(1, 3)))
            if on not in self.indexes:
                self.indexes.append(on)
                self.options += ["--index", ",".join(on)]
        if r.random() < 0.3:
            self.options.append("--strict")
        if r.random() < 0.3:
            self.options += ["--memory", "32MiB"]
        self.data = pa.table([pa.array(c, t) for c, t in zip(columns, self.types)], names=self.names)
        self.row_group = r.choice([7, 100, 1000, 5000])

    def add_key(self, columns):
        """A column of integers that differ, as the rowid; sorted, nearly sorted or in any order."""
        r = self.random
        order = r.choice(["none", "none", "sorted", "nearly", "any", "pair"])
        if order == "none":
            return
        spread = r.choice([1, 3, 1 << 20, 1 << 50])
        keys = sorted({r.randint(-spread * self.rows, spread * self.rows + 1) for _ in range(2 * self.rows)})[:self.rows]
        if len(keys) < self.rows:
            keys = [spread * i - self.rows for i in range(self.rows)]
        if order == "any" or order == "pair":
            r.shuffle(keys)
        elif order == "nearly" and self.rows > 2:
            i = r.randrange(self.rows - 1)
            keys[i], keys[i + 1] = keys[i + 1], keys[i]
        place = r.randint(0, len(columns))
        self.names.insert(place, "id")
        self.types.insert(place, pa.int64())
        columns.insert(place, keys)
        if order == "pair":
            self.names.append("part")
            self.types.append(pa.string())
            columns.append([r.choice(WORDS) for _ in keys])
            self.options += ["--primary-key", "part,id"]
        else:
            self.options += ["--primary-key", "id"]
            self.key = "id"

    def type(self, kind):
        return {"int": pa.int64(), "text": pa.string(), "real": pa.float64(), "blob": pa.binary(), "bool": pa.bool_(),
                "decimal": pa.decimal128(12, 3), "long decimal": pa.decimal128(30, 5), "date": pa.date32(),
                "timestamp": pa.timestamp("us"), "dictionary": pa.dictionary(pa.int32(), pa.string())}[kind]

    def size(self):
        r = self.random
        chance = r.random()
        size = r.randint(0, 40)
        if chance < 0.01:
            size = r.randint(0, 5_000_000)
        elif chance < 0.06:
            size = r.randint(0, 4 * self.page_size)
        elif chance < 0.1:
            size = max(0, self.page_size + r.randint(-60, 30))
        if size > 40:
            if size > self.large_left:
                return r.randint(0, 40)
            self.large_left -= size
        return size

    def value(self, kind):
        r = self.random
        if r.random() < 0.15:
            return None
        if self.few_values:
            r = random.Random(r.randrange(5))
        if kind == "int":
            return r.choice(INTEGERS) if r.random() < 0.5 else r.randint(-10**r.randint(1, 18), 10**r.randint(1, 18))
        if kind in ("text", "dictionary"):
            return r.choice(WORDS) if kind == "dictionary" or r.random() < 0.5 else "xyz"[r.randrange(3)] * self.size() + str(r.randrange(99))
        if kind == "real":
            return r.choice(REALS) if r.random() < 0.5 else r.uniform(-1e6, 1e6)
        if kind == "blob":
            return r.randbytes(self.size() % 100_000) if r.random() < 0.8 else bytes(self.size())
        if kind == "bool":
            return r.random() < 0.5
        if kind == "decimal":
            return Decimal(r.choice([0, 1000, -1500, 999_999_999_999, r.randint(-10**11, 10**11)])).scaleb(-3)
        if kind == "long decimal":
            return Decimal(r.randint(-10**29, 10**29)).scaleb(-5)
        if kind == "date":
            return datetime.date(1970, 1, 1) + datetime.timedelta(days=r.randint(-50_000, 50_000))
        return datetime.datetime(2000, 1, 1) + datetime.timedelta(microseconds=r.randint(-10**14, 10**14))


def load(table, source, target, *options):
    command = [os.environ["HEADRACE_CLI"], "load", source, "--to", f"sqlite:{target}", "--table", "t", "--progress", "none",
               *table.options, *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stderr}\n{' '.join(map(str, command))}"


class Newer:
    """The few calls of sqlite3 that are used here, by apsw."""

    def __init__(self, path):
        self.connection = apsw.Connection(str(path))

    def execute(self, sql, parameters=()):
        return self.connection.execute(sql, parameters)

    def close(self):
        self.connection.close()


def open_older(path):
    return sqlite3.connect(path, isolation_level=None)


def expected(value, kind_type, strict):
    """What SQLite has for a value of pyarrow."""
    if value is None or isinstance(value, (int, float, str, bytes)) and not isinstance(value, bool):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        if pa.types.is_decimal(kind_type) and kind_type.precision > 15:
            return f"{value:f}"
        return float(value)
    if isinstance(value, datetime.datetime):
        text = value.strftime("%Y-%m-%d %H:%M:%S")
        return f"{value.year:04}" + text[text.index("-"):] + (f".{value.microsecond:06}" if value.microsecond else "")
    return value.isoformat()


def check_rows(table, rows):
    columns = [[expected(v, t, "--strict" in table.options) for v in c.to_pylist()]
               for c, t in zip(table.data.columns, table.types)]
    wanted = list(zip(*columns)) if table.rows else []
    if table.key is not None:
        wanted.sort(key=lambda row: row[table.names.index(table.key)])
    assert len(rows) == len(wanted)
    for got, want in zip(rows, wanted):
        assert got == want


def check_indexes(table, connection):
    """Every index gives the rows in the order that a sort of the table gives."""
    for on in table.indexes:
        name = "idx_t_" + "_".join(on)
        order = ", ".join(on)
        by_index = connection.execute(f'SELECT {order}, rowid FROM t INDEXED BY "{name}" ORDER BY {order}, rowid')
        by_sort = connection.execute(f"SELECT {order}, rowid FROM t NOT INDEXED ORDER BY {order}, rowid")
        assert list(by_index) == list(by_sort), name


def change(table, connection):
    """Ordinary use afterwards."""
    names = [n for n in table.names if n != "id"]
    listed = ", ".join(names) if names else ""
    if table.key is None and "part" not in table.names:
        connection.execute(f"INSERT INTO t SELECT * FROM t LIMIT 500")
    elif table.key is not None and names:
        connection.execute(f"INSERT INTO t ({listed}) SELECT {listed} FROM t WHERE id < 9000000000000000000 LIMIT 1")
    if names:
        connection.execute(f"UPDATE t SET {names[0]} = (SELECT {names[0]} FROM t LIMIT 1) WHERE rowid % 3 = 0 AND"
                           f" (SELECT {names[0]} FROM t LIMIT 1) IS NOT NULL AND '{names[0]}' <> 'part'")
    connection.execute("DELETE FROM t WHERE rowid % 5 < 2")
    assert list(connection.execute("PRAGMA integrity_check")) == [("ok",)]
    connection.execute("VACUUM")
    assert list(connection.execute("PRAGMA integrity_check")) == [("ok",)]


def statistics(connection):
    exists = list(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"))
    return list(connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY 1, 2")) if exists else None


def check_statistics(connection):
    """Those of the load are what ANALYZE says."""
    written = statistics(connection)
    if written is not None:
        connection.execute("ANALYZE")
        assert written == statistics(connection)


def check(table, folder):
    source = folder / "t.parquet"
    pq.write_table(table.data, source, row_group_size=table.row_group)
    pages, again, api = folder / "pages.sqlite", folder / "again.sqlite", folder / "api.sqlite"
    load(table, source, pages, "--method", "pages")
    load(table, source, again, "--method", "pages", "--connections", "3")
    load(table, source, api, "--method", "api")
    assert pages.read_bytes() == again.read_bytes()
    with closing(open_older(pages)) as ours, closing(open_older(api)) as theirs:
        assert list(ours.execute("PRAGMA integrity_check")) == [("ok",)]
        rows = list(ours.execute("SELECT * FROM t ORDER BY rowid"))
        check_rows(table, rows)
        assert rows == list(theirs.execute("SELECT * FROM t ORDER BY rowid"))
        assert list(ours.execute("SELECT rowid FROM t")) == list(theirs.execute("SELECT rowid FROM t"))
        schema = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name"
        assert list(ours.execute(schema)) == list(theirs.execute(schema))
        check_indexes(table, ours)
        check_statistics(ours)
        change(table, ours)
    if apsw is not None:
        with closing(Newer(again)) as newer:
            assert list(newer.execute("PRAGMA integrity_check")) == [("ok",)]
            check_indexes(table, newer)
            change(table, newer)


@pytest.mark.parametrize("batch", range(8))
def test_tables(batch, tmp_path):
    for number in range(batch, TABLES, 8):
        folder = tmp_path / str(number)
        folder.mkdir()
        try:
            check(Table(number), folder)
        except BaseException:
            print(f"table {number} of seed {SEED}: {Table(number).options}")
            raise
        for file in folder.iterdir():
            file.unlink()


def test_all_page_sizes_and_kinds_are_drawn():
    tables = [Table(number) for number in range(400)] if TABLES >= 400 else [Table(number) for number in range(60)]
    assert {t.page_size for t in tables} == set(PAGE_SIZES)
    assert any(t.key for t in tables) and any("part,id" in t.options for t in tables) and any(t.indexes for t in tables)


@pytest.mark.skipif(TABLES < 1000, reason="writes two files of more than 1 GiB: make test-all")
@pytest.mark.parametrize("page_size,blobs", [(4096, 985), (65536, 954)])
def test_an_index_lies_across_the_lock_byte_page(page_size, blobs, tmp_path):
    small = 300_000
    words = pa.array([None] * blobs + [f"{i * 7919 % small:0100}" for i in range(small)], pa.string())
    large = pa.DictionaryArray.from_arrays(pa.array([0] * blobs + [None] * small, pa.int32()), pa.array([bytes(2**20)], pa.binary()))
    source, target = tmp_path / "t.parquet", tmp_path / "t.sqlite"
    pq.write_table(pa.table({"word": words, "large": large}), source, row_group_size=50_000)
    command = [os.environ["HEADRACE_CLI"], "load", source, "--to", target, "--table", "t", "--page-size", str(page_size), "--index", "word"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lock_page = 2**30 // page_size + 1
    with closing(open_older(target)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        first, last = connection.execute("SELECT min(pageno), max(pageno) FROM dbstat WHERE name = 'idx_t_word' AND pageno > 10").fetchone()
        assert first < lock_page < last
        assert connection.execute("SELECT count(*), sum(length(large)) FROM t").fetchone() == (blobs + small, blobs * 2**20)
        assert connection.execute("SELECT count(*) FROM t INDEXED BY idx_t_word WHERE word > '0'").fetchone() == (small,)
