---------------------------------------------------------------------------
-- The first look at what was decided, and the end of the quiet start.
---------------------------------------------------------------------------

-- Whoever reads with more rights than its owner must run no code of theirs.
CREATE FUNCTION replenish.check_lines(s replenish.source, lines regclass,
	header regclass) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	part record;
BEGIN
	IF EXISTS (SELECT FROM pg_class c WHERE c.oid IN (lines, header)
		AND c.relkind NOT IN ('r', 'p')) THEN
		RAISE EXCEPTION 'the lines of orders are read from tables only'
			USING ERRCODE = 'wrong_object_type';
	END IF;
	FOR part IN SELECT CASE k.part WHEN 'header' THEN header ELSE lines END
			AS relation, c.argument, c.col
		FROM unnest('{lines,header}'::text[]) k (part)
		CROSS JOIN LATERAL part_columns(s, k.part) c
		WHERE k.part = 'lines' OR header IS NOT NULL
	LOOP
		PERFORM check_column(part.relation, part.col, part.argument);
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.check_lines(replenish.source, regclass, regclass) IS
'Raises an error unless both are tables (header may be NULL) and each column of the source is where it should be and has a type that can be read.';

CREATE FUNCTION replenish.recent_prices()
	RETURNS TABLE (sku text, price float8)
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s source;
	lines regclass;
	header regclass;
	sums text := '';
