// The catalog queries of carried_objects.cc: the objects that hang on a table and that a swap takes
// along. $1 is the table's OID, $2 the name of the staging table, $3 the beginning of the names that
// are temporary.
//
// Each row is: 0 the object in words  1 why it cannot be carried (NULL: it is)  2 what 3 is for, a
// member of TableCopy  3 a statement. Several statements of an object are several rows, in order.
//
// Where a definition has to name the staging table, its beginning is made here as the server prints
// it and compared: a definition that begins otherwise is not touched.
#pragma once

namespace headrace {

// Triggers that would run while rows are loaded or deleted are not carried: rows that are swapped in
// would pass them by.
inline constexpr char kCarriedTriggers[] = R"(
WITH t AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS self, format('%I.%I', n.nspname, $2::text) AS stage,
         $3::text AS prefix
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid
), g AS (
  SELECT t.self, t.stage, g.*, pg_get_triggerdef(g.oid) AS def,
    format('CREATE %sTRIGGER %I %s %s ON ', CASE WHEN g.tgconstraint <> 0 THEN 'CONSTRAINT ' END, g.tgname,
      CASE WHEN g.tgtype & 2 <> 0 THEN 'BEFORE' ELSE 'AFTER' END,
      concat_ws(' OR ', CASE WHEN g.tgtype & 4 <> 0 THEN 'INSERT' END,
        CASE WHEN g.tgtype & 8 <> 0 THEN 'DELETE' END,
        CASE WHEN g.tgtype & 16 <> 0 THEN 'UPDATE' || coalesce((
          SELECT ' OF ' || string_agg(quote_ident(a.attname), ', ' ORDER BY k.position)
          FROM unnest(g.tgattr::smallint[]) WITH ORDINALITY k(attnum, position)
          JOIN pg_attribute a ON a.attrelid = g.tgrelid AND a.attnum = k.attnum), '') END,
        CASE WHEN g.tgtype & 32 <> 0 THEN 'TRUNCATE' END)) AS head
  FROM t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal
), checked AS (
  SELECT g.*, format('trigger %s on table %s', quote_ident(tgname), self) AS words,
    CASE WHEN tgtype & 12 <> 0 AND tgenabled IN ('O', 'A') THEN 'it runs for rows that are inserted or deleted'
         WHEN NOT has_function_privilege(tgfoid, 'EXECUTE') THEN 'the user may not execute its function'
         WHEN EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_trigger'::regclass AND d.objid = g.oid
           AND d.deptype IN ('x', 'e')) THEN 'it depends on an extension'
         WHEN NOT starts_with(def, head || self || ' ') THEN 'its definition has an unknown form'
    END AS reason
  FROM g
)
SELECT words, reason, kind, sql FROM (
  SELECT c.oid, 0 AS step, words, reason, 'object' AS kind,
         head || stage || ' ' || substr(def, length(head || self || ' ') + 1) AS sql FROM checked c
  UNION ALL
  SELECT oid, 1, words, reason, 'object', format('ALTER TABLE %s %s TRIGGER %I', stage,
         CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname)
  FROM checked WHERE tgenabled <> 'O'
  UNION ALL
  SELECT oid, 2, words, reason, 'object', format('COMMENT ON TRIGGER %I ON %s IS %L', tgname, stage,
         obj_description(oid, 'pg_trigger'))
  FROM checked WHERE obj_description(oid, 'pg_trigger') IS NOT NULL
) s ORDER BY words, step)";

// Policies. One with a subquery may name its table inside: it is made once the new table has its
// name.
inline constexpr char kCarriedPolicies[] = R"(
WITH t AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS self, format('%I.%I', n.nspname, $2::text) AS stage,
         $3::text AS prefix
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid
), p AS (
  SELECT t.self, t.stage, p.*, pg_get_expr(p.polqual, p.polrelid) AS seen,
         pg_get_expr(p.polwithcheck, p.polrelid) AS written,
         (SELECT string_agg(CASE r.oid WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r.oid)) END, ', '
          ORDER BY r.position) FROM unnest(p.polroles) WITH ORDINALITY r(oid, position)) AS roles
  FROM t JOIN pg_policy p ON p.polrelid = t.oid
), placed AS (
  SELECT p.*, concat(seen, written) ~* '\mselect\M' AS late FROM p
), made AS (
  SELECT m.*, CASE WHEN late THEN self ELSE stage END AS place,
         CASE WHEN late THEN 'repoint' ELSE 'object' END AS kind,
         format('policy %s on table %s', quote_ident(polname), self) AS words FROM placed m
)
SELECT words, NULL, kind, sql FROM (
  SELECT words, 0 AS step, kind, format('CREATE POLICY %I ON %s AS %s FOR %s TO %s%s%s', polname, place,
    CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
    CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                ELSE 'ALL' END,
    roles, ' USING (' || seen || ')', ' WITH CHECK (' || written || ')') AS sql
  FROM made
  UNION ALL
  SELECT words, 1, kind, format('COMMENT ON POLICY %I ON %s IS %L', polname, place,
                                obj_description(oid, 'pg_policy'))
  FROM made WHERE obj_description(oid, 'pg_policy') IS NOT NULL
) s ORDER BY words, step)";

