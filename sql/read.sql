---------------------------------------------------------------------------
-- Reading: views and functions for people, BI tools and applications.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.clock() RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce((SELECT d.clock FROM replenish.decider d),
			pg_catalog.now());
	END;
COMMENT ON FUNCTION replenish.clock() IS
'The decider''s clock: the latest moment that it decided anything for; now() before the first decision.';

-- Snapshots themselves wait for the decision; what is sold since them does not.
CREATE FUNCTION replenish.waiting_stock()
	RETURNS TABLE (sku text, location text, on_hand numeric, reserved numeric,
		on_order numeric)
	-- not sql: it is asked by every look at the status, and would be planned
	-- each time
	LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED ROWS 20
	SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
		SELECT w.sku, w.location, sum(w.on_hand), sum(w.reserved),
			sum(w.on_order)
		FROM (
			SELECT m.sku, p.location, p.on_hand * m.units AS on_hand,
				p.reserved * m.units AS reserved,
				p.on_order * m.units AS on_order
			FROM replenish.pending(pg_catalog.now(), NULL) p
			JOIN replenish.source s
				ON s.id = p.source AND s.active AND s.at IS NULL
			CROSS JOIN LATERAL replenish.real_skus(p.sku, NULL) m
			WHERE p.kind = 'stock'
			UNION ALL
			SELECT m.sku, p.location, 0, 0, p.amount * m.units / 1000000
			FROM replenish.pending(pg_catalog.now(), NULL) p
			JOIN replenish.source s ON s.id = p.source AND s.active
			CROSS JOIN LATERAL replenish.real_skus(p.sku, NULL) m
			WHERE p.kind = 'inbound'
			UNION ALL
			SELECT i.sku, i.location, p.amount * m.units / -1000000, 0, 0
			FROM replenish.sold_since(pg_catalog.now()) from_when
			CROSS JOIN LATERAL replenish.pending(
				greatest(pg_catalog.now(), replenish.clock()), from_when) p
			CROSS JOIN LATERAL replenish.real_skus(p.sku, p.channel) m
			CROSS JOIN LATERAL
				replenish.real_location(p.location, p.channel) l
			JOIN replenish.item i ON i.sku = m.sku AND i.location = l.location
			WHERE from_when IS NOT NULL AND p.kind = 'sold' AND p.minute
				> replenish.minute_of(i.snapshot_at)) w
		GROUP BY w.sku, w.location;
END $$;
COMMENT ON FUNCTION replenish.waiting_stock() IS
'What waits in the inbox and will change an item''s stock, in units: amounts of tables that hold the present stock, and demand after the snapshot of the others. For the view status.';

-- No security barrier: no row is hidden, and the barrier would keep a tier
-- from being looked up in its index.
CREATE VIEW replenish.status AS
	SELECT i.sku, i.location, q.on_hand, q.reserved,
		q.on_hand - q.reserved AS available, q.on_order,
		q.on_hand - q.reserved + q.on_order AS stock_position,
		i.velocity, i.sold_24h, i.same_period, i.forecast, i.forecast_sd,
		i.lead_time, i.threshold, i.safety_stock, i.target, i.tier,
		i.stockout_eta, i.stockout_eta - i.decided_at AS cover, i.order_by,
		i.reorder_qty, i.reason, i.epoch, i.assumed, i.decided_at,
		i.snapshot_at, i.next_arrival_at,
		i.next_arrival_at - i.stockout_eta AS gap, i.sold_today,
		i.channel, i.scenario, i.units_at_risk, i.gmv_at_risk, i.turnover,
		i.rank_by, CASE i.rank_by WHEN 'money' THEN i.gmv_at_risk
			WHEN 'turnover' THEN i.turnover ELSE i.units_at_risk END AS priority
	FROM replenish.item i
	LEFT JOIN replenish.waiting_stock() w
		ON w.sku = i.sku AND w.location = i.location
	CROSS JOIN LATERAL (
		SELECT pg_catalog.trim_scale(i.on_hand + coalesce(w.on_hand, 0))
				AS on_hand,
			pg_catalog.trim_scale(i.reserved + coalesce(w.reserved, 0))
				AS reserved,
			pg_catalog.trim_scale(i.on_order + coalesce(w.on_order, 0))
				AS on_order) q;
