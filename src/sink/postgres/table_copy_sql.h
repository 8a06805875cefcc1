// The catalog queries of table_copy.cc. $1 is the table's OID, $2 the name of the staging table.
#pragma once

namespace headrace {

// kind, statement. The order within a kind is the order to run them in.
inline constexpr char kCopyStatements[] = R"(
WITH t AS (
  SELECT c.*, pg_get_userbyid(c.relowner) AS owner, format('%I.%I', n.nspname, $2::text) AS stage,
         format('%I.%I', n.nspname, c.relname) AS self,
         EXISTS (SELECT FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole
                 WHERE r.rolname = current_user AND d.defaclobjtype = 'r'
                   AND d.defaclnamespace IN (0, c.relnamespace)) AS has_default_acl
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid
), a AS (
  SELECT t.stage, t.owner, a.* FROM t JOIN pg_attribute a ON a.attrelid = t.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped
), statements(kind, step, sql) AS (
  SELECT 'create', 0, format('CREATE %sTABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES '
           'EXCLUDING STATISTICS) USING %I%s', CASE relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END,
           stage, self, am.amname, (SELECT format(' TABLESPACE %I', spcname) FROM pg_tablespace s
           WHERE s.oid = t.reltablespace))
  FROM t JOIN pg_am am ON am.oid = t.relam
  UNION ALL
  SELECT 'setting', 0, format('ALTER TABLE %s SET (%s)', stage, string_agg(format('%I = %L',
           split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ' ORDER BY o))
  FROM t, unnest(t.reloptions) o GROUP BY stage
  UNION ALL
  SELECT 'setting', 1, format('ALTER TABLE %s SET (%s)', stage, string_agg(format('toast.%I = %L',
           split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', ' ORDER BY o))
  FROM t JOIN pg_class toast ON toast.oid = t.reltoastrelid, unnest(toast.reloptions) o GROUP BY stage
  UNION ALL
  SELECT 'setting', 2, format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', stage, attname,
           attstattarget)
  FROM a WHERE coalesce(attstattarget, -1) <> -1
  UNION ALL
  SELECT 'setting', 3, format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', stage, attname,
           string_agg(format('%I = %L', split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', '
           ORDER BY o))
  FROM a, unnest(a.attoptions) o WHERE split_part(o, '=', 1) IN ('n_distinct', 'n_distinct_inherited')
  GROUP BY stage, attname
  UNION ALL
  SELECT 'right', 0, format('ALTER TABLE %s OWNER TO %I', stage, owner) FROM t WHERE owner <> current_user
  UNION ALL  -- what ALTER DEFAULT PRIVILEGES gave the new table
  SELECT DISTINCT 'right', 1, format('REVOKE ALL ON %s FROM %s', stage,
           CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END)
  FROM t, pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole, aclexplode(d.defaclacl) g
  WHERE r.rolname = current_user AND d.defaclobjtype = 'r' AND d.defaclnamespace IN (0, t.relnamespace)
  UNION ALL
  SELECT 'right', 2, CASE WHEN relacl IS NULL THEN format('GRANT ALL ON %s TO %I', stage, owner)
                          ELSE format('REVOKE ALL ON %s FROM %I', stage, owner) END
  FROM t WHERE relacl IS NOT NULL OR has_default_acl
  UNION ALL
  SELECT 'right', 3, format('GRANT %s ON %s TO %s%s',
           string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type), stage,
           CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
           CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM t, aclexplode(t.relacl) g WHERE g.grantor = t.relowner GROUP BY stage, g.grantee, g.is_grantable
  UNION ALL
  SELECT 'right', 4, format('GRANT %s ON %s TO %s%s',
           string_agg(format('%s (%I)', g.privilege_type, attname), ', ' ORDER BY attnum, g.privilege_type),
           stage, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
           CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM a, aclexplode(a.attacl) g GROUP BY stage, g.grantee, g.is_grantable
  UNION ALL
  SELECT 'finish', 0, format('COMMENT ON TABLE %s IS %L', stage, obj_description($1::oid, 'pg_class')) FROM t
  UNION ALL
  SELECT 'finish', 1, format('ALTER TABLE %s REPLICA IDENTITY %s', stage,
           CASE relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
  FROM t WHERE relreplident IN ('f', 'n')
  UNION ALL
  SELECT 'finish', 2, format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', stage) FROM t WHERE relrowsecurity
  UNION ALL
  SELECT 'finish', 2, format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', stage) FROM t WHERE relforcerowsecurity
  UNION ALL
  SELECT 'sequence', 0, format('ALTER SEQUENCE %s OWNED BY %s.%I', s.oid::regclass, stage, attname)
  FROM a JOIN pg_depend d ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype = 'a'
)
SELECT kind, sql FROM statements ORDER BY kind, step, sql)";

// column, schema, sequence
inline constexpr char kCopyIdentities[] = R"(
SELECT a.attname, n.nspname, s.relname
FROM pg_attribute a
JOIN pg_depend d ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype = 'i'
  AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_namespace n ON n.oid = s.relnamespace
WHERE a.attrelid = $1::oid AND a.attidentity <> '' ORDER BY a.attnum)";

// 0 name  1 start of the definition as it must be  2 definition  3 start with the staging table's
// name, where %s is the index  4 constraint  5 its type  6 deferrable  7 deferred  8 replica
// identity 9 clustered  10 comment  11 constraint's comment  12 why it cannot be copied  13 staging
// table 14 schema  15 statistics targets
inline constexpr char kCopyIndexes[] = R"(
SELECT c.relname,
       format('CREATE %sINDEX %I ON %I.%I USING ', u.word, c.relname, n.nspname, t.relname),
       pg_get_indexdef(i.indexrelid),
       format('CREATE %sINDEX %%s ON %I.%I USING ', u.word, n.nspname, $2::text),
       con.conname, con.contype, con.condeferrable, con.condeferred, i.indisreplident, i.indisclustered,
       obj_description(c.oid, 'pg_class'), obj_description(con.oid, 'pg_constraint'),
       CASE WHEN NOT i.indisvalid OR NOT i.indisready THEN 'it is invalid'
            WHEN c.reltablespace <> 0 THEN 'it has a tablespace of its own'
            WHEN con.conname <> c.relname THEN 'its constraint has another name'
            WHEN con.contype IS NOT NULL AND am.amname <> 'btree' THEN 'its constraint is not a btree'
            WHEN EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
              AND d.deptype = 'x') THEN 'it depends on an extension'
       END,
       format('%I.%I', n.nspname, $2::text), quote_ident(n.nspname),
       (SELECT string_agg(format('ALTER COLUMN %s SET STATISTICS %s', a.attnum, a.attstattarget), ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = c.oid AND coalesce(a.attstattarget, -1) <> -1)
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am am ON am.oid = c.relam
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
CROSS JOIN LATERAL (SELECT CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END AS word) u
LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.conrelid = i.indrelid
  AND con.contype IN ('p', 'u', 'x')
WHERE i.indrelid = $1::oid ORDER BY i.indisunique DESC, c.relname)";

// Everything that refers to the table, its row type or the sequence of an identity column, but for
// what table_copy.cc and carried_objects.cc carry: so an object of a kind we never heard of is a
// dependent, too.
inline constexpr char kReferringObjects[] = R"(
WITH t AS (SELECT c.oid, c.reltype, y.typarray, c.reltoastrelid
           FROM pg_class c JOIN pg_type y ON y.oid = c.reltype WHERE c.oid = $1::oid
), owned AS (
  SELECT d.objid AS oid, d.deptype FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = $1::oid AND d.deptype IN ('a', 'i')
), referred(class, oid) AS (  -- each found by pg_depend's index, however many rows that has
  SELECT 'pg_class'::regclass, oid FROM t UNION ALL SELECT 'pg_class'::regclass, oid FROM owned WHERE deptype = 'i'
  UNION ALL SELECT 'pg_type'::regclass, unnest(ARRAY[reltype, typarray]) FROM t
)
SELECT DISTINCT CASE
  WHEN w.ev_class <> $1::oid THEN pg_describe_object('pg_class'::regclass, w.ev_class, 0)
  WHEN r.oid IS NOT NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid) ||
    ' (its subscribers get the rows only by DELETE and INSERT)'
  WHEN c.relkind = 'm' THEN pg_describe_object(d.classid, d.objid, 0) || ' (it cannot be pointed at another table)'
  ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END AS words
FROM t CROSS JOIN referred JOIN pg_depend d ON d.refclassid = referred.class AND d.refobjid = referred.oid
LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
LEFT JOIN pg_publication_rel r ON d.classid = 'pg_publication_rel'::regclass AND r.oid = d.objid
LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
LEFT JOIN pg_constraint f ON d.classid = 'pg_constraint'::regclass AND f.oid = d.objid
WHERE NOT (d.classid = 'pg_class'::regclass AND (d.objid IN (t.oid, t.reltoastrelid)
           OR d.objid IN (SELECT oid FROM owned)
           OR d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = t.oid)))
  AND NOT (d.classid = 'pg_type'::regclass AND (d.objid IN (t.reltype, t.typarray)
           OR d.objid IN (SELECT y.oid FROM pg_type y JOIN owned ON owned.oid = y.typrelid)))
  AND NOT (d.classid = 'pg_attrdef'::regclass
           AND d.objid IN (SELECT oid FROM pg_attrdef WHERE adrelid = t.oid))
  AND NOT (f.conrelid IS NOT DISTINCT FROM t.oid AND f.contype IN ('p', 'u', 'c', 'n', 't'))
  AND f.contype IS DISTINCT FROM 'f'
  AND NOT (w.oid IS NOT NULL AND (d.refobjid = t.oid OR d.refclassid = 'pg_type'::regclass))
  AND NOT EXISTS (SELECT FROM pg_trigger g WHERE d.classid = 'pg_trigger'::regclass AND g.oid = d.objid AND g.tgrelid = t.oid)
  AND NOT EXISTS (SELECT FROM pg_policy p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid AND p.polrelid = t.oid)
  AND d.classid <> 'pg_statistic_ext'::regclass
ORDER BY 1)";

