"""headrace recommend, and what the command lines of recommend, check and gc have in common."""

import pytest
from conftest import headrace


@pytest.mark.parametrize("rows, expected", [
    (9_999, ("optimized", 1000, 1)), (10_000, ("optimized", 5000, 2)), (50_000, ("optimized", 5000, 2)),
    (100_000, ("optimized", 10000, 4)), (1_000_000, ("copy", 20000, 8)), (50_000_000, ("copy", 20000, 20))])
def test_recommend(rows, expected):
    done = headrace("recommend", "--rows", rows, "--json")
    assert (done.code, done.err) == (0, "")
    value = done.json()
    assert list(value) == ["method", "batch_size", "num_partitions", "notes"]
    assert (value["method"], value["batch_size"], value["num_partitions"]) == expected
    assert len(value["notes"]) == 1 and "dataset - " in value["notes"][0]


def test_recommend_as_text_and_from_the_environment():
    done = headrace("recommend", "--memory-gb", 16, env={"HEADRACE_ROWS": 50000})
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines() == [
        "method      optimized", "batch size  5,000", "partitions  2",
        "note        Medium dataset - moderate parallelization"]


@pytest.mark.parametrize("arguments, message", [
    ([], "the number of rows is missing"), (["--rows", -1], "-1 is not a number of rows"),
    (["--rows", "many"], "--rows"), (["--rows", 5, "--memory-gb", 0], "0 GB is not an amount of memory"),
    (["--rows", 5, "--to", "x.db"], "unknown option --to"), (["--rows", 5, "x.parquet"], "unexpected argument")])
def test_recommend_usage(arguments, message):
    done = headrace("recommend", *arguments)
    assert (done.code, done.out) == (2, ""), done
    assert message in done.err


def test_plan_prints_the_recommendation_beside_its_choice(orders, postgres, tmp_path):
    plan = headrace("plan", orders, *postgres.to("t", "--json")).json()
    found = [d for d in plan["decisions"] if d["subject"] == "recommendation"]
    assert [d["choice"] for d in found] == ["optimized, batch size 1000, 1 partition"]
    assert found[0]["reason"].startswith(f"published for < 10,000 rows; the plan chose {plan['method']}")
    plan = headrace("plan", orders, "--to", tmp_path / "x.db", "--json").json()
    assert [d for d in plan["decisions"] if d["subject"] == "recommendation"] == []


@pytest.mark.parametrize("command", ["recommend", "check", "gc"])
def test_help(command):
    done = headrace(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert "Examples:" in done.out and "--json " in done.out
    assert max(map(len, done.out.splitlines())) <= 100
    assert headrace("help", command).out == done.out
    assert f"\n  {command} " in headrace("--help").out


@pytest.mark.parametrize("command", ["check", "gc"])
def test_target_is_needed_and_of_a_known_kind(command):
    for arguments, message in [([], "the target is missing"), (["--to", "what"], "of no known kind"),
                               (["--to", "null:"], "null"), (["--to", "x.db", "y"], "unexpected argument 'y'")]:
        done = headrace(command, *arguments)
        assert (done.code, done.out) == (2, ""), done
        assert message in done.err
