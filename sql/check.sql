---------------------------------------------------------------------------
-- Checking what a person asks to have watched, with clear errors.
---------------------------------------------------------------------------

-- Whether a column exists and can be read in its role, with a clear error.
CREATE FUNCTION replenish.check_column(relation regclass, col name,
	argument text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp AS $$
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
		WHEN argument IN ('qty', 'on_hand', 'reserved', 'on_order', 'price')
			THEN 'smallint, integer, bigint, numeric, real, double precision'
		WHEN argument = 'at'
			THEN 'timestamp with time zone, timestamp without time zone, date'
		ELSE 'text, character varying, character, name, smallint, integer, bigint, uuid, boolean'
	END;
	IF format_type(base, NULL) <> ALL (string_to_array(allowed, ', '))
		AND NOT (argument IN ('sku', 'location', 'channel', 'status')
			AND EXISTS (SELECT FROM pg_type t
				WHERE t.oid = base AND t.typtype = 'e')) THEN
		RAISE EXCEPTION 'column "%" of table % has type %', col, relation,
			format_type(att.atttypid, att.atttypmod)
			USING ERRCODE = 'datatype_mismatch',
				DETAIL = format('Argument "%s" takes a column of type %s%s.',
					argument, allowed, CASE WHEN argument IN ('sku',
					'location', 'channel', 'status') THEN ', or an enum'
					ELSE '' END);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_column(regclass, name, text) IS
'Raises an error that names the column unless it exists and its type can be read as the given argument of watch_orders() or watch_stock().';

-- Faults count rows, and an UPDATE leaves as many as there were: a column that
-- has gone must be seen without them.
CREATE FUNCTION replenish.column_trouble(relation regclass, id integer)
	RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	c record;
BEGIN
	FOR c IN SELECT v.argument, v.col FROM source s CROSS JOIN LATERAL (VALUES
			('sku', s.sku), ('qty', s.qty), ('at', s.at),
			('location', s.location), ('channel', s.channel),
			('status', s.status), ('on_hand', s.on_hand),
			('reserved', s.reserved), ('on_order', s.on_order)) v (argument, col)
		WHERE s.id = column_trouble.id AND v.col IS NOT NULL
	LOOP
		PERFORM check_column(relation, c.col, c.argument);
	END LOOP;
	RETURN NULL;
EXCEPTION WHEN undefined_column OR datatype_mismatch THEN
	RETURN SQLERRM;
END $$;
COMMENT ON FUNCTION replenish.column_trouble(regclass, integer) IS
'What is wrong with the first column of a watched table that can no longer be read; NULL where all can. For health().';

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

-- Whether statement triggers on a table see what happens to its rows.
CREATE FUNCTION replenish.check_tree(relation regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	other regclass;
BEGIN
	SELECT i.inhparent::regclass FROM pg_inherits i
	JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhrelid = relation AND c.relispartition INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch partition %', relation
			USING ERRCODE = 'wrong_object_type',
				DETAIL = format('What is written to %s does not fire the triggers of its partitions.', other),
				HINT = format('Watch table %s, and write to it.', other);
	END IF;
	SELECT coalesce(nullif(i.inhparent, relation), i.inhrelid)::regclass
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent
	WHERE relation IN (i.inhparent, i.inhrelid) AND c.relkind <> 'p'
	ORDER BY 1 LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch table % because of its inheritance', relation
			USING ERRCODE = 'feature_not_supported',
				DETAIL = format('What is written to one of %s and %s shows in both, but fires the triggers of only one.', relation, other),
				HINT = 'Use a partitioned table.';
	END IF;
	SELECT t.relid FROM pg_partition_tree(relation) t
	JOIN pg_class c ON c.oid = t.relid
	WHERE c.relkind = 'f' ORDER BY t.relid LIMIT 1 INTO other;
	IF FOUND THEN
		RAISE EXCEPTION 'cannot watch table % because its partition % is a foreign table', relation, other
			USING ERRCODE = 'feature_not_supported',
				DETAIL = 'Rows that were routed to it would be refused.',
				HINT = 'Detach the partition first.';
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_tree(regclass) IS
'Raises an error that names the table if it is a partition, has parents or children by inheritance, or has foreign tables among its partitions.';