BEGIN
	FOR s IN SELECT o.* FROM source o
		WHERE o.active AND o.kind = 'orders' AND o.price IS NOT NULL
		ORDER BY o.id
	LOOP
		lines := (SELECT w.relation FROM watched w WHERE w.id = s.id);
		header := to_regclass(s.header);
		CONTINUE WHEN lines IS NULL OR (header IS NULL) <> (s.header IS NULL);
		BEGIN
			-- never wait, and the columns stay as they are checked
			EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE NOWAIT',
				concat_ws(', ', lines, header));
			PERFORM check_lines(s, lines, header);
			sums := concat_ws(' UNION ALL ', nullif(sums, ''), format(
				'SELECT r.sku, r.channel, r.qty, r.price::numeric AS price
				FROM (%s) r WHERE r.counts AND r.fault IS NULL
					AND r.header_fault IS NULL AND r.qty > 0
					AND r.price IS NOT NULL
					AND r.at >= $1 - interval ''90 days''',
				lines_query(s, lines, header)));
		EXCEPTION WHEN insufficient_privilege OR lock_not_available
			OR wrong_object_type OR undefined_table OR undefined_column
			OR datatype_mismatch OR feature_not_supported THEN
			CONTINUE;
		END;
	END LOOP;
	IF sums <> '' THEN
		-- a bundle's price is that of no SKU
		RETURN QUERY EXECUTE format('SELECT m.sku,
				(sum(t.money) / sum(t.qty * m.units))::float8
			FROM (SELECT r.sku, r.channel, sum(r.qty) AS qty,
					sum(r.qty * r.price) AS money
				FROM (%s) r GROUP BY r.sku, r.channel) t
			CROSS JOIN LATERAL (SELECT min(a.sku) AS sku,
					min(a.units) AS units
				FROM real_skus(t.sku, t.channel) a
				HAVING count(*) = 1) m
			GROUP BY m.sku', sums) USING clock();
	END IF;
END $$;
COMMENT ON FUNCTION replenish.recent_prices() IS
'The mean price of each SKU over the units ordered in the 90 days before the decider''s clock, bundles apart, from the watched tables with a price column that the caller may read; none from a table that is locked now. Prices are in the shop''s own money.';

CREATE FUNCTION replenish.first_look_why(known boolean, available numeric,
	on_order numeric, mean float8, days float8, missing float8,
	threshold float8) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN NOT known
			THEN pg_catalog.format('No watched stock table has it, and %s.', asked)
			WHEN missing > 0 THEN pg_catalog.format(
				'%s; %s. What is ordered now comes in %s days, and %s will be missing by then.',
				stock, asked, pg_catalog.round(days::numeric),
				pg_catalog.ceil(missing))
			ELSE pg_catalog.format(
				'%s; %s. That is enough for the %s days until a delivery, yet not for the safe level of %s.',
				stock, asked, pg_catalog.round(days::numeric),
				pg_catalog.ceil(threshold)) END
		FROM (SELECT
			CASE WHEN available < 0
				THEN pg_catalog.format('Sold out, %s are owed', -available)
				WHEN available = 0 THEN 'Sold out'
				ELSE pg_catalog.format('%s are left', available) END
			|| CASE WHEN on_order > 0
				THEN pg_catalog.format(', %s are on order', on_order)
				ELSE '' END AS stock,
			CASE WHEN coalesce(mean, 0) <= 0 THEN 'it does not sell now'
				WHEN mean < 0.95 * days THEN pg_catalog.format(
					'it sells one in %s days',
					pg_catalog.round((days / mean)::numeric))
				ELSE pg_catalog.format('it sells %s a day',
					pg_catalog.trim_scale(pg_catalog.round(
						(mean / days)::numeric, 1))) END AS asked) t;
	END;
COMMENT ON FUNCTION replenish.first_look_why(boolean, numeric, numeric, float8, float8, float8, float8) IS
'Why an item deserves attention, as a sentence; mean is the demand expected in so many days. For first_look().';

CREATE FUNCTION replenish.first_look(max integer DEFAULT 20)
	RETURNS TABLE (rank bigint, sku text, location text, tier replenish.tier,
		available numeric, on_order numeric, per_day float8,
		stockout_eta timestamptz, reorder_qty float8, price float8,
		money_at_risk float8, why text)
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
BEGIN
	IF first_look.max IS NULL OR first_look.max < 0 THEN
		RAISE EXCEPTION 'argument "max" must not be negative or null'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN QUERY
	WITH expected AS MATERIALIZED (
		SELECT i.*, trim_scale(i.on_hand - i.reserved) AS available,
			i.reason <> 'no_stock_record' AS known, t.days,
			coalesce(f.mean, 0) AS mean,
			greatest(coalesce(f.mean, 0) - (i.on_hand - i.reserved
				+ i.on_order)::float8, 0) AS missing
		FROM item i
		CROSS JOIN LATERAL (SELECT greatest(i.lead_time, interval '1 day')
			AS lead_time) l
		CROSS JOIN LATERAL (SELECT extract(epoch FROM l.lead_time)::float8
			/ 86400 AS days) t
		CROSS JOIN LATERAL demand_of(i.sku, i.location) history
		CROSS JOIN LATERAL demand_forecast(history.demand, i.decided_at,
			l.lead_time) f
		WHERE i.tier <> 'normal'
			OR i.forecast > 0 AND i.reason = 'no_stock_record'
	), ranked AS (
		SELECT row_number() OVER (ORDER BY e.known DESC, m.money DESC NULLS LAST,
				e.missing DESC, e.tier DESC, e.mean DESC, e.sku, e.location)
				AS rank, e.*, p.price, m.money
		FROM expected e
		LEFT JOIN recent_prices() p ON p.sku = e.sku
		CROSS JOIN LATERAL (SELECT CASE WHEN e.known
			THEN e.missing * p.price END AS money) m
		ORDER BY 1 LIMIT first_look.max
	)
	SELECT r.rank, r.sku, r.location, r.tier,
		CASE WHEN r.known THEN r.available END,
		CASE WHEN r.known THEN r.on_order END,
		round((r.mean / r.days)::numeric, 2)::float8,
		CASE WHEN r.known THEN r.stockout_eta END, r.reorder_qty,
		round(r.price::numeric, 2)::float8, round(r.money::numeric, 2)::float8,
		first_look_why(r.known, r.available, r.on_order, r.mean, r.days,
			r.missing, r.threshold)
	FROM ranked r ORDER BY r.rank;
END $$;
COMMENT ON FUNCTION replenish.first_look(integer) IS
'The items most worth attention at the last decision, at most max: those whose tier is not normal, by money at risk, which is price times the units that will be asked for within the lead time and are neither available nor on order. per_day: units expected per day of the lead time. Without prices, or where the caller may not read them, items rank by those units. Items that sell and have no stock record come last. Prices and money are in the shop''s own.';

CREATE FUNCTION replenish.go_live(as_of timestamptz DEFAULT now())
	RETURNS bigint
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp
	-- the same facts whoever calls
	SET timezone = 'UTC'
	SET extra_float_digits = 1 AS $$
DECLARE
	d decider;
	facts jsonb;
	worst tier;
BEGIN
	PERFORM become_decider();
	SELECT * FROM decider INTO d;
	IF d.live_at IS NOT NULL THEN
		RAISE NOTICE 'replenish is live already'
			USING DETAIL = format('It has announced every change of tier since %s.', d.live_at);
		RETURN NULL;
	END IF;
	-- what is found now is in the summary; ends with this function
	PERFORM set_config('replenish.quiet_start', 'on', true);
	LOOP
		PERFORM tick(as_of);
		EXIT WHEN NOT backlog_waits() AND NOT EXISTS (SELECT FROM undecided);
	END LOOP;
	INSERT INTO decider AS o (clock, started_at, last_seq, decided_at, live_at)
	VALUES (as_of, as_of, 1, clock_timestamp(), as_of)
	ON CONFLICT (one) DO UPDATE SET last_seq = o.last_seq + 1,
		live_at = greatest(o.clock, as_of)
	RETURNING * INTO d;

	SELECT coalesce(max(i.tier), 'normal'), jsonb_build_object(
		'items', count(*),
		'normal', count(*) FILTER (WHERE i.tier = 'normal'),
		'yellow', count(*) FILTER (WHERE i.tier = 'yellow'),
		'orange', count(*) FILTER (WHERE i.tier = 'orange'),
		'red', count(*) FILTER (WHERE i.tier = 'red'),
		'without_stock', count(*) FILTER (WHERE i.reason = 'no_stock_record'),
		'items_to_order', count(*) FILTER (WHERE i.reorder_qty > 0),
		'units_to_order', coalesce(sum(i.reorder_qty), 0))
	FROM item i INTO worst, facts;
	-- in their order, but without prices: events have other readers
	facts := facts || jsonb_build_object('first_look', (
		SELECT coalesce(jsonb_agg(jsonb_build_object('sku', l.sku,
			'location', l.location, 'tier', l.tier, 'available', l.available,
			'on_order', l.on_order, 'stockout_eta', l.stockout_eta,
			'reorder_qty', l.reorder_qty) ORDER BY l.rank), '[]')
		FROM first_look(20) l));
	INSERT INTO event (seq, type, epoch, from_tier, to_tier, reason,
		occurred_at, facts)
	VALUES (d.last_seq, 'io.replenish.summary.v1', 0, 'normal', worst,
		'go_live', d.live_at, facts);
	PERFORM announce(d.last_seq, d.last_seq);
	RETURN d.last_seq;
END $$;
COMMENT ON FUNCTION replenish.go_live(timestamptz) IS
'Ends the quiet start: decides as tick(as_of) does, and announces what was found as one event of type io.replenish.summary.v1, whose number it returns; from then on every change of tier is announced. Where that is so already it says so and returns NULL. Waits for another decider; refused in REPEATABLE READ and SERIALIZABLE transactions.';
