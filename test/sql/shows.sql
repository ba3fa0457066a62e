-- Shows: planned before, taken out of the base afterwards, and measured
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE sale (sku text, qty integer, at timestamptz, channel text);
CREATE TABLE stock (sku text, units integer);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', channel => 'channel');
SELECT replenish.watch_stock('stock', 'sku', 'units');
-- one an hour on the live channel and one on the web, for a hundred days
INSERT INTO sale SELECT s, 1, '2026-03-01 00:00+00'::timestamptz - i * interval '1 hour', c
FROM generate_series(1, 2400) i, unnest('{live,web}'::text[]) c, unnest('{LAMP,RING}'::text[]) s;
-- and a scarf every fourth day
INSERT INTO sale SELECT 'SCARF', 1, '2026-03-01 00:00+00'::timestamptz - i * interval '4 days', 'live'
FROM generate_series(1, 25) i;
INSERT INTO stock VALUES ('LAMP', 300), ('RING', 300), ('IDLE', 300), ('SCARF', 100);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
CREATE VIEW now AS SELECT sku, round(forecast::numeric, 1) AS forecast, threshold, tier,
	date_trunc('minute', stockout_eta) AS stockout_eta FROM replenish.status;
SELECT * FROM now ORDER BY sku;
SELECT forecast AS before FROM replenish.status WHERE sku = 'LAMP' \gset
SELECT forecast AS scarves FROM replenish.status WHERE sku = 'SCARF' \gset

-- a show in the evening is to sell 400 beyond the usual: the forecast says so
-- to the unit, and the shelf ends in it
INSERT INTO replenish.show (channel, starts_at, ends_at, title)
VALUES ('live', '2026-03-01 20:00+00', '2026-03-01 22:00+00', 'Sunday night');
INSERT INTO replenish.show_item (show, sku, units) VALUES (1, 'LAMP', 400), (1, 'SCARF', 10);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT *, round((SELECT forecast - :before FROM replenish.status WHERE sku = 'LAMP')::numeric, 6) AS planned
FROM now WHERE sku = 'LAMP';
-- a pocket calculator agrees
SELECT name, value, formula FROM replenish.explain('LAMP', as_of => '2026-03-01 00:00+00')
WHERE name IN ('outlook', 'outlook_factor', 'outlook_units') ORDER BY step;
-- the moment at which it begins is a moment to decide at
SELECT sku, next_check FROM replenish.item WHERE sku = 'LAMP';

-- it sells 500, ten times every two minutes; a quarter of an hour before its
-- end nobody plans for the whole of it any more
INSERT INTO sale SELECT 'LAMP', 5, '2026-03-01 20:00+00'::timestamptz + i * interval '72 seconds', 'live'
FROM generate_series(0, 86) i;
INSERT INTO sale SELECT 'SCARF', 2, '2026-03-01 20:00+00'::timestamptz + i * interval '20 minutes', 'live'
FROM generate_series(0, 5) i;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-01 21:45+00');
SELECT round(units::numeric) < 10 AS little_left FROM replenish.facts_of('LAMP', 'default', '2026-03-01 21:45+00') f
CROSS JOIN unnest((f.signals).outlook);
INSERT INTO sale SELECT 'LAMP', 5, '2026-03-01 20:00+00'::timestamptz + i * interval '72 seconds', 'live'
FROM generate_series(87, 99) i;
UPDATE stock SET units = 2000 WHERE sku = 'LAMP';
-- an hour after its end it is measured, for it is a moment to decide at
SELECT decided FROM replenish.tick('2026-03-01 22:30+00');
SELECT count(*) FROM replenish.show_result;
SELECT next_check FROM replenish.item WHERE sku = 'LAMP';
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-01 23:00+00');
SELECT show, sku, channel, round(usual::numeric, 1) AS usual, round(expected::numeric, 1) AS expected,
	round(actual::numeric, 1) AS actual, round(expected_uplift::numeric) AS expected_uplift,
	round(actual_uplift::numeric) AS actual_uplift,
	round((replenish.demand_velocity(excess, '2026-03-01 23:00+00', '1 day') * 24)::numeric, 1) AS excess
FROM replenish.show_result;
-- three days later the forecast is what it was
INSERT INTO sale SELECT 'LAMP', 1, '2026-03-04 00:00+00'::timestamptz - i * interval '1 hour', c
FROM generate_series(1, 72) i, unnest('{live,web}'::text[]) c;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-04 00:00+00');
SELECT s.sku, round((s.forecast / b.forecast)::numeric, 2) AS "with the calendar",
	round((t.mean / b.forecast)::numeric, 2) AS "without"