// Properties of the table itself that are not carried. Column options that begin with "pg_" are
// stamps which some servers put on every column that is made; the staging table has its own.
inline constexpr char kOwnProperties[] = R"(
WITH t AS (SELECT * FROM pg_class WHERE oid = $1::oid)
SELECT 'parent table ' || i.inhparent::regclass
FROM t JOIN pg_inherits i ON i.inhrelid = t.oid WHERE NOT t.relispartition
UNION ALL SELECT 'row-level security, which applies to this user' FROM t WHERE row_security_active(t.oid)
UNION ALL SELECT 'disabled triggers of constraints' FROM t WHERE EXISTS (
  SELECT FROM pg_trigger g WHERE g.tgrelid = t.oid AND g.tgisinternal AND g.tgenabled <> 'O'
    AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.oid = g.tgconstraint AND f.contype = 'f'))
UNION ALL SELECT format('event trigger %s (it runs for the statements of a swap)', evtname) FROM t, pg_event_trigger e
  WHERE evtenabled IN ('O', 'A') AND evtevent <> 'table_rewrite'
    AND (evttags IS NULL OR evttags && ARRAY['CREATE TABLE', 'ALTER TABLE', 'DROP TABLE', 'CREATE INDEX',
      'ALTER INDEX', 'DROP INDEX', 'COMMENT', 'GRANT', 'REVOKE', 'ALTER SEQUENCE', 'CREATE VIEW', 'ALTER VIEW',
      'CREATE TRIGGER', 'CREATE POLICY', 'CREATE RULE', 'CREATE STATISTICS', 'ALTER STATISTICS'])
