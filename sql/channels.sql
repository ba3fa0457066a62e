---------------------------------------------------------------------------
-- Channels: what each sells now, what is set aside for it, and what is left
-- for it of each item.
---------------------------------------------------------------------------

CREATE TABLE replenish.channel_allotment (
	sku text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	location text COLLATE "C" NOT NULL DEFAULT 'default'
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	channel text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	units numeric NOT NULL CHECK (units >= 0 AND units <= 1000000000000),
	since timestamptz NOT NULL DEFAULT pg_catalog.now()
		CHECK (pg_catalog.isfinite(since)),
	PRIMARY KEY (sku, location, channel)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.channel_allotment', '');

COMMENT ON TABLE replenish.channel_allotment IS
'Units of an item that are set aside for a channel: it sells them first and no other is to sell them. What it has sold since is taken off; then it sells of the free units like all others.';
COMMENT ON COLUMN replenish.channel_allotment.since IS
'From when on what the channel sells is taken off units: to the minute for an hour, then as fine as the summary is.';

CREATE FUNCTION replenish.allotment_left(allotment replenish.channel_allotment,
	clock timestamptz) RETURNS float8
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	span interval := clock - allotment.since;
BEGIN
	IF span <= '0' THEN
		RETURN allotment.units;
	END IF;
	RETURN greatest(0, allotment.units - coalesce(demand_velocity(
			channel_demand(allotment.sku, allotment.location,
				allotment.channel), clock, span)
		* extract(epoch FROM span)::float8 / 3600, 0));
END $$;
COMMENT ON FUNCTION replenish.allotment_left(replenish.channel_allotment, timestamptz) IS
'Units of an allotment that its channel has not sold by the clock.';

CREATE FUNCTION replenish.set_aside(sku text, location text,
	clock timestamptz) RETURNS float8
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT sum(allotment_left(a, clock)) FROM channel_allotment a
		WHERE a.sku = set_aside.sku AND a.location = set_aside.location);
END $$;
COMMENT ON FUNCTION replenish.set_aside(text, text, timestamptz) IS
'Units of an item that are set aside for channels and not yet sold by them; NULL where nothing was set aside.';

-- Each channel sells what is its own, then of what is free.  Over time the
-- channels join those that live on the free units one after the other.
CREATE FUNCTION replenish.channels_of(sku text, location text)
	RETURNS TABLE (channel text, velocity float8, sold_24h float8,
		share float8, set_aside float8, left_for_it float8, gone boolean,
		gone_at timestamptz, eats text[])
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 3
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	i item;
	available float8;
	kept float8;				-- share of what is set aside that is there
	free float8;
	names text[];
	speeds float8[];
	days float8[];
	own float8[];
	ends float8[];				-- hours until its own are sold
	hours float8 := 0;
	until float8;				-- hours until the free units are gone
	rate float8 := 0;			-- at which they are sold
	n integer;