COMMENT ON VIEW replenish.status IS
'One row per item. Quantities are units, as they are now: the last decision plus what still waits in the inbox. All else is as of decided_at.';
COMMENT ON COLUMN replenish.status.available IS 'on_hand - reserved, units.';
COMMENT ON COLUMN replenish.status.stock_position IS
'available + on_order, units.';
COMMENT ON COLUMN replenish.status.on_hand IS
'Units in the warehouse; where the table holds snapshots, those of the newest less what was ordered since.';
COMMENT ON COLUMN replenish.status.snapshot_at IS
'The oldest of the snapshots that the stock rests on; NULL where the tables hold the present stock.';
COMMENT ON COLUMN replenish.status.on_order IS
'Units ordered and not yet received, as the stock tables say and as the open purchase orders do.';
COMMENT ON COLUMN replenish.status.next_arrival_at IS
'When the next open purchase order is expected, the end of its day where that is a date; NULL where none has a date that is still to come.';
COMMENT ON COLUMN replenish.status.gap IS
'next_arrival_at - stockout_eta: how long the shelf will be empty before the next arrival; negative where it comes in time.';
COMMENT ON COLUMN replenish.status.sold_today IS
'Units asked for between the location''s own midnight and decided_at.';
COMMENT ON COLUMN replenish.status.channel IS
'The channel that it sold most on in 28 days, where policy or prices ask for it.';
COMMENT ON COLUMN replenish.status.scenario IS
'How that channel sells, as the table channel says.';
COMMENT ON COLUMN replenish.status.units_at_risk IS
'Units expected to be asked for in the lead time that are neither available nor on order.';
COMMENT ON COLUMN replenish.status.gmv_at_risk IS
'units_at_risk times the price, in the shop''s own currency; NULL where no price is known.';
COMMENT ON COLUMN replenish.status.turnover IS
'How many times a year the stock on hand is sold at the expected demand of an order cycle; NULL with nothing on hand.';
COMMENT ON COLUMN replenish.status.rank_by IS
'What priority is, see policy.rank_by.';
COMMENT ON COLUMN replenish.status.priority IS
'What the item ranks by: units_at_risk, gmv_at_risk or turnover.';
COMMENT ON COLUMN replenish.status.velocity IS
'Units per hour asked for now, bursts included.';
COMMENT ON COLUMN replenish.status.sold_24h IS
'Units asked for in the 24 hours before decided_at.';
COMMENT ON COLUMN replenish.status.same_period IS
'Units asked for in the same 24 hours a week earlier.';
COMMENT ON COLUMN replenish.status.forecast IS
'Units expected to be asked for in lead time plus review period.';
COMMENT ON COLUMN replenish.status.forecast_sd IS
'Standard deviation of that demand, the lead time''s own included, units.';
COMMENT ON COLUMN replenish.status.threshold IS
'Reorder point: the units that are enough for lead time plus review period with the probability service_level.';
COMMENT ON COLUMN replenish.status.safety_stock IS
'threshold - forecast, units.';
COMMENT ON COLUMN replenish.status.target IS
'Order-up-to level: threshold plus the demand expected in an order cycle, and never below 1.5 thresholds, units.';
COMMENT ON COLUMN replenish.status.tier IS
'normal, yellow (position below 150 % of the threshold), orange (below 100 %) or red (below 50 %, or nothing available while it sells).';
COMMENT ON COLUMN replenish.status.stockout_eta IS
'When expected demand has eaten what is available; NULL beyond a year.';
COMMENT ON COLUMN replenish.status.cover IS
'stockout_eta - decided_at: how long the available stock lasts.';
COMMENT ON COLUMN replenish.status.order_by IS
'When expected demand takes the stock position to the threshold: the latest moment to order; NULL beyond a year.';
COMMENT ON COLUMN replenish.status.reorder_qty IS
'Units to order now; 0 while the position is not below the threshold.';
COMMENT ON COLUMN replenish.status.reason IS
'Why this tier: position, shelf, audience_surge, held, covered, no_demand or no_stock_record.';
COMMENT ON COLUMN replenish.status.epoch IS
'How many times the item has left normal.';
COMMENT ON COLUMN replenish.status.assumed IS
'Parameters that are defaults and not yet the shop''s own.';

