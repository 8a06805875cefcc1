"""headrace plan and headrace inspect: what they print, and that they write nothing."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import headrace

PLAN_FIELDS = """schema_version source source_format target dialect schema table mode method method_requested
    method_reason fallback_reason row_format commit_scope index_action columns partitions row_count creates_table already_committed stage_is_temporary ddl
    readers workers batch_rows insert_rows block_bytes read_ahead_bytes page_bytes layout verify analyze lock_timeout_ms values decisions
    warnings""".split()
FACTS_FIELDS = "schema_version source format row_count row_count_is_exact byte_count files columns partitions".split()
# Text that Parquet stores as a dictionary is read as one.
TEXT = ("utf8", "dictionary<int32, utf8>")


def test_plan_writes_nothing_to_postgres(orders, postgres):
    for command in ["plan"], ["plan", "--json"], ["load", "--dry-run"]:
        done = headrace(*command, orders, *postgres.to("t"))
        assert (done.code, done.err) == (0, ""), done
        assert postgres.relations() == []


def test_plan_writes_nothing_to_sqlite(orders, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    assert headrace("plan", orders, "--to", folder / "x.db").code == 0
    assert list(folder.iterdir()) == []


def test_plan_as_json(orders, postgres):
    plan = headrace("plan", orders, *postgres.to("t", "--mode", "append", "--json", "--connections", 3)).json()
    assert list(plan) == PLAN_FIELDS
    assert (plan["dialect"], plan["table"], plan["mode"]) == ("postgres", "t", "append")
    assert (plan["row_count"], len(plan["partitions"])) == (1000, 2)
    assert [(c["field"]["name"], c["target"], c["target_type"]["sql"]) for c in plan["columns"]] == [
        ("id", "id", "bigint"), ("name", "name", "text"), ("price", "price", "double precision")]
    assert [c["field"]["type"]["name"] in ("int64", "float64", *TEXT) for c in plan["columns"]] == [True] * 3
    assert plan["creates_table"] is True
    assert any("CREATE" in statement for statement in plan["ddl"])


def test_plan_as_text(orders, postgres):
    done = headrace("plan", orders, *postgres.to("t"))
    assert done.code == 0, done
    for part in "orders.parquet (parquet, 1,000 rows, 2 partitions)", "double precision", "CREATE", "\ndecisions\n":
        assert part in done.out


def test_dry_run_prints_the_plan(orders, tmp_path):
    arguments = [orders, "--to", tmp_path / "x.db", "--progress", "json"]
    assert headrace("load", *arguments, "--dry-run").out == headrace("plan", *arguments).out


def test_plan_of_an_existing_table_in_mode_create(orders, postgres):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint)")
    done = headrace("plan", orders, *postgres.to("t", "--json"))
    assert done.code == 1
    assert (done.json()["status"], done.error()["code"]) == ("failed", "target_exists")


def test_inspect_as_json(orders):
    facts = headrace("inspect", orders, "--json").json()
    assert list(facts) == FACTS_FIELDS
    assert (facts["format"], facts["row_count"], facts["row_count_is_exact"]) == ("parquet", 1000, True)
    number, name, price = facts["columns"]
    assert [number["name"], number["type"], price["name"], price["type"]] == ["id", "int64", "price", "float64"]
    assert name["name"] == "name" and name["type"] in TEXT
    assert (name["physical_type"], name["compression"].upper(), name["null_count"]) == ("BYTE_ARRAY", "ZSTD", 100)
    assert name["min"].startswith("name ") and name["compressed_bytes"] > 0
    assert [p["row_count"] for p in facts["partitions"]] == [500, 500]
    assert facts["files"] == [str(orders)]


def test_inspect_as_text(orders):
    done = headrace("inspect", orders)
    assert (done.code, done.err) == (0, ""), done
    lines = done.out.splitlines()
    assert "rows        1,000" in lines
    header = next(line for line in lines if "compression" in line)
    row = next(line for line in lines if " price " in line)
    assert header.index("type") == row.index("float64")
    assert sum("orders.parquet" in line for line in lines[lines.index("partitions"):]) == 2


@pytest.mark.files
def test_inspect_hive_folders(tmp_path):
    for year in 2024, 2025:
        folder = tmp_path / f"year={year}"
        folder.mkdir()
        pq.write_table(pa.table({"a": [1, 2]}), folder / "part.parquet")
    facts = headrace("inspect", tmp_path, "--json").json()
    assert [c["name"] for c in facts["columns"]] == ["a", "year"]
    assert [p["hive"]["year"] for p in facts["partitions"]] == ["2024", "2025"]


@pytest.mark.files
@pytest.mark.parametrize("content", ["a,b\n1,x\n", "a,b\n"])
def test_inspect_csv(tmp_path, content):
    (tmp_path / "x.csv").write_text(content)
    done = headrace("inspect", tmp_path / "x.csv", "--type", "a=int32", "--json")
    assert done.code == 0, done
    assert done.json()["columns"][0]["type"] == "int32"


@pytest.mark.files
def test_names_cannot_steer_the_terminal(tmp_path):
    pq.write_table(pa.table({"a\x1b[2Jb\n": [1]}), tmp_path / "x.parquet")
    for command in ["inspect", tmp_path / "x.parquet"], ["plan", tmp_path / "x.parquet", "--to", tmp_path / "x.db"]:
        done = headrace(*command)
        assert done.code == 0, done
        assert "\x1b" not in done.out and "a\\x1b[2Jb\\n" in done.out
