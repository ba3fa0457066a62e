---------------------------------------------------------------------------
-- Exploring the shop's tables by names, types, statistics and samples, with the
-- rights of the caller.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.shop_tables()
	RETURNS TABLE (relation regclass, meaning text, rows float8)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	RETURN QUERY
	SELECT c.oid::regclass, table_meaning(c.relname),
		(SELECT sum(greatest(l.reltuples, l.relpages * 50.0, 0))
			FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid
			WHERE t.isleaf)::float8
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
		AND NOT c.relispartition
		AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'replenish')
		AND n.nspname !~ '^pg_'
		AND has_schema_privilege(n.oid, 'USAGE')
		AND has_table_privilege(c.oid, 'SELECT')
		AND NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhrelid = c.oid)
		-- a foreign partition is neither sampled nor watched
		AND NOT EXISTS (SELECT FROM pg_partition_tree(c.oid) t
			JOIN pg_class l ON l.oid = t.relid WHERE l.relkind = 'f')
		AND NOT EXISTS (SELECT FROM pg_depend d
			WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
				AND d.deptype = 'e')
		AND source_of(c.oid) IS NULL
	ORDER BY n.nspname, c.relname;
END $$;
COMMENT ON FUNCTION replenish.shop_tables() IS
'The tables that the caller may read and nobody watches, but for system tables, partitions and those of extensions: what they hold by their names, and about how many rows.';

CREATE TYPE replenish.role_column AS (
	relation regclass,
	role text,
	col name,
	score integer,
	type text,
	position integer
);
COMMENT ON TYPE replenish.role_column IS
'A column that can have a role, see column_words(), and how well its name fits.';

CREATE FUNCTION replenish.role_columns(relations regclass[])
	RETURNS SETOF replenish.role_column
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	SET quote_all_identifiers = off AS $$
DECLARE
	columns role_column[];
BEGIN
	SELECT array_agg((a.attrelid, plain_name(a.attname), a.attname,
		(t.typtype = 'e')::integer, CASE WHEN t.typtype = 'd'
			THEN base_type(a.attrelid, a.attname)
			ELSE format_type(a.atttypid, NULL) END, a.attnum)::role_column)
	FROM pg_attribute a
	JOIN pg_type t ON t.oid = a.atttypid
	JOIN pg_class c ON c.oid = a.attrelid
	JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE a.attrelid = ANY (relations) AND a.attnum > 0
		AND NOT a.attisdropped AND a.attgenerated <> 'v'
		-- a column of NULLs says nothing
		AND NOT EXISTS (SELECT FROM pg_stats s WHERE s.schemaname = n.nspname
			AND s.tablename = c.relname AND s.attname = a.attname
			AND s.null_frac = 1)
	INTO columns;
	-- each pattern once over all columns: few compiled ones are remembered
	RETURN QUERY
	SELECT m.relation, w.role, m.col, max(w.score), m.type, m.position
	FROM column_words() w
	CROSS JOIN LATERAL (SELECT * FROM unnest(columns) c
		WHERE c.role ~ w.pattern OFFSET 0) m
	WHERE CASE WHEN w.role IN ('qty', 'price', 'on_hand', 'reserved', 'on_order')
			THEN m.type IN ('smallint', 'integer', 'bigint', 'numeric', 'real',
				'double precision')
		WHEN w.role IN ('at', 'taken')
			THEN m.type IN ('timestamp with time zone',
				'timestamp without time zone', 'date')
		ELSE m.score = 1 OR m.type IN ('text', 'character varying',
			'character', 'name', 'smallint', 'integer', 'bigint', 'uuid')
		END
	GROUP BY m.relation, w.role, m.col, m.type, m.position
	HAVING min(w.score) > 0;
END $$;
COMMENT ON FUNCTION replenish.role_columns(regclass[]) IS
'The columns of tables that can have a role, by their names and types.';

-- So many rows from all over a table, however large it is.
CREATE FUNCTION replenish.sample_query(relation regclass, wanted integer)
	RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	expected float8 := (SELECT sum(greatest(l.reltuples, l.relpages * 50.0))
		FROM pg_partition_tree(relation) t JOIN pg_class l ON l.oid = t.relid
		WHERE t.isleaf);
