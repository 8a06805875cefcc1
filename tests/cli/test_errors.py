"""Loads that fail: exit code, what is said, and that nothing is left."""

import re
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import headrace
from test_load import FIELDS

ERROR_FIELDS = "code message hint sqlstate retryable where context".split()
WHERE_FIELDS = "file partition row column".split()


def failing(code, exit_code, *arguments, **options):
    """Runs a load that must fail like this, as text and as JSON; returns the JSON's error and the text on stderr."""
    text = headrace(*arguments, **options)
    assert text.code == exit_code, text
    assert re.search(r"^headrace: error: .", text.err, re.M), text
    assert "error: " not in text.out
    done = headrace(*arguments, "--json", **options)
    assert done.code == exit_code, done
    report = done.json()
    assert list(report) == [*FIELDS, "error"]
    assert (report["status"], report["rows_written"]) == ("failed", 0)
    error = report["error"]
    assert list(error) == ERROR_FIELDS and list(error["where"]) == WHERE_FIELDS
    assert error["code"] == code, done
    for output in text.err, done.err:
        assert not re.search(r"terminate called|what\(\)|Traceback|#0 |std::", output)
    return error, text.err


# --- sources

@pytest.mark.parametrize("target", ["null:", "{}/x.db"])
def test_missing_file(tmp_path, target):
    error, said = failing("not_found", 3, "load", tmp_path / "nothing.parquet", "--to", target.format(tmp_path))
    assert "nothing.parquet" in error["message"] + str(error["where"]["file"])
    assert "nothing.parquet" in said
    assert list(tmp_path.iterdir()) == []


def test_missing_file_of_plan_and_inspect(tmp_path):
    for arguments in ["plan", tmp_path / "no.parquet", "--to", "null:"], ["inspect", tmp_path / "no.parquet"]:
        failing("not_found", 3, *arguments)


def test_truncated_parquet(orders, tmp_path):
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(orders.read_bytes()[:-20])
    _, said = failing("source", 1, "load", cut, "--to", tmp_path / "x.db")
    assert "cut.parquet" in said
    assert not (tmp_path / "x.db").exists()


@pytest.mark.files
def test_damaged_page(tmp_path):
    path = tmp_path / "damaged.parquet"
    numbers = pa.array(range(100_000), pa.int64())
    pq.write_table(pa.table({"a": numbers}), path, compression="zstd", use_dictionary=False)
    page = pq.read_metadata(path).row_group(0).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[page : page + 200] = b"\xa5" * 200
    path.write_bytes(content)
    target = tmp_path / "target"
    target.mkdir()
    _, said = failing("source", 1, "load", path, "--to", target / "x.db")
    assert "damaged.parquet" in said
    assert list(target.iterdir()) == []


@pytest.mark.files
@pytest.mark.parametrize("content", [b"", b"PAR1", b"this is not Parquet\n" * 100])
def test_not_parquet(tmp_path, content):
    path = tmp_path / "fake.parquet"
    path.write_bytes(content)
    _, said = failing("source", 1, "load", path, "--to", tmp_path / "x.db")
    assert "fake.parquet" in said
    assert not (tmp_path / "x.db").exists()


@pytest.mark.files
def test_csv_cell_of_the_wrong_type(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,x\noops,y\n")
    done = headrace("load", path, "--to", tmp_path / "x.db", "--type", "a=int64", "--json")
    assert done.code == 1, done
    assert "oops" in done.err and "x.csv" in done.err
    assert not (tmp_path / "x.db").exists()


# --- targets

def test_existing_table(orders, postgres):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint)")
    error, said = failing("target_exists", 1, "load", orders, *postgres.to("t"))
    assert "--mode append" in error["hint"] and "--mode replace" in error["hint"]
    assert "  hint: " in said and "--mode append" in said
    assert postgres.count("t") == 0
    assert postgres.relations() == ["t"]


def test_existing_sqlite_table(orders, tmp_path):
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    before = (tmp_path / "x.db").read_bytes()
    error, _ = failing("target_exists", 1, "load", orders, "--to", tmp_path / "x.db")
    assert "--mode append" in error["hint"] and "--mode replace" in error["hint"]
    assert (tmp_path / "x.db").read_bytes() == before


def test_column_missing_in_the_target(orders, postgres):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, name text)")
    error, _ = failing("type_mismatch", 1, "load", orders, *postgres.to("t", "--mode", "append"))
    assert "price" in error["message"]
    assert postgres.count("t") == 0


def test_column_that_the_target_demands(orders, postgres):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, name text, price float8, owner text NOT NULL)")
    error, _ = failing("type_mismatch", 1, "load", orders, *postgres.to("t", "--mode", "append"))
    assert "owner" in error["message"]


def test_type_that_does_not_fit(orders, postgres):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, name text, price date)")
    error, said = failing("type_mismatch", 1, "load", orders, *postgres.to("t", "--mode", "append"))
    assert "price" in error["message"] + str(error["where"]["column"])
    assert "price" in said
    assert postgres.count("t") == 0


@pytest.mark.files
def test_value_that_does_not_fit(tmp_path, postgres):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": pa.array([1, 2, 40000], pa.int64())}), path)
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (a smallint)")
    done = headrace("load", path, *postgres.to("t", "--mode", "append", "--json"))
    assert done.code == 1, done
    assert done.error()["code"] in ("rejected_value", "type_mismatch")
    if done.error()["code"] == "rejected_value":
        where = done.error()["where"]
        assert (where["row"], where["column"]) == (3, "a")
        assert "row 3, column a" in done.err
    assert postgres.count("t") == 0


def test_row_that_the_server_refuses(orders, postgres):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint CHECK (id < 900), name text, price float8)")
    error, said = failing("rejected_value", 1, "load", orders, *postgres.to("t", "--mode", "append"))
    assert (error["sqlstate"], error["where"]["row"]) == ("23514", 901)
    assert "  at: " in said and "row 901" in said
    assert "  sqlstate: 23514\n" in said
    assert postgres.count("t") == 0


def test_wrong_password(orders, tcp):
    keywords, password = tcp
    error, said = failing("authentication", 4, "load", orders, "--to", keywords, env={"PGPASSWORD": "wrong-secret"})
    assert "wrong-secret" not in said and "wrong-secret" not in str(error)
    assert password not in said


def test_unknown_host(orders):
    failing("connection", 4, "load", orders, "--to", "postgresql://someone@host.invalid/db")


def test_nobody_listens(orders):
    failing("connection", 4, "load", orders, "--to", "host=127.0.0.1 port=1 user=u dbname=d")


def test_no_such_database(orders, tcp):
    keywords, password = tcp
    done = headrace("load", orders, "--to", f"{keywords} dbname=no_such_db", "--json", env={"PGPASSWORD": password})
    assert done.code == 4, done
    assert "no_such_db" in done.err


def test_unknown_target(orders):
    done = headrace("load", orders, "--to", "mysql://localhost/db")
    assert done.code == 2, done
    assert "headrace: error: " in done.err


def test_target_folder_that_is_not_there(orders, tmp_path):
    done = headrace("load", orders, "--to", tmp_path / "no" / "x.db")
    assert done.code in (1, 3), done
    assert str(tmp_path / "no") in done.err


def test_unknown_method(orders, tmp_path):
    failing("usage", 2, "load", orders, "--to", tmp_path / "x.db", "--method", "copy")
    assert not (tmp_path / "x.db").exists()
