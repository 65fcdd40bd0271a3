-- What is kept while the views are made anew. Executed before they are dropped.

CREATE TEMPORARY TABLE kept_view (oid oid, name text, depth integer, statement text) ON COMMIT DROP;
CREATE TEMPORARY TABLE kept_function (oid oid) ON COMMIT DROP;
CREATE TEMPORARY TABLE kept_grant (
    nr integer GENERATED ALWAYS AS IDENTITY, name text, statement text) ON COMMIT DROP;

CREATE OR REPLACE FUNCTION pg_temp.keep_views(views text[], functions text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kept_function
    SELECT oid FROM pg_proc WHERE pronamespace = 'telemetry'::regnamespace AND proname = ANY (functions);

    -- Ours, and with a depth of one or more those of others that read them: each is made after those that it reads.
    INSERT INTO kept_view
    WITH RECURSIVE ours AS (
        SELECT oid FROM pg_class
        WHERE relnamespace = 'telemetry'::regnamespace AND relkind = 'v' AND relname = ANY (views)),
    reads AS (
        SELECT r.ev_class AS oid, d.refclassid, d.refobjid
        FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND r.ev_class <> d.refobjid),
    reader AS (
        SELECT r.oid, 1 AS depth FROM reads r
        WHERE r.oid NOT IN (SELECT oid FROM ours)
          AND (r.refclassid = 'pg_class'::regclass AND r.refobjid IN (SELECT oid FROM ours)
              OR r.refclassid = 'pg_proc'::regclass AND r.refobjid IN (SELECT oid FROM kept_function))
        UNION
        SELECT r.oid, p.depth + 1 FROM reader p
        JOIN reads r ON r.refclassid = 'pg_class'::regclass AND r.refobjid = p.oid)
    SELECT oid, oid::regclass::text, 0, NULL FROM ours
    UNION ALL
    SELECT c.oid, c.oid::regclass::text, r.depth,
           CASE WHEN c.relkind = 'v' THEN format('CREATE VIEW %s%s AS %s', c.oid::regclass,
               ' WITH (' || array_to_string(c.reloptions, ', ') || ')', pg_get_viewdef(c.oid)) END
    FROM (SELECT oid, max(depth) AS depth FROM reader GROUP BY oid) r JOIN pg_class c ON c.oid = r.oid;

    INSERT INTO kept_grant (name, statement)
    SELECT format('to_regclass(%L) IS NOT NULL', v.name),
           format('GRANT %s ON %s TO %s%s', a.privilege_type, v.name,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
               CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM kept_view v JOIN pg_class c ON c.oid = v.oid CROSS JOIN LATERAL aclexplode(c.relacl) a
    WHERE a.grantee <> c.relowner
    UNION ALL
    SELECT format('EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass(%L) AND attname = %L)',
               v.name, t.attname),
           format('GRANT %s (%I) ON %s TO %s%s', a.privilege_type, t.attname, v.name,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
               CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM kept_view v JOIN pg_attribute t ON t.attrelid = v.oid CROSS JOIN LATERAL aclexplode(t.attacl) a;

    INSERT INTO kept_grant (name, statement)
    SELECT format('to_regproc(%L) IS NOT NULL', p.oid::regproc),
           format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', p.oid::regproc)
    FROM kept_function k JOIN pg_proc p ON p.oid = k.oid WHERE p.proacl IS NOT NULL
    UNION ALL
    SELECT format('to_regproc(%L) IS NOT NULL', p.oid::regproc),
           format('GRANT EXECUTE ON FUNCTION %s TO %s%s', p.oid::regproc,
               CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
               CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM kept_function k JOIN pg_proc p ON p.oid = k.oid CROSS JOIN LATERAL aclexplode(p.proacl) a
    WHERE a.grantee <> p.proowner;

    -- Last: the grants above are those of whoever makes the views.
    INSERT INTO kept_grant (name, statement)
    SELECT format('to_regclass(%L) IS NOT NULL', v.name),
           format('ALTER VIEW %s OWNER TO %I', v.name, pg_get_userbyid(c.relowner))
    FROM kept_view v JOIN pg_class c ON c.oid = v.oid WHERE pg_get_userbyid(c.relowner) <> current_user
    UNION ALL
    SELECT format('to_regproc(%L) IS NOT NULL', p.oid::regproc),
           format('ALTER FUNCTION %s OWNER TO %I', p.oid::regproc, pg_get_userbyid(p.proowner))
    FROM kept_function k JOIN pg_proc p ON p.oid = k.oid WHERE pg_get_userbyid(p.proowner) <> current_user;
END $$;
