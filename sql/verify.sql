---------------------------------------------------------------------------
-- Verifying: recount the watched tables at one snapshot, compare with the
-- state and the inbox, and append what differs.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.lock_repair() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_lock_repair'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.lock_repair() IS
'Waits until no other session repairs or backfills; this one does until its transaction ends.';

CREATE FUNCTION replenish.await_decider() RETURNS void
	AS 'MODULE_PATHNAME', 'replenish_await_decider'
	LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.await_decider() IS
'Waits until the decision that is being made, if any, has been made.';

CREATE FUNCTION replenish.recount(relation regclass, arguments text[],
	clock timestamptz, sold_since timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint, OUT order_key text, OUT deleted boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_recount'
	LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.recount(regclass, text[], timestamptz, timestamptz) IS
'What the rows of a watched table add up to, read by the code of its triggers; columns as of drain(). Row security does not apply, so it is not for everybody.';

CREATE FUNCTION replenish.rejoin(source_id integer, clock timestamptz,
	sold_since timestamptz,
	OUT kind text, OUT source integer, OUT sku text, OUT location text,
	OUT channel text, OUT demand replenish.demand, OUT on_hand numeric,
	OUT reserved numeric, OUT on_order numeric, OUT minute integer,
	OUT amount bigint, OUT order_key text, OUT deleted boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'replenish_rejoin'
	LANGUAGE C STABLE PARALLEL UNSAFE;
COMMENT ON FUNCTION replenish.rejoin(integer, timestamptz, timestamptz) IS
'What the lines and headers in order_line and order_header add up to when they are joined; columns as of drain().';

CREATE FUNCTION replenish.demand_since(demand replenish.demand,
	since timestamptz) RETURNS replenish.demand
	AS 'MODULE_PATHNAME', 'replenish_demand_since'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION replenish.demand_since(replenish.demand, timestamptz) IS
'A summary without the buckets that begin before a moment.';

CREATE FUNCTION replenish.difference(id integer)
	RETURNS TABLE (kind text, sku text, location text, channel text,
		minute integer, order_key text, expected_demand replenish.demand,
		actual_demand replenish.demand, expected numeric, actual numeric,
		housekeeping boolean)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	-- a day of keep is 24 hours
	SET timezone = 'UTC' AS $$
#variable_conflict use_column
DECLARE
	s source;
	clock timestamptz := clock();
	-- rows older than this may have gone without taking their demand back
	since timestamptz;
	since_minute integer;
	sold_since timestamptz := sold_since(clock);
	sold_since_minute integer;
BEGIN
	SELECT * FROM source o WHERE o.id = difference.id INTO s;
	since := CASE WHEN s.counted_once THEN clock - s.keep END;
	IF since < '1970-01-01 00:00:00+00' THEN
		since := NULL;
	END IF;
	since_minute := coalesce(minute_of(since), 0);
	sold_since_minute := greatest(since_minute, minute_of(sold_since));
	RETURN QUERY
	WITH expected AS (
		SELECT r.* FROM watched_part p
		CROSS JOIN LATERAL recount(p.relation, trigger_arguments(s, p.part),
			clock, sold_since) r
		WHERE p.id = s.id
		UNION ALL
		-- of lines and headers, their join in the state; both sides of it are
		-- compared with the tables by themselves
		SELECT * FROM rejoin(s.id, clock, sold_since)
	), waiting AS (
		SELECT * FROM pending(clock, sold_since) p WHERE p.source = s.id
	), demand_expected AS (
		SELECT e.sku, e.location, e.channel, e.demand FROM expected e
		WHERE e.kind IN ('demand', 'audience')
	), demand_actual AS (
		SELECT a.sku, a.location, a.channel,
			item_demand_agg(a.demand, 1) AS demand
		FROM (SELECT d.sku, d.location, d.channel, d.demand
				FROM item_demand d WHERE d.source = s.id AND is_sound(d.demand, clock)
			UNION ALL
			SELECT r.sku, r.measure, r.channel, r.counts
				FROM room_audience r WHERE r.source = s.id
					AND is_sound(r.counts, clock)
			UNION ALL
			SELECT w.sku, w.location, w.channel, w.demand
				FROM waiting w WHERE w.kind IN ('demand', 'audience')) a
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
		SELECT v.what, e.sku, e.location, e.channel, e.minute,
			coalesce(e.order_key, '') AS order_key, sum(v.amount) AS amount
		FROM expected e CROSS JOIN LATERAL amounts(e.kind, e.on_hand,
			e.reserved, e.on_order, e.minute, e.amount) v
		GROUP BY v.what, e.sku, e.location, e.channel, e.minute, e.order_key
	), plain_actual AS (
		SELECT a.what, a.sku, a.location, a.channel, a.minute, a.order_key,
			sum(a.amount) AS amount
		FROM (SELECT v.what, t.sku, t.location, '' AS channel, t.minute,
				'' AS order_key, v.amount
			FROM item_stock t CROSS JOIN LATERAL amounts('stock', t.on_hand,
				t.reserved, t.on_order, t.minute, t.rows) v
			WHERE t.source = s.id
			UNION ALL
			SELECT 'fault', '', '', f.code, 0, '', f.rows
			FROM fault f WHERE f.source = s.id
			UNION ALL
			SELECT 'postponed', l.sku, l.location, l.channel, l.minute, '',
				l.amount / 1000000.0
			FROM postponed l WHERE l.source = s.id
			UNION ALL
			SELECT 'sold', q.sku, q.location, q.channel, q.minute, '',
				q.amount / 1000000.0
			FROM sold q WHERE q.source = s.id
			UNION ALL
			SELECT 'inbound', i.sku, i.location, i.route, i.minute, '',
				i.amount / 1000000.0
			FROM item_inbound i WHERE i.source = s.id
			UNION ALL
			SELECT CASE WHEN r.late THEN 'late' ELSE 'on time' END, r.sku,
				r.location, r.route, r.minutes, '', r.rows
			FROM receipt r WHERE r.source = s.id
			UNION ALL
			SELECT 'line', l.sku, l.location, l.channel, l.minute, l.order_key,
				l.amount / 1000000.0
			FROM order_line l WHERE l.source = s.id
			UNION ALL
			SELECT 'header', '', h.location, h.channel, h.minute, h.order_key,
				h.rows
			FROM order_header h WHERE h.source = s.id
			UNION ALL
			SELECT v.what, w.sku, w.location, w.channel, w.minute,
				coalesce(w.order_key, ''), v.amount
			FROM waiting w CROSS JOIN LATERAL amounts(w.kind, w.on_hand,
				w.reserved, w.on_order, w.minute, w.amount) v) a
		GROUP BY a.what, a.sku, a.location, a.channel, a.minute, a.order_key
	), plain_both AS (
		SELECT coalesce(e.what, a.what) AS what, coalesce(e.sku, a.sku) AS sku,
			coalesce(e.location, a.location) AS location,
			coalesce(e.channel, a.channel) AS channel,
			coalesce(e.minute, a.minute) AS minute,
			coalesce(e.order_key, a.order_key) AS order_key,
			coalesce(e.amount, 0) AS expected, a.amount AS actual,
			e.what IS NULL AS is_gone
		FROM plain_expected e
		FULL JOIN plain_actual a ON a.what = e.what AND a.sku = e.sku
			AND a.location = e.location AND a.channel = e.channel
			AND a.minute = e.minute AND a.order_key = e.order_key
		-- that stock is known to be zero is a fact as well
		WHERE coalesce(e.amount, 0) <> coalesce(a.amount, 0)
			OR e.what = 'on_hand' AND a.amount IS NULL
	)
	SELECT CASE s.kind WHEN 'audience' THEN 'audience' ELSE 'demand' END,
		b.sku, b.location, b.channel, NULL::integer, '',
		b.expected, b.actual, NULL::numeric, NULL::numeric, false
	FROM demand_both b WHERE b.expected <> b.actual
	UNION ALL
	SELECT p.what, p.sku, p.location, p.channel, p.minute, p.order_key, NULL,
		NULL, p.expected, p.actual,
		-- what could not be counted in tables that went unread; and lines and
		-- headers that went when their order was older than keep
		p.what = 'fault' AND EXISTS (SELECT FROM unread u WHERE u.source = s.id)
		OR p.is_gone AND since_minute > 0 AND CASE
			WHEN p.what NOT IN ('line', 'header') THEN false
			WHEN p.minute > 0 THEN p.minute < since_minute
			-- of an order without the other side the age is not known
			WHEN p.what = 'line' THEN coalesce((
				SELECT max(h.minute) < since_minute FROM order_header h
				WHERE h.source = s.id AND h.order_key = p.order_key), false)
			ELSE coalesce((
				SELECT max(l.minute) < since_minute FROM order_line l
				WHERE l.source = s.id AND l.order_key = p.order_key), false)
			END
	FROM plain_both p
	-- where no snapshots are watched, what is left is nobody's
	WHERE p.what <> 'sold'
		OR p.minute >= sold_since_minute AND sold_since IS NOT NULL;
END $$;
COMMENT ON FUNCTION replenish.difference(integer) IS
'Where the recount of a source''s tables and its state with the inbox and the backlog differ, at the snapshot of the query. Demand older than the source''s keep is left out once it has been backfilled; housekeeping are lines and headers that are kept here and went from their tables when they were older, and faults that may have gone with tables that nobody read.';

CREATE FUNCTION replenish.amounts(kind text, on_hand numeric, reserved numeric,
	on_order numeric, minute integer, amount bigint)
	RETURNS TABLE (what text, amount numeric)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 2
	BEGIN ATOMIC
		SELECT v.what, v.amount
		FROM (VALUES ('on_hand', on_hand), ('reserved', reserved),
			('on_order', on_order),
			('snapshot rows', CASE WHEN kind = 'stock' AND minute > 0
				THEN amounts.amount END),
			(kind, CASE WHEN kind IN ('fault', 'header', 'on time', 'late')
					THEN amounts.amount
				WHEN kind IN ('postponed', 'sold', 'line', 'inbound')
					THEN amounts.amount / 1000000.0 END)) v (what, amount)
		WHERE v.amount IS NOT NULL;
	END;
COMMENT ON FUNCTION replenish.amounts(text, numeric, numeric, numeric, integer, bigint) IS
'The amounts in one row of drain(), pending() or recount(), but for demand, each by its name: units, or rows of faults, headers, receipts and snapshots.';

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
		WHERE verify.source IS NULL OR o.id = source_of(verify.source)
		ORDER BY o.relation::text
	LOOP
		PERFORM lock_source(w.id);
		RETURN QUERY
		SELECT w.relation, d.sku, d.location, d.channel,
			CASE WHEN d.order_key <> '' THEN d.kind || ' of order ' || d.order_key
				WHEN d.kind IN ('on time', 'late')
					THEN format('receipts %s after %s minutes', d.kind, d.minute)
				WHEN d.kind NOT IN ('demand', 'audience') THEN d.kind
				ELSE d.kind || ' per ' || CASE b.resolution
					WHEN '1 minute' THEN 'minute' WHEN '1 hour' THEN 'hour'
					WHEN '1 day' THEN 'day' ELSE 'week' END END,
			coalesce(b.bucket, CASE WHEN d.kind NOT IN ('on time', 'late')
				THEN to_timestamp(nullif(d.minute, 0) * 60.0) END),
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
			ON d.kind IN ('demand', 'audience')
		WHERE NOT d.housekeeping
		ORDER BY d.sku, d.location, d.channel, 5, 6;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.verify(regclass) IS
'Recounts the watched tables (or one of them), each at one snapshot, and returns each number in which the state with the inbox and the backlog differs: none, unless something was never counted. actual is NULL where the state has no record at all; at is a bucket''s start. Rows that were deleted when they were older than keep are not looked for, nor faults that may have gone with a table older than that.';

-- A TRUNCATE shows to snapshots that are older than its commit, so the lock
-- comes before the snapshot.
CREATE FUNCTION replenish.lock_source(id integer) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	tables text;
BEGIN
	SELECT string_agg(p.relation::text, ', ') FROM watched_part p
	WHERE p.id = lock_source.id INTO tables;
	EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', tables);
END $$;
COMMENT ON FUNCTION replenish.lock_source(integer) IS
'Holds off whatever would replace the rows of a source''s tables until this transaction ends. No order waits for it.';

-- What is damaged is not to be added to; looking for it needs no lock.
CREATE FUNCTION replenish.remove_damaged(id integer) RETURNS bigint
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	demands bigint;
	stocks bigint;
	rooms bigint;
	routes bigint := remove_damaged_routes();
BEGIN
	IF NOT EXISTS (SELECT FROM item_demand d
			WHERE d.source = remove_damaged.id AND NOT is_sound(d.demand, clock()))
		AND NOT EXISTS (SELECT FROM room_audience a
			WHERE a.source = remove_damaged.id AND NOT is_sound(a.counts, clock()))
		AND NOT EXISTS (SELECT FROM item_stock t
			WHERE t.source = remove_damaged.id
				AND 'NaN' = t.on_hand - t.on_hand + t.reserved - t.reserved
					+ t.on_order - t.on_order) THEN
		RETURN routes;
	END IF;
	PERFORM become_decider();
	DELETE FROM item_demand d
	WHERE d.source = remove_damaged.id AND NOT is_sound(d.demand, clock());
	GET DIAGNOSTICS demands = ROW_COUNT;
	DELETE FROM room_audience a
	WHERE a.source = remove_damaged.id AND NOT is_sound(a.counts, clock());
	GET DIAGNOSTICS rooms = ROW_COUNT;
	DELETE FROM item_stock t
	WHERE t.source = remove_damaged.id
		AND 'NaN' = t.on_hand - t.on_hand + t.reserved - t.reserved
			+ t.on_order - t.on_order;
	GET DIAGNOSTICS stocks = ROW_COUNT;
	RETURN demands + rooms + stocks + routes;
END $$;
COMMENT ON FUNCTION replenish.remove_damaged(integer) IS
'Removes the summaries of a source that are not sound and its stock that is no number, and returns how many there were; no decision is made until the transaction ends if there were any. For repair().';

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
	-- before the recount sees the rows that these came of
	DELETE FROM lost l WHERE l.source = append_difference.id;
	DELETE FROM unread u WHERE u.source = append_difference.id;
	INSERT INTO backlog (amount, minute, source, kind, sku, location, channel,
		summary)
	SELECT CASE WHEN d.kind IN ('demand', 'audience') THEN 0
			-- what is larger takes another repair
			ELSE least(greatest((d.expected - coalesce(d.actual, 0)) * CASE
				WHEN d.kind IN ('fault', 'header', 'snapshot rows', 'on time',
					'late') THEN 1
				ELSE 1000000 END, -9e18), 9e18) END,
		coalesce(d.minute, 0), id,
		CASE d.kind WHEN 'demand' THEN 's' WHEN 'audience' THEN 'S' WHEN 'on_hand' THEN 'h'
			WHEN 'reserved' THEN 'r' WHEN 'on_order' THEN 'o'
			WHEN 'snapshot rows' THEN 'n' WHEN 'sold' THEN 'q'
			WHEN 'postponed' THEN CASE WHEN EXISTS (SELECT FROM source o
				WHERE o.id = append_difference.id AND o.kind = 'audience')
				THEN 'a' ELSE 'd' END
			WHEN 'fault' THEN 'f'
			WHEN 'inbound' THEN 'i' WHEN 'on time' THEN 'p'
			WHEN 'late' THEN 'v'
			WHEN 'line' THEN CASE WHEN d.housekeeping THEN 'k' ELSE 'l' END
			WHEN 'header' THEN CASE WHEN d.housekeeping THEN 'X' ELSE 'H' END
			END,
		CASE WHEN d.kind IN ('line', 'header') THEN octet_length(d.order_key)
			|| ':' || d.order_key ELSE '' END || d.sku,
		d.location, d.channel,
		CASE WHEN d.kind IN ('demand', 'audience')
			THEN absorb(d.expected_demand, d.actual_demand * -1) END
	FROM difference(id) d;
	GET DIAGNOSTICS appended = ROW_COUNT;
	PERFORM mark_backfilled(id, appended);
	PERFORM wake();
	RETURN appended;
END $$;
COMMENT ON FUNCTION replenish.append_difference(integer) IS
'Appends to the backlog what a source''s state lacks or has too much, and returns the number of differences; a table whose columns cannot be read is left alone with a warning. For backfill() and repair().';

CREATE PROCEDURE replenish.repair(source regclass DEFAULT NULL)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	w record;
	appended bigint;
	damaged bigint;
BEGIN
	IF source IS NOT NULL AND source_of(source) IS NULL THEN
		RAISE EXCEPTION 'table % is not watched', source
			USING ERRCODE = 'undefined_object',
				HINT = 'Call replenish.watch_orders() or replenish.watch_stock() first.';
	END IF;
	PERFORM lock_repair();
	IF source IS NULL THEN
		damaged := remove_damaged(0);
		IF damaged > 0 THEN
			RAISE NOTICE 'record_demand(): % damaged rows of the state removed', damaged;
		END IF;
	END IF;
	FOR w IN SELECT o.id, o.relation FROM watched o
		WHERE repair.source IS NULL OR o.id = source_of(repair.source)
		ORDER BY o.id
	LOOP
		PERFORM lock_source(w.id);
		damaged := remove_damaged(w.id);
		IF damaged > 0 THEN
			RAISE NOTICE '%: % damaged rows of the state removed', w.relation, damaged;
		END IF;
		appended := append_difference(w.id);
		IF appended > 0 THEN
			RAISE NOTICE '%: % differences appended', w.relation, appended;
		END IF;
	END LOOP;
END $$;
COMMENT ON PROCEDURE replenish.repair(regclass) IS
'Recounts the watched tables (or one of them) at one snapshot and appends what differs to the backlog, which the decider takes in parts; see the view progress; says how many differences there were. It never waits for orders, nor they for it. Refused in REPEATABLE READ and SERIALIZABLE transactions.';

CREATE PROCEDURE replenish.backfill(source regclass)
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	id integer;
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
	id := source_of(source);
	-- a decider that began when there were no snapshots keeps nothing of what
	-- is sold by the minute; wait before holding what others wait for
	IF EXISTS (SELECT FROM source t WHERE t.id = source_of(backfill.source)
		AND t.kind = 'stock' AND t.at IS NOT NULL) THEN
		PERFORM await_decider();
	END IF;
	PERFORM lock_repair();
	PERFORM lock_source(id);
	PERFORM append_difference(id);
	-- what was ordered since its snapshots is counted as well
	FOR id IN SELECT o.id FROM watched o
		WHERE o.kind = 'orders' AND o.backfilled_at IS NOT NULL
			AND EXISTS (SELECT FROM source t
				WHERE t.id = source_of(backfill.source)
					AND t.kind = 'stock' AND t.at IS NOT NULL)
		ORDER BY o.id
	LOOP
		PERFORM lock_source(id);
		PERFORM append_difference(id);
	END LOOP;
END $$;
COMMENT ON PROCEDURE replenish.backfill(regclass) IS
'Counts the rows of a watched table that were there before it was watched: the same operation as repair(), for one table, without the notice. For a table of snapshots, also what was ordered since them.';
