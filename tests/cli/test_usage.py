"""Help, wrong command lines, and options from the environment."""

import pytest
from conftest import headrace

LOAD_OPTIONS = """--to --table --mode --key --update-columns --on-duplicate --replace-where --method --connections
    --num-partitions --max-workers --batch-size --readers --memory --batch-rows --block-bytes --page-size --retries
    --copy-format --format --delimiter --no-header --null --type --nan-as-null --lock-timeout --load-id --no-fallback --dry-run --json
    --progress --busy-timeout --verify --layout --max-records --partition-by --optimized-rows --help""".split()


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["help"]])
def test_help_names_the_commands(arguments):
    done = headrace(*arguments)
    assert (done.code, done.err) == (0, "")
    for command in "load", "plan", "inspect", "version":
        assert f"\n  {command} " in done.out


@pytest.mark.parametrize("command", ["load", "plan"])
def test_help_names_every_option(command):
    done = headrace(command, "--help")
    assert (done.code, done.err) == (0, "")
    assert [option for option in LOAD_OPTIONS if f"{option} " not in done.out] == []
    assert "Examples:" in done.out
    assert max(map(len, done.out.splitlines())) <= 100
    assert headrace("help", command).out == done.out


def test_version():
    text, as_json = headrace("version"), headrace("version", "--json")
    assert text.code == as_json.code == 0
    assert text.out == f"headrace {as_json.json()['version']}\n"
    assert headrace("--version").out == text.out


@pytest.mark.parametrize("arguments, error, hint", [
    ([], "a command is missing", "load, plan, inspect"),
    (["lod"], "unknown command 'lod'", "did you mean headrace load?"),
    (["conquer"], "unknown command 'conquer'", "headrace --help"),
    (["help", "lod"], "unknown command 'lod'", "did you mean headrace load?"),
    (["--verbose"], "unknown option --verbose", "headrace --help"),
    (["load"], "source is missing", "headrace load FILE"),
    (["inspect"], "source is missing", "headrace inspect FILE"),
    (["load", "a.parquet"], "target is missing", "--to"),
    (["load", "a.parquet", "--to"], "--to needs a value", "load --help"),
    (["load", "a.parquet", "--to", "a.db", "--to", "b.db"], "--to is given more than once", "load --help"),
    (["load", "a.parquet", "--tabel", "t", "--to", "a.db"], "unknown option --tabel", "did you mean --table?"),
    (["load", "a.parquet", "--to", "a.db", "--mode", "merge"], "--mode: merge not in", "load --help"),
    (["load", "a.parquet", "--to", "a.db", "--connections", "many"], "--connections: Value many not in", "--help"),
    (["load", "a.parquet", "--to", "a.db", "--connections", "-1"], "--connections: Value -1 not in range", "--help"),
    (["load", "a.parquet", "--to", "a.db", "--connections", "2", "--max-workers", "3"],
     "2 and 3 connections are asked for", "mean the same"),
    (["load", "a.parquet", "--to", "a.db", "--batch-size", "-1"], "--batch-size: Value -1 not in range", "--help"),
    (["load", "a.parquet", "--to", "a.db", "--page-size", "1000"], "--page-size: 1000 not in", "--help"),
    (["load", "a.parquet", "--to", "a.db", "--memory", "lots"], "--memory 'lots' is not understood", "64MiB"),
    (["load", "a.parquet", "--to", "a.db", "--memory", "-1"], "--memory '-1' is not understood", "64MiB"),
    (["load", "a.parquet", "--to", "a.db", "--lock-timeout", "5"], "--lock-timeout '5' is not understood", "5s"),
    (["load", "a.parquet", "--to", "a.db", "--lock-timeout", "0s"], "--lock-timeout '0s' is not understood", "5s"),
    (["load", "a.csv", "--to", "a.db", "--type", "price"], "--type 'price' is not understood", "COLUMN=TYPE"),
    (["load", "a.csv", "--to", "a.db", "--type", "price=money"], "--type 'price=money'", "decimal128(15,2)"),
    (["load", "a.csv", "--to", "a.db", "--delimiter", "ab"], "--delimiter 'ab' is not understood", "one character"),
    (["load", "a.parquet", "--to", "a.db", "--progress", "loud"], "--progress: loud not in", "--help"),
    (["load", "a.parquet", "b.parquet", "--to", "a.db"], "table's name is missing", "--table"),
    (["load", ".", "--to", "a.db"], "table's name is missing", "--table"),
    (["load", "*.parquet", "--to", "a.db"], "table's name is missing", "--table"),
    (["load", "-", "--to", "a.db"], "table's name is missing", "--table"),
    (["load", "a.b.parquet", "--to", "a.db"], "table's name is missing", "--table"),
    (["inspect", "a.parquet", "--to", "a.db"], "unknown option --to", "inspect --help"),
    (["version", "now"], "unexpected argument 'now'", "version --help"),
])
def test_usage_errors(arguments, error, hint, tmp_path):
    done = headrace(*arguments, cwd=tmp_path)
    assert done.code == 2, done
    assert done.out == ""
    first, second = done.err.splitlines()
    assert first.startswith("headrace: error: ") and error in first
    assert second.startswith("  hint: ") and hint in second
    assert list(tmp_path.iterdir()) == []