CREATE VIEW replenish.sku_status AS
	SELECT s.sku, count(*) AS locations, sum(s.on_hand) AS on_hand,
		sum(s.reserved) AS reserved, sum(s.available) AS available,
		sum(s.on_order) AS on_order, sum(s.stock_position) AS stock_position,
		sum(s.velocity) AS velocity, sum(s.sold_24h) AS sold_24h,
		sum(s.same_period) AS same_period, sum(s.forecast) AS forecast,
		sum(s.threshold) AS threshold, sum(s.target) AS target,
		max(s.tier) AS worst_tier, min(s.stockout_eta) AS first_stockout_eta,
		min(s.order_by) AS order_by, sum(s.reorder_qty) AS reorder_qty,
		max(s.decided_at) AS decided_at,
		(array_agg(s.location ORDER BY s.tier DESC, s.stockout_eta, s.location)
			)[1] AS worst_location,
		sum(s.sold_today) AS sold_today, sum(s.gmv_at_risk) AS gmv_at_risk
	FROM replenish.status s
	GROUP BY s.sku;
COMMENT ON VIEW replenish.sku_status IS
'One row per SKU over all its locations and channels: quantities and rates are sums; worst_tier, first_stockout_eta and order_by are those of the location that is worst off, worst_location. Of many SKUs those with an alarm are found fastest by WHERE sku = ANY (ARRAY(SELECT sku FROM replenish.status WHERE tier >= ''orange'')).';

CREATE VIEW replenish.transfer AS
	SELECT k.sku, t.from_location, t.to_location, t.units, t.arrives_at
	FROM (SELECT DISTINCT i.sku FROM replenish.item i
		WHERE i.tier <> 'normal' AND i.lack > 0) k
	CROSS JOIN LATERAL replenish.transfers_of(k.sku) t;
COMMENT ON VIEW replenish.transfer IS
'What locations are to send each other, see transfers_of().';

CREATE VIEW replenish.supply AS
	SELECT i.sku, i.location, i.tier, i.lack, i.reorder_qty, s.*, i.decided_at
	FROM replenish.item i
	CROSS JOIN LATERAL replenish.supply_of(i.sku, i.location) s
	WHERE i.tier <> 'normal' AND i.lack > 0;
COMMENT ON VIEW replenish.supply IS
'One row per item that lacks something: lack is the units that it takes to the target, or where only the shelf will be empty, to the next arrival; reorder_qty what would be ordered. Before that transfer_qty units can come from transfer_from, all of them by transfer_arrives_at; buy_qty is still to be ordered then. The next supplier is named with its quantity, value and how much sooner it would be here; see supply_of().';

CREATE FUNCTION replenish.events_after(seq bigint, max integer DEFAULT 1000)
	RETURNS SETOF replenish.event
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF seq IS NULL THEN
		RAISE EXCEPTION 'argument "seq" must not be null'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Use 0 to read from the first event.';
	END IF;
	IF max IS NULL OR max < 0 THEN
		RAISE EXCEPTION 'argument "max" must not be negative or null'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY SELECT e.* FROM event e
		WHERE e.seq > events_after.seq ORDER BY e.seq LIMIT max;
END $$;
COMMENT ON FUNCTION replenish.events_after(bigint, integer) IS
'The events after a sequence number, oldest first, at most max. It writes nothing and works on a standby: remember the last seq and call again.';

