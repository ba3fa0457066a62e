---------------------------------------------------------------------------
-- The lines of a shop's orders in plain SQL, with the rights of the caller: for
-- what is looked at before a table is watched, and for what is not counted.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.base_type(relation regclass, col name) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET quote_all_identifiers = off
	BEGIN ATOMIC
		WITH RECURSIVE types AS (
			SELECT t.oid, t.typtype, t.typbasetype
			FROM pg_catalog.pg_attribute a
			JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
			WHERE a.attrelid = relation AND a.attname = col
				AND a.attnum > 0 AND NOT a.attisdropped
			UNION ALL
			SELECT t.oid, t.typtype, t.typbasetype
			FROM types d JOIN pg_catalog.pg_type t ON t.oid = d.typbasetype
			WHERE d.typtype = 'd'
		)
		SELECT pg_catalog.format_type(t.oid, NULL) FROM types t
		WHERE t.typtype <> 'd';
	END;
COMMENT ON FUNCTION replenish.base_type(regclass, name) IS
'The type of a column, seen through domains; NULL where there is no such column.';

-- An enum's owner may have given it a cast of his own; its labels need none.
CREATE FUNCTION replenish.key_text(relation regclass, side text, col name)
	RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		WITH RECURSIVE types AS (
			SELECT t.typtype, t.typbasetype
			FROM pg_catalog.pg_attribute a
			JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
			WHERE a.attrelid = relation AND a.attname = col
				AND a.attnum > 0 AND NOT a.attisdropped
			UNION ALL
			SELECT t.typtype, t.typbasetype
			FROM types d JOIN pg_catalog.pg_type t ON t.oid = d.typbasetype
			WHERE d.typtype = 'd'
		)
		SELECT pg_catalog.format(CASE WHEN 'e' IN (SELECT t.typtype FROM types t)
			THEN 'pg_catalog.textin(pg_catalog.enum_out(%s.%I))'
			ELSE '%s.%I::text' END, side, col);
	END;
COMMENT ON FUNCTION replenish.key_text(regclass, text, name) IS
'An expression for a column of the table with the alias side as text, which runs no code of the table''s or the type''s owner.';

-- The code of the fault of a key, as the triggers have it.  The vertical tab is a
-- number here, for up to 15, E'\v' is a letter.
CREATE FUNCTION replenish.key_fault(expression text, what text)
	RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN what IN ('sku', 'order') THEN pg_catalog.format(
				'WHEN pg_catalog.btrim(coalesce(%1$s, %2$L), %3$L) = %2$L THEN %4$L ',
				expression, '', E' \t\n\x0b\f\r', 'blank_' || what)
			ELSE '' END
			|| pg_catalog.format(
				'WHEN pg_catalog.octet_length(%s) > 255 THEN %L ',
				expression, 'long_' || what);
	END;
COMMENT ON FUNCTION replenish.key_fault(text, text) IS
'Branches of a CASE that find what cannot be counted in a key (sku, order, location or channel), an SQL expression of type text. For lines_query().';

-- Moments without a zone mean what they would mean if it were watched now.
CREATE FUNCTION replenish.with_zones(s replenish.source)
	RETURNS replenish.source
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	s.zone := coalesce(
		(SELECT l.time_zone FROM location l WHERE l.location = 'default'),
		current_setting('TimeZone'));
	s.zones := coalesce((SELECT array_agg(z.value ORDER BY l.location, z.n)
		FROM location l CROSS JOIN LATERAL
			(VALUES (1, l.location::text), (2, l.time_zone)) z (n, value)
		WHERE l.time_zone <> s.zone AND s.location IS NOT NULL), '{}');
	RETURN s;
END $$;
COMMENT ON FUNCTION replenish.with_zones(replenish.source) IS
'A source with the time zones of its moments as they are now. For preview().';

