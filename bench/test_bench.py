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
import action  # noqa: E402
import aims  # noqa: E402
import entity_workload  # noqa: E402
import measure  # noqa: E402
import postgres_tables  # noqa: E402
import processes  # noqa: E402
import replace_target  # noqa: E402
import reports  # noqa: E402
import rounds  # noqa: E402
import run as bench_run  # noqa: E402
import scaling_target  # noqa: E402
import spark_arms  # noqa: E402
import sqlite_proof  # noqa: E402
import summary  # noqa: E402
from arms import Arm  # noqa: E402
from target import Extra  # noqa: E402

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

    def test_indexes_are_those_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.sqlite"
            with sqlite3.connect(path) as connection:
                connection.execute("CREATE TABLE x (i INTEGER, m DECIMAL(15,2), d TEXT, t TEXT, s TEXT)")
                connection.executemany("INSERT INTO x VALUES (?, ?, ?, ?, ?)", ROWS)
                connection.execute("CREATE INDEX x_d_s ON x (d, s)")
            connection.close()
            self.assertTrue(sqlite_proof.prove(path, "x", FACTS, ("d,s",))["ok"])
            for wrong in ((), ("d",), ("d,s", "i")):
                self.assertFalse(sqlite_proof.prove(path, "x", FACTS, wrong)["ok"])

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
            "output_bytes": None, "steal_seconds": 0.0, "proof": {}, "extra": {}}


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
        found = self.timed("sleep 1; echo a", "sleep 1")
        self.assertIsNone(found.failure)
        self.assertEqual(found.stdout, "a")
        self.assertTrue(1 <= found.seconds < 1.9, found.seconds)

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


class Shown(unittest.TestCase):
    """What the tables of PostgreSQL say."""

    def result(self, runs, arms, extras=(), **more):
        lines = summary.of_target(Workload(), arms, runs, {}, extras)
        return {"title": "T", "workload": "w", "rows": 100, "source_bytes": 1, "source_sha256": "ab", "repeats": 1,
                "cores": 2, "extras": [vars(extra) for extra in extras], "arms": lines, "runs": runs, **more}

    def test_cpu_is_shown_per_million_rows(self):
        runs = [dict(run("ours", 1, 1.0), server_cpu_seconds=0.5)]
        text = "\n".join(markdown.table(self.result(runs, [OURS])))
        self.assertIn("client CPU s | client CPU s/M rows | server CPU s | server CPU s/M rows", text)
        self.assertIn("| 1.00 | 10000.00 | 0.50 | 5000.00 |", text)

    def test_methods_are_compared_without_a_column_of_their_own(self):
        method = Arm("method", "method", commands=None, ours=True, yardstick=False)
        result = self.result([run("ours", 1, 1.0), run("method", 1, 3.0)], [OURS, method])
        self.assertEqual(result["arms"][1]["ratios"]["ours"]["median"], 3.0)
        self.assertNotIn("time / method", "\n".join(markdown.table(result)))

    def test_nothing_is_lost_against_ourselves(self):
        method = Arm("method", "method", commands=None, ours=True, yardstick=False)
        text = "\n".join(markdown.section(self.result([run("ours", 1, 3.0), run("method", 1, 1.5)], [OURS, method])))
        self.assertIn("| 0.50 |", text)
        self.assertNotIn("lost", text.lower())

    def test_the_worst_round_is_shown_where_the_worst_counts(self):
        extras = (Extra("wait", "wait", "{:.0f}", worst=True), Extra("size", "size", "{:.0f}"))
        runs = [dict(run("ours", number, 1.0), extra={"wait": wait, "size": size})
                for number, wait, size in ((1, 7, 10), (2, 99, 20), (3, 8, 90))]
        result = self.result(runs, [OURS], extras)
        self.assertEqual(result["arms"][0]["extra"], {"wait": 99, "size": 20})
        self.assertIn("| 99 | 20 |", "\n".join(markdown.table(result)))

    def test_a_missed_aim_is_printed(self):
        lines = [aims.aim("twice as fast", 1.5, at_least=2), aims.aim("no growth", 1.0, at_most=1.05)]
        text = "\n".join(markdown.section(self.result([run("ours", 1, 1.0)], [OURS], aims=lines)))
        self.assertIn("- **missed**: twice as fast: 1.50", text)
        self.assertIn("- reached: no growth: 1.00", text)

    def test_an_aim_needs_runs_of_one_round(self):
        runs = [run("ours", 1, 1.0), run("peer", 2, 9.0)]
        self.assertIsNone(aims.times(self.result(runs, [OURS, PEER]), "ours", "peer"))
        runs.append(run("peer", 1, 8.0))
        self.assertEqual(aims.times(self.result(runs, [OURS, PEER]), "ours", "peer"), 8.0)

    def test_server_cpu_against_spark_is_an_aim(self):
        arms = [Arm("headrace", "h", commands=None, ours=True), Arm("spark", "s", commands=None)]
        runs = [dict(run("headrace", 1, 1.0), server_cpu_seconds=1.0),
                dict(run("spark", 1, 7.0), server_cpu_seconds=3.0)]
        found = aims.spark_aims(self.result(runs, arms))
        self.assertEqual([line["reached"] for line in found], [True, False])


