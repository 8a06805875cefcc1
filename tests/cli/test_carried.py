"""replace swaps a new table in, and all that hangs on the old one hangs on the new one afterwards."""

import threading
import time

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import PG, headrace

ROWS = 500

# Everything the catalog says of table t and of what hangs on it. OIDs of views and rules elsewhere are in it, those of the
# table and of its own parts are not.
DESCRIPTION = """
SELECT jsonb_build_object(
 'table', (SELECT jsonb_build_object('kind', relkind, 'owner', relowner::regrole, 'options', reloptions,
    'acl', (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(relacl) x), 'persistence', relpersistence,
    'identity', relreplident, 'rls', relrowsecurity, 'forced', relforcerowsecurity, 'partition', relispartition,
    'comment', obj_description(oid, 'pg_class')) FROM pg_class WHERE oid = t),
 'columns', (SELECT jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, atttypmod), 'null', attnotnull,
    'identity', attidentity, 'generated', attgenerated, 'storage', attstorage, 'compression', attcompression,
    'target', attstattarget, 'collation', attcollation, 'acl', attacl,
    'options', (SELECT array_agg(o) FROM unnest(attoptions) o WHERE o !~ '^pg_'), 'local', attislocal,
    'inherited', attinhcount, 'comment', col_description(attrelid, attnum), 'default', pg_get_expr(adbin, adrelid)) ORDER BY attnum)
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = t AND attnum > 0 AND NOT attisdropped),
 'indexes', (SELECT jsonb_agg(jsonb_build_object('def', pg_get_indexdef(indexrelid), 'primary', indisprimary,
    'clustered', indisclustered, 'identity', indisreplident, 'comment', obj_description(indexrelid, 'pg_class'),
    'targets', (SELECT jsonb_agg(attstattarget ORDER BY attnum) FROM pg_attribute WHERE attrelid = indexrelid))
    ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = t),
 'constraints', (SELECT jsonb_agg(jsonb_build_object('name', conname, 'on', conrelid::regclass::text, 'def', pg_get_constraintdef(oid),
    'valid', convalidated, 'comment', obj_description(oid, 'pg_constraint')) ORDER BY conrelid::regclass::text, conname)
    FROM pg_constraint WHERE t IN (conrelid, confrelid)),
 'triggers', (SELECT jsonb_agg(jsonb_build_object('def', pg_get_triggerdef(oid), 'enabled', tgenabled,
    'comment', obj_description(oid, 'pg_trigger')) ORDER BY tgname) FROM pg_trigger WHERE tgrelid = t AND NOT tgisinternal),
 'policies', (SELECT jsonb_agg(to_jsonb(p) - 'oid' - 'polrelid' - 'polqual' - 'polwithcheck' || jsonb_build_object(
    'seen', pg_get_expr(polqual, polrelid), 'written', pg_get_expr(polwithcheck, polrelid),
    'comment', obj_description(p.oid, 'pg_policy')) ORDER BY polname) FROM pg_policy p WHERE polrelid = t),
 'rules', (SELECT jsonb_agg(jsonb_build_object('def', pg_get_ruledef(oid), 'enabled', ev_enabled,
    'comment', obj_description(oid, 'pg_rewrite')) ORDER BY rulename) FROM pg_rewrite WHERE ev_class = t),
 'views', (SELECT jsonb_agg(jsonb_build_object('oid', c.oid, 'name', c.relname, 'def', pg_get_viewdef(c.oid), 'options', c.reloptions,
    'owner', c.relowner::regrole, 'acl', c.relacl, 'comment', obj_description(c.oid, 'pg_class'),
    'rules', (SELECT jsonb_agg(jsonb_build_object('oid', r.oid, 'def', pg_get_ruledef(r.oid), 'enabled', r.ev_enabled) ORDER BY r.oid)
      FROM pg_rewrite r WHERE r.ev_class = c.oid),
    'triggers', (SELECT jsonb_agg(pg_get_triggerdef(g.oid)) FROM pg_trigger g WHERE g.tgrelid = c.oid),
    'columns', (SELECT jsonb_agg(jsonb_build_array(attname, format_type(atttypid, atttypmod), attacl, pg_get_expr(adbin, adrelid),
      col_description(attrelid, attnum)) ORDER BY attnum) FROM pg_attribute
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attrelid = c.oid)) ORDER BY c.oid)
    FROM pg_class c WHERE c.relnamespace = s AND c.relkind IN ('v', 'm')),
 'statistics', (SELECT jsonb_agg(jsonb_build_object('def', pg_get_statisticsobjdef(oid), 'owner', stxowner::regrole,
    'target', stxstattarget, 'comment', obj_description(oid, 'pg_statistic_ext')) ORDER BY stxname)
    FROM pg_statistic_ext WHERE stxrelid = t),
 'sequences', (SELECT jsonb_agg(jsonb_build_array(q.relname, d.deptype, d.refobjsubid) ORDER BY q.relname) FROM pg_depend d
    JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S' WHERE d.refobjid = t AND d.classid = 'pg_class'::regclass),
 'publications', (SELECT jsonb_agg(prpubid) FROM pg_publication_rel WHERE prrelid = t),
 'inheritance', (SELECT jsonb_agg(jsonb_build_array(inhrelid::regclass::text, inhparent::regclass::text)
    ORDER BY inhrelid::regclass::text) FROM pg_inherits WHERE t IN (inhrelid, inhparent)),
 'relations', (SELECT jsonb_agg(relname ORDER BY relname) FROM pg_class WHERE relnamespace = s),
 'functions', (SELECT jsonb_agg(pg_get_functiondef(oid) ORDER BY oid) FROM pg_proc WHERE pronamespace = s))
FROM (SELECT 'carried.t'::regclass::oid AS t, 'carried'::regnamespace::oid AS s) x"""

