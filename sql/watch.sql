---------------------------------------------------------------------------
-- Watching: triggers on the shop's tables.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.capture() RETURNS trigger
	AS 'MODULE_PATHNAME', 'replenish_capture'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.capture() IS
'The trigger function on watched tables. It appends what moved to the inbox as the invoking user, who needs no rights on anything of this extension. What a watch knows is in its arguments; see replenish.trigger_arguments().';

CREATE FUNCTION replenish.record_demand(sku text, qty float8,
	at timestamptz DEFAULT now(), location text DEFAULT NULL,
	channel text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_record_demand'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.record_demand(text, float8, timestamptz, text, text) IS
'Records qty units of demand for a SKU at a moment, for programs that keep no table of orders; a negative quantity takes demand back. Without location or channel, both are ''default''. Blank or overlong keys, NULL or infinite values are errors.';

-- What the triggers of a part of a source carry, packed as one argument;
-- recount() reads a table by the same.
CREATE FUNCTION replenish.trigger_arguments(s replenish.source, part text)
	RETURNS text[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT ARRAY[s.id::text, part, CASE WHEN NOT header THEN s.sku ELSE '' END,
			CASE WHEN header = ('location' = ANY (moved))
				THEN coalesce(s.location, '') ELSE '' END,
			CASE WHEN header = ('channel' = ANY (moved))
				THEN coalesce(s.channel, '') ELSE '' END,
			CASE WHEN header = ('status' = ANY (moved))
				THEN coalesce(s.status, '') ELSE '' END,
			CASE WHEN NOT header THEN coalesce(s.qty, '') ELSE '' END,
			CASE WHEN header = ('at' = ANY (moved))
				THEN coalesce(s.at, '') ELSE '' END,
			coalesce(s.on_hand, ''), coalesce(s.reserved, ''),
			coalesce(s.on_order, ''), s.zone]
			|| CASE part WHEN 'lines' THEN ARRAY[s.header_key::text]
				WHEN 'header' THEN ARRAY[s.header_id::text] ELSE '{}' END
			|| pg_catalog.cardinality(counted)::text || counted || s.zones
		FROM (SELECT part = 'header' AS header,
				coalesce(s.on_header, '{}') AS moved) h
		CROSS JOIN LATERAL (SELECT CASE WHEN header = ('status' = ANY (moved))
			THEN coalesce(s.counted, '{}') ELSE '{}' END AS counted) c;
	END;
COMMENT ON FUNCTION replenish.trigger_arguments(replenish.source, text) IS
'What the triggers on a part of a source (orders, lines, header or stock) carry, there as one argument with commas between: id, part, columns (empty where there is none), zone, of lines and headers the column that joins them, number of counted statuses, those statuses, then pairs of location and zone. Columns that the header has are left out of the lines'', and the other way round.';

CREATE VIEW replenish.capturing AS
	SELECT t.tgrelid::pg_catalog.regclass AS relation, t.tgname AS name,
		CASE WHEN p.packed ~ '^[1-9][0-9]{0,8},'
			THEN pg_catalog.split_part(p.packed, ',', 1)::integer END AS id,
		pg_catalog.split_part(p.packed, ',', 2) AS part, t.tgenabled AS fires
	FROM pg_catalog.pg_trigger t
	CROSS JOIN LATERAL (SELECT pg_catalog.encode(t.tgargs, 'escape')) p (packed)
	WHERE t.tgfoid = 'replenish.capture'::pg_catalog.regproc
		AND NOT t.tgisinternal;
COMMENT ON VIEW replenish.capturing IS
'The triggers of this extension on the shop''s tables: which part of which source they feed, and when they fire, as in pg_trigger.tgenabled. id is NULL where somebody wrote the arguments by hand.';

CREATE FUNCTION replenish.source_of(relation regclass) RETURNS integer
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT c.id FROM replenish.capturing c
		WHERE c.relation = source_of.relation AND c.id IS NOT NULL
		LIMIT 1;
	END;
COMMENT ON FUNCTION replenish.source_of(regclass) IS
'The number of the source that a table''s triggers feed; NULL for a table that is not watched.';

CREATE FUNCTION replenish.table_name(relation regclass) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.format('%I.%I', n.nspname, c.relname)
		FROM pg_catalog.pg_class c
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = table_name.relation;
	END;
COMMENT ON FUNCTION replenish.table_name(regclass) IS
'The name of a table with its schema, whatever the search path; source.name.';

CREATE FUNCTION replenish.touch_source(id integer) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel)
	SELECT DISTINCT 0, 0, 0, 't'::"char", s.sku, s.location, ''
	FROM item_stock s WHERE s.source = touch_source.id;
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch_source(integer) IS
'Has the items that a source has stock of decided again at the next tick.';

-- Writes a source down; a table that was watched before gets its number back.
CREATE FUNCTION replenish.register_source(s replenish.source)
	RETURNS replenish.source
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	known source;
BEGIN
	LOCK TABLE source IN SHARE ROW EXCLUSIVE MODE;
	-- active or not: a table that was dropped could not be unwatched
	SELECT * FROM source o
	WHERE o.kind = s.kind AND o.name = s.name
		AND o.id NOT IN (SELECT w.id FROM watched w)
	ORDER BY o.id LIMIT 1 INTO known;
	s.id := coalesce(known.id, (SELECT coalesce(max(o.id), 0) + 1 FROM source o));
	-- what it has contributed may not be what its rows say now
	IF EXISTS (SELECT FROM item_demand d WHERE d.source = s.id)
		OR EXISTS (SELECT FROM item_stock t WHERE t.source = s.id)
		OR EXISTS (SELECT FROM postponed l WHERE l.source = s.id)
		OR EXISTS (SELECT FROM pending(clock()) p WHERE p.source = s.id) THEN
		s.backfilled_at := NULL;
	END IF;
	s.counted_once := s.backfilled_at IS NOT NULL
		OR coalesce(known.counted_once, false);
	DELETE FROM source o WHERE o.id = s.id;
	INSERT INTO source SELECT s.*;
	-- its stock counts again
	PERFORM touch_source(s.id);
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.register_source(replenish.source) IS
'Writes a source down and returns it with its number; the number of a table that was watched before is given again, also where the table was dropped and made anew, so that what it contributed is still its own. For watch_orders() and watch_stock().';

CREATE FUNCTION replenish.attach(relation regclass, s replenish.source)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	arguments text;
	has_rows boolean;
BEGIN
	PERFORM check_relation(relation);
	IF current_setting('transaction_isolation')
		IN ('repeatable read', 'serializable') THEN
		RAISE EXCEPTION 'cannot watch a table in a transaction with isolation level REPEATABLE READ or SERIALIZABLE'
			USING ERRCODE = 'active_sql_transaction',
				HINT = 'Watch it in a READ COMMITTED transaction.';
	END IF;
	-- no row may come between the registration and the triggers, and no
	-- other watch
	EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', relation);
	PERFORM check_tree(relation);
	IF source_of(relation) IS NOT NULL THEN
		RAISE EXCEPTION 'table % is already watched', relation
			USING ERRCODE = 'duplicate_object',
				HINT = 'Call replenish.unwatch() first to watch it in another way.';
	END IF;
	-- moments without a zone mean what they mean now, for ever
	s.zone := coalesce(
		(SELECT l.time_zone FROM location l WHERE l.location = 'default'),
		current_setting('TimeZone'));
	s.zones := CASE WHEN s.location IS NULL THEN '{}' ELSE coalesce(
		(SELECT array_agg(z.value ORDER BY l.location, z.n)
		FROM location l CROSS JOIN LATERAL
			(VALUES (1, l.location::text), (2, l.time_zone)) z (n, value)
		WHERE l.time_zone <> s.zone), '{}') END;
	s.name := table_name(relation);
	s.watched_as := s.name;
	s.active := true;
	s.watched_at := clock_timestamp();
	-- row security may hide rows from their own table's owner
	EXECUTE format('SELECT relrowsecurity AND relforcerowsecurity
		OR EXISTS (SELECT FROM %s) FROM pg_class WHERE oid = $1', relation)
		USING relation INTO has_rows;
	s.backfilled_at := CASE WHEN NOT has_rows THEN s.watched_at END;
	s := register_source(s);
	SELECT quote_literal(string_agg(regexp_replace(a.value, E'([\\\\,])',
		E'\\\\\\1', 'g'), ',' ORDER BY a.n))
	FROM unnest(trigger_arguments(s, s.kind)) WITH ORDINALITY a (value, n)
	INTO arguments;
	EXECUTE format('CREATE TRIGGER replenish_insert AFTER INSERT ON %s
		REFERENCING NEW TABLE AS replenish_new FOR EACH STATEMENT
		EXECUTE FUNCTION replenish.capture(%s)', relation, arguments);
	EXECUTE format('CREATE TRIGGER replenish_update AFTER UPDATE ON %s
		REFERENCING OLD TABLE AS replenish_old NEW TABLE AS replenish_new
		FOR EACH STATEMENT EXECUTE FUNCTION replenish.capture(%s)',
		relation, arguments);
	EXECUTE format('CREATE TRIGGER replenish_delete AFTER DELETE ON %s
		REFERENCING OLD TABLE AS replenish_old FOR EACH STATEMENT
		EXECUTE FUNCTION replenish.capture(%s)', relation, arguments);
	EXECUTE format('CREATE TRIGGER replenish_truncate BEFORE TRUNCATE ON %s
		FOR EACH STATEMENT EXECUTE FUNCTION replenish.capture(%s)',
		relation, arguments);
	IF has_rows THEN
		RAISE NOTICE 'the rows that are already in % are not counted yet', relation
			USING HINT = format('CALL replenish.backfill(%L);', relation);
	ELSIF s.backfilled_at IS NULL THEN
		RAISE NOTICE 'what % contributed before is still counted', relation
			USING HINT = format('CALL replenish.backfill(%L);', relation);
	END IF;
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.attach(regclass, replenish.source) IS
'Registers a source and creates its four triggers. For watch_orders() and watch_stock().';

CREATE FUNCTION replenish.watch_orders(source regclass, sku name, qty name,
	at name, location name DEFAULT NULL, channel name DEFAULT NULL,
	status name DEFAULT NULL, counted text[] DEFAULT NULL,
	price name DEFAULT NULL, header regclass DEFAULT NULL,
	header_key name DEFAULT NULL, keep interval DEFAULT '90 days')
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
BEGIN
	PERFORM check_relation(source);
	IF header IS NOT NULL OR header_key IS NOT NULL THEN
		RAISE EXCEPTION 'argument "header" is not supported by this version'
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Watch a table whose lines carry their own moment.';
	END IF;
	IF sku IS NULL OR qty IS NULL OR at IS NULL THEN
		RAISE EXCEPTION 'arguments "sku", "qty" and "at" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF (status IS NULL) <> (counted IS NULL)
		OR array_position(counted, NULL) IS NOT NULL
		OR cardinality(counted) = 0 THEN
		RAISE EXCEPTION 'arguments "status" and "counted" go together'
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'counted lists the values of the status column that are demand.';
	END IF;
	IF keep IS NULL OR NOT is_span(keep) THEN
		RAISE EXCEPTION 'argument "keep" must be a length of time without months'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM check_column(source, sku, 'sku');
	PERFORM check_column(source, qty, 'qty');
	PERFORM check_column(source, at, 'at');
	PERFORM check_column(source, location, 'location');
	PERFORM check_column(source, channel, 'channel');
	PERFORM check_column(source, status, 'status');
	PERFORM check_column(source, price, 'price');
	s.kind := 'orders';
	s.sku := sku;
	s.qty := qty;
	s.at := at;
	s.location := location;
	s.channel := channel;
	s.status := status;
	s.counted := counted;
	s.price := price;
	s.keep := keep;
	PERFORM attach(source, s);
END $$;
COMMENT ON FUNCTION replenish.watch_orders(regclass, name, name, name, name, name, name, text[], name, regclass, name, interval) IS
'Watches a table of order lines: from now on each insert, update, delete and truncate of it is demand of its SKU, or takes demand back. sku, qty, at, location, channel, status and price name columns; with status only rows whose status is in counted are demand; rows older than keep may be deleted without taking their demand back. Moments without a zone are in the time zone of their location as it is now. The caller must own the table; header is refused in this version. Rows that are there already are counted by CALL replenish.backfill().';

CREATE FUNCTION replenish.watch_stock(source regclass, sku name, on_hand name,
	location name DEFAULT NULL, reserved name DEFAULT NULL,
	on_order name DEFAULT NULL, at name DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
BEGIN
	PERFORM check_relation(source);
	IF at IS NOT NULL THEN
		RAISE EXCEPTION 'argument "at" is not supported by this version'
			USING ERRCODE = 'feature_not_supported',
				HINT = 'Watch a table that holds the present stock.';
	END IF;
	IF sku IS NULL OR on_hand IS NULL THEN
		RAISE EXCEPTION 'arguments "sku" and "on_hand" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM check_column(source, sku, 'sku');
	PERFORM check_column(source, on_hand, 'on_hand');
	PERFORM check_column(source, location, 'location');
	PERFORM check_column(source, reserved, 'reserved');
	PERFORM check_column(source, on_order, 'on_order');
	s.kind := 'stock';
	s.sku := sku;
	s.on_hand := on_hand;
	s.location := location;
	s.reserved := reserved;
	s.on_order := on_order;
	PERFORM attach(source, s);
END $$;
COMMENT ON FUNCTION replenish.watch_stock(regclass, name, name, name, name, name, name) IS
'Watches a table of stock: sku, on_hand, location, reserved and on_order name columns, in units; several rows may make up one item. An item whose last row goes has none on hand. The caller must own the table; at is refused in this version. Rows that are there already are counted by CALL replenish.backfill().';

CREATE FUNCTION replenish.retire_source(id integer, name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
BEGIN
	-- whoever has dropped the triggers owns the table
	IF EXISTS (SELECT FROM watched w WHERE w.id = retire_source.id) THEN
		RAISE EXCEPTION 'source % still has triggers', id
			USING ERRCODE = 'object_in_use',
				HINT = 'Call replenish.unwatch().';
	END IF;
	UPDATE source SET active = false, name = retire_source.name
	WHERE id = retire_source.id;
	PERFORM touch_source(id);
END $$;
COMMENT ON FUNCTION replenish.retire_source(integer, text) IS
'Marks a source as no longer watched, under the name that its table has now: its stock counts no more, its demand stays history. Refused while triggers feed it. For unwatch().';

CREATE FUNCTION replenish.mark_backfilled(id integer, found bigint)
	RETURNS void
	LANGUAGE sql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp AS $$
	UPDATE replenish.source s
	SET backfilled_at = pg_catalog.clock_timestamp(), counted_once = true,
		stale_since = NULL, stale = NULL, found = $2
	WHERE s.id = $1;
$$;
COMMENT ON FUNCTION replenish.mark_backfilled(integer, bigint) IS
'Notes that all rows of a source are counted, and how many differences that found. For repair().';

CREATE FUNCTION replenish.unwatch(source regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	number integer;
	trigger name;
BEGIN
	PERFORM check_relation(source);
	number := source_of(source);
	IF number IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object';
	END IF;
	FOR trigger IN SELECT t.tgname FROM pg_trigger t
		WHERE t.tgrelid = source AND t.tgfoid = 'replenish.capture'::regproc
		ORDER BY t.tgname
	LOOP
		EXECUTE format('DROP TRIGGER %I ON %s', trigger, source);
	END LOOP;
	PERFORM retire_source(number, table_name(source));
END $$;
COMMENT ON FUNCTION replenish.unwatch(regclass) IS
'Removes the triggers from a watched table. Its demand stays as history; its stock counts no more. Watching the table again takes both up where they were. The caller must own the table.';

CREATE VIEW replenish.watched_part AS
	SELECT DISTINCT ON (s.id, c.part) s.id, c.relation, c.part
	FROM replenish.source s
	JOIN (SELECT DISTINCT o.relation, o.id, o.part
		FROM replenish.capturing o) c ON c.id = s.id
	WHERE s.active AND c.part = ANY (CASE WHEN s.header IS NULL
			THEN ARRAY[s.kind] ELSE '{lines,header}' END)
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i
			JOIN replenish.capturing p ON p.relation = i.inhparent
			WHERE i.inhrelid = c.relation AND p.id = c.id)
	-- whoever may execute capture() can have any table say that it is
	ORDER BY s.id, c.part, replenish.table_name(c.relation)
		= CASE c.part WHEN 'header' THEN s.header ELSE s.name END DESC,
		c.relation;
COMMENT ON VIEW replenish.watched_part IS
'The tables that the sources in use are read from, each with the part that it has in its source: orders, stock, or lines and header. Of a partitioned table, or one with children, the root.';

CREATE VIEW replenish.watched AS
	SELECT s.id, t.relation, s.kind, s.sku, s.location, s.channel, s.status,
		s.counted, s.qty, s.at, s.price, s.on_hand, s.reserved, s.on_order,
		s.keep, s.zone, s.watched_at, s.backfilled_at, t.enabled
	FROM replenish.source s
	JOIN (SELECT g.tgrelid::pg_catalog.regclass AS relation,
			replenish.source_of(g.tgrelid) AS id,
			count(*) = 4 AND bool_and(g.tgenabled IN ('O', 'A'))
				AS enabled
		FROM pg_catalog.pg_trigger g
		WHERE g.tgfoid = 'replenish.capture'::pg_catalog.regproc
			AND NOT g.tgisinternal
		GROUP BY g.tgrelid) t ON t.id = s.id
	WHERE s.active;
COMMENT ON VIEW replenish.watched IS
'The tables that are watched now and how they are read. enabled is false where a trigger is missing or disabled; backfilled_at is NULL where rows from before the watch are not counted.';
