---------------------------------------------------------------------------
-- Verifying: recount the watched tables at one snapshot, compare with the
-- state and the inbox, and append what differs.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.lock_repair() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_lock_repair'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.lock_repair() IS
'Waits until no other session repairs or backfills; this one does until its transaction ends.';

CREATE FUNCTION replenish.recount(relation regclass, arguments text[],
	clock timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_recount'
	LANGUAGE C STABLE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.recount(regclass, text[], timestamptz) IS
'What the rows of a watched table add up to, read by the code of its triggers; columns as of drain(). Row security does not apply, so it is not for everybody.';

CREATE FUNCTION replenish.demand_since(demand replenish.demand,
	since timestamptz) RETURNS replenish.demand
	AS 'MODULE_PATHNAME', 'replenish_demand_since'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_since(replenish.demand, timestamptz) IS
'A summary without the buckets that begin before a moment.';

CREATE FUNCTION replenish.difference(id integer)
	RETURNS TABLE (kind text, sku text, location text, channel text,
		minute integer, expected_demand replenish.demand,
		actual_demand replenish.demand, expected numeric, actual numeric)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	-- a day of keep is 24 hours
	SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	s source;
	relation regclass;
	clock timestamptz;
	since timestamptz;
BEGIN
	SELECT * FROM source o WHERE o.id = difference.id INTO s;
	SELECT w.relation FROM watched w WHERE w.id = s.id INTO relation;
	SELECT d.clock FROM decider d INTO clock;
	clock := coalesce(clock, now());
	-- rows older than this may have gone without taking their demand back
	since := CASE WHEN s.counted_once THEN clock - s.keep END;
	IF since < '1970-01-01 00:00:00+00' THEN
		since := NULL;
	END IF;
	RETURN QUERY
	WITH expected AS (
		SELECT * FROM recount(relation, trigger_arguments(s, s.kind), clock)
	), waiting AS (
		SELECT * FROM pending(clock) p WHERE p.source = s.id
	), demand_expected AS (
		SELECT e.sku, e.location, e.channel, e.demand FROM expected e
		WHERE e.kind = 'demand'
	), demand_actual AS (
		SELECT a.sku, a.location, a.channel, demand_merge(a.demand) AS demand
		FROM (SELECT d.sku, d.location, d.channel, d.demand
				FROM item_demand d WHERE d.source = s.id
			UNION ALL
			SELECT w.sku, w.location, w.channel, w.demand
				FROM waiting w WHERE w.kind = 'demand') a
		GROUP BY a.sku, a.location, a.channel
	), demand_both AS (
		SELECT b.sku, b.location, b.channel,
			CASE WHEN since IS NULL THEN b.expected
				ELSE demand_since(b.expected, since) END AS expected,
			CASE WHEN since IS NULL THEN b.actual
				ELSE demand_since(b.actual, since) END AS actual
		FROM (SELECT coalesce(e.sku, a.sku) AS sku,
				coalesce(e.location, a.location) AS location,
				coalesce(e.channel, a.channel) AS channel,
				-- both seen through the later window: x - x is nothing, with
				-- the window of x
				coalesce(e.demand, '{}')
					+ coalesce(a.demand - a.demand, '{}') AS expected,
				coalesce(a.demand, '{}')
					+ coalesce(e.demand - e.demand, '{}') AS actual
			FROM demand_expected e
			FULL JOIN demand_actual a ON a.sku = e.sku
				AND a.location = e.location AND a.channel = e.channel) b
	), plain_expected AS (
		SELECT e.kind, e.sku, e.location, e.channel, e.minute, v.what, v.amount
		FROM expected e CROSS JOIN LATERAL (VALUES
			('on_hand', e.on_hand), ('reserved', e.reserved),
			('on_order', e.on_order),
			(e.kind, CASE WHEN e.kind = 'fault' THEN e.amount
				ELSE e.amount / 1000000.0 END)) v (what, amount)
		WHERE v.amount IS NOT NULL
	), plain_actual AS (
		SELECT a.sku, a.location, a.channel, a.minute, a.what,
			sum(a.amount) AS amount
		FROM (SELECT t.sku, t.location, '' AS channel, NULL::integer AS minute,
				v.what, v.amount
			FROM item_stock t CROSS JOIN LATERAL (VALUES
				('on_hand', t.on_hand), ('reserved', t.reserved),
				('on_order', t.on_order)) v (what, amount)
			WHERE t.source = s.id
			UNION ALL
			SELECT '', '', f.code, 0, 'fault', f.rows
			FROM fault f WHERE f.source = s.id
			UNION ALL
			SELECT l.sku, l.location, l.channel, l.minute, 'postponed',
				l.amount / 1000000.0
			FROM postponed l WHERE l.source = s.id
			UNION ALL
			SELECT w.sku, w.location, w.channel, w.minute, v.what, v.amount
			FROM waiting w CROSS JOIN LATERAL (VALUES
				('on_hand', w.on_hand), ('reserved', w.reserved),
				('on_order', w.on_order),
				(w.kind, CASE WHEN w.kind = 'fault' THEN w.amount
					ELSE w.amount / 1000000.0 END)) v (what, amount)
			WHERE v.amount IS NOT NULL) a
		GROUP BY a.sku, a.location, a.channel, a.minute, a.what
	)
	SELECT 'demand', b.sku, b.location, b.channel, NULL::integer,
		b.expected, b.actual, NULL::numeric, NULL::numeric
	FROM demand_both b WHERE b.expected <> b.actual
	UNION ALL
	SELECT coalesce(e.what, a.what), coalesce(e.sku, a.sku),
		coalesce(e.location, a.location), coalesce(e.channel, a.channel),
		coalesce(e.minute, a.minute), NULL, NULL,
		coalesce(e.amount, 0), a.amount
	FROM plain_expected e
	FULL JOIN plain_actual a ON a.what = e.what AND a.sku = e.sku
		AND a.location = e.location AND a.channel = e.channel
		AND coalesce(a.minute, 0) = coalesce(e.minute, 0)
	-- that stock is known to be zero is a fact as well
	WHERE coalesce(e.amount, 0) <> coalesce(a.amount, 0)
		OR e.what = 'on_hand' AND a.amount IS NULL;
END $$;
COMMENT ON FUNCTION replenish.difference(integer) IS
'Where the recount of a source''s table and its state with the inbox differ, at the snapshot of the query. Demand older than the source''s keep is left out once it has been backfilled.';

CREATE FUNCTION replenish.verify(source regclass DEFAULT NULL)
	RETURNS TABLE (relation regclass, sku text, location text, channel text,
		what text, at timestamptz, expected numeric, actual numeric)
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	w record;
BEGIN
	IF verify.source IS NOT NULL AND source_of(verify.source) IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', verify.source
			USING ERRCODE = 'undefined_object';
	END IF;
	FOR w IN SELECT o.id, o.relation FROM watched o
		WHERE verify.source IS NULL OR o.relation = verify.source
		ORDER BY o.relation::text
	LOOP
		-- a TRUNCATE shows to snapshots that are older than its commit
		EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', w.relation);
		RETURN QUERY
		SELECT w.relation, d.sku, d.location, d.channel,
			CASE WHEN d.kind <> 'demand' THEN d.kind
				ELSE 'demand per ' || CASE b.resolution
					WHEN '1 minute' THEN 'minute' WHEN '1 hour' THEN 'hour'
					WHEN '1 day' THEN 'day' ELSE 'week' END END,
			coalesce(b.bucket, to_timestamp(nullif(d.minute, 0) * 60.0)),
			coalesce(b.expected, d.expected), coalesce(b.actual, d.actual)
		FROM difference(w.id) d
		LEFT JOIN LATERAL (
			SELECT coalesce(e.resolution, a.resolution) AS resolution,
				coalesce(e.bucket, a.bucket) AS bucket,
				coalesce(e.units, 0)::numeric AS expected,
				coalesce(a.units, 0)::numeric AS actual
			FROM demand_buckets(d.expected_demand) e
			FULL JOIN demand_buckets(d.actual_demand) a
				ON a.resolution = e.resolution AND a.bucket = e.bucket
			WHERE e.units IS DISTINCT FROM a.units) b
			ON d.kind = 'demand'
		ORDER BY d.sku, d.location, d.channel, 5, 6;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.verify(regclass) IS
'Recounts the watched tables (or one of them), each at one snapshot, and returns each number in which the state with the inbox differs: none, unless something was never counted. actual is NULL where the state has no record at all; at is a bucket''s start. Rows that were deleted when they were older than keep are not looked for.';

-- One operation for backfill() and repair(): append the difference.
CREATE FUNCTION replenish.append_difference(id integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	appended bigint;
	trouble text;
BEGIN
	SELECT column_trouble(w.relation, w.id) FROM watched w
	WHERE w.id = append_difference.id INTO trouble;
	IF trouble IS NOT NULL THEN
		-- no row can be read: not the same as a table without rows
		RAISE WARNING '%', trouble
			USING ERRCODE = 'undefined_column',
				DETAIL = 'What was counted before stays as it is.',
				HINT = 'Unwatch the table, watch it again, then CALL replenish.backfill().';
		RETURN 0;
	END IF;
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel,
		summary)
	SELECT CASE d.kind WHEN 'demand' THEN 0
			WHEN 'fault' THEN d.expected - coalesce(d.actual, 0)
			ELSE (d.expected - coalesce(d.actual, 0)) * 1000000 END,
		coalesce(d.minute, 0), id,
		CASE d.kind WHEN 'demand' THEN 's' WHEN 'on_hand' THEN 'h'
			WHEN 'reserved' THEN 'r' WHEN 'on_order' THEN 'o'
			WHEN 'postponed' THEN 'd' WHEN 'fault' THEN 'f' END,
		d.sku, d.location, d.channel,
		CASE WHEN d.kind = 'demand'
			THEN d.expected_demand - d.actual_demand END
	FROM difference(id) d;
	GET DIAGNOSTICS appended = ROW_COUNT;
	PERFORM mark_backfilled(id);
	PERFORM wake();
	RETURN appended;
END $$;
COMMENT ON FUNCTION replenish.append_difference(integer) IS
'Appends to the inbox what a source''s state lacks or has too much, and returns the number of differences; a table whose columns cannot be read is left alone with a warning. For backfill() and repair().';

CREATE PROCEDURE replenish.repair(source regclass DEFAULT NULL)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	w record;
	appended bigint;
BEGIN
	IF source IS NOT NULL AND source_of(source) IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object',
				HINT = 'Call replenish.watch_orders() or replenish.watch_stock() first.';
	END IF;
	PERFORM lock_repair();
	FOR w IN SELECT o.id, o.relation FROM watched o
		WHERE repair.source IS NULL OR o.relation = repair.source ORDER BY o.id
	LOOP
		-- a TRUNCATE shows to snapshots that are older than its commit
		EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', w.relation);
		appended := append_difference(w.id);
		IF appended > 0 THEN
			RAISE NOTICE '%: % differences appended', w.relation, appended;
		END IF;
	END LOOP;
END $$;
COMMENT ON PROCEDURE replenish.repair(regclass) IS
'Recounts the watched tables (or one of them) at one snapshot and appends what differs to the inbox, where the decider takes it; says how many differences there were. It never waits for orders, nor they for it. Refused in REPEATABLE READ and SERIALIZABLE transactions.';

CREATE PROCEDURE replenish.backfill(source regclass)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF source IS NULL THEN
		RAISE EXCEPTION 'argument "source" must not be null'
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	IF source_of(source) IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object',
				HINT = 'Call replenish.watch_orders() or replenish.watch_stock() first.';
	END IF;
	PERFORM lock_repair();
	-- as in repair()
	EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', source);
	PERFORM append_difference(source_of(source));
END $$;
COMMENT ON PROCEDURE replenish.backfill(regclass) IS
'Counts the rows of a watched table that were there before it was watched: the same operation as repair(), for one table, without the notice.';