TABLE = """
CREATE TABLE t (id int CONSTRAINT t_key PRIMARY KEY, name text NOT NULL, n int, CONSTRAINT small CHECK (n < 1000000));
CREATE INDEX t_n ON t (n)"""
OLD_ROWS = "INSERT INTO t SELECT g, 'old', g % 7 FROM generate_series(1, 100) g"
BODY = "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'"

# Name: statements. All of them are carried over a swap.
CARRIED = {
    "trigger": f"""CREATE FUNCTION f() {BODY};
        CREATE TRIGGER "T'1" BEFORE UPDATE OF name, n ON t FOR EACH ROW WHEN (old.* IS DISTINCT FROM new.*) EXECUTE FUNCTION f('a ON b');
        CREATE TRIGGER off AFTER INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TRIGGER replica BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TRIGGER always AFTER UPDATE ON t REFERENCING OLD TABLE AS o NEW TABLE AS p FOR EACH STATEMENT EXECUTE FUNCTION f();
        CREATE TRIGGER emptied BEFORE TRUNCATE ON t EXECUTE FUNCTION f();
        CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
        ALTER TABLE t DISABLE TRIGGER off, ENABLE REPLICA TRIGGER replica, ENABLE ALWAYS TRIGGER always;
        COMMENT ON TRIGGER "T'1" ON t IS 'it''s a trigger'""",
    "policy": """CREATE POLICY "p 1" ON t FOR SELECT TO carried_reader, carried_owner USING (n > 0 AND name <> 'SELECT');
        CREATE POLICY p2 ON t AS RESTRICTIVE FOR INSERT WITH CHECK (n < 10);
        CREATE POLICY p3 ON t USING (EXISTS (SELECT FROM carried.t u WHERE u.id = t.id)) WITH CHECK (n IN (SELECT 1));
        COMMENT ON POLICY "p 1" ON t IS 'first'; COMMENT ON POLICY p3 ON t IS 'third'""",
    "row_level_security": "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "forced_row_level_security": "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY q ON t USING (true)",
    "view": """CREATE VIEW v WITH (security_barrier, check_option = cascaded) AS SELECT name, id AS key FROM t WHERE n > 0;
        CREATE VIEW above AS SELECT count(*) AS c FROM v; CREATE VIEW both_of AS SELECT v.key, t.n FROM t JOIN v ON v.key = t.id;
        ALTER VIEW v OWNER TO carried_owner; GRANT SELECT ON v TO carried_reader; GRANT UPDATE (name) ON v TO PUBLIC;
        ALTER VIEW v ALTER name SET DEFAULT 'x'; COMMENT ON VIEW v IS 'the view'; COMMENT ON COLUMN v.key IS 'the key'""",
    "view_by_key": "CREATE VIEW vk AS SELECT id, name, count(*) AS c FROM t GROUP BY id",
    "view_of_rows": "CREATE VIEW vr AS SELECT row_to_json(t) AS j, (t.*)::carried.t IS NULL AS b FROM t",
    "view_with_operators": """CREATE FUNCTION plus(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2';
        CREATE OPERATOR <+> (LEFTARG = int, RIGHTARG = int, FUNCTION = plus);
        CREATE VIEW vo AS SELECT id <+> n AS sum, name COLLATE "C" AS name FROM t ORDER BY 1 LIMIT 5""",
    "view_of_reordered_columns": "CREATE VIEW vc AS SELECT * FROM t; ALTER VIEW vc RENAME COLUMN n TO m; ALTER TABLE t RENAME COLUMN n TO k; "
        "ALTER TABLE t RENAME COLUMN k TO n",
    "view_with_triggers": f"""CREATE FUNCTION f_vt() {BODY}; CREATE VIEW vt AS SELECT id, name FROM t;
        CREATE TRIGGER g INSTEAD OF INSERT ON vt FOR EACH ROW EXECUTE FUNCTION f_vt()""",
    "view_with_rules": """CREATE VIEW vw AS SELECT id, name FROM t;
        CREATE RULE ins AS ON INSERT TO vw DO INSTEAD INSERT INTO t (id, name) VALUES (new.id, new.name) RETURNING t.id, t.name;
        COMMENT ON RULE ins ON vw IS 'writes'""",
    "rule": """CREATE TABLE log (id int); CREATE RULE r AS ON UPDATE TO t WHERE new.n > 5 DO ALSO INSERT INTO log VALUES (old.id);
        CREATE RULE never AS ON DELETE TO t DO INSTEAD NOTHING; ALTER TABLE t DISABLE RULE never; COMMENT ON RULE r ON t IS 'a rule';
        CREATE RULE mirrored AS ON INSERT TO log DO ALSO UPDATE t SET n = 0 WHERE id = new.id""",
    "own_foreign_key": """CREATE TABLE oo (id int PRIMARY KEY); INSERT INTO oo SELECT generate_series(0, 10);
        ALTER TABLE t ADD CONSTRAINT "to O" FOREIGN KEY (n) REFERENCES oo ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
        ALTER TABLE t ADD CONSTRAINT later FOREIGN KEY (id) REFERENCES oo MATCH FULL NOT VALID; COMMENT ON CONSTRAINT "to O" ON t IS 'key'""",
    "foreign_key_to_itself": "ALTER TABLE t ADD parent int DEFAULT 1 CONSTRAINT up REFERENCES t ON UPDATE CASCADE",
    "foreign_key_of_others": """CREATE TABLE o (x int, "t id" int CONSTRAINT o_fk REFERENCES t ON DELETE CASCADE); INSERT INTO o VALUES (1, 1), (2, 100);
        CREATE TABLE p (a int, CONSTRAINT p_fk FOREIGN KEY (a) REFERENCES t (id) DEFERRABLE NOT VALID); COMMENT ON CONSTRAINT o_fk ON o IS 'k'""",
    "statistics": """CREATE STATISTICS st (ndistinct, mcv) ON id, n FROM t; CREATE STATISTICS "S 2" ON (n + 1), name FROM t;
        ALTER STATISTICS st SET STATISTICS 55; ALTER STATISTICS st OWNER TO carried_owner; COMMENT ON STATISTICS st IS 'both'""",
    "column_statistics": "ALTER TABLE t ALTER name SET STATISTICS 321; ALTER TABLE t ALTER n SET (n_distinct = 7); "
        "CREATE INDEX e ON t ((n + 1)); ALTER INDEX e ALTER COLUMN 1 SET STATISTICS 77",
    "storage": "ALTER TABLE t SET (fillfactor = 77, toast.autovacuum_enabled = off); ALTER TABLE t ALTER name SET STORAGE EXTERNAL",
    "replica_identity": "ALTER TABLE t REPLICA IDENTITY USING INDEX t_key; ALTER TABLE t CLUSTER ON t_n",
    "indexes": """CREATE UNIQUE INDEX "U 1" ON t (lower(name), id) INCLUDE (n) WHERE n > 1; CREATE INDEX h ON t USING hash (n);
        ALTER TABLE t ADD CONSTRAINT both_unique UNIQUE (id, n) DEFERRABLE; COMMENT ON INDEX h IS 'hash';
        COMMENT ON CONSTRAINT both_unique ON t IS 'unique'; COMMENT ON CONSTRAINT t_key ON t IS 'primary'""",
    "rights": """GRANT SELECT ON t TO carried_reader WITH GRANT OPTION; GRANT UPDATE (name) ON t TO PUBLIC; ALTER TABLE t OWNER TO carried_owner;
        ALTER DEFAULT PRIVILEGES IN SCHEMA carried GRANT DELETE ON TABLES TO carried_reader; REVOKE TRUNCATE ON t FROM carried_owner""",
    "partition": """CREATE TABLE q (id int NOT NULL, name text NOT NULL, n int CHECK (n > -5), PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE qo (id int PRIMARY KEY); INSERT INTO qo SELECT generate_series(0, 10); CREATE INDEX ON q (name);
        ALTER TABLE q ADD CONSTRAINT up_there FOREIGN KEY (n) REFERENCES qo; ALTER TABLE t ADD CONSTRAINT q_n_check CHECK (n > -5);
        ALTER TABLE q ATTACH PARTITION t FOR VALUES FROM (0) TO (100000)""",
    "hash_partition": """CREATE TABLE hq (id int NOT NULL, name text NOT NULL, n int) PARTITION BY HASH (n);
        ALTER TABLE hq ATTACH PARTITION t FOR VALUES WITH (MODULUS 1, REMAINDER 0)""",
    "list_partition": """CREATE TABLE lq (id int NOT NULL, name text NOT NULL, n int) PARTITION BY LIST (n);
        ALTER TABLE lq ATTACH PARTITION t FOR VALUES IN (0, 1, 2, 3, 4, 5, 6)""",
    "comments": "COMMENT ON TABLE t IS 'the table'; COMMENT ON COLUMN t.n IS 'the number'; COMMENT ON CONSTRAINT small ON t IS 'small'",
    "sequences": "ALTER TABLE t ADD s serial; ALTER TABLE t ADD i int GENERATED ALWAYS AS IDENTITY; CREATE VIEW vs AS SELECT s, i FROM t",
}