-- A recount is one transaction: how far it is shows where its session says it.
CREATE FUNCTION replenish.counting()
	RETURNS TABLE (pid integer, started_at timestamptz, detail text)
	LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	BEGIN ATOMIC
		SELECT a.pid, a.xact_start,
			pg_catalog.regexp_replace(a.query, '^replenish is counting ', '')
		FROM pg_catalog.pg_stat_activity a
		WHERE a.datname = pg_catalog.current_database()
			AND a.state = 'active' AND a.query ~ '^replenish is counting ';
	END;
COMMENT ON FUNCTION replenish.counting() IS
'The sessions that recount a table now, and how many rows they have read. For the view progress.';

CREATE VIEW replenish.progress AS
	SELECT 'counting'::text AS phase, c.detail AS source, c.pid, c.started_at,
		NULL::bigint AS total, NULL::bigint AS done
	FROM replenish.counting() c
	UNION ALL
	SELECT 'appending', s.name, NULL, s.backfilled_at, s.found,
		s.found - b.rows
	FROM (SELECT b.source, count(*) AS rows FROM replenish.backlog b
		GROUP BY b.source) b
	JOIN replenish.source s ON s.id = b.source;
COMMENT ON VIEW replenish.progress IS
'Recounts on their way: phase counting, while backfill(), repair() or verify() read a table, with the rows read so far in source; phase appending, while the decider takes the differences that were found, done of total. Empty when all is done. What a crash interrupts while counting is to be called again; appending goes on by itself.';

CREATE FUNCTION replenish.worker_pid() RETURNS integer
	AS 'MODULE_PATHNAME', 'replenish_worker_pid'
	LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION replenish.worker_pid() IS
'The process id of this database''s worker; NULL where none lives.';