BEGIN
	RETURN format('(SELECT * FROM %s %s LIMIT %s)', relation,
		CASE WHEN expected > 2 * wanted THEN
			format('TABLESAMPLE SYSTEM (%s) REPEATABLE (1)',
				(100 * wanted / expected)::numeric) END, wanted);
END $$;
COMMENT ON FUNCTION replenish.sample_query(regclass, integer) IS
'A subquery for about that many rows of a table.';

CREATE FUNCTION replenish.key_overlap(relation regclass, col name,
	other regclass, other_col name) RETURNS float8
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	share float8;
BEGIN
	EXECUTE format('SELECT avg((k.v IN (SELECT %s
			FROM (SELECT * FROM %s LIMIT 200000) o))::integer)
		FROM (SELECT DISTINCT %s AS v FROM %s s
			WHERE s.%I IS NOT NULL LIMIT 1000) k',
		key_text(other, 'o', other_col), other, key_text(relation, 's', col),
		sample_query(relation, 20000), col) INTO share;
	RETURN share;
END $$;
COMMENT ON FUNCTION replenish.key_overlap(regclass, name, regclass, name) IS
'The share of a column''s values that another column has, as text, by a sample; NULL where there is no value.';

CREATE FUNCTION replenish.status_values(relation regclass, col name,
	OUT known text[], OUT nulls float8)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	EXECUTE format('SELECT array_agg(DISTINCT s.v), avg((s.v IS NULL)::integer)
		FROM (SELECT %s AS v FROM %s s) s', key_text(relation, 's', col),
		sample_query(relation, 50000)) INTO known, nulls;
	-- what the sample missed
	SELECT array_agg(DISTINCT v.value ORDER BY v.value) FROM (
		SELECT unnest(known)
		UNION ALL
		SELECT unnest(s.most_common_vals::text::text[]) FROM pg_stats s
		JOIN pg_class c ON c.oid = relation
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE s.schemaname = n.nspname AND s.tablename = c.relname
			AND s.attname = col
		UNION ALL
		SELECT e.enumlabel FROM pg_attribute a
		JOIN pg_enum e ON e.enumtypid = a.atttypid
		WHERE a.attrelid = relation AND a.attname = col) v (value)
	WHERE v.value IS NOT NULL INTO known;
END $$;
COMMENT ON FUNCTION replenish.status_values(regclass, name) IS
'The values of a status column by a sample, the statistics and its enum type, and the share of NULLs.';

-- Which tables deserve a look inside, by the names of their columns and sizes.
CREATE FUNCTION replenish.promising_tables(columns replenish.role_column[])
	RETURNS TABLE (kind text, relation regclass, nth bigint)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH best AS (
		SELECT c.relation, c.role, max(c.score) AS score
		FROM unnest(columns) c GROUP BY c.relation, c.role
	), known AS (
		SELECT x.relation, x.meaning, least(ln(x.rows + 1) / 3, 5) AS size,
			(SELECT jsonb_object_agg(b.role, b.score) FROM best b
				WHERE b.relation = x.relation) AS roles
		FROM shop_tables() x
		WHERE x.relation IN (SELECT b.relation FROM best b
			WHERE b.role = 'sku')
	), kinds AS (
		SELECT 'orders' AS kind, k.relation,
			k.size + CASE k.meaning WHEN 'orders' THEN 6 ELSE 0 END
				+ (k.roles -> 'qty')::integer + coalesce(greatest(
				(k.roles -> 'at')::integer, (k.roles -> 'header')::integer), 0)
				AS score
		FROM known k
		WHERE (k.meaning = 'orders' OR k.meaning IS NULL
				AND coalesce((k.roles -> 'on_hand')::integer, 0) < 10)
			AND k.roles ? 'qty'
		UNION ALL
		SELECT 'stock', k.relation,
			k.size / 3 + CASE k.meaning WHEN 'stock' THEN 6 ELSE 0 END
				+ (k.roles -> 'on_hand')::integer
		FROM known k
		WHERE (k.meaning = 'stock' OR k.meaning IS NULL
				AND (k.roles -> 'on_hand')::integer = 10)
			AND k.roles ? 'on_hand'
	)
	SELECT k.kind, k.relation, row_number() OVER (PARTITION BY k.kind
		ORDER BY k.score DESC, k.relation::text)
	FROM kinds k;
END $$;
COMMENT ON FUNCTION replenish.promising_tables(replenish.role_column[]) IS
'The tables that may hold orders or stock, the best of each kind first. For suggest_watch().';
