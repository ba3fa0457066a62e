-- Time zones: a location's own days, of 23 and 25 hours included, its holidays
-- and its cut-off time; nothing depends on the session's zone
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE sale (sku text, qty integer, at timestamptz, place text);
CREATE TABLE stock (sku text, units integer, place text);
INSERT INTO replenish.location VALUES ('berlin', 'Europe/Berlin'), ('delhi', 'Asia/Kolkata');
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', location => 'place');
SELECT replenish.watch_stock('stock', 'sku', 'units', location => 'place');
INSERT INTO stock SELECT 'LAMP', 400, p FROM unnest('{berlin,delhi,nowhere}'::text[]) p;
-- two in each hour, on the hour and on the half
INSERT INTO sale SELECT 'LAMP', 1, '2026-03-27 00:00+00'::timestamptz + i * interval '30 minutes', p
FROM generate_series(0, 24 * 2 * 5 - 1) i, unnest('{berlin,delhi,nowhere}'::text[]) p;

-- 28 March, an ordinary day: since midnight in Berlin (23:00), Delhi (18:30)
-- and, where nobody has said anything, UTC
SELECT decided FROM replenish.tick('2026-03-28 21:00+00');
SELECT location, sold_today, replenish.local_midnight(location, decided_at) AS since FROM replenish.status ORDER BY 1;
-- the 29th has 23 hours in Berlin: its last minutes
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-29 21:59:59+00');
SELECT location, sold_today, replenish.local_midnight(location, decided_at) AS since FROM replenish.status ORDER BY 1;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-29 22:00+00');
SELECT location, sold_today, replenish.local_midnight(location, decided_at) AS since FROM replenish.status ORDER BY 1;
-- and 25 October has 25
INSERT INTO sale SELECT 'LAMP', 1, '2026-10-20 00:00+00'::timestamptz + i * interval '30 minutes', 'berlin'
FROM generate_series(0, 24 * 2 * 6 - 1) i;
SELECT decided > 0 AS decided FROM replenish.tick('2026-10-25 22:59:59+00');
SELECT location, sold_today, replenish.local_midnight(location, decided_at) AS since FROM replenish.status WHERE location = 'berlin';
SELECT decided > 0 AS decided FROM replenish.tick('2026-10-25 23:00+00');
SELECT location, sold_today, replenish.local_midnight(location, decided_at) AS since FROM replenish.status WHERE location = 'berlin';
-- a factor's day has as many hours
INSERT INTO replenish.factor (factor, first_day, last_day, reason) VALUES (2, '2027-03-28', '2027-03-28', 'season'),
	(2, '2027-10-31', '2027-10-31', 'season');
SELECT location, o.ends_at - o.starts_at AS long FROM unnest('{berlin,delhi}'::text[]) location,
	replenish.factors_of('LAMP', location, '2026-10-31 00:00+00', '{}') f, unnest(f.outlook) o ORDER BY 1, o.starts_at;
DELETE FROM replenish.factor;

-- to be ordered by 17:00 in Berlin; not on Sunday, nor on Easter Monday
UPDATE replenish.location SET cut_off = '17:00' WHERE location = 'berlin';
INSERT INTO replenish.holiday VALUES ('berlin', '2027-03-28', 'Sunday'), ('berlin', '2027-03-29', 'Easter Monday'),
	(NULL, '2027-01-01', 'New Year');
SELECT at, replenish.last_order_at('berlin', at, '2026-12-01 00:00+00') FROM (VALUES
	-- a Saturday in summer time, before and after the cut-off
	('2027-03-27 17:30+00'::timestamptz), ('2027-03-27 15:30+00'),
	-- on the holidays, and the day after them, before and after the cut-off
	('2027-03-29 12:00+00'), ('2027-03-30 14:59+00'), ('2027-03-30 15:00+00'),
	('2027-01-01 20:00+00'), ('infinity'), (NULL)) t (at);