// Views and rules: whatever the rewriter keeps as a query on the old table. CREATE OR REPLACE keeps
// the object: its OID, owner, grants, comments, column defaults and what stands above it. The rules
// of the table itself are made anew.
// A view is locked exclusively before the table is, as readers of the view lock it first: ALTER ...
// OWNER TO its owner locks the one view; LOCK TABLE would lock every table below.
inline constexpr char kCarriedRules[] = R"(
WITH t AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS self, y.oid AS type, y.typarray, $2::text AS stage,
         $3::text AS prefix
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type y ON y.oid = c.reltype
  WHERE c.oid = $1::oid
), w AS (
  SELECT DISTINCT w.oid
  FROM t CROSS JOIN LATERAL (VALUES ('pg_class'::regclass, t.oid), ('pg_type', t.type), ('pg_type', t.typarray)) r(class, oid)
  JOIN pg_depend d ON d.refclassid = r.class AND d.refobjid = r.oid AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_rewrite w ON w.oid = d.objid
), r AS (
  SELECT w.oid, w.rulename, w.ev_type, w.ev_enabled, w.ev_class, c.relkind, c.relpersistence, c.relowner, c.reloptions,
         t.self, t.prefix, n.nspname AS schema_name, w.rulename = '_RETURN' AS is_view, w.ev_class = t.oid AS is_own, n.oid AS schema,
         format('%I.%I', n.nspname, c.relname) AS relation, pg_get_userbyid(c.relowner) AS owner,
         pg_describe_object(CASE WHEN w.rulename = '_RETURN' THEN 'pg_class'::regclass ELSE 'pg_rewrite'::regclass END,
                            CASE WHEN w.rulename = '_RETURN' THEN w.ev_class ELSE w.oid END, 0) AS words
  FROM t, w AS used JOIN pg_rewrite w USING (oid)
  JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
), checked AS (
  SELECT r.*, CASE
    WHEN relkind = 'm' THEN 'it cannot be pointed at another table'
    WHEN relpersistence = 't' AND NOT is_own THEN 'it is temporary'
    WHEN EXISTS (SELECT FROM pg_depend d WHERE d.deptype IN ('e', 'x')
      AND ((d.classid = 'pg_class'::regclass AND d.objid = ev_class)
           OR (d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid))) THEN 'it belongs to an extension'
    WHEN NOT pg_has_role(relowner, 'USAGE') THEN 'it belongs to ' || owner
    WHEN is_view AND NOT has_schema_privilege(schema, 'CREATE') THEN 'the user may not create in its schema'
    WHEN is_own AND ev_type IN ('3', '4') AND ev_enabled IN ('O', 'A') THEN 'it changes what INSERT or DELETE does'
    WHEN NOT is_view AND NOT starts_with(pg_get_ruledef(oid), 'CREATE RULE ') THEN 'its definition has an unknown form'
  END AS reason FROM r
)
SELECT words, reason, kind, sql FROM (
  SELECT -oid::bigint AS place, 0 AS step, words, reason, 'lock' AS kind,
         format('ALTER VIEW %s OWNER TO %I', relation, owner) AS sql FROM checked WHERE is_view
  UNION ALL
  SELECT oid::bigint, 0, words, reason, 'trial', format('CREATE VIEW %I.%I AS %s', schema_name, prefix || '_v' || oid,
         rtrim(pg_get_viewdef(ev_class), ';'))
  FROM checked WHERE is_view AND relkind = 'v'
  UNION ALL
  SELECT oid::bigint, 1, words, reason, 'repoint', format('CREATE OR REPLACE VIEW %s%s AS %s', relation,
         (SELECT ' WITH (' || string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', '
            ORDER BY position) || ')' FROM unnest(reloptions) WITH ORDINALITY u(o, position)),
         rtrim(pg_get_viewdef(ev_class), ';'))
  FROM checked WHERE is_view AND relkind = 'v'
  UNION ALL
  SELECT oid::bigint, 1, words, reason, 'repoint',
         'CREATE OR REPLACE' || substr(rtrim(pg_get_ruledef(oid), ';'), 7)
  FROM checked WHERE NOT is_view
  UNION ALL
  SELECT oid::bigint, 2, words, reason, 'repoint', format('ALTER TABLE %s %s RULE %I', self,
         CASE ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, rulename)
  FROM checked WHERE is_own AND ev_enabled <> 'O'
  UNION ALL
  SELECT oid::bigint, 3, words, reason, 'repoint', format('COMMENT ON RULE %I ON %s IS %L', rulename, self,
         obj_description(oid, 'pg_rewrite'))
  FROM checked WHERE is_own AND obj_description(oid, 'pg_rewrite') IS NOT NULL
) s ORDER BY place, step)";