UNION ALL SELECT 'row type ' || reloftype::regtype FROM t WHERE reloftype <> 0
UNION ALL SELECT 'temporary table' FROM t WHERE relpersistence = 't'
UNION ALL SELECT 'security label' FROM t WHERE EXISTS (
  SELECT FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = t.oid)
UNION ALL SELECT 'subscription' FROM t WHERE EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid = t.oid)
UNION ALL SELECT format('publication %s of all tables (its subscribers get the rows only by DELETE and INSERT)', pubname)
  FROM t, pg_publication
  WHERE puballtables AND t.relpersistence = 'p'
UNION ALL SELECT 'extension ' || e.extname FROM t
  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = t.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid
UNION ALL SELECT 'grant by role ' || pg_get_userbyid(g.grantor) FROM t, aclexplode(t.relacl) g
  WHERE g.grantor <> t.relowner
UNION ALL SELECT 'grant on a column by role ' || pg_get_userbyid(g.grantor)
  FROM t JOIN pg_attribute a ON a.attrelid = t.oid, aclexplode(a.attacl) g WHERE g.grantor <> t.relowner
UNION ALL SELECT format('option %s of column %s', split_part(o, '=', 1), a.attname)
  FROM t JOIN pg_attribute a ON a.attrelid = t.oid, unnest(a.attoptions) o
  WHERE NOT a.attisdropped AND o !~ '^(n_distinct|n_distinct_inherited|pg_[a-z0-9_]*)='
UNION ALL SELECT 'rights: this user may not lock the table' FROM t
  WHERE NOT has_table_privilege(t.oid, 'UPDATE, DELETE, TRUNCATE')
UNION ALL SELECT 'owner ' || pg_get_userbyid(t.relowner) FROM t
  WHERE pg_get_userbyid(t.relowner) <> current_user
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    AND NOT (has_schema_privilege(t.relowner, t.relnamespace, 'CREATE')
             AND pg_has_role(t.relowner, 'MEMBER'))
UNION ALL SELECT 'tablespace ' || s.spcname FROM t JOIN pg_tablespace s ON s.oid = t.reltablespace
  WHERE NOT has_tablespace_privilege(s.oid, 'CREATE')
UNION ALL SELECT 'rights or comment of sequence ' || s.oid::regclass
  FROM t JOIN pg_depend d ON d.refobjid = t.oid AND d.deptype = 'i' AND d.refobjsubid > 0
    AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE s.relacl IS NOT NULL OR obj_description(s.oid, 'pg_class') IS NOT NULL OR EXISTS (
    SELECT FROM pg_default_acl a JOIN pg_roles r ON r.oid = a.defaclrole
    WHERE r.rolname = current_user AND a.defaclobjtype = 'S'
      AND a.defaclnamespace IN (0, t.relnamespace)))";

// PostgreSQL 15 and later.
inline constexpr char kSchemaPublications[] = R"(
SELECT format('publication %s of the schema (its subscribers get the rows only by DELETE and INSERT)', p.pubname)
FROM pg_class t JOIN pg_publication_namespace s ON s.pnnspid = t.relnamespace
JOIN pg_publication p ON p.oid = s.pnpubid
WHERE t.oid = $1::oid AND t.relpersistence = 'p')";

}  // namespace headrace