# Name: statements, and why the rows are replaced by DELETE and a load instead.
NOT_CARRIED = {
    "trigger_on_insert": (f"CREATE FUNCTION f() {BODY}; CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
                          "trigger g on table carried.t (it runs for rows that are inserted or deleted)"),
    "materialized_view": ("CREATE MATERIALIZED VIEW mv AS SELECT n FROM t", "materialized view carried.mv (it cannot be pointed at another table)"),
    "publication": ("CREATE PUBLICATION carried_p FOR TABLE t", "its subscribers get the rows only by DELETE and INSERT"),
    "child": ("CREATE TABLE c (m int) INHERITS (t)", "table carried.c"),
    "parent": ("CREATE TABLE q (n int); ALTER TABLE t INHERIT q", "parent table carried.q"),
    "partition_beside_a_default": ("CREATE TABLE q (id int NOT NULL, name text NOT NULL, n int) PARTITION BY RANGE (id); CREATE TABLE d "
                                   "PARTITION OF q DEFAULT; ALTER TABLE q ATTACH PARTITION t FOR VALUES FROM (0) TO (100000)",
                                   "partition of carried.q (whose default partition would be read under the lock)"),
    "function_body": ("CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM t; END", "function carried.f()"),
    "column_of_the_row_type": ("CREATE TABLE u (rows t[])", "column rows of table carried.u"),
    "view_of_the_row_type": ("CREATE VIEW v AS SELECT t FROM t", "column t of view carried.v"),
    "exclusion": ("ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING btree (id WITH =)", "constraint e on table carried.t"),
    "disabled_foreign_key": ("CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o SELECT generate_series(0, 10); "
                             "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (n) REFERENCES o; ALTER TABLE t DISABLE TRIGGER ALL",
                             "foreign key k on carried.t (it is disabled)"),
    "foreign_key_to_partitions": ("""CREATE TABLE o (id int PRIMARY KEY) PARTITION BY RANGE (id);
        CREATE TABLE o1 PARTITION OF o FOR VALUES FROM (0) TO (3); CREATE TABLE o2 PARTITION OF o DEFAULT;
        INSERT INTO o SELECT generate_series(0, 10); ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (n) REFERENCES o""",
                                  "foreign key k on carried.t (it refers to a partitioned table)"),
    "delete_rule": ("CREATE TABLE log (id int); CREATE RULE r AS ON DELETE TO t DO ALSO INSERT INTO log VALUES (old.id)",
                    "rule r on table carried.t (it changes what INSERT or DELETE does)"),
}
# A table is a partition of one other at most, and then columns of its own are not possible.
ALONE = ("hash_partition", "list_partition", "partition")


