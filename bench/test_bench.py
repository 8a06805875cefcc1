#!/usr/bin/env python3
"""The harness itself: a wrong result never gets a time, and ratios compare what belongs together. No peer is needed."""
import json
import sqlite3
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import markdown  # noqa: E402
import measure  # noqa: E402
import reports  # noqa: E402
import sqlite_proof  # noqa: E402
import summary  # noqa: E402
from arms import Arm  # noqa: E402

ROWS = [(1, "17.00", "1996-03-13", "2001-01-13 14:56:00", "N"), (2, "0.50", "1996-04-12", "2001-01-13 15:56:00", "OK")]
FACTS = {
    "rows": 2, "sample_step": 997, "sample": [list(ROWS[0])], "pairing": None,
    "columns": [
        {"name": "i", "kind": "integer", "nulls": 0, "sum": "3"},
        {"name": "m", "kind": "decimal", "nulls": 0, "scale": 2, "sum": "1750"},
        {"name": "d", "kind": "date", "nulls": 0, "sum": str(826675200 + 829267200)},
        {"name": "t", "kind": "timestamp", "nulls": 0, "sum": str(979397760 + 979401360)},
        {"name": "s", "kind": "text", "nulls": 0, "length_sum": 3, "min": "N", "max": "OK"}]}


class SqliteProof(unittest.TestCase):
    def prove(self, rows, types=("INTEGER", "DECIMAL(15,2)", "TEXT", "TEXT", "TEXT")):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.sqlite"
            with sqlite3.connect(path) as connection:
                columns = ", ".join(f"{name} {kind}" for name, kind in zip("imdts", types))
                connection.execute(f"CREATE TABLE x ({columns})")
                connection.executemany("INSERT INTO x VALUES (?, ?, ?, ?, ?)", rows)
            connection.close()
            return sqlite_proof.prove(path, "x", FACTS)

    def changed(self, column, value, row=1):
        rows = [list(row) for row in ROWS]
        rows[row][column] = value
        return self.prove(rows)

    def test_accepts_every_exact_form(self):
        self.assertEqual(self.prove(ROWS)["forms"]["decimal"], "number")
        text = self.prove(ROWS, ("INTEGER", "TEXT", "TEXT", "TEXT", "TEXT"))
        self.assertTrue(text["ok"], text)
        self.assertEqual(text["forms"]["decimal"], "text")
        with_t = [tuple(value.replace(" ", "T") if isinstance(value, str) else value for value in row) for row in ROWS]
        self.assertTrue(self.prove(with_t)["ok"])

    def test_refuses_a_row_too_few_or_too_many(self):
        self.assertFalse(self.prove(ROWS[:1])["ok"])
        self.assertFalse(self.prove(ROWS + ROWS[:1])["ok"])

    def test_refuses_one_changed_value_of_any_kind(self):
        for column, value in ((0, 3), (0, "x"), (0, None), (1, "0.51"), (1, 0.5000001), (2, "1996-04-13"), (2, 9598),
                              (3, "2001-01-13 15:56:01"), (4, "O"), (4, "P"), (4, None)):
            with self.subTest(column=column, value=value):
                self.assertFalse(self.changed(column, value)["ok"])

    def test_sample_sees_what_sums_cannot(self):
        self.assertFalse(self.changed(3, "2001-01-13 14:56:00.000001", row=0)["ok"])

    def test_refuses_a_damaged_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.sqlite"
            path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
            self.assertFalse(sqlite_proof.prove(path, "x", FACTS)["ok"])


class Workload:
    name = "w"

    def facts(self):
        return {"rows": 100}


def run(arm, number, seconds, status="proven", rows=100):
    return {"arm": arm, "round": number, "seconds": seconds, "status": status, "rows": rows, "reason": None,
            "cpu_seconds": 1.0, "server_cpu_seconds": None, "peak_rss_bytes": 10, "rss_floor_bytes": 5, "quiet": True,
            "output_bytes": None, "steal_seconds": 0.0, "proof": {}}


OURS = Arm("ours", "ours", commands=None, ours=True)
PEER = Arm("peer", "peer", commands=None)


