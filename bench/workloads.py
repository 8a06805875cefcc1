"""The data that is loaded, and the files made from it before any clock runs."""
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from shell import BenchError, run, say

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent

LINEITEM = """l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL,
  l_linenumber integer NOT NULL, l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL,
  l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL,
  l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, l_receiptdate date NOT NULL,
  l_shipinstruct text NOT NULL, l_shipmode text NOT NULL, l_comment text NOT NULL"""
FLIGHTS = "date timestamp, delay bigint, distance bigint, origin text, destination text"


@dataclass(frozen=True)
class Workload:
    name: str
    table: str
    columns: str  # PostgreSQL's declaration, the same for all arms
    source: Path
    work: Path
    python: Path
    csv_recipe: tuple  # command that writes the CSV; "OUT" stands for a folder or file
    csv_has_header: bool
    ready_csv: Path | None = None
    indexes: tuple = ()  # SQL after CREATE TABLE, before the clock
    sqlite_indexes: tuple = ()  # "a,b": columns of each index that a SQLite file ends with, inside the clock
    wkt: tuple = ()  # columns of geometries as text: peers that send text put the SRID in front
    casts: tuple = ()  # NAME:TYPE of the columns that text is cast into
    # (column, SQL that gives its value as text), for tables whose rows PostgreSQL cannot hash; all columns
    column_text: tuple = ()

    def stamp(self):
        """Changes when the source does: prepared files and tables of another source are not taken."""
        state = self.source.stat()
        text = f"{self.source} {state.st_size} {state.st_mtime_ns} {self.columns}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def prepared(self, suffix):
        return self.work / "inputs" / f"{self.table}-{self.stamp()}{suffix}"

    def make(self, suffix, write):
        """Path of a prepared file; write(temporary path) makes it unless an earlier run did."""
        path = self.prepared(suffix)
        if not path.exists():
            say(f"preparing {path.name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(path.name + ".part")
            write(temporary)
            os.replace(temporary, path)
        return path

    def subset(self, rows):
        """The first rows as a Parquet file; the file itself for rows = None."""
        if rows is None or rows >= self.facts()["rows"]:
            return self.source
        script = BENCH / "inputs" / "subset.py"
        return self.make(f"-{rows}.parquet", lambda out: run([self.python, script, self.source, out, rows]))

    def facts(self, rows=None):
        """What pyarrow reads in the file; see inputs/source_facts.py."""
        source = self.source if rows is None else self.subset(rows)
        script = BENCH / "inputs" / "source_facts.py"
        suffix = ".facts.json" if source == self.source else f"-{rows}.facts.json"
        only = ["--rows"] if self.column_text else []  # the proof is the server's: only the rows are needed
        path = self.make(suffix, lambda out: out.write_text(run([self.python, script, source, *only])))
        return json.loads(path.read_text())

    def csv(self):
        """The rows as CSV without header, written by a program that shares nothing with the loaders."""
        if self.ready_csv:
            return self.ready_csv
        return self.make(".csv", self.write_csv)

    def write_csv(self, out):
        target = out.with_suffix(".dir") if self.csv_has_header else out
        run([str(target) if part == "OUT" else part for part in self.csv_recipe])
        if not self.csv_has_header:
            return
        with open(target / f"{self.table}.csv", "rb") as file, open(out, "wb") as bare:
            file.readline()
            while block := file.read(8 << 20):
                bare.write(block)
        (target / f"{self.table}.csv").unlink()
        target.rmdir()


def fetched(*arguments):
    path = Path(run([ROOT / "scripts" / "fetch_data.sh", *arguments]).splitlines()[-1])
    if not path.is_file():
        raise BenchError(f"scripts/fetch_data.sh {' '.join(arguments)} printed {path}, which is no file")
    return path


def lineitem(options, name="lineitem", sqlite_indexes=()):
    tpchgen = Path(options.python).with_name("tpchgen-cli")
    recipe = (tpchgen, "csv", "-s", options.scale, "--tables=lineitem", "--output-dir", "OUT")
    return Workload(name, "lineitem", LINEITEM, options.lineitem or fetched("lineitem", options.scale),
                    options.work, options.python, recipe, True, options.lineitem_csv, sqlite_indexes=sqlite_indexes)


def flights(options, name="flights", sqlite_indexes=()):
    source = options.flights or fetched("flights-3m")
    recipe = (options.python, BENCH / "inputs" / "csv_by_duckdb.py", source, "OUT")
    return Workload(name, "flights", FLIGHTS, source, options.work, options.python, recipe, False,
                    sqlite_indexes=sqlite_indexes)


WORKLOADS = {
    "lineitem": lineitem, "flights": flights,
    # With two indexes each: on numbers in no order, on texts.
    "lineitem_indexed": lambda options: lineitem(options, "lineitem_indexed", ("l_partkey", "l_shipdate")),
    "flights_indexed": lambda options: flights(options, "flights_indexed", ("distance", "origin"))}
