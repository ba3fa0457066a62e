---------------------------------------------------------------------------
-- Watching: triggers on the shop's tables.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.record_demand(sku text, qty float8,
	at timestamptz DEFAULT now(), location text DEFAULT NULL,
	channel text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_record_demand'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.record_demand(text, float8, timestamptz, text, text) IS
'Records qty units of demand for a SKU at a moment, for programs that keep no table of orders; a negative quantity takes demand back. Without location or channel, both are ''default''. Blank or overlong keys, NULL or infinite values are errors.';

CREATE FUNCTION replenish.check_status(status name, counted text[])
	RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF (status IS NULL) <> (counted IS NULL)
		OR array_position(counted, NULL) IS NOT NULL
		OR cardinality(counted) = 0 THEN
		RAISE EXCEPTION 'arguments "status" and "counted" go together'
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'counted lists the values of the status column whose rows count.';
	END IF;
END $$;
COMMENT ON FUNCTION replenish.check_status(name, text[]) IS
'An error unless there are both, or neither, of a column of statuses and those that count.';

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
	IF (header IS NULL) <> (header_key IS NULL) THEN
		RAISE EXCEPTION 'arguments "header" and "header_key" go together'
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'header_key is the column of the lines that says which header is theirs.';
	END IF;
	IF header IS NOT NULL THEN
		PERFORM check_relation(header);
	END IF;
	IF header = source THEN
		RAISE EXCEPTION 'table % cannot be its own header', source
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Leave header and header_key out where the lines say it all.';
	END IF;
	IF sku IS NULL OR qty IS NULL OR at IS NULL THEN
		RAISE EXCEPTION 'arguments "sku", "qty" and "at" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM check_status(status, counted);
	IF keep IS NULL OR NOT is_span(keep) THEN
		RAISE EXCEPTION 'argument "keep" must be a length of time without months'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM check_column(source, sku, 'sku');
	PERFORM check_column(source, qty, 'qty');
	PERFORM check_column(source, price, 'price');
	SELECT array_agg(v.argument ORDER BY v.argument)
		FILTER (WHERE is_on_header(source, header, v.col, v.argument))
	FROM (VALUES ('at', at), ('location', location), ('channel', channel),
		('status', status)) v (argument, col)
	INTO s.on_header;
	IF header IS NOT NULL THEN
		s.header_key := header_key;
		s.header_id := find_header_id(source, header, header_key);
		s.on_header := coalesce(s.on_header, '{}');
	END IF;
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
	PERFORM attach(source, header, s);
END $$;
COMMENT ON FUNCTION replenish.watch_orders(regclass, name, name, name, name, name, name, text[], name, regclass, name, interval) IS
'Watches a table of order lines: from now on each insert, update, delete and truncate of it is demand of its SKU, or takes demand back. sku, qty, at, location, channel, status and price name columns; with status only rows whose status is in counted are demand; rows older than keep may be deleted without taking their demand back. Where an order is a row of another table, header is that table and header_key the column of the lines that refers to it (by a foreign key, to the column of the same name, or to its primary key); at, location, channel and status may then be columns of either, the lines'' first, and a change of the header counts its lines anew. Moments without a zone are in the time zone of their location as it is now. Partitions and children are watched with their table. The caller must own them all. It waits for open transactions in short attempts that keep no order waiting. Rows that are there already are counted by CALL replenish.backfill().';

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
	IF sku IS NULL OR on_hand IS NULL THEN
		RAISE EXCEPTION 'arguments "sku" and "on_hand" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM check_column(source, sku, 'sku');
	PERFORM check_column(source, on_hand, 'on_hand');
	PERFORM check_column(source, location, 'location');
	PERFORM check_column(source, reserved, 'reserved');
	PERFORM check_column(source, on_order, 'on_order');
	PERFORM check_column(source, at, 'at');
	s.kind := 'stock';
	s.sku := sku;
	s.on_hand := on_hand;
	s.location := location;
	s.reserved := reserved;
	s.on_order := on_order;
	s.at := at;
	PERFORM attach(source, NULL, s);
END $$;
COMMENT ON FUNCTION replenish.watch_stock(regclass, name, name, name, name, name, name) IS
'Watches a table of stock: sku, on_hand, location, reserved and on_order name columns, in units; several rows may make up one item. An item whose last row goes has none on hand. With at, the table holds snapshots: the rows of an item''s latest moment are its stock at that moment, and what is ordered after it is taken off. Partitions and children are watched with their table. The caller must own them all. Rows that are there already are counted by CALL replenish.backfill().';

CREATE FUNCTION replenish.watch_inbound(source regclass, sku name, qty name,
	ordered_at name, expected_at name, received_at name,
	location name DEFAULT NULL, route name DEFAULT NULL,
	received name DEFAULT NULL, status name DEFAULT NULL,
	counted text[] DEFAULT NULL)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