@pytest.fixture
def server():
    if not PG:
        pytest.fail("HEADRACE_TEST_PG is not set: run the tests by `make test`")
    return PG


@pytest.fixture
def db(server):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        clean(connection)
        connection.execute("CREATE ROLE carried_owner; CREATE ROLE carried_reader; CREATE SCHEMA carried; "
                           "GRANT USAGE, CREATE ON SCHEMA carried TO carried_owner; SET search_path = carried")
        yield connection
        connection.execute("RESET ALL")
        clean(connection)


def clean(connection):
    connection.execute("DROP PUBLICATION IF EXISTS carried_p; DROP SCHEMA IF EXISTS carried CASCADE")
    for role in ("carried_owner", "carried_reader"):
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def described(connection):
    connection.execute("SET search_path = ''")
    text = connection.execute(DESCRIPTION).fetchone()[0]
    connection.execute("SET search_path = carried")
    return text


def write_rows(path, first=1, rows=ROWS, name="new"):
    table = pa.table({"id": pa.array(range(first, first + rows), pa.int32()), "name": [name] * rows,
                      "n": pa.array([i % 7 for i in range(rows)], pa.int32())})
    pq.write_table(table, path, row_group_size=200)
    return path


@pytest.fixture
def rows(tmp_path):
    return write_rows(tmp_path / "rows.parquet")


