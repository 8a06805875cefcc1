"""Modes truncate, upsert and delete_insert into real tables, with one connection and with several."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import headrace

pytestmark = pytest.mark.files
CONNECTIONS = ["1", "3"]


def file_of(tmp_path, rows, name="in.parquet", columns=("id", "name", "n")):
    """Rows of (id, name, n) in row groups of two, so that several connections get some."""
    types = {"id": pa.int64(), "name": pa.string(), "n": pa.int32()}
    arrays = {column: pa.array([row[i] for row in rows], types[column]) for i, column in enumerate(columns)}
    path = tmp_path / name
    pq.write_table(pa.table(arrays), path, row_group_size=2)
    return path


@pytest.fixture
def people(postgres):
    """id primary key, and a column that loads do not know."""
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint PRIMARY KEY, name text, n integer, kept text DEFAULT 'd')")
    postgres.execute(f"INSERT INTO {postgres.schema}.t VALUES (1, 'one', 10, 'k1'), (2, 'two', 20, 'k2'), (3, NULL, 30, 'k3')")
    return postgres


def rows_of(postgres, columns="id, name, n, kept"):
    return postgres.execute(f"SELECT {columns} FROM {postgres.schema}.t ORDER BY 1, 2, 3")


def load(postgres, path, mode, *more):
    done = headrace("load", path, *postgres.to("t", "--mode", mode, "--json", *more))
    report = done.json()
    assert (done.code == 0) == (report["status"] == "ok"), done
    assert [name for name in postgres.relations() if "headrace" in name] == []
    return report


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_upsert_updates_and_inserts(people, tmp_path, connections):
    path = file_of(tmp_path, [(2, "zwei", None), (3, "drei", 33), (4, "vier", 44), (5, None, 55)])
    report = load(people, path, "upsert", "--connections", connections)
    assert (report["status"], report["commit_scope"], report["connections"]) == ("ok", "staged", int(connections))
    assert (report["rows_written"], report["rows_rejected"]) == (4, 0)
    assert rows_of(people) == [(1, "one", 10, "k1"), (2, "zwei", None, "k2"), (3, "drei", 33, "k3"),
                               (4, "vier", 44, "d"), (5, None, 55, "d")]
    assert {"subject": "key", "choice": "id", "reason": "the primary key of the target"} in report["decisions"]


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_upsert_updates_only_what_is_asked(people, tmp_path, connections):
    path = file_of(tmp_path, [(1, "x", 11), (9, "nine", 99)])
    report = load(people, path, "upsert", "--key", "id", "--update-columns", "n", "--connections", connections)
    assert report["status"] == "ok"
    assert rows_of(people) == [(1, "one", 11, "k1"), (2, "two", 20, "k2"), (3, None, 30, "k3"), (9, "nine", 99, "d")]


@pytest.mark.parametrize("connections", CONNECTIONS)
@pytest.mark.parametrize("keep, wanted", [("first", "a"), ("last", "d")])
def test_upsert_keeps_one_of_duplicates(people, tmp_path, connections, keep, wanted):
    rows = [(7, "a", 1), (8, "z", 0), (7, "b", 2), (7, "c", 3), (7, "d", 4), (1, "uno", 5)]
    report = load(people, file_of(tmp_path, rows), "upsert", "--on-duplicate", keep, "--connections", connections)
    assert (report["status"], report["rows_read"], report["rows_written"], report["rows_rejected"]) == ("ok", 6, 3, 3)
    assert any("3 rows were left out" in warning for warning in report["warnings"])
    assert rows_of(people, "id, name, n")[-2:] == [(7, wanted, {"a": 1, "d": 4}[wanted]), (8, "z", 0)]
    assert rows_of(people, "id, name, n")[0] == (1, "uno", 5)


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_upsert_refuses_duplicates(people, tmp_path, connections):
    before = rows_of(people)
    report = load(people, file_of(tmp_path, [(7, "a", 1), (8, "b", 2), (7, "c", 3)]), "upsert", "--connections", connections)
    assert report["error"]["code"] == "rejected_value"
    assert report["error"]["message"] == "key (id) = (7) occurs in 2 rows of the source"
    assert "--on-duplicate" in report["error"]["hint"]
    assert rows_of(people) == before


def test_upsert_with_null_in_the_key_keeps_all_rows(postgres, tmp_path):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, name text, n integer, UNIQUE (id, name))")
    path = file_of(tmp_path, [(1, None, 1), (1, None, 2), (1, "a", 3), (1, "a", 4)])
    report = load(postgres, path, "upsert", "--key", "id,name", "--on-duplicate", "last")
    assert (report["status"], report["rows_written"], report["rows_rejected"]) == ("ok", 3, 1)
    assert rows_of(postgres, "n, id, name") == [(1, 1, None), (2, 1, None), (4, 1, "a")]


def test_upsert_makes_a_missing_table_with_its_key(postgres, tmp_path):
    report = load(postgres, file_of(tmp_path, [(2, "b", 1), (1, "a", 2)]), "upsert", "--key", "id")
    assert report["status"] == "ok", report
    assert rows_of(postgres, "id, name, n") == [(1, "a", 2), (2, "b", 1)]
    report = load(postgres, file_of(tmp_path, [(2, "c", 3), (3, "d", 4)]), "upsert")
    assert rows_of(postgres, "id, name, n") == [(1, "a", 2), (2, "c", 3), (3, "d", 4)]


@pytest.mark.parametrize("arguments, code, message", [
    (["upsert", "--key", "name"], 1, "has no unique index on (name)"),
    (["upsert", "--key", "nothing"], 1, "key nothing is not a column that the source fills"),
    (["upsert", "--update-columns", "id"], 2, "update column id is a key"),
    (["upsert", "--replace-where", "id = 1"], 2, "is for mode delete_insert"),
    (["append", "--key", "id"], 2, "are for mode upsert"),
    (["delete_insert"], 2, "needs the condition"),
    (["delete_insert", "--replace-where", "  "], 2, "needs the condition"),
    (["delete_insert", "--replace-where", "no_such = 1"], 1, "no_such"),
    (["delete_insert", "--replace-where", "id = 1); DROP TABLE t; --"], 1, "syntax error"),
    (["delete_insert", "--replace-where", "id = 1; DELETE FROM t"], 1, "syntax error"),
])
def test_what_cannot_be_done_changes_nothing(people, tmp_path, arguments, code, message):
    before = rows_of(people)
    path = file_of(tmp_path, [(1, "a", 1)])
    done = headrace("load", path, *people.to("t", "--mode", *arguments, "--json"))
    assert done.code == code, done
    assert message in done.error()["message"]
    assert rows_of(people) == before


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_delete_insert(people, tmp_path, connections):
    path = file_of(tmp_path, [(2, "neu", 21), (6, "neu", 22), (7, "neu", 23)])
    report = load(people, path, "delete_insert", "--replace-where", "n BETWEEN 20 AND 30", "--connections", connections)
    assert (report["status"], report["commit_scope"], report["rows_written"]) == ("ok", "staged", 3)
    assert rows_of(people) == [(1, "one", 10, "k1"), (2, "neu", 21, "d"), (6, "neu", 22, "d"), (7, "neu", 23, "d")]


@pytest.mark.parametrize("connections", CONNECTIONS)
def test_delete_insert_refuses_rows_outside_the_condition(people, tmp_path, connections):
    before = rows_of(people)
    path = file_of(tmp_path, [(2, "neu", 21), (6, "neu", 99), (7, "neu", None)])
    report = load(people, path, "delete_insert", "--replace-where", "n = 21", "--connections", connections)
    assert report["error"]["code"] == "rejected_value"
    assert report["error"]["message"].startswith("2 rows of the source do not meet the condition")
    assert rows_of(people) == before


def test_delete_insert_into_a_missing_table_makes_it(postgres, tmp_path):
    report = load(postgres, file_of(tmp_path, [(1, "a", 1)]), "delete_insert", "--replace-where", "n = 1")
    assert report["status"] == "ok"
    assert rows_of(postgres, "id, name, n") == [(1, "a", 1)]


def test_delete_insert_does_not_reach_other_tables(people, tmp_path):
    people.execute(f"CREATE TABLE {people.schema}.o (t bigint REFERENCES {people.schema}.t ON DELETE CASCADE)")
    people.execute(f"INSERT INTO {people.schema}.o VALUES (2)")
    report = load(people, file_of(tmp_path, [(2, "neu", 20)]), "delete_insert", "--replace-where", "n = 20")
    assert report["error"]["code"] == "unsupported"
    assert people.count("o") == 1


@pytest.mark.parametrize("mode, more", [("upsert", []), ("delete_insert", ["--replace-where", "n < 100"])])
@pytest.mark.parametrize("connections", CONNECTIONS)
def test_a_row_that_the_server_refuses_leaves_everything(people, tmp_path, mode, more, connections):
    people.execute(f"ALTER TABLE {people.schema}.t ADD CHECK (n <> 13)")
    before = rows_of(people)
    path = file_of(tmp_path, [(1, "a", 1), (2, "b", 13), (3, "c", 3)])
    report = load(people, path, mode, *more, "--connections", connections)
    assert report["error"]["sqlstate"] == "23514", report
    assert rows_of(people) == before


@pytest.mark.parametrize("mode", ["upsert", "delete_insert", "truncate"])
def test_without_create_on_the_schema(people, tmp_path, mode):
    role = people.schema + "_writer"
    people.execute(f"CREATE ROLE {role}; GRANT USAGE ON SCHEMA {people.schema} TO {role};"
                   f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON {people.schema}.t TO {role}")
    try:
        more = {"delete_insert": ["--replace-where", "id = 1"]}.get(mode, [])
        path = file_of(tmp_path, [(1, "a", 1)])
        done = headrace("load", path, "--to", people.uri + f"&options=-crole%3D{role}", "--table", f"{people.schema}.t",
                        "--mode", mode, "--connections", "4", "--json", *more)
        assert done.code == 0, done
        assert done.json()["connections"] == 1
        assert rows_of(people)[0][:3] == (1, "a", 1)
    finally:
        people.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_truncate_keeps_the_table_and_all_that_depends_on_it(people, tmp_path):
    people.execute(f"CREATE VIEW {people.schema}.v AS SELECT id FROM {people.schema}.t")
    oid = people.execute(f"SELECT '{people.schema}.t'::regclass::oid")
    report = load(people, file_of(tmp_path, [(8, "a", 1), (9, "b", 2), (10, "c", 3)]), "truncate")
    assert (report["status"], report["commit_scope"], report["rows_written"]) == ("ok", "single", 3)
    assert any("readers of the table wait" in warning for warning in report["warnings"])
    assert people.execute(f"SELECT id FROM {people.schema}.v ORDER BY 1") == [(8,), (9,), (10,)]
    assert people.execute(f"SELECT '{people.schema}.t'::regclass::oid") == oid


def test_truncate_that_fails_leaves_the_rows(people, tmp_path):
    before = rows_of(people)
    report = load(people, file_of(tmp_path, [(8, "a", 1), (8, "b", 2)]), "truncate")
    assert report["error"]["sqlstate"] == "23505"
    assert rows_of(people) == before


def test_truncate_of_a_table_that_others_refer_to_is_refused(people, tmp_path):
    before = rows_of(people)
    people.execute(f"CREATE TABLE {people.schema}.o (t bigint REFERENCES {people.schema}.t)")
    report = load(people, file_of(tmp_path, [(8, "a", 1)]), "truncate")
    assert "cannot truncate a table referenced in a foreign key constraint" in report["error"]["message"]
    assert rows_of(people) == before
