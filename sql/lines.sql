---------------------------------------------------------------------------
-- The lines of a shop's orders in plain SQL, with the rights of the caller: for
-- what is looked at before a table is watched, and for what is not counted.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.base_type(relation regclass, col name) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
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

-- The code of the fault of a key, as the triggers have it.
CREATE FUNCTION replenish.key_fault(expression text, what text)
	RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN what IN ('sku', 'order') THEN pg_catalog.format(
				'WHEN pg_catalog.btrim(coalesce(%1$s, %2$L), %3$L) = %2$L THEN %4$L ',
				expression, '', E' \t\n\v\f\r', 'blank_' || what)
			ELSE '' END
			|| pg_catalog.format(
				'WHEN pg_catalog.octet_length(%s) > 255 THEN %L ',
				expression, 'long_' || what);
	END;
COMMENT ON FUNCTION replenish.key_fault(text, text) IS
'Branches of a CASE that find what cannot be counted in a key (sku, order, location or channel), an SQL expression of type text. For lines_query().';

-- Where a part of a line is read: 'l' from the line, 'h' from its header.
CREATE FUNCTION replenish.line_side(s replenish.source, argument text)
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN argument = ANY (s.on_header) THEN 'h' ELSE 'l' END;
	END;
COMMENT ON FUNCTION replenish.line_side(replenish.source, text) IS
'The alias of the table in lines_query() that has the column of an argument: l the lines, h their headers.';

-- How a line finds its header.
CREATE FUNCTION replenish.header_join(s replenish.source, lines regclass,
	header regclass) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF base_type(header, s.header_id) = base_type(lines, s.header_key)
		AND EXISTS (SELECT FROM pg_index i
		JOIN pg_attribute a ON a.attrelid = i.indrelid
			AND a.attnum = i.indkey[0]
		WHERE i.indrelid = header AND i.indisunique AND i.indisvalid
			AND i.indnkeyatts = 1 AND i.indpred IS NULL
			AND a.attname = s.header_id) THEN
		RETURN format('LEFT JOIN %s h ON h.%I = l.%I', header, s.header_id,
			s.header_key);
	END IF;
	-- two headers of one order are none
	RETURN format('LEFT JOIN (SELECT k.*, count(*) OVER
			(PARTITION BY k.%1$I::text) AS replenish_n FROM %2$s k) h
		ON h.%1$I::text = l.%3$I::text AND h.replenish_n = 1',
		s.header_id, header, s.header_key);
END $$;
COMMENT ON FUNCTION replenish.header_join(replenish.source, regclass, regclass) IS
'The join of lines l with their headers h, as text if the two columns have different types. For lines_query().';

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
		SELECT format('(CASE %s.%I::text %s ELSE %s END)', side, s.location,
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

CREATE FUNCTION replenish.lines_query(s replenish.source, lines regclass,
	header regclass) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	quantity text := format('l.%I%s * 1000000', s.qty,
		CASE WHEN base_type(lines, s.qty) IN ('real', 'double precision')
			THEN '::float8' ELSE '::numeric' END);
	faults text := '';
	header_faults text := '';
	part record;
	here text;
	sides jsonb := '{}';
BEGIN
	-- in the order in which the triggers look
	FOR part IN SELECT v.* FROM (VALUES (1, 'sku', s.sku),
			(2, 'order', s.header_key), (3, 'location', s.location),
			(4, 'channel', s.channel)) v (n, what, col)
		WHERE v.col IS NOT NULL ORDER BY v.n
	LOOP
		here := line_side(s, part.what);
		IF here = 'h' THEN
			header_faults := header_faults
				|| key_fault(format('h.%I::text', part.col), part.what);
		ELSE
			faults := faults
				|| key_fault(format('l.%I::text', part.col), part.what);
		END IF;
	END LOOP;
	IF line_side(s, 'at') = 'h' THEN
		header_faults := header_faults || 'WHEN m.at IS NULL THEN ''bad_moment'' ';
	ELSE
		faults := faults || 'WHEN m.at IS NULL THEN ''bad_moment'' ';
	END IF;
	SELECT jsonb_object_agg(v.what, CASE WHEN v.col IS NULL THEN 'NULL::text'
		ELSE format('%s.%I::text', line_side(s, v.what), v.col) END)
	FROM (VALUES ('location', s.location), ('channel', s.channel),
		('status', s.status)) v (what, col) INTO sides;
	RETURN format($sql$
		SELECT l.%1$I::text AS sku, q.micros / 1000000.0 AS qty, m.at,
			coalesce(p.location, 'default') AS location,
			coalesce(p.channel, 'default') AS channel,
			p.location IS NULL AS no_location, p.channel IS NULL AS no_channel,
			p.status, %2$s AS price, %3$s AS order_key, j.has_header,
			c.here AND c.there AND j.has_header AS counts,
			CASE WHEN NOT c.here THEN NULL %4$s
				WHEN q.micros IS NULL THEN 'bad_quantity' END AS fault,
			CASE WHEN NOT c.there OR NOT j.has_header THEN NULL %5$s END
				AS header_fault
		FROM %6$s l %7$s
		CROSS JOIN LATERAL (SELECT CASE WHEN abs(b.micros)
				<= 1000000000000000000 THEN b.micros::bigint END
			FROM (SELECT round(%8$s)) b (micros)) q (micros)
		CROSS JOIN LATERAL (SELECT CASE WHEN b.at
				>= '1970-01-01 00:00:00+00'::timestamptz
				AND b.at < '3000-01-01 00:00:00+00' THEN b.at END
			FROM (SELECT %9$s) b (at)) m (at)
		CROSS JOIN LATERAL (SELECT
			CASE WHEN btrim(%10$s, E' \t\n\v\f\r') <> '' THEN %10$s END,
			CASE WHEN btrim(%11$s, E' \t\n\v\f\r') <> '' THEN %11$s END,
			%12$s) p (location, channel, status)
		CROSS JOIN LATERAL (SELECT %13$s) j (has_header)
		CROSS JOIN LATERAL (SELECT %14$s, %15$s) c (here, there)$sql$,
		s.sku,
		CASE WHEN s.price IS NULL THEN 'NULL::float8' ELSE
			format('CASE WHEN l.%1$I BETWEEN 0 AND 1e12 THEN l.%1$I::float8 END',
				s.price) END,
		CASE WHEN header IS NULL THEN 'NULL::text'
			ELSE format('l.%I::text', s.header_key) END,
		faults, header_faults, lines,
		CASE WHEN header IS NULL THEN '' ELSE header_join(s, lines, header) END,
		quantity, line_moment(s, lines, header), sides ->> 'location',
		sides ->> 'channel', sides ->> 'status',
		CASE WHEN header IS NULL THEN 'true'
			ELSE format('h.%I IS NOT NULL', s.header_id) END,
		CASE WHEN s.status IS NULL OR line_side(s, 'status') = 'h' THEN 'true'
			ELSE format('coalesce(p.status = ANY (%L::text[]), false)',
				s.counted::text) END,
		CASE WHEN line_side(s, 'status') = 'l' THEN 'true'
			ELSE format('coalesce(p.status = ANY (%L::text[]), false)',
				s.counted::text) END);
END $$;
COMMENT ON FUNCTION replenish.lines_query(replenish.source, regclass, regclass) IS
'A query of the lines of a source, joined with their headers if header is not NULL, as the triggers read them: sku, qty and at (NULL where they cannot be counted), location, channel, no_location, no_channel, status, price, order_key, has_header, counts (its status does, and it has its header), fault and header_fault (codes). It reads with the rights of whoever runs it, with pg_catalog first on the path. The columns must have passed check_column().';