// Foreign keys. The table's own ones are added and checked on the new table. One of another table
// is added a second time, to the staging table, in the publishing transaction: that checks it
// against the new rows, while writers of the other table wait.
inline constexpr char kCarriedForeignKeys[] = R"(
WITH t AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS self, format('%I.%I', n.nspname, $2::text) AS stage,
         $3::text AS prefix
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid
), f AS (
  SELECT t.self, t.stage, f.oid, f.conname, f.convalidated, f.conparentid, f.conrelid, f.confrelid, c.relowner, c.relkind,
    f.conrelid = t.oid AS is_own, f.conrelid = f.confrelid AS is_self,
    format('%I.%I', n.nspname, c.relname) AS holder, pg_get_constraintdef(f.oid) AS def,
    format('FOREIGN KEY (%s) REFERENCES ', (
      SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.position)
      FROM unnest(f.conkey) WITH ORDINALITY k(attnum, position)
      JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum)) AS head,
    quote_ident(format('%s_f%s', t.prefix, row_number() OVER (ORDER BY f.oid))) AS temporary,
    format('foreign key %s on %s', f.conname, f.conrelid::regclass) AS words
  FROM t JOIN pg_constraint f ON f.contype = 'f' AND t.oid IN (f.conrelid, f.confrelid)
  JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT EXISTS (SELECT FROM pg_constraint p WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid)
), checked AS (
  SELECT f.*, obj_description(oid, 'pg_constraint') AS comment, CASE
    WHEN NOT is_own AND conparentid <> 0 THEN 'it refers to the parent of the table'
    WHEN NOT is_own AND relkind <> 'r' THEN 'its table is partitioned'
    WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.conparentid = f.oid) THEN 'it refers to a partitioned table'
    WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = f.oid AND g.tgenabled <> 'O') THEN 'it is disabled'
    WHEN is_own AND NOT is_self AND NOT has_table_privilege(confrelid, 'REFERENCES') AND EXISTS (
      SELECT FROM pg_constraint k, unnest(k.confkey) a(attnum) WHERE k.oid = f.oid
        AND NOT has_column_privilege(f.confrelid, a.attnum, 'REFERENCES'))
      THEN 'the user has no privilege REFERENCES'
    WHEN NOT is_own AND NOT pg_has_role(relowner, 'USAGE') THEN 'its table belongs to ' || pg_get_userbyid(relowner)
    WHEN (is_self OR NOT is_own) AND NOT starts_with(def, head || self || '(') THEN 'its definition has an unknown form'
  END AS reason,
  CASE WHEN is_own AND NOT is_self THEN def
       ELSE head || stage || substr(def, length(head || self) + 1) END AS moved
  FROM f
)
SELECT words, reason, kind, sql FROM (
  SELECT oid, 0 AS step, words, reason, 'key' AS kind, format('ALTER TABLE %s ADD CONSTRAINT %I %s%s', stage, conname,
         moved, CASE WHEN convalidated THEN ' NOT VALID' END) AS sql
  FROM checked WHERE is_own
  UNION ALL
  SELECT oid, 1, words, reason, 'key', format('ALTER TABLE %s VALIDATE CONSTRAINT %I', stage, conname)
  FROM checked WHERE is_own AND convalidated
  UNION ALL
  SELECT oid, 2, words, reason, 'key', format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, stage, comment)
  FROM checked WHERE is_own AND comment IS NOT NULL
  UNION ALL
  SELECT oid, 0, words, reason, 'referring', format('ALTER TABLE %s ADD CONSTRAINT %s %s', holder, temporary, moved)
  FROM checked WHERE NOT is_own
  UNION ALL
  SELECT oid, 1, words, reason, 'repoint', format('ALTER TABLE %s DROP CONSTRAINT %I', holder, conname)
  FROM checked WHERE NOT is_own
  UNION ALL
  SELECT oid, 2, words, reason, 'repoint', format('ALTER TABLE %s RENAME CONSTRAINT %s TO %I', holder, temporary, conname)
  FROM checked WHERE NOT is_own
  UNION ALL
  SELECT oid, 3, words, reason, 'repoint', format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, holder, comment)
  FROM checked WHERE NOT is_own AND comment IS NOT NULL
) s ORDER BY oid, step)";