BEGIN
	PERFORM check_relation(source);
	IF sku IS NULL OR qty IS NULL THEN
		RAISE EXCEPTION 'arguments "sku" and "qty" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF received_at IS NULL AND received IS NULL THEN
		RAISE EXCEPTION 'argument "received_at" or "received" must name a column'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Without one of them nothing that was ordered would ever come.';
	END IF;
	PERFORM check_status(status, counted);
	PERFORM check_column(source, v.col, v.argument)
	FROM (VALUES ('sku', sku), ('qty', qty), ('ordered_at', ordered_at),
		('expected_at', expected_at), ('received_at', received_at),
		('location', location), ('route', route), ('received', received),
		('status', status)) v (argument, col);
	s.kind := 'inbound';
	s.sku := sku;
	s.qty := qty;
	s.at := ordered_at;
	s.expected_at := expected_at;
	s.received_at := received_at;
	s.received := received;
	s.location := location;
	s.channel := route;
	s.status := status;
	s.counted := counted;
	PERFORM attach(source, NULL, s);
END $$;
COMMENT ON FUNCTION replenish.watch_inbound(regclass, name, name, name, name, name, name, name, name, name, text[]) IS
'Watches a table of purchase orders or shipments, one row for each SKU. sku, qty, ordered_at, expected_at, received_at, location, route, received and status name columns, in units. What of qty has not come yet is on order: all of it until there is a received_at, or, where received says how much has come, qty - received, never below 0. A row with received_at and ordered_at is a lead time of its route, late where received_at is after expected_at; a date is over at the end of its day. With status, rows whose status is not in counted are nothing: a cancelled order leaves counted, or its row is deleted. ordered_at and expected_at may be NULL, and one of received_at and received. A row that is deleted takes back all that it contributed. Partitions and children are watched with their table. The caller must own them all. Rows that are there already are counted by CALL replenish.backfill().';

CREATE FUNCTION replenish.watch_audience(source regclass, channel name,
	viewers name, at name, sku name DEFAULT NULL,
	keep interval DEFAULT '90 days')
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
BEGIN
	PERFORM check_relation(source);
	IF channel IS NULL OR viewers IS NULL OR at IS NULL THEN
		RAISE EXCEPTION 'arguments "channel", "viewers" and "at" must name columns'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF keep IS NULL OR NOT is_span(keep) THEN
		RAISE EXCEPTION 'argument "keep" must be a length of time without months'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM check_column(source, v.col, v.argument)
	FROM (VALUES ('channel', channel), ('viewers', viewers), ('at', at),
		('sku', sku)) v (argument, col);
	s.kind := 'audience';
	s.sku := coalesce(sku, '');
	s.qty := viewers;
	s.at := at;
	s.channel := channel;
	s.keep := keep;
	PERFORM attach(source, NULL, s);
END $$;
COMMENT ON FUNCTION replenish.watch_audience(regclass, name, name, name, name, interval) IS
'Watches a table of counts of viewers, one row for each count: channel, viewers, at and sku name columns. A room is a channel, or with sku the part of it that shows one SKU. Counts may come at any rate and in any order; rows older than keep may be deleted without being forgotten. What follows from them is in the view room. The caller must own the table. Rows that are there already are counted by CALL replenish.backfill().';