def replace(server, rows, *more, table="carried.t", mode="replace"):
    done = headrace("load", rows, "--to", server, "--table", table, "--mode", mode, "--json", "--progress", "none", *more)
    assert done.code == 0, done
    return done.json()


@pytest.mark.files
@pytest.mark.parametrize("name", [*CARRIED, "all"])
def test_what_hangs_on_the_table_is_carried_over_a_swap(server, db, rows, name):
    db.execute(TABLE)
    db.execute(OLD_ROWS)
    db.execute("; ".join(CARRIED[part] for part in CARRIED if part not in ALONE) if name == "all" else CARRIED[name])
    before = described(db)
    plan = headrace("plan", rows, "--to", server, "--table", "carried.t", "--mode", "replace", "--json").json()
    assert plan["commit_scope"] == "swap", plan["decisions"]
    for round_number in (1, 2):  # what was carried can be carried again
        report = replace(server, rows)
        assert report["commit_scope"] == "swap", report["warnings"]
        assert not report["warnings"], report["warnings"]
        after = described(db)
        for key in before:
            assert after[key] == before[key], f"{key}, round {round_number}"
        assert db.execute("SELECT count(*), min(name), max(name) FROM t").fetchone() == (ROWS, "new", "new")
    assert 0 < report["lock_seconds"] < 1