// The table as a partition of another. A check that says what the partition's bound says lets ATTACH
// do without reading the rows.
inline constexpr char kCarriedMembership[] = R"(
WITH m AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS self, format('%I.%I', n.nspname, $2::text) AS stage,
    format('%I.%I', n.nspname, $3::text || '_old') AS old, quote_ident($3::text || '_p') AS temporary,
    pg_get_expr(c.relpartbound, c.oid) AS bound, pg_get_partition_constraintdef(c.oid) AS inside, p.oid AS parent,
    p.relowner AS owner, format('%I.%I', pn.nspname, p.relname) AS parent_name, 'partition of ' || p.oid::regclass AS words
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_inherits i ON i.inhrelid = c.oid
  JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
  WHERE c.oid = $1::oid AND c.relispartition
), checked AS (
  SELECT m.*, CASE
    WHEN bound = 'DEFAULT' THEN 'the default one'
    WHEN EXISTS (SELECT FROM pg_partitioned_table d WHERE d.partrelid = parent AND d.partdefid <> 0)
      THEN 'whose default partition would be read under the lock'
    WHEN NOT pg_has_role(owner, 'USAGE') THEN 'which belongs to ' || pg_get_userbyid(owner)
    WHEN EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = m.oid AND NOT g.tgisinternal
      AND coalesce((to_jsonb(g) ->> 'tgparentid')::oid, 0) <> 0) THEN 'which has triggers for each row'
  END AS reason FROM m
)
SELECT words, reason, kind, sql FROM (
  SELECT 0 AS step, words, reason, 'setting' AS kind, format('ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s)', stage,
         temporary, inside) AS sql FROM checked
  UNION ALL
  SELECT 1, words, reason, 'lock', format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', parent_name) FROM checked
  UNION ALL
  SELECT 2, words, reason, 'repoint', format('ALTER TABLE %s DETACH PARTITION %s', parent_name, old) FROM checked
  UNION ALL
  SELECT 3, words, reason, 'repoint', format('ALTER TABLE %s ATTACH PARTITION %s %s', parent_name, self, bound) FROM checked
  UNION ALL
  SELECT 4, words, reason, 'repoint', format('ALTER TABLE %s DROP CONSTRAINT %s', self, temporary) FROM checked
) s ORDER BY step)";

// Extended statistics: made with the table, named at the end.
inline constexpr char kCarriedStatistics[] = R"(
WITH t AS (
  SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS self, format('%I.%I', n.nspname, $2::text) AS stage,
         $3::text AS prefix
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid
), s AS (
  SELECT t.self, t.stage, s.oid, s.stxname, s.stxowner, s.stxnamespace, pg_get_statisticsobjdef(s.oid) AS def,
    format('CREATE STATISTICS %I.%I', n.nspname, s.stxname) AS head, ' FROM ' || t.self AS tail,
    format('%I.%I', n.nspname, format('%s_s%s', t.prefix, row_number() OVER (ORDER BY s.oid))) AS temporary,
    coalesce((to_jsonb(s) ->> 'stxstattarget')::int, -1) AS target,
    pg_describe_object('pg_statistic_ext'::regclass, s.oid, 0) AS words,
    obj_description(s.oid, 'pg_statistic_ext') AS comment, pg_get_userbyid(s.stxowner) AS owner
  FROM t JOIN pg_statistic_ext s ON s.stxrelid = t.oid JOIN pg_namespace n ON n.oid = s.stxnamespace
), checked AS (
  SELECT s.*, CASE
    WHEN NOT has_schema_privilege(stxnamespace, 'CREATE') THEN 'the user may not create in its schema'
    WHEN owner <> current_user AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
      AND NOT (pg_has_role(stxowner, 'MEMBER') AND has_schema_privilege(stxowner, stxnamespace, 'CREATE'))
      THEN 'it belongs to ' || owner
    WHEN NOT starts_with(def, head || ' ') OR right(def, length(tail)) <> tail THEN 'its definition has an unknown form'
  END AS reason FROM s
)
SELECT words, reason, kind, sql FROM (
  SELECT oid, 0 AS step, words, reason, 'setting' AS kind, format('CREATE STATISTICS %s%s FROM %s', temporary,
         substr(def, length(head) + 1, length(def) - length(head) - length(tail)), stage) AS sql FROM checked
  UNION ALL
  SELECT oid, 1, words, reason, 'setting', format('ALTER STATISTICS %s SET STATISTICS %s', temporary, target)
  FROM checked WHERE target <> -1
  UNION ALL
  SELECT oid, 2, words, reason, 'right', format('ALTER STATISTICS %s OWNER TO %I', temporary, owner)
  FROM checked WHERE owner <> current_user
  UNION ALL
  SELECT oid, 3, words, reason, 'name', format('ALTER STATISTICS %s RENAME TO %I', temporary, stxname) FROM checked
  UNION ALL
  SELECT oid, 4, words, reason, 'setting', format('COMMENT ON STATISTICS %s IS %L', temporary, comment)
  FROM checked WHERE comment IS NOT NULL
) s ORDER BY oid, step)";

}  // namespace headrace
