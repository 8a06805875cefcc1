"""Loads into partitioned tables: rows are routed on the client, and partitions are attached without a scan."""

import datetime
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import headrace, wait_until

pytestmark = pytest.mark.files


def file_of(tmp_path, columns, name="in.parquet", group=500):
    path = tmp_path / name
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


def numbers(tmp_path, ids, regions=("north", "south"), **more):
    ids = list(ids)
    return file_of(tmp_path, {"id": pa.array(ids, pa.int64()), "region": pa.array([regions[i % len(regions)] for i in ids]),
                              "text": pa.array([f"row {i}" for i in ids])}, **more)


def load(postgres, path, *more, mode="append", code=0):
    """Leaves no table of its own behind, whatever the end."""
    done = headrace("load", path, *postgres.to("t", "--mode", mode, "--json", "--retries", "0", *more))
    assert done.code == code, done
    assert [name for name in postgres.relations() if "headrace" in name] == []
    return done.json()


def choice(report, subject):
    return [d["choice"] for d in report["decisions"] if d["subject"] == subject]


def counts(postgres, table="t"):
    return dict(postgres.execute(f"SELECT tableoid::regclass::text, count(*) FROM {postgres.schema}.{table} GROUP BY 1"))


def named(postgres, **rows):
    return {f"{postgres.schema}.{name}": count for name, count in rows.items()}


@pytest.fixture
def by_list(postgres):
    s = postgres.schema
    postgres.execute(f"CREATE TABLE {s}.t (id bigint NOT NULL, region text, text text) PARTITION BY LIST (region);"
                     f"CREATE TABLE {s}.t_n PARTITION OF {s}.t FOR VALUES IN ('north', 'it''s');"
                     f"CREATE TABLE {s}.t_s PARTITION OF {s}.t FOR VALUES IN ('south', NULL)")
    return postgres


@pytest.fixture
def by_range(postgres):
    """Two levels: by id, and the upper half by region."""
    s = postgres.schema
    postgres.execute(f"CREATE TABLE {s}.t (id bigint PRIMARY KEY, region text, text text) PARTITION BY RANGE (id);"
                     f"CREATE TABLE {s}.t_low PARTITION OF {s}.t FOR VALUES FROM (MINVALUE) TO (1000);"
                     f"CREATE TABLE {s}.t_high PARTITION OF {s}.t FOR VALUES FROM (1000) TO ('2000');"
                     f"CREATE INDEX by_text ON {s}.t (text)")
    return postgres


@pytest.mark.parametrize("connections", ["1", "3"])
def test_list_partitions_are_filled_beside_and_attached(by_list, tmp_path, connections):
    path = file_of(tmp_path, {"id": pa.array(range(4000), pa.int64()),
                              "region": pa.array([["north", "south", None, "it's"][i % 4] for i in range(4000)])})
    report = load(by_list, path, "--connections", connections)
    if connections == "1":
        assert report["commit_scope"] == "single"
    else:
        assert (report["commit_scope"], report["connections"], choice(report, "partitions")) == ("swap", 3, ["2 of 2 empty"])
    assert counts(by_list) == named(by_list, t_n=2000, t_s=2000)
    assert by_list.execute(f"SELECT count(*), sum(id) FROM {by_list.schema}.t WHERE region IS NULL") == [(1000, sum(range(2, 4000, 4)))]
    assert by_list.execute(f"SELECT conname FROM pg_constraint WHERE conname LIKE '%headrace%'") == []