@pytest.mark.files
@pytest.mark.parametrize("name", NOT_CARRIED)
def test_what_cannot_be_carried_makes_it_a_delete(server, db, rows, name):
    sql, reason = NOT_CARRIED[name]
    db.execute(TABLE)
    db.execute(OLD_ROWS)
    db.execute(sql)
    before = described(db)
    report = replace(server, rows)
    assert report["commit_scope"] == "single"
    assert any(reason in warning for warning in report["warnings"]), report["warnings"]
    assert described(db) == before
    assert db.execute("SELECT count(*), min(name) FROM t").fetchone() == (ROWS, "new")


@pytest.mark.files
def test_a_foreign_key_of_others_is_checked_against_the_new_rows(server, db, rows):
    db.execute(TABLE)
    db.execute(OLD_ROWS)
    db.execute("INSERT INTO t VALUES (9999, 'old', 1); CREATE TABLE o (t_id int CONSTRAINT o_fk REFERENCES t ON DELETE CASCADE); "
               "INSERT INTO o VALUES (9999)")
    before = described(db)
    done = headrace("load", rows, "--to", server, "--table", "carried.t", "--mode", "replace", "--json", "--progress", "none")
    assert done.code == 1
    error = done.error()
    assert error["sqlstate"] == "23503" and "9999" in error["message"] and "o_fk" in error["message"], error
    assert "headrace" not in error["message"] and "refer to rows" in error["hint"], error
    assert described(db) == before
    assert db.execute("SELECT count(*), min(name) FROM t").fetchone() == (101, "old")
    assert db.execute("SELECT count(*) FROM o").fetchone() == (1,)


@pytest.mark.files
def test_rows_that_break_the_own_foreign_key_change_nothing(server, db, rows):
    db.execute(TABLE)
    db.execute("CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o VALUES (1); ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (n) REFERENCES o")
    before = described(db)
    done = headrace("load", rows, "--to", server, "--table", "carried.t", "--mode", "replace", "--json", "--progress", "none")
    assert done.code == 1 and done.error()["sqlstate"] == "23503", done
    assert "headrace" not in done.error()["message"], done.error()
    assert described(db) == before


@pytest.mark.files
def test_a_view_of_someone_else_makes_it_a_delete(server, db, rows):
    db.execute(TABLE)
    db.execute("ALTER TABLE t OWNER TO carried_owner; ALTER ROLE carried_owner LOGIN; GRANT SELECT ON t TO carried_reader; "
               "GRANT CREATE ON SCHEMA carried TO carried_reader; CREATE VIEW v AS SELECT id FROM t; ALTER VIEW v OWNER TO carried_reader")
    before = described(db)
    report = replace(server.replace("postgres@", "carried_owner@"), rows)
    assert report["commit_scope"] == "single"
    assert any("view carried.v (it belongs to carried_reader)" in warning for warning in report["warnings"]), report["warnings"]
    assert described(db) == before


@pytest.mark.files
@pytest.mark.parametrize("sql", [
    "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
    "CREATE TRIGGER g BEFORE DELETE ON t FOR EACH ROW WHEN (old.id > 50) EXECUTE FUNCTION keep()"])
def test_rows_that_a_delete_leaves_are_an_error(server, db, rows, sql):
    db.execute(TABLE)
    db.execute(OLD_ROWS)
    db.execute(sql)
    done = headrace("load", rows, "--to", server, "--table", "carried.t", "--mode", "replace", "--json", "--progress", "none")
    assert done.code == 1 and "still there after DELETE" in done.error()["message"], done
    assert db.execute("SELECT count(*), min(name) FROM t").fetchone() == (100, "old")


