---------------------------------------------------------------------------
-- Previewing: what would be counted, before anything is attached.
---------------------------------------------------------------------------

-- A few examples for a sentence.
CREATE FUNCTION replenish.some_of(examples text[], total bigint) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.array_to_string(examples[1:5], ', ')
			|| CASE WHEN total > 5 THEN ' …' ELSE '' END;
	END;
COMMENT ON FUNCTION replenish.some_of(text[], bigint) IS
'The first five of so many examples, with dots where there are more.';

-- The source that watch_orders() would write down.
CREATE FUNCTION replenish.preview_source(source regclass, sku name, qty name,
	at name, location name, channel name, status name, counted text[],
	price name, header regclass, header_key name, keep interval)
	RETURNS replenish.source
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
BEGIN
	IF source IS NULL OR sku IS NULL OR qty IS NULL OR at IS NULL THEN
		RAISE EXCEPTION 'arguments "source", "sku", "qty" and "at" must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF (header IS NULL) <> (header_key IS NULL) THEN
		RAISE EXCEPTION 'arguments "header" and "header_key" go together'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF (status IS NULL) <> (counted IS NULL) THEN
		RAISE EXCEPTION 'arguments "status" and "counted" go together'
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'counted lists the values of the status column that are demand.';
	END IF;
	PERFORM check_column(source, sku, 'sku');
	PERFORM check_column(source, qty, 'qty');
	PERFORM check_column(source, price, 'price');
	SELECT array_agg(v.argument ORDER BY v.argument)
		FILTER (WHERE is_on_header(source, header, v.col, v.argument))
	FROM (VALUES ('at', at), ('location', location), ('channel', channel),
		('status', status)) v (argument, col)
	INTO s.on_header;
	s.on_header := coalesce(s.on_header, '{}');
	IF header IS NOT NULL THEN
		s.header_key := header_key;
		s.header_id := find_header_id(source, header, header_key);
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
	RETURN with_zones(s);
END $$;
COMMENT ON FUNCTION replenish.preview_source(regclass, name, name, name, name, name, name, text[], name, regclass, name, interval) IS
'What watch_orders() with these arguments would write down, with its errors for columns that do not exist or cannot be read. For preview().';