def test_attaching_does_not_scan(by_list, tmp_path):
    report = load(by_list, numbers(tmp_path, range(2000)), "--connections", "2", "--no-analyze")
    assert report["commit_scope"] == "swap"
    # A session's figures are counted when it ends.
    wait_until(lambda: by_list.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headrace'") == [(0,)])
    for table in "t_n", "t_s":
        # The CHECK was added while the table was empty: that scan read nothing.
        (read,) = by_list.execute(f"SELECT pg_stat_get_tuples_returned('{by_list.schema}.{table}'::regclass)")
        assert read == (0,)
    by_list.execute(f"ALTER TABLE {by_list.schema}.t ADD CHECK (id >= 0); SELECT pg_stat_force_next_flush()")  # reads all of them: the figure is one
    (read,) = by_list.execute(f"SELECT pg_stat_get_tuples_returned('{by_list.schema}.t_n'::regclass)")
    assert read == (1000,)


def test_ranges_keep_indexes_keys_grants_and_comments(by_range, tmp_path, role):
    s = by_range.schema
    by_range.execute(f"GRANT SELECT ON {s}.t_low TO {role[0]}; COMMENT ON TABLE {s}.t_high IS 'the upper half'")
    before = by_range.relations()
    ids = list(range(-500, 2000))
    report = load(by_range, numbers(tmp_path, ids), "--connections", "2")
    assert report["commit_scope"] == "swap"
    assert counts(by_range) == named(by_range, t_low=1500, t_high=1000)
    assert by_range.relations() == before
    assert by_range.execute(f"SELECT has_table_privilege('{role[0]}', '{s}.t_low', 'SELECT'), obj_description('{s}.t_high'::regclass)") == [(True, "the upper half")]
    assert by_range.execute("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent "
                            f"WHERE c.relname IN ('by_text', 't_pkey') AND c.relnamespace = '{s}'::regnamespace") == [(4,)]
    again = headrace("load", numbers(tmp_path, [5], name="again.parquet"), *by_range.to("t", "--mode", "append", "--json", "--retries", "0"))
    assert again.error()["sqlstate"] == "23505", again


def test_appends_merge_into_partitions_that_have_rows(by_range, tmp_path):
    by_range.execute(f"INSERT INTO {by_range.schema}.t VALUES (-1, 'north', 'old')")
    report = load(by_range, numbers(tmp_path, range(2000)), "--connections", "2")
    assert (report["commit_scope"], choice(report, "partitions")) == ("swap", ["1 of 2 empty"])
    assert counts(by_range) == named(by_range, t_low=1001, t_high=1000)
    report = load(by_range, numbers(tmp_path, range(-100, -50), name="more.parquet"), "--connections", "2")
    assert (report["commit_scope"], report["connections"]) == ("single", 1)
    (reason,) = [d["reason"] for d in report["decisions"] if d["subject"] == "commit_scope"]
    assert "all its partitions have rows" in reason
    assert counts(by_range)[f"{by_range.schema}.t_low"] == 1051


def test_replace_swaps_every_partition(by_range, tmp_path):
    by_range.execute(f"INSERT INTO {by_range.schema}.t SELECT g, 'old', 'old' FROM generate_series(0, 1999) g;"
                     f"CREATE VIEW {by_range.schema}.v AS SELECT count(*) FROM {by_range.schema}.t")
    report = load(by_range, numbers(tmp_path, range(1500, 1600)), "--connections", "2", mode="replace")
    assert (report["commit_scope"], choice(report, "partitions")) == ("swap", ["2 replaced"])
    assert counts(by_range) == named(by_range, t_high=100)
    assert by_range.execute(f"SELECT * FROM {by_range.schema}.v") == [(100,)]


@pytest.mark.parametrize("mode, more, total", [
    ("truncate", [], 20), ("upsert", ["--key", "id"], 1010), ("delete_insert", ["--replace-where", "id < 1020"], 20),
    ("append", ["--method", "optimized"], None), ("append", ["--copy-format", "text"], None)])
def test_other_modes_and_methods_go_through_the_parent(by_range, tmp_path, mode, more, total):
    if total is not None:
        by_range.execute(f"INSERT INTO {by_range.schema}.t SELECT g, 'old', 'old' FROM generate_series(0, 999) g")
    report = load(by_range, numbers(tmp_path, range(990, 1010) if mode == "upsert" else range(1000, 1020)), *more, "--connections", "2", mode=mode)
    assert report["rows_written"] == 20
    assert by_range.count("t") == (total or 20)


def test_several_levels_and_columns(postgres, tmp_path):
    s = postgres.schema
    postgres.execute(f"""CREATE TABLE {s}.t (id bigint, region text, text text, day date) PARTITION BY LIST (region);
      CREATE TABLE {s}.t_n PARTITION OF {s}.t FOR VALUES IN ('north') PARTITION BY RANGE (day, id);
      CREATE TABLE {s}.t_n1 PARTITION OF {s}.t_n FOR VALUES FROM (MINVALUE, MINVALUE) TO ('2020-01-02', 500);
      CREATE TABLE {s}.t_n2 PARTITION OF {s}.t_n FOR VALUES FROM ('2020-01-02', 500) TO ('2020-01-03', MINVALUE);
      CREATE TABLE {s}.t_n3 PARTITION OF {s}.t_n DEFAULT;
      CREATE TABLE {s}.t_s PARTITION OF {s}.t DEFAULT""")
    start = datetime.date(2020, 1, 1)
    ids = list(range(1200))
    path = file_of(tmp_path, {"day": pa.array([start + datetime.timedelta(i % 3) if i % 7 else None for i in ids]), "id": pa.array(ids, pa.int64()),
                              "region": pa.array(["north" if i % 4 else f"other {i}" for i in ids])})
    report = load(postgres, path, "--connections", "2")
    assert report["commit_scope"] == "swap", report
    mine = counts(postgres)
    # The server's own routing of the same rows.
    postgres.execute(f"CREATE TABLE {s}.copy AS TABLE {s}.t; TRUNCATE {s}.t; INSERT INTO {s}.t TABLE {s}.copy")
    assert mine == counts(postgres)
    assert len(mine) == 4 and sum(mine.values()) == 1200


@pytest.mark.parametrize("type, values", [
    ("smallint", [-3, 0, 7, 300]), ("integer", [-70000, -1, 0, 70000]), ("date", [datetime.date(1999, 12, 31), datetime.date(2000, 1, 1), datetime.date(2024, 2, 29)]),
    ("timestamp", [datetime.datetime(1999, 12, 31, 23, 59, 59, 5), datetime.datetime(2024, 1, 1)]), ("boolean", [False, True]),
    ("uuid", ["00000000-0000-0000-0000-000000000001", "ffffffff-0000-0000-0000-00000000000f"]),
    ("char(6)", ["ab", "abc"]), ("varchar(9)", ["", "zürich"]), ("text", ["a'b", "back\\slash"])])
def test_keys_of_every_type(postgres, tmp_path, type, values):
    s = postgres.schema
    quoted = ["'" + str(v).replace("'", "''") + "'" for v in values]
    parts = "".join(f"CREATE TABLE {s}.t_{i} PARTITION OF {s}.t FOR VALUES IN ({q});" for i, q in enumerate(quoted))
    postgres.execute(f"CREATE TABLE {s}.t (n integer, k {type}) PARTITION BY LIST (k); {parts}")
    array = pa.array([values[i % len(values)] for i in range(700)])
    report = load(postgres, file_of(tmp_path, {"n": pa.array(range(700), pa.int32()), "k": array}), "--connections", "2")
    assert report["commit_scope"] == "swap", report["decisions"]
    assert sum(counts(postgres).values()) == 700
    for i, q in enumerate(quoted):
        assert postgres.execute(f"SELECT count(*) FROM {s}.t_{i} WHERE k = {q}") == [(len([x for x in range(700) if x % len(values) == i]),)]


@pytest.mark.parametrize("ddl, reason", [
    ("PARTITION BY LIST (lower(region))", "a partition key is an expression"),
    ("PARTITION BY RANGE (region)", "a collation that only the server knows"),
    ("PARTITION BY HASH (id)", "hashes are computed by the server"),
    ("PARTITION BY LIST (weight)", "partition key weight (double precision)")])
def test_what_only_the_server_can_route(postgres, tmp_path, ddl, reason):
    s = postgres.schema
    bound = {"LIST": "IN ('north')", "RANGE": "FROM ('a') TO ('z')", "HASH": "WITH (modulus 1, remainder 0)"}[ddl.split()[2]]
    postgres.execute(f'CREATE TABLE {s}.t (id bigint, region text COLLATE "en-x-icu", text text, weight float8) {ddl}')
    if "weight" in ddl:
        bound = "IN (1.5, NULL)"
    postgres.execute(f"CREATE TABLE {s}.t_1 PARTITION OF {s}.t FOR VALUES {bound}")
    report = load(postgres, numbers(tmp_path, range(500), regions=("north",)), "--connections", "2")
    assert (report["commit_scope"], postgres.count("t_1")) == ("single", 500)
    (why,) = [d["reason"] for d in report["decisions"] if d["subject"] == "commit_scope"]
    assert reason in why


@pytest.mark.parametrize("ddl, reason", [
    ("CREATE TRIGGER tr BEFORE INSERT ON {s}.t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", "trigger tr on"),
    ("ALTER TABLE {s}.t ADD d integer DEFAULT 7", "column d is filled by a default"),
    ("ALTER TABLE {s}.t ADD FOREIGN KEY (id) REFERENCES {s}.o", "foreign key"),
    ("CREATE VIEW {s}.v AS SELECT * FROM {s}.t_low", "partition t_low would lose view")])
def test_objects_that_need_the_parent(by_range, tmp_path, ddl, reason):
    s = by_range.schema
    by_range.execute(f"CREATE TABLE {s}.o (id bigint PRIMARY KEY); INSERT INTO {s}.o SELECT generate_series(0, 1999)")
    by_range.execute(ddl.format(s=s))
    plan = headrace("plan", numbers(tmp_path, range(500)), *by_range.to("t", "--mode", "append", "--connections", "2", "--json")).json()
    assert plan["commit_scope"] == "single"
    assert any(reason in d["reason"] for d in plan["decisions"]), plan["decisions"]


@pytest.mark.parametrize("connections", ["1", "2"])
def test_a_row_without_partition(by_list, tmp_path, connections):
    path = file_of(tmp_path, {"id": pa.array(range(3000), pa.int64()), "region": pa.array(["north"] * 2500 + ["west"] + ["south"] * 499)})
    report = load(by_list, path, "--connections", connections, code=1)
    error = report["error"]
    assert (error["where"]["row"], error["where"]["partition"]) == (2501, 5)
    assert error["where"]["file"].endswith("in.parquet")
    assert "partition" in error["hint"]
    if connections == "2":
        assert error["message"] == f"no partition of {by_list.schema}.t takes region = 'west'"
        assert (error["code"], error["where"]["column"]) == ("rejected_value", "region")
    assert by_list.count("t") == 0


def test_missing_list_partitions_are_made(by_list, tmp_path):
    s = by_list.schema
    by_list.execute(f"CREATE TABLE {s}.t_west (x integer); CREATE INDEX ON {s}.t (id)")
    regions = ("north", "west", "far, east", "süd")
    report = load(by_list, numbers(tmp_path, range(2000), regions=regions), "--connections", "2", "--create-partitions", "list")
    assert counts(by_list) == named(by_list, t_n=500, t_west_2=500, t_far__east=500, t_s__d=500)
    assert any("3 partitions were made" in w for w in report["warnings"])
    assert by_list.execute(f"SELECT count(*) FROM pg_indexes WHERE schemaname = '{s}' AND tablename LIKE 't\\_%' AND indexdef LIKE '%(id)%'") == [(5,)]
    load(by_list, numbers(tmp_path, range(2000), regions=regions, name="b.parquet"), "--connections", "2", "--create-partitions", "list")
    assert sum(counts(by_list).values()) == 4000


@pytest.mark.parametrize("type, width, wanted", [
    ("date", "month", {"t_2023_12": 31, "t_2024_01": 31, "t_old": 9, "t_2024_02_10": 20, "t_2024_03": 9}),
    ("timestamptz", "year", {"t_2023": 31, "t_old": 9, "t_2024": 31, "t_2024_02_10": 29}),
    ("timestamp", "day", None)])
def test_missing_ranges_of_days_are_made(postgres, tmp_path, type, width, wanted):
    """t_old holds the first nine days of February: new ranges go around it."""
    s = postgres.schema
    postgres.execute(f"SET timezone = 'UTC'; CREATE TABLE {s}.t (day {type}, n integer) PARTITION BY RANGE (day);"
                     f"CREATE TABLE {s}.t_old PARTITION OF {s}.t FOR VALUES FROM ('2024-02-01') TO ('2024-02-10')")
    days = [datetime.datetime(2023, 12, 1) + datetime.timedelta(i) for i in range(100)]
    kind = {"date": pa.date32(), "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC")}[type]
    path = file_of(tmp_path, {"day": pa.array(days, pa.timestamp("us")).cast(pa.timestamp("us", "UTC") if "tz" in type else pa.timestamp("us")).cast(kind),
                              "n": pa.array(range(100), pa.int32())}, group=10)
    load(postgres, path, "--connections", "2", "--create-partitions", width)
    if wanted is None:
        assert len(counts(postgres)) == 92 and counts(postgres)[f"{s}.t_2023_12_01"] == 1
    else:
        assert counts(postgres) == named(postgres, **wanted)
    postgres.execute("RESET timezone")