CREATE FUNCTION replenish.retire_source(id integer, name text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	-- orders wait for the caller
	SET lock_timeout = '50ms' AS $$
#variable_conflict use_column
BEGIN
	-- whoever has dropped the triggers owns the table
	IF EXISTS (SELECT FROM watched_part w WHERE w.id = retire_source.id) THEN
		RAISE EXCEPTION 'source % still has triggers', id
			USING ERRCODE = 'object_in_use',
				HINT = 'Call replenish.unwatch().';
	END IF;
	UPDATE source SET active = false, name = retire_source.name
	WHERE id = retire_source.id;
	DELETE FROM followed WHERE source = retire_source.id;
	DELETE FROM unread WHERE source = retire_source.id;
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
'Notes that all rows of a source are counted and its sums are exact, and how many differences there were. For repair().';

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
'The tables that the sources in use are read from, each with the part that it has in its source: orders, stock, inbound, or lines and header. Of a partitioned table, or one with children, the root.';

CREATE VIEW replenish.watched_table AS
	SELECT p.id, p.part, p.relation AS root, t.relation,
		coalesce(c.firing = CASE k.relkind WHEN 'p' THEN 4 ELSE 5 END, false)
			AS enabled
	FROM replenish.watched_part p
	CROSS JOIN LATERAL replenish.tree_of(p.relation) t (relation)
	JOIN pg_catalog.pg_class k ON k.oid = t.relation
	LEFT JOIN (SELECT o.relation, o.id, o.part,
			count(DISTINCT o.name) FILTER (WHERE o.fires = ANY (CASE o.name
				WHEN 'replenish_insert' THEN '{O,A}'
				WHEN 'replenish_update' THEN '{O,A}'
				WHEN 'replenish_delete' THEN '{O,A}'
				WHEN 'replenish_truncate' THEN '{A}'
				WHEN 'replenish_apply' THEN '{R,A}' END::"char"[])) AS firing
		FROM replenish.capturing o
		GROUP BY o.relation, o.id, o.part) c
		ON c.relation = t.relation AND c.id = p.id AND c.part = p.part;
COMMENT ON VIEW replenish.watched_table IS
'Every table that the sources in use are read from, partitions and children included, under its root. enabled is false where one of its triggers is missing or does not fire as it should.';

CREATE VIEW replenish.watched AS
	SELECT s.id, p.relation, s.kind, s.sku, s.location, s.channel, s.status,
		s.counted, s.qty, s.at, s.price, s.on_hand, s.reserved, s.on_order,
		s.keep, s.zone, s.watched_at, s.backfilled_at, t.enabled,
		h.relation AS header, s.header_key, s.stale_since, s.stale,
		s.expected_at, s.received_at, s.received
	FROM replenish.source s
	JOIN replenish.watched_part p ON p.id = s.id AND p.part <> 'header'
	LEFT JOIN replenish.watched_part h ON h.id = s.id AND h.part = 'header'
	JOIN (SELECT w.id, bool_and(w.enabled)
				AND count(DISTINCT w.part) = 1 + (o.header IS NOT NULL)::integer
				AS enabled
		FROM replenish.watched_table w
		JOIN replenish.source o ON o.id = w.id
		GROUP BY w.id, o.header) t ON t.id = s.id;
COMMENT ON VIEW replenish.watched IS
'What is watched now and how it is read. enabled is false where a trigger is missing or disabled, on the table, its header or anything below them; backfilled_at is NULL where rows from before the watch are not counted; stale says why the sums may not be exact, and since when.';

CREATE FUNCTION replenish.unwatch(source regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	number integer;
	root regclass;
	tables regclass[];
BEGIN
	PERFORM check_relation(source);
	number := source_of(unwatch.source);
	IF number IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object';
	END IF;
	SELECT t.root FROM watched_table t
	WHERE t.id = number AND t.relation = unwatch.source AND t.root <> t.relation
	INTO root;
	IF FOUND THEN
		RAISE EXCEPTION 'table % is watched as a part of table %', source, root
			USING ERRCODE = 'object_in_use',
				HINT = format('Call replenish.unwatch(%L), or detach the table.', root);
	END IF;
	SELECT array_agg(p.relation ORDER BY p.part DESC) FROM watched_part p
	WHERE p.id = number INTO tables;
	IF NOT unwatch.source = ANY (tables) OR tables IS NULL THEN
		-- it has triggers, but is none of the source's tables any more
		tables := ARRAY[unwatch.source];
		number := NULL;
	END IF;
	PERFORM check_relation(t.root) FROM unnest(tables) t (root);
	PERFORM lock_trees(tables, 'ACCESS EXCLUSIVE');
	PERFORM drop_triggers(t.relation)
	FROM unnest(tables) WITH ORDINALITY r (root, n)
	CROSS JOIN LATERAL tree_of(r.root) WITH ORDINALITY t (relation, n)
	ORDER BY r.n, t.n;
	IF number IS NOT NULL THEN
		PERFORM retire_source(number, table_name(tables[1]));
	END IF;
END $$;
COMMENT ON FUNCTION replenish.unwatch(regclass) IS
'Removes the triggers from a watched table, all below it, and the header or lines that go with it. Its demand stays as history; its stock counts no more. Watching the table again takes both up where they were. The caller must own the tables. It waits for whoever uses them in short attempts that keep no order waiting.';

CREATE FUNCTION replenish.rewatch(source regclass) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	number integer := source_of(rewatch.source);
	s source;
	tables regclass[];
	parts text[];
	renamed regclass[];
BEGIN
	PERFORM check_relation(source);
	SELECT array_agg(p.relation ORDER BY p.part DESC),
		array_agg(p.part ORDER BY p.part DESC)
	FROM watched_part p WHERE p.id = number INTO tables, parts;
	IF tables IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object';
	END IF;
	PERFORM check_relation(t.root) FROM unnest(tables) t (root);
	-- one that was renamed counts as well: it goes, which takes another lock
	SELECT array_agg(DISTINCT c.relation) FROM capturing c
	WHERE c.id = number AND NOT is_trigger_name(c.name) INTO renamed;
	PERFORM lock_trees(tables, CASE WHEN renamed IS NULL
		THEN 'SHARE ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END);
	PERFORM drop_triggers(t.relation) FROM unnest(renamed) t (relation);
	PERFORM check_tree(t.root) FROM unnest(tables) t (root);
	SELECT * FROM source o WHERE o.id = number INTO s;
	PERFORM put_triggers(t.relation, trigger_arguments(s, p.part))
	FROM unnest(tables, parts) WITH ORDINALITY p (root, part, n)
	CROSS JOIN LATERAL tree_of(p.root) WITH ORDINALITY t (relation, n)
	ORDER BY p.n, t.n;
	PERFORM note_table(t.relation) FROM unnest(tables) r (root)
	CROSS JOIN LATERAL tree_of(r.root) t (relation);
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.rewatch(regclass) IS
'Renews the triggers of a watched table, all below it, and its header: where one is missing, was disabled or is of an older version. What happened without it is counted by CALL replenish.repair(). The caller must own the tables. It waits for whoever writes to them in short attempts that keep no order waiting.';
