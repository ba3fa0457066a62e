---------------------------------------------------------------------------
-- Checking what a person asks to have watched, with clear errors.
---------------------------------------------------------------------------

-- Whether a column exists and can be read in its role, with a clear error.
CREATE FUNCTION replenish.check_column(relation regclass, col name,
	argument text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET quote_all_identifiers = off AS $$
DECLARE
	att pg_attribute;
	base oid;
	allowed text;
	hint text;
BEGIN
	IF col IS NULL THEN
		RETURN;
	END IF;
	SELECT * FROM pg_attribute a
	WHERE a.attrelid = relation AND a.attname = col AND a.attnum > 0
		AND NOT a.attisdropped INTO att;
	IF NOT FOUND THEN
		SELECT 'Its columns are ' || string_agg(quote_ident(a.attname), ', '
			ORDER BY a.attnum) || '.'
		FROM pg_attribute a WHERE a.attrelid = relation AND a.attnum > 0
			AND NOT a.attisdropped INTO hint;
		RAISE EXCEPTION 'column "%" of table % does not exist', col, relation
			USING ERRCODE = 'undefined_column',
				DETAIL = format('It was given as argument "%s".', argument),
				HINT = hint;
	END IF;
	-- a virtual generated column has no value in a trigger
	IF att.attgenerated = 'v' THEN
		RAISE EXCEPTION 'column "%" of table % is a virtual generated column', col, relation
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Use a stored column.';
	END IF;
	WITH RECURSIVE types AS (
		SELECT t.oid, t.typbasetype, t.typtype FROM pg_type t
		WHERE t.oid = att.atttypid
		UNION ALL
		SELECT t.oid, t.typbasetype, t.typtype
		FROM types d JOIN pg_type t ON t.oid = d.typbasetype
		WHERE d.typtype = 'd'
	)
	SELECT t.oid FROM types t WHERE t.typtype <> 'd' INTO base;
	allowed := CASE
		WHEN argument IN ('qty', 'on_hand', 'reserved', 'on_order', 'price',
			'received', 'viewers') THEN 'smallint, integer, bigint, numeric, real, double precision'
		WHEN argument IN ('at', 'ordered_at', 'expected_at', 'received_at')
			THEN 'timestamp with time zone, timestamp without time zone, date'
		ELSE 'text, character varying, character, name, smallint, integer, bigint, uuid, boolean'
	END;
	IF format_type(base, NULL) <> ALL (string_to_array(allowed, ', '))
		AND NOT (allowed LIKE 'text,%' AND EXISTS (SELECT FROM pg_type t
			WHERE t.oid = base AND t.typtype = 'e')) THEN
		RAISE EXCEPTION 'column "%" of table % has type %', col, relation,
			format_type(att.atttypid, att.atttypmod)
			USING ERRCODE = 'datatype_mismatch',
				DETAIL = format('Argument "%s" takes a column of type %s%s.',
					argument, allowed, CASE WHEN allowed LIKE 'text,%'
					THEN ', or an enum' ELSE '' END);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_column(regclass, name, text) IS
'Raises an error that names the column unless it exists and its type can be read as the given argument of watch_orders() or watch_stock().';

-- Of an order in two tables, what is not with the lines is with the header.
CREATE FUNCTION replenish.is_on_header(lines regclass, header regclass,
	col name, argument text) RETURNS boolean
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	found_in regclass;
BEGIN
	SELECT a.attrelid FROM pg_attribute a
	WHERE a.attrelid IN (lines, header) AND a.attname = col AND a.attnum > 0
		AND NOT a.attisdropped
	ORDER BY a.attrelid = lines DESC LIMIT 1 INTO found_in;
	IF col IS NOT NULL AND header IS NOT NULL AND found_in IS NULL THEN
		RAISE EXCEPTION 'column "%" exists neither in table % nor in table %', col, lines, header
			USING ERRCODE = 'undefined_column',
				DETAIL = format('It was given as argument "%s".', argument);
	END IF;
	PERFORM check_column(coalesce(found_in, lines), col, argument);
	RETURN coalesce(found_in = header, false);
END $$;
COMMENT ON FUNCTION replenish.is_on_header(regclass, regclass, name, text) IS
'Whether a column is the header''s and not the lines''. Raises an error that names both tables unless it exists in one of them and its type can be read as the given argument of watch_orders(); header and col may be NULL.';

CREATE FUNCTION replenish.find_header_id(lines regclass, header regclass,
	header_key name) RETURNS name
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	found_id name;
BEGIN
	PERFORM check_column(lines, header_key, 'header_key');
	-- what refers to it, is called the same, or identifies the header
	SELECT a.attname FROM (
		SELECT 1 AS choice, c.confkey[1] AS attnum FROM pg_constraint c
		JOIN pg_attribute k ON k.attrelid = c.conrelid
			AND k.attnum = c.conkey[1] AND k.attname = header_key
		WHERE c.contype = 'f' AND c.conrelid = lines AND c.confrelid = header
			AND cardinality(c.conkey) = 1
		UNION ALL
		SELECT 2, n.attnum FROM pg_attribute n
		WHERE n.attrelid = header AND n.attname = header_key
			AND n.attnum > 0 AND NOT n.attisdropped
		UNION ALL
		SELECT 3, c.conkey[1] FROM pg_constraint c
		WHERE c.contype = 'p' AND c.conrelid = header
			AND cardinality(c.conkey) = 1) f
	JOIN pg_attribute a ON a.attrelid = header AND a.attnum = f.attnum
	ORDER BY f.choice LIMIT 1 INTO found_id;
	IF found_id IS NULL THEN
		RAISE EXCEPTION 'cannot tell what column "%" of table % refers to in table %', header_key, lines, header
			USING ERRCODE = 'undefined_column',
				DETAIL = 'No foreign key says so, no column there has the same name, and no single column is its primary key.',
				HINT = format('Add a foreign key from %s to %s; it may be NOT VALID.', lines, header);
	END IF;
	PERFORM check_column(header, found_id, 'header_key');
	RETURN found_id;
END $$;
COMMENT ON FUNCTION replenish.find_header_id(regclass, regclass, name) IS
'The column of an order''s header that header_key of its lines refers to: by a foreign key of one column, else the column of the same name, else the primary key of one column; else an error. Both columns are checked.';

-- The columns that a part of a source has.
CREATE FUNCTION replenish.part_columns(s replenish.source, part text)
	RETURNS TABLE (argument text, col name)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 6
	BEGIN ATOMIC
		SELECT v.argument, v.col
		FROM (VALUES ('sku', s.sku), ('location', s.location),
			('channel', s.channel), ('status', s.status), ('qty', s.qty),
			('at', s.at), ('price', s.price), ('on_hand', s.on_hand),
			('reserved', s.reserved), ('on_order', s.on_order),
			('header_key', s.header_key), ('header_id', s.header_id),
			('expected_at', s.expected_at), ('received_at', s.received_at),
			('received', s.received))
			v (argument, col)
		WHERE v.col IS NOT NULL AND v.col <> '' AND (part_columns.part = 'header')
			= (v.argument = 'header_id'
				OR v.argument = ANY (coalesce(s.on_header, '{}')));
	END;
COMMENT ON FUNCTION replenish.part_columns(replenish.source, text) IS
'The columns of a source that are in one of its parts (orders, lines, header, stock or inbound), by the argument that named them.';

CREATE FUNCTION replenish.missing_statuses(s replenish.source,
	relation regclass) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.string_agg(pg_catalog.quote_literal(k.status), ', '
			ORDER BY k.n)
		FROM pg_catalog.unnest(s.counted) WITH ORDINALITY k (status, n)
		JOIN pg_catalog.pg_attribute a
			ON a.attrelid = missing_statuses.relation AND a.attname = s.status
		JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typtype = 'e'
		WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_enum e
			WHERE e.enumtypid = t.oid AND e.enumlabel = k.status);
	END;
