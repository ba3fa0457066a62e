-- Demand hidden by an empty shelf: time without stock is not time without demand
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
SET search_path = public, replenish;
-- the arithmetic: ten a day from Monday 5 January on; out for the whole of 4
-- February and for six hours of the 5th, of which the last four hours sold 4
SELECT replenish.demand_agg(1, '2026-01-05 00:00+00'::timestamptz + i * interval '144 minutes') AS sold
FROM generate_series(0, 299) i \gset
SELECT replenish.demand_agg(1, '2026-02-05 06:00+00'::timestamptz + i * interval '1 hour') AS after
FROM generate_series(0, 9) i \gset
SELECT replenish.demand_span('2026-02-04 00:00+00', '2026-02-05 06:00+00') AS absence \gset
SELECT sum(units) FILTER (WHERE resolution = '1 day') AS minutes, sum(units) FILTER (WHERE resolution = '7 days') AS of_weeks
FROM replenish.demand_buckets(:'absence');
-- weeks around it: 300 + 10 units in 4 weeks and 4 days less 30 hours with stock;
-- 30 hours at that rate, 24 of them on the 4th
SELECT b.bucket::date AS day, round(b.units::numeric, 3) AS units
FROM replenish.demand_buckets(replenish.demand_in_stock(replenish.demand_at(:'sold', '2026-02-05 15:59+00') + :'after'::replenish.demand, :'absence')) b
WHERE b.resolution = '1 day' AND b.bucket >= '2026-02-03' ORDER BY 1;
SELECT round(310 / (31 * 24 + 16 - 30.0) * 24, 3) AS "on the 4th", round(10 + 310 / (31 * 24 + 16 - 30.0) * 6, 3) AS "on the 5th";
-- always out: nothing to go by, and nothing over nothing; never out: as it was
SELECT replenish.demand_in_stock('{}', :'absence') = '{}'::replenish.demand AS nothing,
	replenish.demand_in_stock(:'sold', '{}') = :'sold'::replenish.demand AS same,
	(SELECT sum(units) FROM replenish.demand_buckets(replenish.demand_in_stock(:'sold'::replenish.demand - :'sold'::replenish.demand,
		replenish.demand_span('2025-01-01', '2026-02-03')))) AS no_sales,
	replenish.demand_span('2026-02-04', '2026-02-03') = '{}'::replenish.demand AS no_time,
	replenish.demand_in_stock(NULL, '{}') IS NULL AS missing;
-- more returned than sold
SELECT count(*) FROM replenish.demand_buckets(replenish.demand_in_stock(:'sold'::replenish.demand * -1, :'absence')) WHERE units > 0;
SELECT replenish.demand_span('infinity', '2026-02-03');
-- gone for a year: half a year of it is filled, then nothing
SELECT count(*) FILTER (WHERE units > 69) AS whole_weeks, count(*) FILTER (WHERE units BETWEEN 0.001 AND 69) AS part,
	count(*) FILTER (WHERE units = 0) AS none, max(bucket)::date AS last
FROM replenish.demand_buckets(replenish.demand_in_stock(replenish.demand_at(:'sold', '2027-02-04 00:00+00'),
	replenish.demand_span('2026-02-04', '2027-02-04'))) WHERE resolution = '7 days';

RESET search_path;
-- as the decider sees it: two items that sell alike; one is empty for a week
CREATE TABLE sale (sku text, qty integer, at timestamptz);
CREATE TABLE stock (sku text PRIMARY KEY, units integer);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at');
SELECT replenish.watch_stock('stock', 'sku', 'units');
INSERT INTO sale SELECT s, 1, '2026-03-02 00:00+00'::timestamptz - i * interval '1 hour' FROM generate_series(1, 1440) i, unnest('{FULL,GONE,DEAD}'::text[]) s;
INSERT INTO stock VALUES ('FULL', 1000), ('GONE', 1000), ('DEAD', 1000);
SELECT decided FROM replenish.tick('2026-03-02 00:00+00');
SELECT sku, forecast FROM replenish.status ORDER BY 1;
UPDATE stock SET units = 0 WHERE sku = 'GONE';
SELECT decided FROM replenish.tick('2026-03-02 00:00+00');
INSERT INTO sale SELECT 'FULL', 1, '2026-03-09 00:00+00'::timestamptz - i * interval '1 hour' FROM generate_series(1, 168) i;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-09 00:00+00');
-- still empty: velocity, forecast and the same day a week ago are what they would be
SELECT sku, round(velocity::numeric, 2) AS velocity, round(forecast::numeric) AS forecast, sold_24h, round(same_period::numeric) AS same_period,
	tier, reason FROM replenish.status WHERE sku <> 'DEAD' ORDER BY 1;
SELECT round(f.mean::numeric) AS "without the correction"
FROM replenish.demand_of('GONE', 'default') d, replenish.demand_threshold(d.demand, '2026-03-09 00:00+00', '30 days', '8 days', '7 days', 0.95) f;
SELECT name, value, formula FROM replenish.explain('GONE', as_of => '2026-03-09 00:00+00') WHERE name = 'hidden';
-- here again, and a day later
UPDATE stock SET units = 1000 WHERE sku = 'GONE';
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-09 00:00+00');
SELECT sku, location, (SELECT sum(units) FROM replenish.demand_buckets(minutes) WHERE resolution = '7 days') AS minutes FROM replenish.item_absence;
INSERT INTO sale SELECT s, 1, '2026-03-10 00:00+00'::timestamptz - i * interval '1 hour' FROM generate_series(1, 24) i, unnest('{FULL,GONE}'::text[]) s;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-10 00:00+00');
SELECT sku, round(velocity::numeric, 2) AS velocity, round(forecast::numeric) AS forecast, sold_24h, round(same_period::numeric) AS same_period,
	reason FROM replenish.status WHERE sku <> 'DEAD' ORDER BY 1;
-- one that is empty and not asked for any more is forgotten in time
UPDATE stock SET units = 0 WHERE sku = 'DEAD';
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-10 00:00+00');
SELECT round(forecast::numeric) AS forecast FROM replenish.status WHERE sku = 'DEAD';
SELECT decided > 0 AS decided FROM replenish.tick('2026-06-10 00:00+00');
SELECT round(forecast::numeric) AS forecast FROM replenish.status WHERE sku = 'DEAD';
SELECT decided > 0 AS decided FROM replenish.tick('2027-06-10 00:00+00');
SELECT round(forecast::numeric) AS forecast FROM replenish.status WHERE sku = 'DEAD';
-- negative stock is empty as well, and so is what has no row any more; stock
-- that is not known is not
UPDATE stock SET units = -3 WHERE sku = 'FULL';
DELETE FROM stock WHERE sku = 'GONE';
SELECT decided > 0 AS decided FROM replenish.tick('2027-06-10 00:01+00');
SELECT sku, out_since FROM replenish.item ORDER BY 1;
SELECT replenish.unwatch('stock');
SELECT decided > 0 AS decided FROM replenish.tick('2027-06-10 00:02+00');
SELECT sku, out_since FROM replenish.item ORDER BY 1;
SELECT * FROM replenish.verify();

SELECT replenish.unwatch('sale');
DROP TABLE sale, stock;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