-- Where a part of a line is read: 'l' from the line, 'h' from its header.
CREATE FUNCTION replenish.line_side(s replenish.source, argument text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN argument = ANY (s.on_header) THEN 'h' ELSE 'l' END;
	END;
COMMENT ON FUNCTION replenish.line_side(replenish.source, text) IS
'The alias of the table in lines_query() that has the column of an argument: l the lines, h their headers.';

-- How a line finds its header; keys of different types are compared as text.
CREATE FUNCTION replenish.header_join(s replenish.source, lines regclass,
	header regclass) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	differ boolean := base_type(header, s.header_id)
		<> base_type(lines, s.header_key);
	condition text := format('ON %s = %s',
		CASE WHEN differ THEN key_text(header, 'h', s.header_id)
			ELSE format('h.%I', s.header_id) END,
		CASE WHEN differ THEN key_text(lines, 'l', s.header_key)
			ELSE format('l.%I', s.header_key) END);
BEGIN
	IF EXISTS (SELECT FROM pg_index i
		JOIN pg_attribute a ON a.attrelid = i.indrelid
			AND a.attnum = i.indkey[0]
		WHERE i.indrelid = header AND i.indisunique AND i.indisvalid
			AND i.indnkeyatts = 1 AND i.indpred IS NULL
			AND a.attname = s.header_id) THEN
		RETURN format('LEFT JOIN (SELECT *, 1 AS replenish_nth FROM %s) h %s',
			header, condition);
	END IF;
	RETURN format('LEFT JOIN (SELECT *, row_number() OVER (PARTITION BY %s)
			AS replenish_nth FROM %s k) h %s',
		key_text(header, 'k', s.header_id), header, condition);
END $$;
COMMENT ON FUNCTION replenish.header_join(replenish.source, regclass, regclass) IS
'The join of lines l with their headers h, each of which has replenish_nth, 1 for the first of an order. For lines_query().';

-- The moment of a line as an expression that never fails.
CREATE FUNCTION replenish.line_moment(s replenish.source, lines regclass,
	header regclass) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	side text := line_side(s, 'at');
	at text := format('%s.%I', side, s.at);
	zone text := quote_literal(s.zone);
