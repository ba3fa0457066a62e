---------------------------------------------------------------------------
-- Inbound: what is on its way, and how long it took to come before.
---------------------------------------------------------------------------

-- Open purchase orders, kept under the keys of their tables like stock.
CREATE TABLE replenish.item_inbound (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	minute integer NOT NULL,
	route text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	amount bigint NOT NULL,
	PRIMARY KEY (sku, location, minute, route, source)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('replenish.item_inbound', '');

COMMENT ON TABLE replenish.item_inbound IS
'Units on order and not yet received in micro-units, by the minute since 1970 UTC in which they are expected; 0 where that is not said.';

-- Receipts, exactly; what they say of their route is summed in route_record.
CREATE TABLE replenish.receipt (
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	route text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	late boolean NOT NULL,
	minutes integer NOT NULL,
	rows bigint NOT NULL,
	PRIMARY KEY (sku, location, route, source, late, minutes)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('replenish.receipt', '');

COMMENT ON TABLE replenish.receipt IS
'How many purchase orders were received so many minutes after they were ordered, and whether after they were expected.';

CREATE TABLE replenish.route_record (
	location text COLLATE "C" NOT NULL,
	route text COLLATE "C" NOT NULL,
	lead_time replenish.lead_time NOT NULL,
	late bigint NOT NULL,
	PRIMARY KEY (location, route)
) WITH (fillfactor = 80);
SELECT pg_catalog.pg_extension_config_dump('replenish.route_record', '');

COMMENT ON TABLE replenish.route_record IS
'What the receipts say of each route to each location: its lead times, and how many of them were late. With location blank a route to all locations, with both blank all routes.';

-- Receipts of one kind, or with a negative number what is taken back of them.
CREATE FUNCTION replenish.lead_time_of(minutes integer, rows bigint)
	RETURNS replenish.lead_time
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE WHEN rows < 0 THEN replenish.lead_time_minus('{}', r.lead_time)
			ELSE r.lead_time END
		FROM (SELECT coalesce(replenish.lead_time_agg(
				timestamptz 'epoch', timestamptz 'epoch'
					+ interval '1 minute' * minutes), '{}') AS lead_time
			FROM pg_catalog.generate_series(1, abs(rows))) r;
	END;
COMMENT ON FUNCTION replenish.lead_time_of(integer, bigint) IS
'The record of so many receipts, each so many minutes after it was ordered; of a negative number, what takes them back.';

-- Not in line: shops without purchase orders do not pay for it.
CREATE FUNCTION replenish.fold_inbound(kind text, source integer, sku text,
	location text, route text, minute integer, amount bigint)
	RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	IF kind = 'inbound' THEN
		INSERT INTO item_inbound AS i (sku, location, minute, route, source,
			amount)
		VALUES (fold_inbound.sku, fold_inbound.location, fold_inbound.minute,
			fold_inbound.route, fold_inbound.source, fold_inbound.amount)
		ON CONFLICT ON CONSTRAINT item_inbound_pkey DO UPDATE
			SET amount = fitting_sum(i.amount, excluded.amount);
		RETURN;
	END IF;
	INSERT INTO receipt AS r (sku, location, route, source, late, minutes,
		rows)
	VALUES (fold_inbound.sku, fold_inbound.location, fold_inbound.route,
		fold_inbound.source, kind = 'late', fold_inbound.minute,
		fold_inbound.amount)
	ON CONFLICT ON CONSTRAINT receipt_pkey DO UPDATE
		SET rows = r.rows + excluded.rows;
	INSERT INTO route_record AS r (location, route, lead_time, late)
	SELECT l.location, l.route, lead_time_of(minute, amount),
		CASE WHEN kind = 'late' THEN fold_inbound.amount ELSE 0 END
	FROM (VALUES (fold_inbound.location, fold_inbound.route),
		('', fold_inbound.route), ('', '')) l (location, route)
	ON CONFLICT ON CONSTRAINT route_record_pkey DO UPDATE
		SET lead_time = r.lead_time + excluded.lead_time,
			late = r.late + excluded.late;
END $$;
COMMENT ON FUNCTION replenish.fold_inbound(text, integer, text, text, text, integer, bigint) IS
'Adds one row of drain() about purchase orders to the state: kind inbound, what is on order; on time and late, receipts. For the decider only.';

-- What is summed twice may differ once somebody has written to it.
CREATE FUNCTION replenish.remove_damaged_routes() RETURNS bigint
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF coalesce((SELECT sum(r.rows) FROM receipt r), 0) = coalesce((
			SELECT lead_time_n(w.lead_time) + lead_time_impossible(w.lead_time)
			FROM route_record w WHERE w.location = '' AND w.route = ''), 0) THEN
		RETURN 0;
	END IF;
	PERFORM become_decider();
	DELETE FROM route_record;
	INSERT INTO route_record (location, route, lead_time, late)
	SELECT coalesce(r.location, ''), coalesce(r.route, ''),
		coalesce(lead_time_merge(lead_time_of(r.minutes, r.rows)), '{}'),
		coalesce(sum(r.rows) FILTER (WHERE r.late), 0)
	FROM receipt r
	GROUP BY GROUPING SETS ((r.location, r.route), (r.route), ());
	RETURN 1;
END $$;
COMMENT ON FUNCTION replenish.remove_damaged_routes() IS
'Sums route_record anew where it has not as many receipts as there are, and says whether. For repair().';

CREATE FUNCTION replenish.prune_inbound() RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	DELETE FROM item_inbound WHERE amount = 0;
	DELETE FROM receipt WHERE rows = 0;
END $$;
COMMENT ON FUNCTION replenish.prune_inbound() IS
'Removes purchase orders that came and receipts that were taken back. For the decider only.';

-- The route on which most of an item's orders came or will come is its own.
CREATE FUNCTION replenish.inbound_of(sku text, location text,
	clock timestamptz, waiting boolean, OUT on_order numeric,
	OUT next_arrival_at timestamptz, OUT overdue numeric, OUT route text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	clock_minute integer := minute_of(inbound_of.clock);
BEGIN
	SELECT sum(b.units), to_timestamp(60.0 * min(b.minute)
			FILTER (WHERE b.units > 0 AND b.minute >= clock_minute)),
		sum(b.units) FILTER (WHERE b.minute BETWEEN 1 AND clock_minute - 1)
	FROM (
		SELECT o.minute, trim_scale(sum(o.amount * c.units) / 1000000) AS units
		FROM stock_codes(inbound_of.sku) c
		CROSS JOIN LATERAL (
			SELECT i.source, i.minute, i.amount FROM item_inbound i
			WHERE i.sku = c.sku AND i.location = inbound_of.location
			UNION ALL
			SELECT p.source, p.minute, p.amount
			FROM pending(inbound_of.clock, NULL) p
			WHERE waiting AND p.kind = 'inbound' AND p.sku = c.sku
				AND p.location = inbound_of.location) o
		JOIN source s ON s.id = o.source AND s.active
		GROUP BY o.minute HAVING sum(o.amount) <> 0) b
	INTO on_order, next_arrival_at, overdue;
	SELECT w.route FROM (
		SELECT r.route, r.rows FROM stock_codes(inbound_of.sku) c
		JOIN receipt r ON r.sku = c.sku AND r.location = inbound_of.location
		UNION ALL
		SELECT i.route, 1 FROM stock_codes(inbound_of.sku) c
		JOIN item_inbound i
			ON i.sku = c.sku AND i.location = inbound_of.location
			AND i.amount > 0) w
	GROUP BY w.route ORDER BY sum(w.rows) DESC, w.route LIMIT 1
	INTO route;
END $$;
COMMENT ON FUNCTION replenish.inbound_of(text, text, timestamptz, boolean) IS
'The open purchase orders of an item at the clock, with or without what waits in the inbox: units on order, NULL where there are none; when the next of them comes, by its expected date; units that are overdue, whose date says nothing any more. route is the one on which most of its orders came or will come; NULL where there are none.';

CREATE FUNCTION replenish.route_of(location text, route text,
	OUT lead_time interval, OUT lead_time_sd interval, OUT receipts bigint,
	OUT late_share float8)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	own route_record;
	parent route_record;
	whole route_record;
	days record;
BEGIN
	SELECT * FROM route_record r WHERE r.location = '' AND r.route = ''
	INTO whole;
	IF coalesce(lead_time_n(whole.lead_time), 0) <= 0 THEN
		RETURN;
	END IF;
	SELECT * FROM route_record r
	WHERE r.location = route_of.location AND r.route = route_of.route INTO own;
	SELECT * FROM route_record r
	WHERE r.location = '' AND r.route = route_of.route INTO parent;
	days := lead_time_estimate(own.lead_time, parent.lead_time,
		whole.lead_time);
	lead_time := least(days.mean, 366) * interval '24 hours';
	lead_time_sd := least(days.sd, 366) * interval '24 hours';
	receipts := coalesce(lead_time_n(own.lead_time), 0);
	late_share := CASE WHEN receipts > 0
		THEN least(1, greatest(0, own.late::float8 / receipts)) END;
END $$;
COMMENT ON FUNCTION replenish.route_of(text, text) IS
'What the receipts of a route to a location say of the next one: mean and standard deviation of its lead time, leaning on the route to all locations and on all routes, see lead_time_estimate(), at most 366 days; how many receipts it has of its own, and which share of those came late. NULL where nothing was received on any route.';