BEGIN
	SELECT * FROM item t
	WHERE t.sku = channels_of.sku AND t.location = channels_of.location INTO i;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	available := i.on_hand - i.reserved;
	SELECT array_agg(c.channel ORDER BY c.ends, c.channel),
		array_agg(c.speed ORDER BY c.ends, c.channel),
		array_agg(c.day ORDER BY c.ends, c.channel),
		array_agg(c.own ORDER BY c.ends, c.channel),
		array_agg(c.ends ORDER BY c.ends, c.channel)
	FROM (
		SELECT k.channel, v.speed, 24 * coalesce(demand_velocity(v.demand,
				i.decided_at, interval '24 hours'), 0) AS day,
			o.own, CASE WHEN o.own = 0 THEN 0 WHEN v.speed > 0
				THEN o.own / v.speed ELSE 'Infinity' END AS ends
		FROM (
			SELECT d.channel FROM raw_skus(i.sku) r
			JOIN item_demand d ON d.sku = r.sku
			CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
			CROSS JOIN LATERAL real_location(d.location, d.channel) p
			WHERE m.sku = i.sku AND p.location = i.location
			UNION
			SELECT a.channel FROM channel_allotment a
			WHERE a.sku = i.sku AND a.location = i.location) k
		CROSS JOIN LATERAL (SELECT channel_demand(i.sku, i.location,
			k.channel) AS demand) x
		CROSS JOIN LATERAL (SELECT x.demand,
			demand_velocity(x.demand, i.decided_at) AS speed) v
		CROSS JOIN LATERAL (SELECT coalesce((SELECT
				allotment_left(a, i.decided_at)
			FROM channel_allotment a WHERE a.sku = i.sku
				AND a.location = i.location AND a.channel = k.channel), 0)
			AS own) o) c
	INTO names, speeds, days, own, ends;
	IF names IS NULL THEN
		RETURN;
	END IF;
	-- more was set aside than there is: all get the same share of theirs
	free := available - (SELECT sum(o) FROM unnest(own) o);
	kept := CASE WHEN free < 0 THEN greatest(0, available)
		/ (available - free) ELSE 1 END;
	free := greatest(0, free);
	IF kept < 1 THEN
		ends := ARRAY(SELECT CASE WHEN e = 'Infinity' THEN e ELSE e * kept END
			FROM unnest(ends) e);
	END IF;
	-- when the free units end
	FOR n IN 1 .. cardinality(names) LOOP
		EXIT WHEN ends[n] = 'Infinity';
		IF rate > 0 AND hours + free / rate <= ends[n] THEN
			EXIT;
		END IF;
		free := free - rate * (ends[n] - hours);
		hours := ends[n];
		rate := rate + greatest(0, speeds[n]);
	END LOOP;
	until := CASE WHEN rate > 0 THEN hours + greatest(0, free) / rate
		ELSE 'Infinity' END;
	free := greatest(0, available - (SELECT sum(o) FROM unnest(own) o));
	FOR n IN 1 .. cardinality(names) LOOP
		channel := names[n];
		velocity := speeds[n];
		sold_24h := days[n];
		share := days[n] / nullif((SELECT sum(d) FROM unnest(days) d), 0);
		set_aside := own[n];
		left_for_it := own[n] * kept + free;
		gone := left_for_it <= 0;
		hours := greatest(ends[n], until);
		gone_at := CASE WHEN gone THEN i.decided_at
			WHEN speeds[n] > 0 AND hours <= 366 * 24
				THEN i.decided_at + hours * interval '1 hour' END;
		eats := CASE WHEN speeds[n] > 0 AND hours <= 366 * 24 THEN (
			SELECT array_agg(o.name ORDER BY o.name)
			FROM unnest(names, ends, own) o (name, ends, own)
			WHERE o.name <> names[n] AND o.own > 0 AND kept > 0
				AND o.ends > hours) END;
		RETURN NEXT;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.channels_of(text, text) IS
'What an item''s channels sell, and what is left for each, as of its last decision: velocity in units per hour, sold_24h in units and the channel''s share of that; set_aside is what it has not sold of its allotment; left_for_it adds the free units, which are available less all that is set aside; where more is set aside than there is, each keeps the same share of its own. gone: nothing is left for it. gone_at: when, if all go on selling like this and each sells its own first; NULL beyond a year. eats: the channels whose units are all that it could sell from then on.';

CREATE VIEW replenish.channel_item AS
	SELECT i.sku, i.location, c.channel, c.velocity, c.sold_24h, c.share,
		c.set_aside, c.left_for_it, c.gone, c.gone_at, c.eats, i.tier,
		i.decided_at
	FROM replenish.item i
	CROSS JOIN LATERAL replenish.channels_of(i.sku, i.location) c;
COMMENT ON VIEW replenish.channel_item IS
'One row per item and channel: what the channel sells of it, what is left for it, when that is gone, and whose units it would sell from then on; see channels_of(). Where gone and tier is normal, the total looks well and the channel is sold out.';

CREATE FUNCTION replenish.channel_orders(span interval DEFAULT '10 minutes')
	RETURNS TABLE (channel text, orders bigint, lines bigint)
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	s source;
	relation regclass;
	header regclass;
	sums text := '';
