---------------------------------------------------------------------------
-- Stock and demand of one item, gathered from the keys that it is known by.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.sold_since(clock timestamptz) RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT clock - interval '192 hours'
		WHERE EXISTS (SELECT FROM replenish.source s
			WHERE s.active AND s.kind = 'stock' AND s.at IS NOT NULL);
	END;
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

-- Of a table of snapshots the newest of each code counts, of other tables the
-- sum; several tables and codes add up.
CREATE FUNCTION replenish.stock_of(sku text, location text, clock timestamptz,
	waiting boolean)
	RETURNS TABLE (known boolean, on_hand numeric, reserved numeric,
		on_order numeric, snapshot_at timestamptz, coming_at timestamptz,
		overdue boolean)
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1
	BEGIN ATOMIC
		SELECT count(n.minute) > 0,
			coalesce(sum(n.on_hand * r.units), 0),
			coalesce(sum(n.reserved * r.units), 0),
			coalesce(sum(n.on_order * r.units), 0),
			pg_catalog.to_timestamp(min(nullif(n.minute, 0)) * 60.0),
			pg_catalog.to_timestamp(min(later.minute) * 60.0),
			coalesce(bool_or(n.overdue), false)
		FROM (SELECT stock_of.sku AS raw, 1::numeric AS units
			WHERE NOT EXISTS (SELECT FROM replenish.sku_alias a
				WHERE a.external_sku = stock_of.sku AND a.channel IS NULL)
			UNION ALL
			SELECT a.external_sku, a.units FROM replenish.sku_alias a
			WHERE a.sku = stock_of.sku AND a.channel IS NULL) r
		CROSS JOIN replenish.source o
		LEFT JOIN replenish.rhythm k ON k.source = o.id
		CROSS JOIN LATERAL (SELECT pg_catalog.floor(extract(epoch
			FROM stock_of.clock) / 60)::integer AS minute) c
		LEFT JOIN LATERAL (
			SELECT t.minute, sum(t.on_hand) AS on_hand,
				sum(t.reserved) AS reserved, sum(t.on_order) AS on_order,
				t.minute > 0 AND c.minute - t.minute
					> 2 * coalesce(k.gap, 1440) AS overdue
			FROM (
				SELECT s.minute, s.on_hand, s.reserved, s.on_order, s.rows
				FROM replenish.item_stock s
				WHERE s.sku = r.raw AND s.location = stock_of.location
					AND s.source = o.id
				UNION ALL
				SELECT p.minute, p.on_hand, p.reserved, p.on_order, p.amount
				FROM replenish.pending(stock_of.clock, NULL) p
				WHERE waiting AND p.kind = 'stock' AND p.sku = r.raw
					AND p.location = stock_of.location AND p.source = o.id) t
			WHERE t.minute <= c.minute AND (t.minute = 0) = (o.at IS NULL)
			GROUP BY t.minute
			HAVING o.at IS NULL OR sum(t.rows) > 0
			ORDER BY t.minute DESC LIMIT 1) n ON true
		LEFT JOIN LATERAL (SELECT min(s.minute) AS minute
			FROM replenish.item_stock s
			WHERE o.at IS NOT NULL AND s.sku = r.raw
				AND s.location = stock_of.location AND s.source = o.id
				AND s.minute > c.minute) later ON true
		WHERE o.active AND o.kind = 'stock';
	END;
COMMENT ON FUNCTION replenish.stock_of(text, text, timestamptz, boolean) IS
'The stock of an item at the clock, with or without what waits in the inbox; snapshot_at is the oldest of the snapshots that it rests on (NULL: none), overdue whether one of them is older than twice the usual distance of its table, a day where that is not known yet; coming_at is when the next one that is dated ahead is to be used.';

CREATE FUNCTION replenish.sold_of(sku text, location text,
	snapshot_at timestamptz, clock timestamptz, demand replenish.demand,
	waiting boolean) RETURNS TABLE (units numeric)
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1
	BEGIN ATOMIC
		SELECT CASE WHEN snapshot_at IS NULL THEN 0 ELSE
			coalesce((SELECT sum(q.amount * m.units) / 1000000
				FROM (SELECT s.sku, s.location, s.channel,
						sum(s.amount) AS amount
					FROM replenish.raw_skus(sold_of.sku) r
					CROSS JOIN LATERAL (
						SELECT k.sku, k.location, k.channel, k.minute, k.amount
						FROM replenish.sold k WHERE k.sku = r.sku
						UNION ALL
						SELECT p.sku, p.location, p.channel, p.minute, p.amount
						FROM replenish.pending(sold_of.clock,
							replenish.sold_since(sold_of.clock)) p
						WHERE waiting AND p.kind = 'sold' AND p.sku = r.sku) s
					WHERE s.minute > pg_catalog.floor(extract(epoch
							FROM snapshot_at) / 60)::integer
						AND s.minute <= pg_catalog.floor(extract(epoch
							FROM sold_of.clock) / 60)::integer
					GROUP BY s.sku, s.location, s.channel) q
				CROSS JOIN LATERAL replenish.real_skus(q.sku, q.channel) m
				CROSS JOIN LATERAL
					replenish.real_location(q.location, q.channel) p
				WHERE m.sku = sold_of.sku
					AND p.location = sold_of.location), 0)
			-- what is not kept by the minute any more
			+ CASE WHEN snapshot_at < replenish.sold_since(sold_of.clock) THEN
				coalesce(replenish.demand_velocity(sold_of.demand,
					replenish.sold_since(sold_of.clock),
					replenish.sold_since(sold_of.clock) - snapshot_at)
					* extract(epoch FROM replenish.sold_since(sold_of.clock)
						- snapshot_at)::float8 / 3600, 0)::numeric
				ELSE 0 END
			END;
	END;
COMMENT ON FUNCTION replenish.sold_of(text, text, timestamptz, timestamptz, replenish.demand, boolean) IS
'Units of an item that were ordered in the minutes after a snapshot: exact for eight days, from then on as fine as its summary is; with or without what waits in the inbox; 0 without a snapshot.';