CREATE FUNCTION replenish.fault_hint(code text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE code
			WHEN 'missing_column' THEN 'A column that was watched is gone: unwatch the table and watch it again.'
			WHEN 'column_type' THEN 'A watched column has changed its type: unwatch the table and watch it again.'
			WHEN 'blank_sku' THEN 'The SKU is NULL or blank.'
			WHEN 'long_sku' THEN 'The SKU is longer than 255 bytes.'
			WHEN 'blank_order' THEN 'The key of the order is NULL or blank.'
			WHEN 'long_order' THEN 'The key of the order is longer than 255 bytes.'
			WHEN 'long_location' THEN 'The location is longer than 255 bytes.'
			WHEN 'long_channel' THEN 'The channel is longer than 255 bytes.'
			WHEN 'bad_quantity' THEN 'The quantity is NULL, NaN, infinite or beyond 1e12.'
			WHEN 'bad_moment' THEN 'The moment is NULL, infinite, before 1970 or after 2999.'
			WHEN 'sum_too_large' THEN 'The sum of the quantities is larger than any summary can hold.'
		END;
	END;
COMMENT ON FUNCTION replenish.fault_hint(text) IS
'What a fault''s code means; NULL for an unknown one.';

-- The worst that can be said of a source, if anything.
CREATE FUNCTION replenish.source_trouble(id integer, OUT detail text,
	OUT hint text, OUT tables bigint)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s source;
	w watched;
	silent text;
	lost text;
	other regclass;
	new_header regclass;
BEGIN
	SELECT * FROM source o WHERE o.id = source_trouble.id INTO s;
	SELECT * FROM watched o WHERE o.id = s.id INTO w;
	SELECT count(*) FILTER (WHERE t.relation <> t.root),
		min(t.relation::text) FILTER (WHERE NOT t.enabled)
			|| CASE WHEN count(*) FILTER (WHERE NOT t.enabled) > 1
				THEN format(' and %s others',
					count(*) FILTER (WHERE NOT t.enabled) - 1) ELSE '' END
	FROM watched_table t WHERE t.id = s.id INTO tables, silent;
	IF w.id IS NULL THEN
		detail := 'Its triggers are gone.';
		hint := format('Watch the table again, then CALL replenish.backfill(); or, where it is gone for good, UPDATE replenish.source SET active = false WHERE id = %s; SELECT replenish.touch(NULL, NULL);', s.id);
		RETURN;
	END IF;
	IF s.header IS NOT NULL AND w.header IS NULL THEN
		detail := format('Its header %s is gone, or its triggers are.', s.header);
		hint := format('SELECT replenish.unwatch(%L), watch it again, then CALL replenish.backfill(%1$L).', w.relation);
		RETURN;
	END IF;
	IF silent IS NOT NULL THEN
		detail := format('A trigger is missing or disabled on %s.', silent);
		hint := format('SELECT replenish.rewatch(%L); then CALL replenish.repair(%1$L).', w.relation);
		RETURN;
	END IF;
	detail := format('No row is counted: %s.', column_trouble(w.relation, w.id));
	IF column_trouble(w.relation, w.id) IS NOT NULL THEN
		hint := 'Unwatch the table, watch it again, then CALL replenish.backfill().';
		RETURN;
	END IF;
	SELECT i.inhparent::regclass FROM watched_part p
	JOIN pg_inherits i ON i.inhrelid = p.relation
	WHERE p.id = s.id ORDER BY 1 LIMIT 1 INTO other;
	IF other IS NULL AND s.watched_as <> s.name THEN
		SELECT o.relation FROM to_regclass(s.watched_as) o (relation)
		WHERE source_of(o.relation) IS NULL INTO other;
	END IF;
	IF other IS NULL AND s.header_as <> s.header THEN
		SELECT o.relation FROM to_regclass(s.header_as) o (relation)
		WHERE source_of(o.relation) IS NULL INTO new_header;
	END IF;
	SELECT string_agg(missing_statuses(s, p.relation), ', ') FROM watched_part p
	CROSS JOIN LATERAL part_columns(s, p.part) c
	WHERE p.id = s.id AND c.argument = 'status' INTO lost;
	IF other IS NOT NULL THEN
		detail := format('What is written to %s is not counted: it has taken the place of %s.', other, w.relation);
		hint := format('SELECT replenish.unwatch(%L), watch %s, then CALL replenish.backfill(%2$L).', w.relation, other);
	ELSIF new_header IS NOT NULL THEN
		detail := format('What is written to %s is not counted: it has taken the place of %s.', new_header, w.header);
		hint := format('SELECT replenish.unwatch(%L), watch it with header %s, then CALL replenish.backfill(%1$L).', w.relation, new_header);
	ELSIF s.backfilled_at IS NULL THEN
		detail := 'The rows from before the watch are not counted.';
		hint := format('CALL replenish.backfill(%L);', w.relation);
	ELSIF lost IS NOT NULL THEN
		detail := format('It counts rows of status %s, which is none any more.', lost);
		hint := format('SELECT replenish.unwatch(%L), watch it with its present statuses, then CALL replenish.backfill(%1$L).', w.relation);
	ELSIF s.stale IS NOT NULL THEN
		detail := format('Its sums may not be exact: %s.', s.stale);
		hint := format('CALL replenish.repair(%L);', w.relation);
	ELSE
		SELECT format('Its sums are not exact: the inbox could not take %s movements.', sum(l.rows)),
			format('CALL replenish.repair(%L);', w.relation)
		FROM lost l WHERE l.source = s.id HAVING count(*) > 0
		INTO detail, hint;
	END IF;
END $$;
COMMENT ON FUNCTION replenish.source_trouble(integer) IS
'What is wrong with a source in use, and what to do about it; NULL where nothing is. tables is how many partitions or children it is read from. For health().';

CREATE FUNCTION replenish.health()
	RETURNS TABLE (what text, ok boolean, since timestamptz, detail text,
		hint text)
	LANGUAGE plpgsql STABLE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	-- a lock is something to tell of
	SET lock_timeout = '500ms' AS $$
#variable_conflict use_column
DECLARE
	-- first what loads the library: the setting is known only then
	worker integer := worker_pid();
	mode text := current_setting('replenish.evaluate');
	d decider;
	waiting bigint;
	broken text;
	library text;
BEGIN
	SELECT * FROM decider INTO d;
	BEGIN
		library := library_version();
	EXCEPTION WHEN undefined_function THEN
		NULL;
	END;
	RETURN QUERY SELECT 'version', false, NULL::timestamptz,
		format('The loaded library is %s, the SQL is of version %s.',
			coalesce('of version ' || library, 'an older one'), e.extversion),
		'ALTER EXTENSION replenish UPDATE; sessions that are older than the new library are to connect again.'
	FROM pg_extension e
	WHERE e.extname = 'replenish' AND e.extversion IS DISTINCT FROM library;

	BEGIN
		broken := 'Table replenish.' || inbox_broken()
			|| ' is not as the library knows it.';
		SELECT count(*) FROM pending(clock(), NULL) INTO waiting;
	EXCEPTION WHEN lock_not_available THEN
		broken := format('It is locked: by %s.', coalesce(who_holds(ARRAY[
			'inbox_even'::regclass, 'inbox_odd', 'backlog'],
			'SHARE ROW EXCLUSIVE'), 'others'));
	END;

	RETURN QUERY SELECT 'worker', worker IS NOT NULL OR mode IN ('manual', 'immediate')
			OR pg_is_in_recovery(),
		CASE WHEN worker IS NULL THEN d.decided_at END,
		CASE WHEN worker IS NOT NULL THEN format('It runs as process %s.', worker)
			WHEN pg_is_in_recovery() THEN 'A standby has none.'
			ELSE format('None runs; replenish.evaluate is %s.', mode) END,
		CASE WHEN worker IS NULL AND mode IN ('auto', 'worker')
			THEN 'The next order starts it; see that max_worker_processes leaves a slot.' END;

	RETURN QUERY SELECT 'inbox', broken IS NULL AND (waiting = 0
			OR d.decided_at > now() - interval '1 minute'),
		d.decided_at, coalesce(broken,
			format('%s sums wait to be decided.', waiting)),
		CASE WHEN broken IS NOT NULL
			THEN 'Make it what it was, or end who locks it; then CALL replenish.repair() where a source says so.'
			WHEN waiting > 0 THEN 'The worker or replenish.tick() takes them.' END;

	RETURN QUERY SELECT * FROM failures();

	RETURN QUERY SELECT 'event trigger ' || e.evtname, false,
		NULL::timestamptz, 'It is disabled: what commands do to watched tables is not followed.',
		format('ALTER EVENT TRIGGER %I ENABLE ALWAYS; then see what else is said here, and CALL replenish.repair().', e.evtname)
	FROM pg_event_trigger e
	WHERE e.evtname IN ('replenish_follow', 'replenish_follow_drop')
		AND e.evtenabled <> 'A'
	ORDER BY e.evtname;

	RETURN QUERY SELECT 'announcing', true, d.live_at,
		CASE WHEN d.live_at IS NULL
			THEN 'A quiet start: tiers are decided, nothing is announced.'
			ELSE 'Every change of tier is announced.' END,
		CASE WHEN d.live_at IS NULL
			THEN 'SELECT replenish.go_live() when replenish.first_look() shows what it should.' END;

	RETURN QUERY SELECT 'clock', coalesce(d.clock <= now() + interval '1 minute', true),
		d.clock, CASE WHEN d.clock > now() + interval '1 minute'
			THEN 'The decider''s clock is ahead of the present.'
			ELSE 'The decider''s clock is not ahead of the present.' END,
		CASE WHEN d.clock > now() + interval '1 minute'
			THEN 'UPDATE replenish.decider SET clock = now(); then CALL replenish.repair().' END;

	RETURN QUERY SELECT 'source ' || s.name, h.detail IS NULL,
		coalesce(s.stale_since, (SELECT min(l.at) FROM lost l
			WHERE l.source = s.id), s.watched_at), coalesce(h.detail, CASE
			WHEN h.tables = 1 THEN 'It is watched, with one table below it.'
			WHEN h.tables > 1 THEN format('It is watched, with %s tables below it.',
				h.tables)
			ELSE 'It is watched.' END), h.hint
	FROM source s CROSS JOIN LATERAL source_trouble(s.id) h
	WHERE s.active ORDER BY s.id;

	RETURN QUERY SELECT format('fault %s of %s', f.code, coalesce(s.name, 'record_demand()')),
		false, f.first_at, format('%s rows are not counted.', f.rows),
		fault_hint(f.code) || coalesce((
			SELECT format(' Some may have gone with %s: CALL replenish.repair(%L).',
				min(u.name), s.name)
			FROM unread u WHERE u.source = f.source HAVING count(*) > 0), '')
	FROM fault f LEFT JOIN source s ON s.id = f.source
	WHERE f.rows > 0 ORDER BY f.source, f.code;

	RETURN QUERY SELECT format('fault future_moment of %s', coalesce(s.name, 'record_demand()')),
		false, NULL::timestamptz,
		format('%s sums are dated more than a day ahead, the last at %s.', count(*),
			to_timestamp(max(l.minute) * 60.0)),
		'They are counted when their minute comes, or corrected before.'
	FROM postponed l LEFT JOIN source s ON s.id = l.source
	WHERE l.minute > extract(epoch FROM clock() + interval '1 day') / 60
	GROUP BY l.source, s.name ORDER BY l.source;

	RETURN QUERY SELECT format('snapshots of %s', s.name),
		m.behind <= 2 * coalesce(r.gap, 1440) AND m.ahead IS NULL,
		to_timestamp(m.newest * 60.0),
		CASE WHEN m.ahead IS NOT NULL
			THEN format('The newest is dated %s, more than a day ahead.',
				to_timestamp(m.ahead * 60.0))
			ELSE format('The newest is %s old%s.', m.behind * interval '1 minute',
				CASE WHEN r.gap IS NOT NULL THEN format(', they usually come every %s',
					r.gap * interval '1 minute') END) END,
		CASE WHEN m.ahead IS NOT NULL THEN 'It is used when its moment comes, or corrected before.'
			WHEN m.behind > 2 * coalesce(r.gap, 1440) THEN 'What was ordered since is taken off, but nothing that came in is known: see why the feed stays away.' END
	FROM source s JOIN rhythm r ON r.source = s.id
	CROSS JOIN LATERAL (
		SELECT c.minute - n.newest AS behind, n.newest, n.ahead
		FROM (SELECT minute_of(clock()) AS minute) c
		CROSS JOIN LATERAL (
			SELECT max(t.minute) FILTER (WHERE t.minute <= c.minute) AS newest,
				max(t.minute) FILTER (WHERE t.minute > c.minute + 1440) AS ahead
			FROM item_stock t WHERE t.source = s.id AND t.rows > 0) n) m
	WHERE s.active ORDER BY s.id;

	RETURN QUERY SELECT 'sku_alias', false, NULL::timestamptz,
		format('%s aliases lead to a code that is an alias itself, such as %s.',
			count(*), min(format('%s -> %s', a.external_sku, a.sku))),
		'An alias is applied once: let it lead to the SKU.'
	FROM sku_alias a
	WHERE EXISTS (SELECT FROM sku_alias b WHERE b.external_sku = a.sku
		AND b.sku <> a.sku AND (a.channel IS NULL OR b.channel IS NULL
			OR b.channel = a.channel))
		AND a.external_sku <> a.sku
	HAVING count(*) > 0;

	RETURN QUERY SELECT 'notification queue', pg_notification_queue_usage() < 0.5,
		NULL::timestamptz,
		format('%s %% is used.', round((pg_notification_queue_usage() * 100)::numeric, 1)),
		CASE WHEN pg_notification_queue_usage() >= 0.5
			THEN 'A session that listens stays in a transaction: see pg_stat_activity.' END;
END $$;
COMMENT ON FUNCTION replenish.health() IS
'What works and what does not: ok, since when, the facts, and what to do. A fault is a row of a watched table that cannot be counted; it is gone when the row is corrected.';
