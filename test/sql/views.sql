-- status, sku_status, explain() and health(): one calculation, and what still waits
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE stock (sku text, place text, on_hand numeric, held numeric, coming numeric);
CREATE TABLE orders (sku text, qty numeric, at timestamptz, place text, shop text);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', 'place', 'held', 'coming');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', 'place', 'shop');
INSERT INTO orders SELECT 'A', 6 + i % 3, '2026-11-20 12:00+00'::timestamptz - i * interval '7 hours',
	CASE WHEN i % 4 = 0 THEN 'SZ' ELSE 'HK' END, CASE WHEN i % 2 = 0 THEN 'live' END
	FROM generate_series(1, 300) i;
INSERT INTO stock VALUES ('A', 'HK', 500, 20, 0), ('A', 'SZ', 20, 0, 30), ('B', 'HK', 5, 0, 0);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
-- the functions that BI calls are the ones that decided
SELECT s.sku, s.location,
	s.velocity = replenish.demand_velocity(d.demand, s.decided_at) AS velocity,
	s.forecast = t.mean AND s.forecast_sd = t.sd AND s.threshold = t.threshold
		AND s.safety_stock = t.safety_stock AS threshold,
	s.target = greatest(s.threshold + c.mean, 1.5 * s.threshold) AS target,
	s.sold_24h = 24 * replenish.demand_velocity(d.demand, s.decided_at, '24 hours') AS sold,
	s.same_period = replenish.demand_same_period(d.demand, s.decided_at, '24 hours', '7 days') AS same,
	s.stockout_eta = replenish.stockout_eta(s.available::float8, d.demand, s.decided_at) AS eta,
	s.cover = s.stockout_eta - s.decided_at AS cover,
	s.tier = replenish.alert_level(s.stock_position::float8, s.threshold) AS tier,
	s.reorder_qty = replenish.reorder_qty(s.stock_position::float8, s.threshold, s.target, multiple => 1) AS qty
FROM replenish.status s
CROSS JOIN LATERAL (SELECT replenish.demand_merge(demand) AS demand FROM replenish.item_demand i
	WHERE i.sku = s.sku AND i.location = s.location) d
CROSS JOIN LATERAL replenish.demand_threshold(d.demand, s.decided_at, '30 days', '8 days', '7 days', 0.95) t
CROSS JOIN LATERAL replenish.demand_forecast(d.demand, s.decided_at, '30 days') c
WHERE d.demand IS NOT NULL ORDER BY 1, 2;
SELECT sku, location, on_hand, reserved, available, on_order, stock_position, tier, reason
FROM replenish.status ORDER BY 1, 2;
-- explain() says the same as status, before and after what waits in the inbox
SELECT name, CASE name
		WHEN 'on_hand' THEN value::numeric = s.on_hand WHEN 'available' THEN value::numeric = s.available
		WHEN 'stock_position' THEN value::numeric = s.stock_position
		WHEN 'velocity' THEN value::float8 = s.velocity WHEN 'forecast' THEN value::float8 = s.forecast
		WHEN 'threshold' THEN value::float8 = s.threshold WHEN 'target' THEN value::float8 = s.target
		WHEN 'tier' THEN value = s.tier::text WHEN 'reorder_qty' THEN value::float8 = s.reorder_qty END AS same,
	unit, formula
FROM replenish.explain('A', 'HK', '2026-11-20 12:00+00'), replenish.status s
WHERE s.sku = 'A' AND s.location = 'HK' AND name IN ('on_hand', 'available', 'stock_position', 'velocity',
	'forecast', 'threshold', 'target', 'tier', 'reorder_qty') ORDER BY step;
UPDATE stock SET on_hand = on_hand - 470 WHERE sku = 'A' AND place = 'HK';
SELECT on_hand, available, stock_position, tier, decided_at FROM replenish.status
WHERE sku = 'A' AND location = 'HK';
SELECT name, value FROM replenish.explain('A', 'HK', '2026-11-20 12:00+00') WHERE name IN ('on_hand', 'available', 'tier');
SELECT on_hand, reserved, available, on_order, stock_position, locations, worst_tier
FROM replenish.sku_status WHERE sku = 'A';
SELECT events > 0 FROM replenish.tick('2026-11-20 12:00+00');
SELECT tier FROM replenish.status WHERE sku = 'A' AND location = 'HK';
SELECT sku, locations, on_hand, available, worst_tier,
	velocity = (SELECT sum(velocity) FROM replenish.status s WHERE s.sku = k.sku) AS velocity,
	reorder_qty = (SELECT sum(reorder_qty) FROM replenish.status s WHERE s.sku = k.sku) AS qty,
	first_stockout_eta = (SELECT min(stockout_eta) FROM replenish.status s WHERE s.sku = k.sku) AS eta
FROM replenish.sku_status k ORDER BY sku;
SELECT replenish.explain('nobody');
SELECT replenish.explain('A');
-- an event's facts are what was decided, its notification is small and says it in short
SELECT e.facts ->> 'available' AS available, (e.facts ->> 'threshold')::float8 = s.threshold AS threshold,
	(e.facts ->> 'reorder_qty')::float8 = s.reorder_qty AS qty,
	octet_length(replenish.notification(e)) < 2000 AS small
FROM replenish.event e JOIN replenish.status s USING (sku, location)
WHERE e.location = 'HK' AND e.sku = 'A' ORDER BY e.seq DESC LIMIT 1;
SELECT n ->> 'specversion' AS specversion, n ->> 'source' = '/replenish/' || current_database() AS source,
	n ->> 'type' AS type, n ->> 'subject' AS subject, n ->> 'time' AS time, n ->> 'sequence' AS sequence,
	n ->> 'severitytext' AS severity, (SELECT string_agg(k, ' ') FROM json_object_keys(n -> 'data') k) AS data
FROM replenish.event e CROSS JOIN LATERAL (SELECT replenish.notification(e)::json AS n) x
WHERE e.location = 'HK' AND e.sku = 'A' ORDER BY e.seq DESC LIMIT 1;
SELECT max(octet_length(replenish.notification(r))) < 2000 AS small
FROM replenish.event e, LATERAL (SELECT (jsonb_populate_record(e, jsonb_build_object(
	'sku', repeat('茶', 85), 'location', repeat('茶', 85)))).*) r;
-- who asks for a tier does not read every item
CREATE FUNCTION plan_has(query text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line LIKE '%' || what || '%' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END $$;
SET enable_seqscan = off;
SELECT plan_has('SELECT sku FROM replenish.status WHERE tier = ''red''', 'item_alarm_idx');
SELECT plan_has('SELECT tier FROM replenish.status WHERE sku = ''A''', 'item_pkey');
RESET enable_seqscan;
DROP FUNCTION plan_has;
-- health: all well but for what is not watched by a worker here
SELECT what, ok, detail FROM replenish.health() WHERE what NOT IN ('notification queue') ORDER BY what;
INSERT INTO orders VALUES ('A', 1, '2026-11-20 12:00+00');
SELECT what, detail FROM replenish.health() WHERE what = 'inbox';
SELECT replenish.tick(now() + interval '1 hour') IS NOT NULL;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what = 'clock';
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE stock, orders;
CREATE EXTENSION replenish;
