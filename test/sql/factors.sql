-- Factors on the demand and on lead times for a range of days, each with its reason
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE sale (sku text, qty integer, at timestamptz, channel text);
CREATE TABLE stock (sku text, units integer);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', channel => 'channel');
SELECT replenish.watch_stock('stock', 'sku', 'units');
INSERT INTO sale SELECT s, 1, '2026-03-01 00:00+00'::timestamptz - i * interval '1 hour', c
FROM generate_series(1, 2400) i, unnest('{live,web}'::text[]) c, unnest('{LAMP,RING}'::text[]) s;
INSERT INTO stock VALUES ('LAMP', 1000), ('RING', 1000), ('IDLE', 1000);
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
-- 48 a day for 37 days; the stock lasts 20 days and 20 hours
SELECT sku, round(forecast::numeric) AS forecast, date_trunc('minute', cover) AS cover
FROM replenish.status ORDER BY sku;
SELECT forecast AS before FROM replenish.status WHERE sku = 'LAMP' \gset

-- a season of ten days doubles it: 370 to 470 parts of 370, and the stock goes
-- twice as fast in it; exactly its items are decided
INSERT INTO replenish.factor (sku, factor, first_day, last_day, reason)
VALUES ('LAMP', 2, '2026-03-01', '2026-03-10', 'season');
SELECT decided FROM replenish.tick('2026-03-01 00:00+00');
SELECT sku, round((forecast / :before)::numeric, 4) AS ratio, round(470 / 370.0, 4) AS expected,
	date_trunc('minute', cover) AS cover FROM replenish.status WHERE sku = 'LAMP';
SELECT name, value, formula FROM replenish.explain('LAMP', as_of => '2026-03-01 00:00+00')
WHERE name IN ('outlook', 'outlook_factor', 'outlook_units') ORDER BY step;
-- it comes true: the forecast does not double twice, and is as before when it is over
INSERT INTO sale SELECT 'LAMP', 2, '2026-03-01 00:00+00'::timestamptz + i * interval '1 hour', c
FROM generate_series(0, 239) i, unnest('{live,web}'::text[]) c;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-06 00:00+00');
SELECT round((forecast / :before)::numeric, 2) AS ratio, round(42 / 37.0, 2) AS expected
FROM replenish.status WHERE sku = 'LAMP';
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-11 00:00+00');
SELECT round((s.forecast / :before)::numeric, 2) AS "with the factor", round((t.mean / :before)::numeric, 2) AS "without"
FROM replenish.status s, replenish.demand_of('LAMP', 'default') d,
	replenish.demand_threshold(d.demand, '2026-03-11 00:00+00', '30 days', '8 days', '7 days', 0.95) t
WHERE s.sku = 'LAMP';

-- rows that overlap multiply, one of a channel moves its share, one without a
-- key is for all; zero is none at all
INSERT INTO sale SELECT s, 1, '2026-03-11 00:00+00'::timestamptz - i * interval '1 hour', c
FROM generate_series(1, 240) i, unnest('{live,web}'::text[]) c, unnest('{RING}'::text[]) s;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-11 00:00+00');
BEGIN;
DELETE FROM replenish.factor;
INSERT INTO replenish.factor (factor, first_day, last_day, reason) VALUES (0.5, '2026-03-11', '2026-12-31', 'trend');
INSERT INTO replenish.factor (channel, factor, first_day, last_day, reason) VALUES ('live', 3, '2026-03-11', '2026-12-31', 'competitor');
SELECT round(e.factor::numeric, 6) AS "0.5 * (1 + 0.5 * 2)", e.units
FROM replenish.facts_of('RING', 'default', '2026-03-11 00:00+00') f,
	replenish.outlook_effect(f.demand, '2026-03-11 00:00+00', '37 days', (f.signals).outlook) e;
INSERT INTO replenish.factor (sku, factor, first_day, last_day, reason) VALUES ('RING', 0, '2026-03-11', '2026-12-31', 'holiday');
SELECT e.factor, e.units FROM replenish.facts_of('RING', 'default', '2026-03-11 00:00+00') f,
	replenish.outlook_effect(f.demand, '2026-03-11 00:00+00', '37 days', (f.signals).outlook) e;
ROLLBACK;
SELECT decided FROM replenish.tick('2026-03-11 00:01+00');

-- a closed port: what is ordered in these days takes twice as long
INSERT INTO replenish.factor (location, applies_to, factor, first_day, last_day, reason)
VALUES ('default', 'lead_time', 2, '2026-03-12', '2026-03-13', 'port closure');
SELECT decided FROM replenish.tick('2026-03-11 00:02+00');
SELECT sku, lead_time FROM replenish.status ORDER BY sku;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-12 00:00+00');
SELECT sku, lead_time FROM replenish.status ORDER BY sku;
SELECT name, value, formula FROM replenish.explain('RING', as_of => '2026-03-12 00:00+00')
WHERE name ~ '^lead_time' ORDER BY step;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-14 00:00+00');
SELECT sku, lead_time FROM replenish.status ORDER BY sku;

-- a factor's days are the location's own: midnight in New York
INSERT INTO replenish.location VALUES ('default', 'America/New_York');
DELETE FROM replenish.factor;
INSERT INTO replenish.factor (sku, factor, first_day, last_day, reason)
VALUES ('RING', 2, '2026-03-15', '2026-03-15', 'holiday');
SELECT o.starts_at, o.ends_at FROM replenish.facts_of('RING', 'default', '2026-03-14 12:00+00') f, unnest((f.signals).outlook) o;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-14 12:00+00');
SELECT sku, next_check FROM replenish.item WHERE sku = 'RING';
-- what a row may not say
INSERT INTO replenish.factor (factor, first_day, last_day, reason) VALUES (-1, '2026-03-15', '2026-03-15', 'x');
INSERT INTO replenish.factor (factor, first_day, last_day, reason) VALUES ('NaN', '2026-03-15', '2026-03-15', 'x');
INSERT INTO replenish.factor (factor, first_day, last_day, reason) VALUES (2, '2026-03-15', '2026-03-14', 'x');
INSERT INTO replenish.factor (factor, first_day, last_day, reason) VALUES (2, '2026-03-15', 'infinity', 'x');
INSERT INTO replenish.factor (applies_to, factor, first_day, last_day, reason) VALUES ('lead_time', 0, '2026-03-15', '2026-03-15', 'x');
INSERT INTO replenish.factor (applies_to, channel, factor, first_day, last_day, reason)
VALUES ('lead_time', 'live', 2, '2026-03-15', '2026-03-15', 'x');
INSERT INTO replenish.factor (factor, first_day, last_day) VALUES (2, '2026-03-15', '2026-03-15');
TRUNCATE replenish.factor;
SELECT decided FROM replenish.tick('2026-03-14 12:00+00');
SELECT * FROM replenish.verify();

SELECT replenish.unwatch('sale'), replenish.unwatch('stock');
DROP TABLE sale, stock;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
