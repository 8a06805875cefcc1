#!/usr/bin/env python3
"""Cost per row and memory as the input grows: flights, repeated, into one SQLite file; 10 thousand to 100 million rows.

  bench/growth.py [--rows N,N,...] [--svg FILE]     flights-3m.parquet, its first rows or itself so many times
  bench/growth.py --lineitem COPIES                 lineitem at scale factor 1 so many times: 44 are 10 GB of Parquet

Each file is checked (rows, quick_check) and removed before the next. Prints a Markdown table; --svg draws it.
"""
import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from workloads import BENCH, ROOT, fetched

ROWS = "10000,100000,1000000,10000000,30000000,100000000"
FLIGHTS = 3_000_000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=ROWS, help=f"default {ROWS}")
    parser.add_argument("--lineitem", type=int, metavar="COPIES", help="instead of flights")
    parser.add_argument("--repeats", type=int, default=3, help="of inputs of up to 10 million rows; default 3")
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--headrace", type=Path, default=ROOT / "build/release/headrace")
    parser.add_argument("--python", type=Path, default=Path.home() / ".cache/headrace/venv-bench/bin/python")
    parser.add_argument("--work", type=Path, default=ROOT / "build/bench/work", help="35 GB for 10 GB of lineitem")
    return parser.parse_args()


def repeat(source, folder, copies):
    """The file under so many names: a folder is one table."""
    for number in range(copies):
        os.link(source, folder / f"part-{number:04}.parquet")


def make_input(options, folder, rows):
    source = fetched("flights-3m")
    copies, rest = divmod(rows, FLIGHTS)
    linked = folder / "source.parquet"
    linked.write_bytes(source.read_bytes())  # the cache may be on another file system
    repeat(linked, folder, copies)
    linked.unlink()
    if rest:
        subprocess.run([options.python, BENCH / "inputs/subset.py", source, folder / "part-rest.parquet", str(rest)], check=True)


def checked_rows(path, table):
    connection = sqlite3.connect(path)
    try:
        state = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if state != "ok":
            sys.exit(f"growth: quick_check: {state}")
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    finally:
        connection.close()


def load(options, folder, out, table):
    """(seconds of the whole process, its report)"""
    out.unlink(missing_ok=True)
    began = time.perf_counter()
    done = subprocess.run([options.headrace, "load", folder, "--to", f"sqlite:{out}", "--table", table, "--progress", "none", "--json"],
                          capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"growth: {done.stderr}")
    return seconds, json.loads(done.stdout)


def measure(options, fill, rows, table):
    out = options.work / "growth.sqlite"
    with tempfile.TemporaryDirectory(dir=options.work) as name:
        folder = Path(name)
        fill(folder)
        source_bytes = sum(file.stat().st_size for file in folder.iterdir())
        runs = [load(options, folder, out, table) for _ in range(options.repeats if rows <= 10_000_000 else 1)]
    found = checked_rows(out, table)
    if found != rows or any(report["rows_written"] != rows for _, report in runs):
        sys.exit(f"growth: {found} rows in the file, not {rows}")
    seconds = sorted(seconds for seconds, _ in runs)[len(runs) // 2]
    line = {"rows": rows, "seconds": seconds, "ns_per_row": seconds / rows * 1e9,
            "cpu_ns_per_row": min(report["client_cpu_seconds"] for _, report in runs) / rows * 1e9,
            "peak_mb": max(report["peak_memory_bytes"] for _, report in runs) / 1e6,
            "source_mb": source_bytes / 1e6, "file_mb": out.stat().st_size / 1e6}
    out.unlink()
    print(f"growth: {rows:,} rows in {seconds:.2f} s", file=sys.stderr, flush=True)
    return line


def table(lines):
    print("| rows | Parquet MB | file MB | s | ns a row | CPU ns a row | peak MB |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for line in lines:
        print(f"| {line['rows']:,} | {line['source_mb']:,.1f} | {line['file_mb']:,.1f} | {line['seconds']:.2f} | "
              f"{line['ns_per_row']:.0f} | {line['cpu_ns_per_row']:.0f} | {line['peak_mb']:.0f} |")


def svg(lines):
    """Nanoseconds a row over rows, both by powers of ten."""
    from math import log10
    width, height, left, bottom = 640, 320, 60, 40
    low, high = 10, 10_000

    def x(rows):
        return left + (log10(rows) - 4) / 4 * (width - left - 20)

    def y(ns):
        return height - bottom - (log10(ns) - log10(low)) / (log10(high) - log10(low)) * (height - bottom - 20)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    for power in range(4, 9):
        parts.append(f'<line x1="{x(10**power):.0f}" y1="20" x2="{x(10**power):.0f}" y2="{height - bottom}" stroke="#ddd"/>'
                     f'<text x="{x(10**power):.0f}" y="{height - bottom + 16}" text-anchor="middle">{10**power:,}</text>')
    for power in range(1, 5):
        parts.append(f'<line x1="{left}" y1="{y(10**power):.0f}" x2="{width - 20}" y2="{y(10**power):.0f}" stroke="#ddd"/>'
                     f'<text x="{left - 6}" y="{y(10**power) + 4:.0f}" text-anchor="end">{10**power:,}</text>')
    for key, colour, label, at in (("ns_per_row", "#1f77b4", "wall time", 36), ("cpu_ns_per_row", "#d62728", "client CPU", 54)):
        points = " ".join(f"{x(line['rows']):.1f},{y(line[key]):.1f}" for line in lines)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(line["rows"]):.1f}" cy="{y(line[key]):.1f}" r="3" fill="{colour}"/>' for line in lines]
        parts.append(f'<text x="{width - 24}" y="{at}" text-anchor="end" fill="{colour}">{label}</text>')
    parts.append(f'<text x="{width / 2}" y="{height - 4}" text-anchor="middle">rows</text>'
                 f'<text x="14" y="{height / 2}" transform="rotate(-90 14 {height / 2})" text-anchor="middle">ns a row</text></svg>')
    return "\n".join(parts) + "\n"


def main():
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.lineitem:
        def fill(folder):
            linked = folder / "source.parquet"
            linked.write_bytes(fetched("lineitem", "1").read_bytes())
            repeat(linked, folder, options.lineitem)
            linked.unlink()
        table([measure(options, fill, 6_001_215 * options.lineitem, "lineitem")])
        return
    lines = [measure(options, lambda folder, rows=rows: make_input(options, folder, rows), rows, "flights")
             for rows in map(int, options.rows.split(","))]
    table(lines)
    if options.svg:
        options.svg.write_text(svg(lines))


if __name__ == "__main__":
    main()