class ViewReader(threading.Thread):
    def __init__(self, server, query):
        super().__init__(daemon=True)
        self.server, self.query = server, query
        self.stop, self.seen, self.failure = threading.Event(), [], None

    def run(self):
        try:
            with psycopg.connect(self.server, autocommit=True) as connection:
                while not self.stop.is_set():
                    self.seen.append(connection.execute(self.query).fetchone())
                    time.sleep(0.005)
        except Exception as e:  # kept for the test's own thread
            self.failure = e


@pytest.mark.files
def test_readers_through_views_see_whole_loads(server, db, tmp_path):
    generations = 6
    db.execute(TABLE)
    db.execute(f"INSERT INTO t SELECT g, '0', 1 FROM generate_series(1, {ROWS}) g")
    db.execute("CREATE VIEW v AS SELECT id, name FROM t; CREATE VIEW above AS SELECT name, count(*) AS c FROM v GROUP BY name; "
               "CREATE VIEW joined AS SELECT t.name AS a, v.name AS b FROM t JOIN v USING (id)")
    queries = ["SELECT count(*), min(name), max(name) FROM carried.v", "SELECT sum(c)::bigint, min(name), max(name) FROM carried.above",
               "SELECT count(*), min(a), max(b) FROM carried.joined",
               "SELECT count(*), min(t.name), max(v.name) FROM carried.t JOIN carried.v USING (id)"]
    readers = [ViewReader(server, query) for query in queries]
    for reader in readers:
        reader.start()
    locks = []
    for generation in range(1, generations + 1):
        path = write_rows(tmp_path / f"{generation}.parquet", name=str(generation))
        report = replace(server, path, "--lock-timeout", "1s")
        assert report["commit_scope"] == "swap"
        locks.append(report["lock_seconds"])
    for reader in readers:
        reader.stop.set()
    for reader in readers:
        reader.join(30)
        assert reader.failure is None, reader.failure
        order = [int(low) for count, low, high in reader.seen if count == ROWS and low == high]
        assert len(order) == len(reader.seen), "a state between"
        assert order == sorted(order) and order, "an older state came after a newer one"
    print(f"{sum(len(reader.seen) for reader in readers)} readings, longest exclusive lock {max(locks) * 1000:.0f} ms")


@pytest.mark.files
def test_readers_of_a_partition_s_parent_see_whole_loads(server, db, tmp_path):
    db.execute("CREATE TABLE q (id int NOT NULL, name text NOT NULL, n int, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    db.execute("CREATE TABLE t PARTITION OF q FOR VALUES FROM (0) TO (1000); CREATE TABLE beside PARTITION OF q FOR VALUES FROM (1000) TO (2000)")
    db.execute(f"INSERT INTO q SELECT g, '0', 1 FROM generate_series(1, {ROWS}) g; INSERT INTO q SELECT g, '0', 1 FROM generate_series(1000, 1499) g")
    readers = [ViewReader(server, f"SELECT count(*), min(name), max(name) FROM carried.{name} WHERE id < 1000") for name in ("q", "q", "t")]
    for reader in readers:
        reader.start()
    for generation in range(1, 6):
        report = replace(server, write_rows(tmp_path / f"{generation}.parquet", name=str(generation)))
        assert report["commit_scope"] == "swap"
    for reader in readers:
        reader.stop.set()
    for reader in readers:
        reader.join(30)
        assert reader.failure is None, reader.failure
        order = [int(low) for count, low, high in reader.seen if count == ROWS and low == high]
        assert len(order) == len(reader.seen) and order == sorted(order) and order
    assert db.execute("SELECT count(*) FROM q").fetchone() == (ROWS + 500,)
    error = headrace("load", write_rows(tmp_path / "outside.parquet", first=900), "--to", server, "--table", "carried.t", "--mode", "replace",
                     "--json", "--progress", "none").error()
    assert error["sqlstate"] == "23514", error
    assert db.execute("SELECT count(*), min(name) FROM t").fetchone() == (ROWS, "5")
