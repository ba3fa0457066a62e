---------------------------------------------------------------------------
-- Stock and demand of one item, gathered from the keys that it is known by.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.sold_since(clock timestamptz) RETURNS timestamptz
	-- not sql: it is asked at every tick, and would be planned each time
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF EXISTS (SELECT FROM replenish.source s
		WHERE s.active AND s.kind = 'stock' AND s.at IS NOT NULL) THEN
		RETURN clock - interval '192 hours';
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.sold_since(timestamptz) IS
'From when on demand is kept by the minute, eight days back, for snapshots of stock; NULL where no table of snapshots is watched.';

CREATE FUNCTION replenish.demand_of(sku text, location text)
	RETURNS TABLE (demand replenish.demand, "none" boolean)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
	BEGIN ATOMIC
		SELECT coalesce(replenish.item_demand_agg(d.demand, m.units), '{}'),
			count(*) = 0
		FROM replenish.raw_skus(demand_of.sku) r
		JOIN replenish.item_demand d ON d.sku = r.sku
		CROSS JOIN LATERAL replenish.real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL replenish.real_location(d.location, d.channel) p
		WHERE m.sku = demand_of.sku AND p.location = demand_of.location;
	END;
COMMENT ON FUNCTION replenish.demand_of(text, text) IS
'The demand summary of an item, from all codes, places and channels that lead to it; none where there are none.';

-- The units of each code that stock is kept under: a SKU's own and its aliases'.
CREATE FUNCTION replenish.stock_codes(sku text)
	RETURNS TABLE (sku text, units numeric)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
	BEGIN ATOMIC
		SELECT stock_codes.sku, 1::numeric
		WHERE NOT EXISTS (SELECT FROM replenish.sku_alias a
			WHERE a.external_sku = stock_codes.sku AND a.channel IS NULL)
		UNION ALL
		SELECT a.external_sku, a.units FROM replenish.sku_alias a
		WHERE a.sku = stock_codes.sku AND a.channel IS NULL;
	END;
COMMENT ON FUNCTION replenish.stock_codes(text) IS
'The codes whose stock is a SKU''s, with the units of it that one of each is.';

-- Of a table of snapshots the newest of each code counts, and what was ordered
-- since is taken off.  Not in line: shops without snapshots do not pay for it.
CREATE FUNCTION replenish.snapshot_of(sku text, location text,
	clock timestamptz, demand replenish.demand, waiting boolean,
	OUT known boolean, OUT counted numeric, OUT reserved numeric,
	OUT on_order numeric, OUT sold numeric, OUT snapshot_at timestamptz,
	OUT coming_at timestamptz, OUT overdue boolean)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	clock_minute integer := minute_of(snapshot_of.clock);
	since timestamptz := date_trunc('minute', sold_since(snapshot_of.clock));
	snapshot_minute integer;
	-- the last that is not taken off by the minute
	before_minute integer;
BEGIN
	SELECT count(n.minute) > 0, sum(n.on_hand * r.units),
		sum(n.reserved * r.units), sum(n.on_order * r.units), min(n.minute),
		to_timestamp(least(min(later.minute), min(n.minute + age.most + 1)
			FILTER (WHERE clock_minute - n.minute <= age.most)) * 60.0),
		coalesce(bool_or(clock_minute - n.minute > age.most), false)
	FROM stock_codes(snapshot_of.sku) r
	CROSS JOIN source o
	LEFT JOIN rhythm k ON k.source = o.id
	CROSS JOIN LATERAL (SELECT 2 * coalesce(k.gap, 1440) AS most) age
	LEFT JOIN LATERAL (
		SELECT t.minute, sum(t.on_hand) AS on_hand,
			sum(t.reserved) AS reserved, sum(t.on_order) AS on_order
		FROM (
			SELECT s.minute, s.on_hand, s.reserved, s.on_order, s.rows
			FROM item_stock s
			WHERE s.sku = r.sku AND s.location = snapshot_of.location
				AND s.source = o.id AND s.minute <= clock_minute
			UNION ALL
			SELECT p.minute, p.on_hand, p.reserved, p.on_order, p.amount
			FROM pending(snapshot_of.clock, NULL) p
			WHERE waiting AND p.kind = 'stock' AND p.sku = r.sku
				AND p.location = snapshot_of.location AND p.source = o.id
				AND p.minute <= clock_minute) t
		-- 0 is left from when the table held the present stock
		WHERE t.minute > 0
		GROUP BY t.minute HAVING sum(t.rows) > 0
		ORDER BY t.minute DESC LIMIT 1) n ON true
	LEFT JOIN LATERAL (SELECT min(s.minute) AS minute FROM item_stock s
		WHERE s.sku = r.sku AND s.location = snapshot_of.location
			AND s.source = o.id AND s.minute > clock_minute) later ON true
	WHERE o.active AND o.kind = 'stock' AND o.at IS NOT NULL
	INTO known, counted, reserved, on_order, snapshot_minute, coming_at,
		overdue;
	IF NOT known THEN
		RETURN;
	END IF;
	snapshot_at := to_timestamp(snapshot_minute * 60.0);
	-- what is older is kept for a while, and is in what comes last as well
	before_minute := greatest(snapshot_minute, minute_of(since) - 1);
	SELECT coalesce(sum(q.amount * m.units) / 1000000, 0)
	FROM (SELECT u.sku, u.location, u.channel, sum(u.amount) AS amount
		FROM (
			SELECT k.sku, k.location, k.channel, k.minute, k.amount
			FROM raw_skus(snapshot_of.sku) r JOIN sold k ON k.sku = r.sku
			WHERE k.minute > before_minute AND k.minute <= clock_minute
			UNION ALL
			SELECT p.sku, p.location, p.channel, p.minute, p.amount
			FROM raw_skus(snapshot_of.sku) r
			JOIN pending(snapshot_of.clock, since) p ON p.sku = r.sku
			WHERE waiting AND p.kind = 'sold' AND p.minute > before_minute
				AND p.minute <= clock_minute) u
		GROUP BY u.sku, u.location, u.channel) q
	CROSS JOIN LATERAL real_skus(q.sku, q.channel) m
	CROSS JOIN LATERAL real_location(q.location, q.channel) p
	WHERE m.sku = snapshot_of.sku AND p.location = snapshot_of.location
	INTO sold;
	-- what is not kept by the minute any more
	IF snapshot_at < since THEN
		sold := sold + coalesce(demand_velocity(snapshot_of.demand, since,
			since - snapshot_at) * extract(epoch FROM since - snapshot_at)::float8
			/ 3600, 0)::numeric;
	END IF;