CREATE FUNCTION replenish.preview_lines(s replenish.source, lines regclass,
	header regclass)
	RETURNS TABLE (what text, ok boolean, rows bigint, detail text, hint text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	query text := lines_query(s, lines, header);
	r record;
BEGIN
	EXECUTE format('SELECT count(*) FILTER (WHERE NOT l.again) AS rows,
			count(*) FILTER (WHERE l.good) AS good,
			coalesce(trim_scale(sum(l.qty) FILTER (WHERE l.good)), 0) AS units,
			min(l.at) FILTER (WHERE l.good) AS first_at,
			max(l.at) FILTER (WHERE l.good AND l.at <= now()) AS last_at,
			count(*) FILTER (WHERE l.good AND l.at > now() + interval ''1 day'')
				AS future,
			max(l.at) FILTER (WHERE l.good) AS future_at,
			count(*) FILTER (WHERE l.good AND l.at < now() - $1) AS old,
			count(*) FILTER (WHERE l.good AND l.qty < 0) AS negative,
			coalesce(trim_scale(sum(l.qty) FILTER (WHERE l.good AND l.qty < 0)),
				0) AS negative_units,
			count(*) FILTER (WHERE l.good AND l.no_location) AS no_location,
			count(*) FILTER (WHERE l.good AND l.no_channel) AS no_channel,
			count(l.fault) AS faults
		FROM (SELECT l.*, l.counts AND l.fault IS NULL
				AND l.header_fault IS NULL AS good FROM (%s) l) l', query)
	USING s.keep INTO r;
	RETURN QUERY VALUES
		('rows', r.rows > 0, r.rows, format('%s has so many.', lines),
			CASE WHEN r.rows = 0 THEN 'Nothing can be said of an empty table.' END),
		('counted', r.good > 0 OR r.rows = 0, r.good,
			format('They are %s units of demand.', r.units),
			CASE WHEN r.good = 0 AND r.rows > 0 THEN 'See the rows below for what keeps them from being counted.' END);
	IF r.good > 0 THEN
		RETURN QUERY SELECT 'history', coalesce(r.last_at > now() - interval '7 days', false),
			NULL::bigint, format('From %s to %s, %s days.',
				to_char(r.first_at, 'YYYY-MM-DD HH24:MI'),
				to_char(coalesce(r.last_at, r.first_at), 'YYYY-MM-DD HH24:MI'),
				coalesce(
				ceil(extract(epoch FROM r.last_at - r.first_at) / 86400), 0)),
			CASE WHEN r.last_at < now() - interval '7 days'
				THEN 'No order for a week or longer: demand will have faded. To try an old table, give tick(), explain() and go_live() its time as as_of.' END;
	END IF;
	IF r.old > 0 THEN
		RETURN QUERY SELECT 'older than keep', true, r.old,
			format('They are older than %s: they are counted, and may be deleted without taking their demand back.', s.keep),
			NULL;
	END IF;
	IF r.future > 0 THEN
		RETURN QUERY SELECT 'future dates', false, r.future,
			format('They are more than a day ahead, the last at %s.',
				to_char(r.future_at, 'YYYY-MM-DD HH24:MI')),
			'They are counted when their minute comes; correct those that are mistakes.';
	END IF;
	IF r.negative > 0 THEN
		RETURN QUERY SELECT 'negative quantities', true, r.negative,
			format('They take %s units of demand back, at their own time.', -r.negative_units),
			'Right for returns and corrections; bookings of damage or stock-taking are no orders and better kept out.';
	END IF;
	IF s.location IS NOT NULL AND r.no_location > 0 THEN
		RETURN QUERY SELECT 'no location', false, r.no_location,
			'Their location is NULL or blank: they count at location default.',
			'If a warehouse serves them: INSERT INTO replenish.location_rule (place, location) VALUES (''default'', …).';
	END IF;
	IF s.channel IS NOT NULL AND r.no_channel > 0 THEN
		RETURN QUERY SELECT 'no channel', true, r.no_channel,
			'Their channel is NULL or blank: they count as channel default.',
			NULL;
	END IF;
	IF r.faults = 0 AND header IS NULL THEN
		RETURN;
	END IF;
	RETURN QUERY EXECUTE format('SELECT ''fault '' || f.fault, false, count(*),
			''They are not counted. '' || fault_hint(f.fault),
			''They go in like any order; health() shows them until they are corrected.''
		FROM (SELECT l.fault FROM (%s) l WHERE l.fault IS NOT NULL AND NOT l.again
			UNION ALL
			SELECT h.fault FROM (%s) h WHERE h.fault IS NOT NULL) f
		GROUP BY f.fault ORDER BY f.fault', query,
		CASE WHEN header IS NULL THEN 'SELECT NULL::text AS fault WHERE false'
			ELSE headers_query(s, lines, header) END);
END $$;
COMMENT ON FUNCTION replenish.preview_lines(replenish.source, regclass, regclass) IS
'What of the lines of orders would be counted and what would be faults. For preview().';

CREATE FUNCTION replenish.preview_statuses(s replenish.source, lines regclass,
	header regclass)
	RETURNS TABLE (what text, ok boolean, rows bigint, detail text, hint text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT ''status '' || coalesce(v.status, ''NULL''), CASE WHEN v.given
				THEN m.meaning IS NULL ELSE m.meaning IS NOT NULL END,
			v.rows, CASE WHEN v.given AND v.rows = 0 THEN ''No row has it.''
				WHEN v.given THEN ''It is counted.'' ELSE ''It is not counted.'' END,
			CASE WHEN v.given AND m.meaning IS NOT NULL
				THEN format(''Its name says that the order is %%s.'', m.meaning)
			WHEN NOT v.given AND v.status IS NULL
				THEN ''A row without a status is never counted.''
			WHEN NOT v.given AND m.meaning IS NULL
				THEN ''Add it to counted if what has it is sold.'' END
		FROM (SELECT t.status, t.status = ANY ($1) IS TRUE AS given,
				sum(t.n)::bigint AS rows
			FROM (SELECT l.status, count(*) AS n FROM (%s) l
				WHERE l.has_header AND NOT l.again GROUP BY l.status
				UNION ALL
				SELECT c, 0 FROM unnest($1) c) t
			GROUP BY t.status) v
		CROSS JOIN LATERAL status_meaning(v.status) m (meaning)
		ORDER BY v.given DESC, v.rows DESC, v.status LIMIT 50',
		lines_query(s, lines, header)) USING s.counted;
END $$;
COMMENT ON FUNCTION replenish.preview_statuses(replenish.source, regclass, regclass) IS
'The statuses of lines of orders and of counted, the fifty with most rows: ok is false where a name speaks against what counted says. For preview().';

CREATE FUNCTION replenish.preview_headers(s replenish.source, lines regclass,
	header regclass)
	RETURNS TABLE (what text, ok boolean, rows bigint, detail text, hint text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	many bigint;
BEGIN
	RETURN QUERY EXECUTE format('
		SELECT ''lines without header'', false, count(*),
			format(''No row of %%s has their %%I: they are not counted. Examples: %%s.'',
				%L, %L, some_of((array_agg(DISTINCT l.order_key))[1:6], count(DISTINCT l.order_key))),
			''They are counted as soon as their header comes.''
		FROM (%s) l WHERE NOT l.has_header AND l.fault IS NULL
		HAVING count(*) > 0', header::text, s.header_id,
		lines_query(s, lines, header));
	RETURN QUERY EXECUTE format('
		SELECT ''headers without lines'', true, count(*),
			''They are no demand.'', NULL
		FROM (%s) h WHERE NOT EXISTS (SELECT FROM %s l
			WHERE %s = h.order_key)
		HAVING count(*) > 0', headers_query(s, lines, header), lines,
		key_text(lines, 'l', s.header_key));
	EXECUTE format('SELECT count(*) FROM (SELECT FROM (%s) h
		GROUP BY h.order_key HAVING count(*) > 1) d',
		headers_query(s, lines, header)) INTO many;
	IF many > 0 THEN
		RETURN QUERY SELECT 'headers that share a key', false, many,
			format('So many values of %I stand for several headers: their lines count once for each.', s.header_id),
			'Is it the column that identifies an order?';
	END IF;
END $$;
COMMENT ON FUNCTION replenish.preview_headers(replenish.source, regclass, regclass) IS
'Lines and headers of orders that do not find each other. For preview().';

CREATE FUNCTION replenish.preview_duplicates(lines regclass)
	RETURNS TABLE (what text, ok boolean, rows bigint, detail text, hint text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	columns text;
BEGIN
	-- what only numbers the rows tells no two apart
	SELECT string_agg(format('l.%I', a.attname), ', ' ORDER BY a.attnum)
	FROM pg_attribute a
	WHERE a.attrelid = lines AND a.attnum > 0 AND NOT a.attisdropped
		AND a.attidentity = '' AND a.attgenerated = ''
		AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = lines
			AND i.indisprimary AND i.indnkeyatts = 1
			AND i.indkey[0] = a.attnum)
	INTO columns;
	RETURN QUERY EXECUTE format('SELECT ''duplicates'', false,
			sum(d.n - 1)::bigint,
			''So many rows repeat another in every column that does not number them. All are counted.'',
			''Two equal lines can be two sales; if an import ran twice, delete them first.''
		FROM (SELECT count(*) AS n FROM %s l
			GROUP BY hashtextextended(ROW(%s)::text, 0) HAVING count(*) > 1) d
		HAVING count(*) > 0', lines, columns);
END $$;
COMMENT ON FUNCTION replenish.preview_duplicates(regclass) IS
'How many rows of a table repeat another. For preview().';

CREATE FUNCTION replenish.preview_keys(s replenish.source, lines regclass,
	header regclass, stock regclass, stock_sku name, stock_location name)
	RETURNS TABLE (what text, ok boolean, rows bigint, detail text, hint text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	ordered text[];
	counts bigint[];
	stocked text[];
BEGIN
	EXECUTE format('SELECT array_agg(o.sku ORDER BY o.n DESC, o.sku),
			array_agg(o.n ORDER BY o.n DESC, o.sku)
		FROM (SELECT m.sku COLLATE "C" AS sku, sum(c.n)::bigint AS n
			FROM (SELECT l.sku, l.channel, count(*) AS n FROM (%s) l
				WHERE l.counts AND l.fault IS NULL AND l.header_fault IS NULL
				GROUP BY l.sku, l.channel) c
			CROSS JOIN LATERAL real_skus(c.sku, c.channel) m
			GROUP BY 1) o', lines_query(s, lines, header))
	INTO ordered, counts;
	RETURN QUERY
	SELECT 'SKUs', true, count(*),
		format('The ten with most rows have %s %% of them: %s.',
			round(100 * sum(o.n) FILTER (WHERE o.nth <= 10) / sum(o.n)),
			string_agg(format('%s (%s)', o.sku, o.n), ', ' ORDER BY o.nth)
				FILTER (WHERE o.nth <= 10)), NULL
	FROM unnest(ordered, counts) WITH ORDINALITY o (sku, n, nth)
	HAVING count(*) > 0;
	RETURN QUERY
	SELECT 'spellings', false, count(*),
		format('So many SKUs differ from another in case, spaces or dashes only: %s.',
			some_of((array_agg(array_to_string(p.names, ' = ')
				ORDER BY p.nth))[1:6], count(*))),
		format('If they are the same: INSERT INTO replenish.sku_alias (external_sku, sku) VALUES (%L, %L), and so on.',
			(array_agg(p.names[2] ORDER BY p.nth))[1],
			(array_agg(p.names[1] ORDER BY p.nth))[1])
	FROM (SELECT array_agg(o.sku ORDER BY o.nth) AS names, min(o.nth) AS nth
		FROM unnest(ordered) WITH ORDINALITY o (sku, nth)
		GROUP BY plain_sku(o.sku) HAVING count(*) > 1) p
	HAVING count(*) > 0;
	IF stock IS NULL THEN
		RETURN;
	END IF;
	EXECUTE format('SELECT array_agg(DISTINCT m.sku COLLATE "C")
		FROM (SELECT DISTINCT %1$s AS sku FROM %2$s t
			WHERE btrim(%1$s, E'' \t\n\x0b\f\r'') <> '''') c
		CROSS JOIN LATERAL real_skus(c.sku, NULL) m',
		key_text(stock, 't', stock_sku), stock)
	INTO stocked;
	RETURN QUERY
	WITH o AS MATERIALIZED (
		SELECT u.sku, u.n, u.nth, plain_sku(u.sku) AS plain
		FROM unnest(ordered, counts) WITH ORDINALITY u (sku, n, nth)
	), t AS MATERIALIZED (
		SELECT u.sku, plain_sku(u.sku) AS plain FROM unnest(stocked) u (sku)
	), p AS MATERIALIZED (
		SELECT t.plain, min(t.sku) AS sku FROM t GROUP BY t.plain
	), missing AS (
		SELECT o.*, p.sku AS other FROM o
		LEFT JOIN t ON t.sku = o.sku LEFT JOIN p ON p.plain = o.plain
		WHERE t.sku IS NULL
	)
	SELECT 'SKUs in stock', count(t.sku) > 0 OR count(*) = 0, count(t.sku),
		format('So many of %s SKUs that are ordered are in %s.', count(*), stock),
		CASE WHEN count(t.sku) = 0 AND count(*) > 0 THEN 'The two columns do not hold the same codes: nothing would ever be low.' END
	FROM o LEFT JOIN t ON t.sku = o.sku
	UNION ALL
	SELECT 'SKUs not in stock', false, count(*),
		format('Rows that have them: %s. The SKUs: %s. Their tier stays normal, for nobody knows their stock.',
			sum(m.n), some_of((array_agg(m.sku ORDER BY m.nth))[1:6], count(*))),
		format('Postage and fees are no goods and do no harm; other codes need a row in %s or in replenish.sku_alias.', stock)
	FROM missing m WHERE m.other IS NULL HAVING count(*) > 0
	UNION ALL
	SELECT 'SKUs spelled otherwise in stock', false, count(*),
		some_of((array_agg(m.sku || ' = ' || m.other ORDER BY m.nth))[1:6],
			count(*)) || '.',
		format('INSERT INTO replenish.sku_alias (external_sku, sku) VALUES (%L, %L)%s',
			(array_agg(m.sku ORDER BY m.nth))[1],
			(array_agg(m.other ORDER BY m.nth))[1],
			CASE WHEN count(*) > 1 THEN ', and so on.' ELSE ';' END)
	FROM missing m WHERE m.other IS NOT NULL HAVING count(*) > 0
	UNION ALL
	SELECT 'SKUs never ordered', true, count(*),
		format('They are in %s only: %s.', stock,
			some_of((array_agg(t.sku ORDER BY t.sku))[1:6], count(*))), NULL
	FROM t LEFT JOIN o ON o.plain = t.plain WHERE o.sku IS NULL
	HAVING count(*) > 0;
	IF s.location IS NULL AND stock_location IS NULL
		AND NOT EXISTS (SELECT FROM location_rule) THEN
		RETURN;
	END IF;
	-- an item is a SKU at a location
	RETURN QUERY EXECUTE format('WITH o AS (
			SELECT real_location(l.location, l.channel) AS location,
				sum(l.n) AS n
			FROM (SELECT l.location, l.channel, count(*) AS n FROM (%s) l
				WHERE l.counts AND l.fault IS NULL AND l.header_fault IS NULL
				GROUP BY l.location, l.channel) l GROUP BY 1
		), t AS (SELECT DISTINCT %s AS location FROM %s t)
		SELECT ''locations not in stock'', false, count(*),
			format(''Their orders (rows: %%s) would meet no stock: %%s. The stock is at: %%s.'',
				sum(o.n), some_of((array_agg(o.location
					ORDER BY o.n DESC, o.location))[1:6], count(*)),
				(SELECT some_of((array_agg(t.location
					ORDER BY t.location))[1:6], count(*)) FROM t)),
			''INSERT INTO replenish.location_rule (place, location) VALUES (…), or leave location out of both calls.''
		FROM o WHERE NOT EXISTS (SELECT FROM t WHERE t.location = o.location)
		HAVING count(*) > 0', lines_query(s, lines, header),
		CASE WHEN stock_location IS NULL THEN '''default''' ELSE
			format('coalesce(nullif(btrim(%s), ''''), ''default'')',
				key_text(stock, 't', stock_location)) END, stock);
END $$;
COMMENT ON FUNCTION replenish.preview_keys(replenish.source, regclass, regclass, regclass, name, name) IS
'Which SKUs and locations of orders the stock table has, which it has not, and which are only spelled otherwise. For preview().';

CREATE FUNCTION replenish.preview(source regclass, sku name, qty name,
	at name, location name DEFAULT NULL, channel name DEFAULT NULL,
	status name DEFAULT NULL, counted text[] DEFAULT NULL,
	price name DEFAULT NULL, header regclass DEFAULT NULL,
	header_key name DEFAULT NULL, keep interval DEFAULT '90 days',
	stock regclass DEFAULT NULL, stock_sku name DEFAULT NULL,
	stock_location name DEFAULT NULL)
	RETURNS TABLE (what text, ok boolean, rows bigint, detail text, hint text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source := preview_source(source, sku, qty, at, location, channel,
		status, counted, price, header, header_key, keep);
	said text;
	advice text;
BEGIN
	IF stock IS NULL AND (stock_sku IS NOT NULL OR stock_location IS NOT NULL) THEN
		RAISE EXCEPTION 'arguments "stock_sku" and "stock_location" need argument "stock"'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF stock IS NOT NULL THEN
		stock_sku := coalesce(stock_sku, sku);
		PERFORM check_column(stock, stock_sku, 'sku');
		PERFORM check_column(stock, stock_location, 'location');
	END IF;
	BEGIN
		PERFORM check_relation(source), check_tree(source);
		IF header IS NOT NULL THEN
			PERFORM check_relation(header), check_tree(header);
		END IF;
	EXCEPTION WHEN insufficient_privilege OR wrong_object_type
		OR feature_not_supported THEN
		GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, advice = PG_EXCEPTION_HINT;
		RETURN QUERY SELECT 'watching', false, NULL::bigint,
			format('It would be refused: %s.', said), nullif(advice, '');
	END;
	RETURN QUERY SELECT * FROM preview_lines(s, source, header);
	IF header IS NOT NULL THEN
		RETURN QUERY SELECT * FROM preview_headers(s, source, header);
	END IF;
	IF status IS NOT NULL THEN
		RETURN QUERY SELECT * FROM preview_statuses(s, source, header);
	END IF;
	RETURN QUERY SELECT * FROM preview_duplicates(source);
	RETURN QUERY SELECT * FROM preview_keys(s, source, header, stock,
		stock_sku, stock_location);
END $$;
COMMENT ON FUNCTION replenish.preview(regclass, name, name, name, name, name, name, text[], name, regclass, name, interval, regclass, name, name) IS
'What watch_orders() with the same arguments and backfill() would count, with the caller''s own rights; nothing is attached or written. ok is false where something deserves a look, detail says what was found and hint what to do. With stock (and stock_sku, by default of the same name as sku, and stock_location), whether orders and stock speak of the same items. Errors are those of watch_orders() for columns that cannot be read; what else it would refuse is a row. It reads the whole table several times.';

CREATE FUNCTION replenish.preview_stock(source regclass, sku name, on_hand name,
	location name DEFAULT NULL, reserved name DEFAULT NULL,
	on_order name DEFAULT NULL, at name DEFAULT NULL)
	RETURNS TABLE (what text, ok boolean, rows bigint, detail text, hint text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_variable
DECLARE
	s source;
	query text;
	r record;
BEGIN
	IF source IS NULL OR sku IS NULL OR on_hand IS NULL THEN
		RAISE EXCEPTION 'arguments "source", "sku" and "on_hand" must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	PERFORM check_column(source, v.col, v.argument)
	FROM (VALUES ('sku', sku), ('on_hand', on_hand), ('location', location),
		('reserved', reserved), ('on_order', on_order), ('at', at))
		v (argument, col);
	s.at := at;
	s.location := location;
	s := with_zones(s);
	query := format('SELECT %1$s AS sku, %2$s AS location,
			h.units AS on_hand, m.at,
			CASE %3$s %4$s %5$s WHEN h.units IS NULL %6$s %7$s
				THEN ''bad_quantity'' END AS fault
		FROM %8$s l CROSS JOIN LATERAL (%9$s) h (units)
		CROSS JOIN LATERAL (%10$s) r (units)
		CROSS JOIN LATERAL (%11$s) o (units)
		CROSS JOIN LATERAL (%12$s) m (at)', key_text(source, 'l', sku),
		CASE WHEN location IS NULL THEN '''default''' ELSE
			format('CASE WHEN btrim(%1$s, %2$L) <> %3$L
				THEN %1$s ELSE ''default'' END',
				key_text(source, 'l', location), E' \t\n\x0b\f\r', '') END,
		key_fault(key_text(source, 'l', sku), 'sku'),
		CASE WHEN location IS NOT NULL THEN
			key_fault(key_text(source, 'l', location), 'location') END,
		CASE WHEN at IS NOT NULL THEN
			'WHEN m.at IS NULL THEN ''bad_moment''' END,
		CASE WHEN reserved IS NOT NULL THEN
			format('OR l.%I IS NOT NULL AND r.units IS NULL', reserved) END,
		CASE WHEN on_order IS NOT NULL THEN
			format('OR l.%I IS NOT NULL AND o.units IS NULL', on_order) END,
		source, units_query(source, on_hand),
		coalesce(units_query(source, reserved), 'SELECT 0'),
		coalesce(units_query(source, on_order), 'SELECT 0'),
		CASE WHEN at IS NULL THEN 'SELECT NULL::timestamptz'
			ELSE moment_query(line_moment(s, source, NULL)) END);
	EXECUTE format('SELECT count(*) AS rows, count(*) FILTER (WHERE t.good) AS good,
			count(DISTINCT (t.sku, t.location)) FILTER (WHERE t.good) AS items,
			count(*) FILTER (WHERE t.good AND t.on_hand < 0) AS negative,
			count(DISTINCT t.at) FILTER (WHERE t.good) AS snapshots,
			max(t.at) FILTER (WHERE t.good AND t.at <= now()) AS newest,
			count(*) FILTER (WHERE t.good AND t.at > now()) AS future
		FROM (SELECT t.*, t.fault IS NULL AS good FROM (%s) t) t', query)
	INTO r;
	RETURN QUERY VALUES
		('rows', r.rows > 0, r.rows, format('%s has so many.', source), NULL),
		('items', r.items > 0 OR r.rows = 0, r.items,
			'A SKU at a location each' || CASE WHEN at IS NOT NULL
				THEN '; the newest snapshot of each counts.'
			WHEN r.good > r.items THEN '; several rows of an item add up.'
			ELSE ', one row to an item.' END, NULL);
	IF r.snapshots > 0 THEN
		RETURN QUERY SELECT 'snapshots',
			coalesce(r.newest > now() - interval '2 days', false), r.snapshots,
			format('The newest is of %s.',
				coalesce(to_char(r.newest, 'YYYY-MM-DD HH24:MI'), 'the future only')),
			CASE WHEN r.newest < now() - interval '2 days'
				THEN 'What was ordered after it is taken off; the older it is, the less it says.' END;
	END IF;
	IF r.future > 0 THEN
		RETURN QUERY SELECT 'future snapshots', false, r.future,
			'They are dated ahead.', 'They are used when their minute comes.';
	END IF;
	IF r.negative > 0 THEN
		RETURN QUERY SELECT 'negative stock', false, r.negative,
			'Their units are taken off other rows of the same item.',
			'Right where more was sold than was there; locations of customers, suppliers or corrections are no stock.';
	END IF;
	RETURN QUERY EXECUTE format('SELECT ''fault '' || t.fault, false, count(*),
			''They are not counted. '' || fault_hint(t.fault),
			''health() shows them until they are corrected.''
		FROM (%s) t WHERE t.fault IS NOT NULL
		GROUP BY t.fault ORDER BY t.fault', query);
END $$;
COMMENT ON FUNCTION replenish.preview_stock(regclass, name, name, name, name, name, name) IS
'What watch_stock() with the same arguments and backfill() would count, with the caller''s own rights; nothing is attached or written. As preview().';