FROM (VALUES ('LAMP', :before), ('SCARF', :scarves)) b (sku, forecast)
JOIN replenish.status s ON s.sku = b.sku
CROSS JOIN LATERAL replenish.demand_of(s.sku, 'default') d
CROSS JOIN LATERAL replenish.demand_threshold(d.demand, '2026-03-04 00:00+00', '30 days', '8 days', '7 days', 0.95) t;
SELECT name, value, formula FROM replenish.explain('LAMP', as_of => '2026-03-04 00:00+00')
WHERE name = 'known_causes';

-- the next one is expected to be like the last one
INSERT INTO replenish.show (channel, starts_at, ends_at) VALUES ('live', '2026-03-08 20:00+00', '2026-03-08 22:00+00');
INSERT INTO replenish.show_item (show, sku) VALUES (2, 'LAMP'), (2, 'RING');
SELECT decided FROM replenish.tick('2026-03-04 00:00+00');
SELECT f.sku, round(o.units::numeric) AS units, o.factor FROM (VALUES ('LAMP'), ('RING')) f (sku),
	replenish.facts_of(f.sku, 'default', '2026-03-04 00:00+00') x, unnest((x.signals).outlook) o;
-- or ten times the channel's usual, for all that it sells
UPDATE replenish.show SET uplift = 10 WHERE id = 2;
DELETE FROM replenish.show_item WHERE show = 2;
SELECT decided FROM replenish.tick('2026-03-04 00:00+00');
SELECT f.sku, round(o.units::numeric, 1) AS units, o.factor FROM (VALUES ('LAMP'), ('RING'), ('IDLE')) f (sku),
	replenish.facts_of(f.sku, 'default', '2026-03-04 00:00+00') x, unnest((x.signals).outlook) o;
-- less than usual is a factor, on the channel's share of the item
UPDATE replenish.show SET uplift = 0 WHERE id = 2;
SELECT round(o.units::numeric, 1) AS units, round(o.factor::numeric, 2) AS factor
FROM replenish.facts_of('RING', 'default', '2026-03-04 00:00+00') x, unnest((x.signals).outlook) o;

-- shows that overlap add, and what they sold is measured once
UPDATE replenish.show SET uplift = 11 WHERE id = 2;
INSERT INTO replenish.show (channel, starts_at, ends_at, uplift)
VALUES ('live', '2026-03-08 21:00+00', '2026-03-08 23:00+00', 11);
SELECT decided FROM replenish.tick('2026-03-04 00:00+00');
INSERT INTO sale SELECT 'RING', 1, '2026-03-04 00:00+00'::timestamptz + i * interval '1 hour', c
FROM generate_series(0, 118) i, unnest('{live,web}'::text[]) c;
INSERT INTO sale SELECT 'RING', 1, '2026-03-08 20:00+00'::timestamptz + i * interval '1 minute', 'live'
FROM generate_series(0, 119) i;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-09 00:00+00');
SELECT show, round(usual::numeric, 1) AS usual, round(expected::numeric, 1) AS expected,
	round(actual::numeric, 1) AS actual FROM replenish.show_result WHERE sku = 'RING' ORDER BY show;
-- a show that is deleted was one
DELETE FROM replenish.show;
SELECT count(*) FROM replenish.show_result;
-- one on a channel that sells nothing, and one of a SKU that is nobody's
INSERT INTO replenish.show (channel, starts_at, ends_at, uplift)
VALUES ('radio', '2026-03-10 20:00+00', '2026-03-10 22:00+00', 5);
INSERT INTO replenish.show (channel, starts_at, ends_at, uplift)
VALUES ('live', '2026-03-10 20:00+00', '2026-03-10 22:00+00', 5);
INSERT INTO replenish.show_item SELECT max(id), 'NOBODY' FROM replenish.show;
SELECT decided FROM replenish.tick('2026-03-09 00:00+00');
SELECT (signals).outlook FROM replenish.facts_of('LAMP', 'default', '2026-03-09 00:00+00');
-- what a row may not say
INSERT INTO replenish.show (channel, starts_at, ends_at) VALUES ('live', '2026-03-10', '2026-03-10');
INSERT INTO replenish.show (channel, starts_at, ends_at) VALUES ('live', '2026-03-10', '2026-03-20');
INSERT INTO replenish.show (channel, starts_at, ends_at, uplift) VALUES ('live', '2026-03-10', '2026-03-11', -1);
INSERT INTO replenish.show_item (show, sku, units) VALUES (4, 'LAMP', 'NaN');
INSERT INTO replenish.show_item (show, sku) VALUES (99, 'LAMP');
SELECT * FROM replenish.verify();

DROP VIEW now;
SELECT replenish.unwatch('sale'), replenish.unwatch('stock');
DROP TABLE sale, stock;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