BEGIN
	IF base_type(CASE side WHEN 'h' THEN header ELSE lines END, s.at)
		= 'timestamp with time zone' THEN
		RETURN at;
	END IF;
	IF cardinality(s.zones) > 0 AND line_side(s, 'location') = side THEN
		SELECT format('(CASE %s %s ELSE %s END)',
			key_text(CASE side WHEN 'h' THEN header ELSE lines END, side,
				s.location),
			string_agg(format('WHEN %L THEN %L', s.zones[2 * i - 1],
				s.zones[2 * i]), ' '), zone)
		FROM generate_series(1, cardinality(s.zones) / 2) i INTO zone;
	END IF;
	-- what is far off cannot be converted
	RETURN format('CASE WHEN %1$s > ''1969-12-30'' AND %1$s < ''3000-01-03''
		THEN timezone(%2$s, %1$s::timestamp) END', at, zone);
END $$;
COMMENT ON FUNCTION replenish.line_moment(replenish.source, regclass, regclass) IS
'An expression for the moment of a line; one without a zone is in that of its location. For lines_query().';

-- What the triggers find wrong with a row, in the order in which they look.
CREATE FUNCTION replenish.line_faults(s replenish.source, relation regclass,
	side text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.format('CASE WHEN NOT %s THEN NULL %s %s %s END',
			CASE WHEN s.status IS NULL
				OR replenish.line_side(s, 'status') <> side THEN 'true'
				ELSE pg_catalog.format(
					'coalesce(%s = ANY (%L::text[]), false)',
					replenish.key_text(relation, side, s.status),
					s.counted::text) END,
			pg_catalog.string_agg(replenish.key_fault(
				replenish.key_text(relation, side, v.col), v.what), ' '
				ORDER BY v.n),
			CASE WHEN replenish.line_side(s, 'at') = side
				THEN 'WHEN m.at IS NULL THEN ''bad_moment'' ' ELSE '' END,
			CASE WHEN side = 'l'
				THEN 'WHEN q.units IS NULL THEN ''bad_quantity'' ' ELSE '' END)
		FROM (VALUES (1, 'sku', CASE WHEN side = 'l' THEN s.sku END),
			(2, 'order', CASE WHEN side = 'l' THEN s.header_key
				ELSE s.header_id END),
			(3, 'location', CASE WHEN replenish.line_side(s, 'location') = side
				THEN s.location END),
			(4, 'channel', CASE WHEN replenish.line_side(s, 'channel') = side
				THEN s.channel END)) v (n, what, col)
		WHERE v.col IS NOT NULL;
	END;
COMMENT ON FUNCTION replenish.line_faults(replenish.source, regclass, text) IS
'An expression for the code of the fault of a line (side l) or header (side h); NULL where there is none, or where its status is not counted. For lines_query() and headers_query().';

-- A quantity that can be counted, rounded as the triggers round it, or NULL.
CREATE FUNCTION replenish.units_query(relation regclass, col name) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.format(
			'SELECT CASE WHEN abs(b.micros) <= 1000000000000000000
				THEN b.micros::bigint / 1000000.0 END
			FROM (SELECT round(l.%I%s * 1000000)) b (micros)', col,
			CASE WHEN replenish.base_type(relation, col)
				IN ('real', 'double precision') THEN '::float8'
				ELSE '::numeric' END);
	END;
COMMENT ON FUNCTION replenish.units_query(regclass, name) IS
'A query that turns a quantity of table l into units that can be counted, or NULL. For lines_query() and preview_stock().';

-- A moment that can be counted, or NULL.
CREATE FUNCTION replenish.moment_query(expression text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.format(
			'SELECT CASE WHEN b.at >= ''1970-01-01 00:00:00+00''::timestamptz
				AND b.at < ''3000-01-01 00:00:00+00'' THEN b.at END
			FROM (SELECT %s) b (at)', expression);
	END;
COMMENT ON FUNCTION replenish.moment_query(text) IS
'A query that turns a moment into one that can be counted, or NULL. For lines_query() and headers_query().';

CREATE FUNCTION replenish.lines_query(s replenish.source, lines regclass,
	header regclass) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	sides jsonb;
BEGIN
	SELECT jsonb_object_agg(v.what, CASE WHEN v.col IS NULL THEN 'NULL::text'
		ELSE key_text(CASE line_side(s, v.what) WHEN 'h' THEN header ELSE lines END,
			line_side(s, v.what), v.col) END)
	FROM (VALUES ('location', s.location), ('channel', s.channel),
		('status', s.status)) v (what, col) INTO sides;
	RETURN format($sql$
		SELECT %1$s AS sku, q.units AS qty, m.at,
			coalesce(p.location, 'default') AS location,
			coalesce(p.channel, 'default') AS channel,
			p.location IS NULL AS no_location, p.channel IS NULL AS no_channel,
			p.status, %2$s AS price, %3$s AS order_key,
			%4$s IS NOT NULL AS has_header, coalesce(%4$s > 1, false) AS again,
			%4$s IS NOT NULL AND %5$s AS counts, %6$s AS fault,
			CASE WHEN %4$s IS NOT NULL THEN %7$s END AS header_fault
		FROM %8$s l %9$s
		CROSS JOIN LATERAL (%10$s) q (units)
		CROSS JOIN LATERAL (%11$s) m (at)
		CROSS JOIN LATERAL (SELECT
			CASE WHEN btrim(%12$s, E' \t\n\x0b\f\r') <> '' THEN %12$s END,
			CASE WHEN btrim(%13$s, E' \t\n\x0b\f\r') <> '' THEN %13$s END,
			%14$s) p (location, channel, status)$sql$,
		key_text(lines, 'l', s.sku),
		CASE WHEN s.price IS NULL THEN 'NULL::float8' ELSE
			format('CASE WHEN l.%1$I BETWEEN 0 AND 1000000000000 THEN l.%1$I::float8 END',
				s.price) END,
		CASE WHEN header IS NULL THEN 'NULL::text'
			ELSE key_text(lines, 'l', s.header_key) END,
		CASE WHEN header IS NULL THEN '1' ELSE 'h.replenish_nth' END,
		CASE WHEN s.status IS NULL THEN 'true' ELSE
			format('coalesce(p.status = ANY (%L::text[]), false)',
				s.counted::text) END,
		line_faults(s, lines, 'l'),
		CASE WHEN header IS NULL THEN 'NULL' ELSE line_faults(s, header, 'h') END,
		lines,
		CASE WHEN header IS NULL THEN '' ELSE header_join(s, lines, header) END,
		units_query(lines, s.qty), moment_query(line_moment(s, lines, header)), sides ->> 'location',
		sides ->> 'channel', sides ->> 'status');
END $$;
COMMENT ON FUNCTION replenish.lines_query(replenish.source, regclass, regclass) IS
'A query of the lines of a source, joined with their headers if header is not NULL, as the triggers read them: sku, qty and at (NULL where they cannot be counted), location, channel, no_location, no_channel, status, price, order_key, has_header, again (with another header of the same order), counts (its status does, and it has a header), fault and header_fault (codes). It reads with the rights of whoever runs it, with pg_catalog first on the path. The columns must have passed check_column().';

CREATE FUNCTION replenish.headers_query(s replenish.source, lines regclass,
	header regclass) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	RETURN format('SELECT %s AS order_key, %s AS fault
		FROM %s h CROSS JOIN LATERAL (%s) m (at)',
		key_text(header, 'h', s.header_id),
		line_faults(s, header, 'h'), header,
		CASE WHEN line_side(s, 'at') = 'h'
			THEN moment_query(line_moment(s, lines, header))
			ELSE 'SELECT NULL' END);
END $$;
COMMENT ON FUNCTION replenish.headers_query(replenish.source, regclass, regclass) IS
'A query of the headers of a source: order_key and the code of the fault, as the triggers find it. As lines_query().';