def test_usage_error_as_json():
    done = headrace("load", "--json", "--colour", "red")
    assert done.code == 2
    assert done.json()["status"] == "failed"
    assert done.error()["code"] == "usage"
    assert "--colour" in done.error()["message"]


def plan(orders, *arguments, **env):
    done = headrace("plan", orders, "--json", *arguments, env=env)
    assert done.code == 0, done
    return done.json()


def test_table_is_named_after_the_file(orders, tmp_path):
    assert plan(orders, "--to", tmp_path / "x.db")["table"] == "orders"
    assert plan(orders, "--to", tmp_path / "x.db", "--table", "t")["table"] == "t"


def test_environment(orders, tmp_path):
    env = {"HEADRACE_TO": tmp_path / "x.db", "HEADRACE_TABLE": "from_environment", "HEADRACE_MODE": "replace",
           "HEADRACE_BATCH_ROWS": 128, "HEADRACE_PAGE_SIZE": 8192, "HEADRACE_BLOCK_BYTES": "128KiB"}
    chosen = plan(orders, **env)
    assert (chosen["table"], chosen["mode"], chosen["batch_rows"]) == ("from_environment", "replace", 128)
    assert (chosen["page_bytes"], chosen["block_bytes"]) == (8192, 131072)
    chosen = plan(orders, "--table", "from_flag", "--batch-rows", 256, **env)
    assert (chosen["table"], chosen["mode"], chosen["batch_rows"]) == ("from_flag", "replace", 256)


def test_names_of_the_number_of_connections(orders, tmp_path):
    def workers(*arguments, **env):
        return plan(orders, "--to", tmp_path / "x.db", *arguments, **env)["workers"]

    assert workers("--num-partitions", 3) == workers("--max-workers", 3) == workers("--connections", 3) == 3
    assert workers("--num-partitions", 3, "--connections", 3) == 3
    assert workers(HEADRACE_MAX_WORKERS=3) == 3
    assert workers("--num-partitions", 3, HEADRACE_CONNECTIONS=2) == 3  # the command line wins


def test_environment_errors_name_the_variable(orders):
    done = headrace("load", orders, "--to", "null:", env={"HEADRACE_MODE": "merge"})
    assert done.code == 2
    assert "HEADRACE_MODE: merge not in" in done.err
    # Variables of other commands' options do not matter.
    assert headrace("version", env={"HEADRACE_MODE": "merge"}).code == 0


def test_sources_with_unusual_names(orders, tmp_path):
    for name in "plan", "--help", "[x,y]", "{a}":
        odd = tmp_path / name
        odd.write_bytes(orders.read_bytes())
        done = headrace("load", "--to", "null:", "--json", "--format", "parquet", "--", name, cwd=tmp_path)
        assert (done.code, done.json()["rows_read"]) == (0, 1000), done
    assert headrace("load", "plan", "--to", "null:", "--format", "parquet", cwd=tmp_path).code == 0