class Summary(unittest.TestCase):
    def lines(self, runs, arms=(OURS, PEER), skipped=None):
        return {line["arm"]: line for line in summary.of_target(Workload(), arms, runs, skipped or {})}

    def test_ratios_are_taken_within_a_round(self):
        runs = [run("ours", 1, 1.0), run("peer", 1, 2.0), run("ours", 2, 8.0), run("peer", 2, 24.0)]
        runs.append(run("peer", 3, 99.0))
        ratio = self.lines(runs)["peer"]["ratios"]["ours"]
        self.assertEqual((ratio["median"], ratio["min"], ratio["max"], ratio["pairs"]), (2.5, 2.0, 3.0, 2))

    def test_a_subset_is_compared_per_row(self):
        small = Arm("peer", "peer", commands=None, rows={"w": 10})
        line = self.lines([run("ours", 1, 1.0), run("peer", 1, 1.0, rows=10)], (OURS, small))["peer"]
        self.assertEqual(line["ratios"]["ours"]["median"], 10.0)
        self.assertEqual(line["subset_rows"], 10)

    def test_one_wrong_result_voids_the_arm(self):
        line = self.lines([run("ours", 1, 1.0), run("peer", 1, 2.0), run("peer", 2, None, "void")])["peer"]
        self.assertEqual(line["status"], "void")
        self.assertNotIn("seconds", line)

    def test_rounds_that_disagree_decide_nothing(self):
        self.assertEqual(markdown.outcome({"median": 0.9, "min": 0.8, "max": 1.1}), "undecided")
        self.assertEqual(markdown.outcome({"median": 0.9, "min": 0.8, "max": 0.95}), "lost")
        self.assertEqual(markdown.outcome({"median": 1.2, "min": 1.1, "max": 1.3}), "won")

    def test_the_table_shows_losses_and_reasons(self):
        lines = self.lines([run("ours", 1, 2.0), run("peer", 1, 1.0)])
        void = dict(self.lines([run("peer", 1, None, "void")])["peer"], reason="sum is 3, not 4")
        result = {"title": "T", "workload": "w", "rows": 100, "source_bytes": 1, "source_sha256": "ab", "repeats": 1,
                  "arms": [*lines.values(), void]}
        text = "\n".join(markdown.section(result))
        self.assertIn("**0.50 lost**", text)
        self.assertIn("Lost: ours against peer (0.50).", text)
        self.assertIn("VOID", text)
        self.assertIn("sum is 3, not 4", text)
        rows = [line for line in text.splitlines() if line.startswith("|")]
        self.assertEqual(len({line.count("|") for line in rows}), 1)


class Measure(unittest.TestCase):
    def timed(self, *commands, timeout=30.0, finish=None):
        with tempfile.TemporaryDirectory() as folder:
            shells = [["sh", "-c", command] for command in commands]
            return measure.timed(shells, None, Path(folder) / "log", timeout, finish)

    def test_several_commands_run_at_once(self):
        found = self.timed("sleep 0.3; echo a", "sleep 0.3")
        self.assertIsNone(found.failure)
        self.assertEqual(found.stdout, "a")
        self.assertTrue(0.3 <= found.seconds < 0.55, found.seconds)

    def test_failures_have_a_reason(self):
        self.assertEqual(self.timed("true", "echo broken >&2; exit 3").failure, "exit 3: broken")
        self.assertEqual(self.timed("sleep 20", timeout=0.2).failure, "stopped after 0.2 s")

    def test_cpu_of_children_counts(self):
        found = self.timed("python3 -c 'sum(range(9_000_000))' & wait")
        self.assertGreater(found.cpu_seconds, 0.05)

    def test_the_sync_is_inside_the_clock(self):
        def missing():
            raise FileNotFoundError(2, "No such file")
        self.assertIn("no result to sync", self.timed("true", finish=missing).failure)


class Reports(unittest.TestCase):
    def test_only_all_rows_count(self):
        said = json.dumps({"status": "ok", "rows_written": 5})
        self.assertTrue(reports.rows_in_report(said, 5)["ok"])
        self.assertFalse(reports.rows_in_report(said, 6)["ok"])
        self.assertFalse(reports.rows_in_report("", 5)["ok"])


if __name__ == "__main__":
    unittest.main()