def test_missing_ranges_of_numbers_are_made(by_range, tmp_path):
    report = load(by_range, numbers(tmp_path, range(500, 5100)), "--create-partitions", "2000")
    assert report["commit_scope"] == "swap"
    assert counts(by_range) == named(by_range, t_low=500, t_high=1000, t_2000=2000, t_4000=1100)
    assert by_range.execute(f"SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = '{by_range.schema}.t_4000'::regclass") == [
        ("FOR VALUES FROM ('4000') TO ('6000')",)]
    assert by_range.execute(f"SELECT count(*) FROM pg_indexes WHERE schemaname = '{by_range.schema}' AND tablename = 't_4000'") == [(2,)]


@pytest.mark.parametrize("width, code, message", [
    ("month", 2, "month is no width of id (bigint)"), ("soon", 2, "is not understood"), ("list", 1, "no partition of")])
def test_partitions_that_cannot_be_made(by_range, tmp_path, width, code, message):
    report = load(by_range, numbers(tmp_path, range(1990, 2010)), "--create-partitions", width, code=code)
    assert message in report["error"]["message"]
    assert by_range.count("t") == 0


def test_making_partitions_is_for_partitioned_tables(postgres, tmp_path):
    postgres.execute(f"CREATE TABLE {postgres.schema}.t (id bigint, region text, text text)")
    report = load(postgres, numbers(tmp_path, range(10)), "--create-partitions", "list", code=2)
    assert "partitioned table only" in report["error"]["message"]


def test_the_plan_shows_the_way(by_list, tmp_path):
    done = headrace("plan", numbers(tmp_path, range(2000)), *by_list.to("t", "--mode", "append", "--connections", "2", "--json"))
    plan = json.loads(done.out)
    assert any("ATTACH PARTITION" in sql for sql in plan["ddl"])
    assert [node["table"] for node in plan["tree"]] == ["t", "t_n", "t_s"]
    assert by_list.relations() == ["t", "t_n", "t_s"]