END $$;
COMMENT ON FUNCTION replenish.snapshot_of(text, text, timestamptz, replenish.demand, boolean) IS
'An item''s stock in tables of snapshots at the clock, with or without what waits in the inbox: what was counted, and sold, the units ordered in the minutes after (exact for eight days, from then on as fine as its summary, demand, is). snapshot_at is the oldest of the snapshots that it rests on; overdue, whether one is older than twice the usual distance of its table, a day where that is not known yet; coming_at is when the next holds that is dated ahead, or when one becomes overdue.';

CREATE FUNCTION replenish.stock_of(sku text, location text, clock timestamptz,
	demand replenish.demand, waiting boolean)
	RETURNS TABLE (known boolean, on_hand numeric, reserved numeric,
		on_order numeric, counted numeric, sold numeric,
		snapshot_at timestamptz, coming_at timestamptz, overdue boolean)
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1
	BEGIN ATOMIC
		SELECT l.known OR coalesce(n.known, false),
			l.on_hand + coalesce(n.counted - n.sold, 0),
			l.reserved + coalesce(n.reserved, 0),
			l.on_order + coalesce(n.on_order, 0),
			l.on_hand + n.counted, n.sold, n.snapshot_at, n.coming_at,
			coalesce(n.overdue, false)
		FROM (
			SELECT count(*) > 0 AS known,
				coalesce(sum(t.on_hand * r.units), 0) AS on_hand,
				coalesce(sum(t.reserved * r.units), 0) AS reserved,
				coalesce(sum(t.on_order * r.units), 0) AS on_order
			FROM replenish.stock_codes(stock_of.sku) r
			CROSS JOIN LATERAL (
				SELECT s.source, s.on_hand, s.reserved, s.on_order
				FROM replenish.item_stock s
				WHERE s.sku = r.sku AND s.location = stock_of.location
					AND s.minute = 0
				UNION ALL
				SELECT p.source, p.on_hand, p.reserved, p.on_order
				FROM replenish.pending(stock_of.clock, NULL) p
				WHERE waiting AND p.kind = 'stock' AND p.minute = 0
					AND p.sku = r.sku AND p.location = stock_of.location) t
			JOIN replenish.source o
				ON o.id = t.source AND o.active AND o.at IS NULL) l
		LEFT JOIN LATERAL (
			SELECT * FROM replenish.snapshot_of(stock_of.sku,
				stock_of.location, stock_of.clock, stock_of.demand, waiting)
			WHERE EXISTS (SELECT FROM replenish.source s
				WHERE s.active AND s.kind = 'stock' AND s.at IS NOT NULL)) n
			ON true;
	END;
COMMENT ON FUNCTION replenish.stock_of(text, text, timestamptz, replenish.demand, boolean) IS
'The stock of an item at the clock over all watched tables and codes, with or without what waits in the inbox; where it rests on snapshots, on_hand is counted - sold, see snapshot_of(). demand is the item''s.';