BEGIN
	IF span IS NULL OR NOT is_span(span) OR span = '0' THEN
		RAISE EXCEPTION 'argument "span" must be positive and without months'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	FOR s IN SELECT o.* FROM source o
		WHERE o.active AND o.kind = 'orders' ORDER BY o.id
	LOOP
		relation := (SELECT w.relation FROM watched w WHERE w.id = s.id);
		header := to_regclass(s.header);
		CONTINUE WHEN relation IS NULL
			OR (header IS NULL) <> (s.header IS NULL);
		BEGIN
			EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE NOWAIT',
				concat_ws(', ', relation, header));
			PERFORM check_lines(s, relation, header);
			-- the column itself, for its index
			sums := concat_ws(' UNION ALL ', nullif(sums, ''), format(
				'SELECT r.channel, coalesce(r.order_key, %L || row_number()
						OVER ()) AS order_key
				FROM (%s %s) r WHERE r.counts AND r.fault IS NULL
					AND r.header_fault IS NULL AND r.qty > 0
					AND r.at > $1 - $2 AND r.at <= $1',
				s.id || ':', lines_query(s, relation, header),
				CASE base_type(CASE line_side(s, 'at') WHEN 'h' THEN header
						ELSE relation END, s.at)
					WHEN 'timestamp with time zone' THEN
						format('WHERE %s.%I > $1 - $2', line_side(s, 'at'),
							s.at)
					ELSE '' END));
		EXCEPTION WHEN insufficient_privilege OR lock_not_available
			OR wrong_object_type OR undefined_table OR undefined_column
			OR datatype_mismatch OR feature_not_supported THEN
			CONTINUE;
		END;
	END LOOP;
	IF sums <> '' THEN
		RETURN QUERY EXECUTE format('SELECT t.channel,
				count(DISTINCT t.order_key), count(*)
			FROM (%s) t GROUP BY t.channel', sums) USING clock(), span;
	END IF;
END $$;
COMMENT ON FUNCTION replenish.channel_orders(interval) IS
'How many orders came on each channel in the span before the decider''s clock, and how many lines they had, read from those watched tables of orders that the caller may read and that nobody locks; a table without headers has an order in each row. An index on the time of the orders makes it quick.';

CREATE VIEW replenish.channel_status AS
	SELECT c.channel, k.scenario,
		o.orders / 10.0 AS orders_per_minute,
		c.velocity / 60 AS units_per_minute,
		c.money / 60 AS money_per_minute,
		c.sold_24h, c.sold_24h / nullif(sum(c.sold_24h) OVER (), 0) AS share,
		c.skus
	FROM (
		SELECT d.channel, count(DISTINCT m.sku) AS skus,
			sum(v.velocity * m.units) AS velocity,
			sum(v.velocity * m.units * p.price) AS money,
			24 * sum(replenish.demand_velocity(d.demand, replenish.clock(),
				interval '24 hours') * m.units) AS sold_24h
		FROM replenish.item_demand d
		CROSS JOIN LATERAL (SELECT
			replenish.demand_velocity(d.demand, replenish.clock())
				AS velocity) v
		CROSS JOIN LATERAL replenish.real_skus(d.sku, d.channel) m
		LEFT JOIN LATERAL replenish.price_of(m.sku, d.channel) p ON true
		GROUP BY d.channel) c
	LEFT JOIN replenish.channel k ON k.channel = c.channel
	LEFT JOIN replenish.channel_orders(interval '10 minutes') o
		ON o.channel = c.channel;
COMMENT ON VIEW replenish.channel_status IS
'One row per channel, at the decider''s clock: orders per minute in the last ten minutes (see channel_orders(); NULL without any or where they may not be read), units and money per minute at the present velocity (money of the SKUs with a price, NULL where none has one), units of the last 24 hours and the channel''s share of them, and how many SKUs it sells. It reads the demand of all items.';

CREATE VIEW replenish.room AS
	SELECT r.channel, nullif(r.sku, '') AS sku,
		CASE WHEN l.live THEN r.viewers END AS viewers, r.usual,
		CASE WHEN l.live THEN r.ratio END AS ratio,
		replenish.elasticity(r.evidence, r.moved_with) AS elasticity,
		r.evidence, r.seen_at
	FROM replenish.room_state r
	CROSS JOIN LATERAL (SELECT r.seen_at > replenish.clock()
		- interval '10 minutes' AS live) l;
COMMENT ON VIEW replenish.room IS
'One row per room: viewers now, how many are usual at this hour, their ratio (NULL where nobody counted for ten minutes, or where too little is known), the elasticity with which its sales move and the evidence for that, and when somebody last counted.';