COMMENT ON FUNCTION replenish.missing_statuses(replenish.source, regclass) IS
'The statuses that a source counts and that its column, an enum in this table, cannot have; NULL where there are none.';

-- Faults count rows, and an UPDATE leaves as many as there were: a column that
-- has gone must be seen without them.
CREATE FUNCTION replenish.column_trouble(relation regclass, id integer)
	RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT w.relation, v.argument, v.col
		FROM source s JOIN watched_part w ON w.id = s.id
		CROSS JOIN LATERAL part_columns(s, w.part) v
		WHERE s.id = column_trouble.id AND v.argument <> 'price'
		ORDER BY w.relation = column_trouble.relation DESC
	LOOP
		PERFORM check_column(c.relation, c.col, c.argument);
	END LOOP;
	RETURN NULL;
EXCEPTION WHEN undefined_column OR datatype_mismatch THEN
	RETURN SQLERRM;
END $$;
COMMENT ON FUNCTION replenish.column_trouble(regclass, integer) IS
'What is wrong with the first column of a source''s tables that can no longer be read, those of the given table first; NULL where all can. For health().';

-- Whether the caller may have a table watched, with a clear error.
CREATE FUNCTION replenish.check_relation(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	class pg_class;
	kind text;
BEGIN
	IF relation IS NULL THEN
		RAISE EXCEPTION 'argument "source" must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT * FROM pg_class c WHERE c.oid = relation INTO class;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table with OID % does not exist', relation::oid
			USING ERRCODE = 'undefined_table';
	END IF;
	kind := CASE class.relkind WHEN 'v' THEN 'a view'
		WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
		WHEN 'S' THEN 'a sequence' WHEN 'i' THEN 'an index'
		WHEN 'I' THEN 'an index' WHEN 'c' THEN 'a composite type'
		WHEN 't' THEN 'a TOAST table' END;
	IF kind IS NOT NULL THEN
		RAISE EXCEPTION 'cannot watch % because it is %', relation, kind
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Watch the table that the orders are written to.';
	END IF;
	IF class.relpersistence = 't' THEN
		RAISE EXCEPTION 'cannot watch temporary table %', relation
			USING ERRCODE = 'wrong_object_type',
				HINT = 'Use replenish.record_demand() for what is kept in no permanent table.';
	END IF;
	IF class.relpersistence = 'u' THEN
		RAISE EXCEPTION 'cannot watch unlogged table %', relation
			USING ERRCODE = 'wrong_object_type',
				DETAIL = 'A crash would empty it and leave what was counted.';
	END IF;
	IF class.relnamespace IN ('pg_catalog'::regnamespace,
		(SELECT n.oid FROM pg_namespace n WHERE n.nspname = 'replenish')) THEN
		RAISE EXCEPTION 'cannot watch system table %', relation
			USING ERRCODE = 'wrong_object_type';
	END IF;
	IF NOT pg_has_role(class.relowner, 'USAGE') THEN
		RAISE EXCEPTION 'must be owner of table %', relation
			USING ERRCODE = 'insufficient_privilege';
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_relation(regclass) IS
'Raises an error that names the table unless it is a permanent table of the calling role that can be watched.';

CREATE FUNCTION replenish.tree_of(root regclass) RETURNS SETOF regclass
	LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 20
	BEGIN ATOMIC
		WITH RECURSIVE tree (relation, level) AS (
			SELECT root, 0
			UNION
			SELECT i.inhrelid::pg_catalog.regclass, t.level + 1
			FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.relation
			-- a temporary child is nobody's but its session's
			JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
				AND c.relpersistence <> 't'
		)
		SELECT t.relation FROM tree t
		GROUP BY t.relation ORDER BY min(t.level), t.relation;
	END;
COMMENT ON FUNCTION replenish.tree_of(regclass) IS
'A table, its partitions or children, theirs and so on, in the order in which PostgreSQL locks them; temporary ones are left out.';

-- Whether triggers on a table and all below it see what happens to its rows.
CREATE FUNCTION replenish.check_tree(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	other regclass;
	outside regclass;
BEGIN
	SELECT i.inhparent::regclass FROM pg_inherits i
	WHERE i.inhrelid = relation ORDER BY i.inhseqno LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch % %', (SELECT CASE WHEN c.relispartition
				THEN 'partition' ELSE 'child table' END
			FROM pg_class c WHERE c.oid = relation), relation
			USING ERRCODE = 'wrong_object_type',
				DETAIL = format('What is written to %s does not fire its triggers.', other),
				HINT = format('Watch table %s.', other);
	END IF;
	SELECT t.relation FROM tree_of(relation) t (relation)
	JOIN pg_class c ON c.oid = t.relation
	WHERE c.relkind = 'f' ORDER BY t.relation LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch table % because % below it is a foreign table', relation, other
			USING ERRCODE = 'feature_not_supported',
				DETAIL = format('What is written to %s and goes to a foreign table would be refused.', relation),
				HINT = 'Detach the foreign table first.';
	END IF;
	SELECT t.relation FROM tree_of(relation) t (relation)
	JOIN pg_class c ON c.oid = t.relation
	WHERE c.relpersistence = 'u' ORDER BY t.relation LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch table % because % below it is unlogged', relation, other
			USING ERRCODE = 'wrong_object_type',
				DETAIL = 'A crash would empty it and leave what was counted.';
	END IF;
	SELECT t.relation, i.inhparent::regclass FROM tree_of(relation) t (relation)
	JOIN pg_inherits i ON i.inhrelid = t.relation
	WHERE i.inhparent NOT IN (SELECT o.relation FROM tree_of(check_tree.relation)
		o (relation)) ORDER BY 1, 2 LIMIT 1 INTO other, outside;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch table % because % below it has another parent', relation, other
			USING ERRCODE = 'feature_not_supported',
				DETAIL = format('What is written to %s may change its rows, and does not fire its triggers.', outside);
	END IF;
	SELECT t.relation FROM tree_of(relation) t (relation)
	JOIN pg_class c ON c.oid = t.relation
	WHERE NOT pg_has_role(c.relowner, 'USAGE')
	ORDER BY t.relation LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'must be owner of table %', other
			USING ERRCODE = 'insufficient_privilege',
				DETAIL = format('It is a part of table %s.', relation);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_tree(regclass) IS
'Raises an error that names the table if it is a partition or a child, or if one below it is a foreign or unlogged table, has a parent elsewhere, or is not the calling role''s.';