class Scaling(unittest.TestCase):
    def result(self):
        arms = [Arm(f"connections_{n}", f"{n}", commands=None, ours=True, yardstick=n == 1) for n in (1, 2, 3, 4)]
        seconds = {1: 10.0, 2: 6.0, 3: 6.5, 4: 9.0}
        runs = [dict(run(f"connections_{n}", 1, seconds[n]), cpu_seconds=2.0, server_cpu_seconds=10.0) for n in seconds]
        return Shown().result(runs, arms)

    def test_the_machine_limits_the_speed_up(self):
        # 12 s of CPU in 10 s: 1.2 cores busy, so two cores are at most 1.67 times as fast.
        self.assertAlmostEqual(scaling_target.limit(self.result(), 4), 2 / 1.2)
        self.assertEqual(scaling_target.limit(self.result(), 1), 1)
        self.assertIn("1.67 times as fast", scaling_target.machine_limit(self.result()))

    def test_aims_are_of_what_the_machine_allows(self):
        found = scaling_target.aims(self.result())
        self.assertEqual([line["reached"] for line in found], [True, True, False])
        self.assertAlmostEqual(found[0]["found"], 10 / 6 / (2 / 1.2))

    def test_the_table_has_a_line_for_each_number(self):
        lines = scaling_target.table(self.result())
        self.assertEqual(lines[3], "| 2 | 0.0 | 1.67 | 0.83 | 2.00 | - |")
        self.assertEqual(len(lines), 6)

    def test_without_one_connection_nothing_is_claimed(self):
        empty = dict(self.result(), runs=[])
        self.assertEqual(scaling_target.aims(empty), [])
        self.assertIn("not known", scaling_target.machine_limit(empty))


class EntityTable(unittest.TestCase):
    class Workload:
        column_text = tuple((name, entity_workload.as_text(name, kind))
                            for name, kind in entity_workload.COLUMNS.items())

    def test_it_is_the_table_of_old(self):
        self.assertEqual((len(entity_workload.COLUMNS), len(entity_workload.INDEXES)), (15, 12))

    def test_the_proof_looks_at_every_column(self):
        query = postgres_tables.proof_query(self.Workload, "t")
        self.assertEqual(len(postgres_tables.proof_columns(self.Workload)), 32)
        for name in entity_workload.COLUMNS:
            self.assertIn(f"count({name})", query)
        self.assertIn("sum(hashtextextended(md5(ST_AsEWKB(geometry)), 0)::numeric)", query)

    def test_the_proof_names_the_column_that_differs(self):
        wanted = "|".join(str(number) for number in range(32))
        self.assertEqual(postgres_tables.differences(self.Workload, wanted, wanted), [])
        found = wanted.split("|")
        found[4], found[31] = "", "7"
        self.assertEqual(postgres_tables.differences(self.Workload, "|".join(found), wanted),
                         ["name (hash) is NULL, not 4", "whole rows (hash) is 7, not 31"])

    def test_old_rows_differ_from_new_ones(self):
        columns = replace_target.old_rows().split(", ")
        self.assertEqual(len(columns), 15)
        self.assertEqual(columns[-1], "'old'")

    def test_the_old_way_is_one_transaction(self):
        statements = replace_target.old_way("t", "/in/it's")
        self.assertEqual((statements[0], statements[-1]), ("BEGIN", "COMMIT"))
        self.assertIn("'/in/it''s'", statements[2])

    def test_the_old_writers_batch_sizes(self):
        found = [spark_arms.guide_batch(rows) for rows in (9_999, 10_000, 99_999, 100_000, 999_999, 1_000_000)]
        self.assertEqual(found, [1_000, 5_000, 5_000, 10_000, 10_000, 20_000])