-- no cut-off: until the end of the day before
SELECT replenish.last_order_at('delhi', '2027-01-01 12:00+00', '2026-12-01 00:00+00'),
	replenish.last_order_at('nowhere', '2027-01-01 12:00+00', '2026-12-01 00:00+00');
-- never before now
SELECT replenish.last_order_at('berlin', '2027-03-29 12:00+00', '2027-03-28 12:00+00');
-- order_by follows, and explain() says so
DELETE FROM sale;
INSERT INTO sale SELECT 'LAMP', 1, '2026-12-01 00:00+00'::timestamptz - i * interval '1 hour', 'berlin' FROM generate_series(1, 2400) i;
UPDATE stock SET units = 2000;
SELECT decided > 0 AS decided FROM replenish.tick('2026-12-01 00:00+00');
SELECT order_by, order_by AT TIME ZONE 'Europe/Berlin' AS local FROM replenish.status WHERE location = 'berlin';
SELECT name, value, formula FROM replenish.explain('LAMP', 'berlin', '2026-12-01 00:00+00') WHERE name = 'order_by';

-- whoever decides or reads, in whatever zone: the same
CREATE TABLE seen AS SELECT 'UTC' AS zone, s.* FROM replenish.status s;
CREATE TABLE told AS SELECT 'UTC' AS zone, * FROM replenish.explain('LAMP', 'berlin', '2026-12-01 00:00+00') WHERE name NOT IN ('as_of', 'stockout_eta', 'order_by');
UPDATE stock SET units = units + 1;
UPDATE stock SET units = units - 1;
SET timezone = 'Asia/Shanghai';
SELECT decided > 0 AS decided FROM replenish.tick('2026-12-01 00:00+00');
INSERT INTO seen SELECT 'Asia/Shanghai', s.* FROM replenish.status s;
INSERT INTO told SELECT 'Asia/Shanghai', * FROM replenish.explain('LAMP', 'berlin', '2026-12-01 00:00+00') WHERE name NOT IN ('as_of', 'stockout_eta', 'order_by');
UPDATE stock SET units = units + 1;
UPDATE stock SET units = units - 1;
SET timezone = 'America/St_Johns';
SELECT decided > 0 AS decided FROM replenish.tick('2026-12-01 00:00+00');
INSERT INTO seen SELECT 'America/St_Johns', s.* FROM replenish.status s;
INSERT INTO told SELECT 'America/St_Johns', * FROM replenish.explain('LAMP', 'berlin', '2026-12-01 00:00+00') WHERE name NOT IN ('as_of', 'stockout_eta', 'order_by');
SELECT count(DISTINCT zone) AS zones, count(DISTINCT to_jsonb(s) - 'zone') AS rows, count(*) / 3 AS items FROM
	(SELECT zone, sku, location, velocity, forecast, threshold, target, tier, sold_today, sold_24h, same_period,
		extract(epoch FROM stockout_eta) AS eta, extract(epoch FROM order_by) AS order_by, cover FROM seen) s;
SELECT count(DISTINCT zone) AS zones, count(*) FILTER (WHERE n <> 3) AS different FROM
	(SELECT t.zone, count(*) OVER (PARTITION BY name, value, calculation) AS n FROM told t) t;
SET timezone = 'UTC';
-- one location's own clock, whatever the session's
SELECT stockout_eta AT TIME ZONE replenish.zone_of(location) AS "sold out, local time" FROM replenish.status WHERE location = 'berlin';
-- what a row may not say
INSERT INTO replenish.location VALUES ('x', 'Mars/Olympus');
INSERT INTO replenish.holiday VALUES ('berlin', 'infinity', 'never');
INSERT INTO replenish.holiday VALUES (NULL, '2027-01-01', 'again');

SELECT replenish.unwatch('sale'), replenish.unwatch('stock');
DROP TABLE sale, stock, seen, told;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