class Choice(unittest.TestCase):
    class Options:
        arms, spark = None, False

    def test_spark_runs_only_when_asked_for(self):
        spark = Arm("spark", "s", commands=None, spark=True)
        options = self.Options()
        self.assertFalse(bench_run.is_wanted(options, spark, "lineitem"))
        options.arms = ["spark"]
        self.assertTrue(bench_run.is_wanted(options, spark, "lineitem"))
        options.arms, options.spark = None, True
        self.assertTrue(bench_run.is_wanted(options, spark, "lineitem"))

    def test_an_arm_runs_with_its_workloads_only(self):
        staged = Arm("staged", "s", commands=None, workloads=("entity",))
        self.assertTrue(bench_run.is_wanted(self.Options(), staged, "entity"))
        self.assertFalse(bench_run.is_wanted(self.Options(), staged, "lineitem"))


PEER_WITH_ACTION = """import sys, time
print("something of its own", flush=True)
sum(range(3_000_000))
print("ready", flush=True)
assert sys.stdin.readline() == "go\\n"
sum(range(4_000_000))
time.sleep(0.2)
print("done", flush=True)
time.sleep({after})
sys.exit({code})
"""


class Reasons(unittest.TestCase):
    def test_a_long_list_of_differences_is_cut(self):
        self.assertEqual(rounds.shortened(["a", "b", "c"]), "a; b; c")
        self.assertEqual(rounds.shortened(["a", "b", "c", "d", "e"]), "a; b; c; and 2 more")


class Action(unittest.TestCase):
    def timed(self, script, timeout=30.0):
        reset = []
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            measured, server = action.timed_action([sys.executable, "-c", script], None, log, timeout,
                                                   lambda: reset.append(1), lambda: 5.0 * len(reset))
        return measured, server, len(reset)

    def test_only_the_action_is_timed(self):
        measured, server, resets = self.timed(PEER_WITH_ACTION.format(after=2, code=0))
        self.assertIsNone(measured.failure)
        self.assertTrue(0.2 <= measured.seconds < 2, measured.seconds)
        self.assertGreater(measured.cpu_seconds, 0.02)
        self.assertGreater(measured.peak_rss_bytes, 1 << 20)
        self.assertEqual((server, resets), (0.0, 1))

    def test_failures_have_a_reason(self):
        self.assertIn("exit 3", self.timed(PEER_WITH_ACTION.format(after=0, code=3))[0].failure)
        self.assertIn("ZeroDivisionError", self.timed("1 / 0")[0].failure)
        self.assertIn("ended before", self.timed("pass")[0].failure)
        self.assertIn("ended before", self.timed("print('ready', flush=True); input()")[0].failure)
        self.assertIn("stopped after", self.timed("import time; time.sleep(60)", timeout=0.5)[0].failure)

    def test_the_line_with_the_error_is_the_reason(self):
        self.assertEqual(measure.error_line("a\nERROR: no\nCONTEXT: line 1"), "ERROR: no")
        self.assertEqual(measure.error_line("a\nb"), "b")
        self.assertEqual(measure.error_line(""), "no message")

    def test_a_tree_has_all_descendants(self):
        times = {10: (1, 0, 0), 11: (10, 0, 0), 12: (11, 0, 0), 20: (1, 0, 0)}
        self.assertEqual(processes.tree(10, times), {10, 11, 12})


if __name__ == "__main__":
    unittest.main()
