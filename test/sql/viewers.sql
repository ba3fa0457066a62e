-- Audience: what is usual in a room is learnt, the ratio to it moves the next
-- hours, and a full room with a short shelf starts replenishment at once
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE sale (sku text, qty integer, at timestamptz, channel text);
CREATE TABLE stock (sku text, units integer);
CREATE TABLE room_stat (room text, viewers integer, at timestamptz);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', channel => 'channel');
SELECT replenish.watch_stock('stock', 'sku', 'units');
SELECT replenish.watch_audience('room_stat', 'room', 'viewers', 'at');
SELECT relation, kind, sku, qty, at, channel FROM replenish.watched WHERE kind = 'audience';
INSERT INTO replenish.policy (fixed_threshold, buffer, order_cycle) VALUES (20, 0, '10 days');

-- LAMP sells one an hour in the live room, RING half there and half on the web
INSERT INTO sale SELECT 'LAMP', 1, '2026-03-08 20:30+00'::timestamptz - i * interval '1 hour', 'live' FROM generate_series(1, 1000) i;
INSERT INTO sale SELECT 'RING', 1, '2026-03-08 20:45+00'::timestamptz - i * interval '1 hour',
	CASE WHEN i % 2 = 0 THEN 'live' ELSE 'web' END FROM generate_series(1, 1000) i;
INSERT INTO stock VALUES ('LAMP', 71), ('RING', 500), ('IDLE', 10);
-- a week of evenings from 19:00 to 23:00: 1000 viewers at 20:00, 500 at other hours
INSERT INTO room_stat SELECT 'live', CASE WHEN extract(hour FROM t) = 20 THEN 1000 ELSE 500 END, t
FROM generate_series(1, 7) d, generate_series('2026-03-08 19:00+00'::timestamptz, '2026-03-08 22:59+00', '1 minute') m,
	LATERAL (SELECT m - d * interval '1 day') x (t);
SELECT decided FROM replenish.tick('2026-03-08 20:00+00');
-- at 20:00 nobody has counted yet today
SELECT channel, sku, viewers, usual, ratio, elasticity FROM replenish.room;
CREATE VIEW now AS SELECT sku, round(forecast::numeric, 1) AS forecast, tier, reason, reorder_qty, cover <= '3 days' AS short
FROM replenish.status;
SELECT * FROM now ORDER BY sku;
-- what is usual at 20:00: seven evenings of 1000, leaning as on two on the mean
-- of the 27 hours of seven days, seven of 1000 and twenty of 500
INSERT INTO room_stat VALUES ('live', 900, '2026-03-08 20:00+00');
SELECT decided FROM replenish.tick('2026-03-08 20:00+00');
SELECT channel, viewers, round(usual::numeric, 3) AS usual, round(ratio::numeric, 4) AS ratio, elasticity FROM replenish.room;
SELECT round((7 * 1000 + 2 * (7 * 1000 + 20 * 500) / 27.0) / 9.0, 3) AS "by hand";

-- twice as many: the next three hours of what the room sells are twice as much,
-- of what it sells half of, half as much again
INSERT INTO room_stat SELECT 'live', 1833 + i % 2, '2026-03-08 20:01+00'::timestamptz + i * interval '5 seconds' FROM generate_series(0, 167) i;
SELECT decided FROM replenish.tick('2026-03-08 20:15+00');
SELECT channel, round(viewers::numeric) AS viewers, round(ratio::numeric, 3) AS ratio FROM replenish.room;
SELECT sku, o.ends_at - o.starts_at AS long, round(o.factor::numeric, 2) AS factor
FROM unnest('{LAMP,RING,IDLE}'::text[]) sku, replenish.facts_of(sku, 'default', '2026-03-08 20:15+00') f, unnest((f.signals).outlook) o;
SELECT name, value, formula, calculation FROM replenish.explain('RING', as_of => '2026-03-08 20:15+00')
WHERE name ~ '^audience' AND name <> 'audience_ratio' ORDER BY step;

-- the early start: both limits, each side of each.  LAMP has 71 units, nearly
-- three days of one an hour and three hours of two
SELECT * FROM now ORDER BY sku;
-- the shelf lasts longer than three days: nothing
UPDATE stock SET units = 76 WHERE sku = 'LAMP';
SELECT decided FROM replenish.tick('2026-03-08 20:15+00');
SELECT * FROM now WHERE sku = 'LAMP';
UPDATE stock SET units = 71 WHERE sku = 'LAMP';
SELECT decided FROM replenish.tick('2026-03-08 20:15+00');
SELECT * FROM now WHERE sku = 'LAMP';
-- fewer than half as many again: nothing, however short the shelf
INSERT INTO room_stat SELECT 'live', 1360, '2026-03-08 20:16+00'::timestamptz + i * interval '5 seconds' FROM generate_series(0, 167) i;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-08 20:30+00');
SELECT round(ratio::numeric, 3) AS ratio FROM replenish.room;
SELECT * FROM now WHERE sku = 'LAMP';
INSERT INTO room_stat SELECT 'live', 1390, '2026-03-08 20:31+00'::timestamptz + i * interval '5 seconds' FROM generate_series(0, 167) i;
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-08 20:45+00');
SELECT round(ratio::numeric, 3) AS ratio FROM replenish.room;
SELECT * FROM now WHERE sku = 'LAMP';
SELECT name, value, formula FROM replenish.explain('LAMP', as_of => '2026-03-08 20:45+00')
WHERE name IN ('surge_ratio', 'surge_cover', 'position_tier', 'tier', 'reason', 'need') ORDER BY step;
-- both numbers are policy
INSERT INTO replenish.policy (sku, surge_ratio) VALUES ('LAMP', 1.6);
SELECT decided FROM replenish.tick('2026-03-08 20:45+00');
SELECT * FROM now WHERE sku = 'LAMP';
UPDATE replenish.policy SET surge_ratio = 1.5, surge_cover = '1 day' WHERE sku = 'LAMP';
SELECT decided FROM replenish.tick('2026-03-08 20:45+00');
SELECT tier, reason FROM now WHERE sku = 'LAMP';
DELETE FROM replenish.policy WHERE sku = 'LAMP';
SELECT decided FROM replenish.tick('2026-03-08 20:45+00');
SELECT tier, reason FROM now WHERE sku = 'LAMP';
-- jitter decides nothing: counts every second that differ by five per cent
INSERT INTO room_stat SELECT 'live', 1390 + (i * 7919 % 140) - 70, '2026-03-08 20:46+00'::timestamptz + i * interval '1 second' FROM generate_series(0, 239) i;
SELECT decided FROM replenish.tick('2026-03-08 20:50+00');
-- one count that jumps, one that repeats, and some that come late
INSERT INTO room_stat VALUES ('live', 1000000000, '2026-03-08 20:50:10+00');
INSERT INTO room_stat SELECT 'live', 1390, '2026-03-08 20:50+00'::timestamptz + i * interval '1 second' FROM generate_series(11, 50) i;
INSERT INTO room_stat SELECT 'live', 1390, '2026-03-08 20:50:50+00' FROM generate_series(1, 30) i;
INSERT INTO room_stat SELECT 'live', 1390, '2026-03-08 20:48+00'::timestamptz - i * interval '1 minute' FROM generate_series(1, 5) i;
SELECT decided >= 0 AS decided FROM replenish.tick('2026-03-08 20:51+00');
SELECT ratio BETWEEN 0.1 AND 10 AS bounded FROM replenish.room;
-- the counts stop: after ten minutes the room is nobody's
SELECT decided > 0 AS decided FROM replenish.tick('2026-03-08 21:02+00');
SELECT viewers, ratio FROM replenish.room;
SELECT tier, reason FROM now WHERE sku = 'LAMP';
-- what cannot be counted; a room that nobody declared, and one of the future
INSERT INTO room_stat VALUES ('live', -1, '2026-03-08 21:00+00'), ('live', NULL, '2026-03-08 21:00+00'), ('live', 5, NULL),
	(NULL, 5, '2026-03-08 21:00+00'), ('radio', 5, '2026-03-08 21:00+00'), ('live', 700, '2026-03-08 22:10+00');
SELECT decided >= 0 AS decided FROM replenish.tick('2026-03-08 21:03+00');
SELECT code, rows FROM replenish.fault ORDER BY 1;
SELECT channel, viewers, usual FROM replenish.room ORDER BY 1;
SELECT channel, location, minute FROM replenish.postponed;
SELECT decided >= 0 AS decided FROM replenish.tick('2026-03-08 22:10+00');
SELECT channel, viewers FROM replenish.room WHERE channel = 'live';
SELECT * FROM replenish.verify();
-- old counts may go, and damage is found and mended
DELETE FROM room_stat WHERE at < '2025-01-01';
UPDATE replenish.room_audience SET counts = '{}' WHERE measure = 'viewers';
SELECT count(*) > 0 AS found FROM replenish.verify('room_stat');
CALL replenish.repair('room_stat');
SELECT decided >= 0 AS decided FROM replenish.tick('2026-03-08 22:11+00');
SELECT * FROM replenish.verify();
TRUNCATE room_stat;
SELECT decided >= 0 AS decided FROM replenish.tick('2026-03-08 22:12+00');
SELECT channel, sku, measure, (SELECT sum(units) FROM replenish.demand_buckets(counts)) FROM replenish.room_audience ORDER BY 1, 3;
SELECT * FROM replenish.verify();

-- what sells with viewers is learnt: thrice the usual viewers in 24 hours, and sales that
-- follow at a half of it; and where they do not follow at all
INSERT INTO room_stat SELECT r, CASE WHEN t >= '2026-03-20 00:00+00' AND extract(hour FROM t)::integer % 2 = 0 THEN 3000 ELSE 1000 END, t
FROM generate_series('2026-03-13 00:00+00'::timestamptz, '2026-03-20 23:59+00', '1 minute') t, unnest('{deaf,half}'::text[]) r;
INSERT INTO sale SELECT r, CASE WHEN r = 'half' AND extract(hour FROM t)::integer % 2 = 0 AND t >= '2026-03-20 00:00+00' THEN 173 ELSE 100 END, t, r
FROM generate_series('2026-01-20 00:30+00'::timestamptz, '2026-03-20 23:59+00', '1 hour') t, unnest('{deaf,half}'::text[]) r;
SELECT count(t.decided) FROM generate_series('2026-03-20 01:06+00'::timestamptz, '2026-03-21 00:06+00', '1 hour') h,
	LATERAL (SELECT replenish.record_demand('X', 1, h, channel => 'other') IS NULL) x (recorded),
	LATERAL (SELECT decided FROM replenish.tick(h) WHERE x.recorded IS NOT NULL) t;
SELECT channel, round(elasticity::numeric, 1) AS elasticity, round(evidence::numeric, 1) AS evidence
FROM replenish.room WHERE channel IN ('deaf', 'half') ORDER BY 1;
-- a room of one SKU
CREATE TABLE stage (room text, product text, viewers integer, at timestamptz);
SELECT replenish.watch_audience('stage', 'room', 'viewers', 'at', sku => 'product');
INSERT INTO stage SELECT 'live', 'RING', 100, t FROM generate_series('2026-03-20 00:00+00'::timestamptz, '2026-03-21 00:06+00', '1 minute') t;
SELECT decided >= 0 AS decided FROM replenish.tick('2026-03-21 00:07+00');
SELECT channel, sku, round(viewers::numeric) AS viewers, round(ratio::numeric, 2) AS ratio FROM replenish.room WHERE sku IS NOT NULL;
SELECT sku, audience_channel, round(audience_ratio::numeric, 2) AS ratio FROM unnest('{LAMP,RING}'::text[]) sku,
	replenish.facts_of(sku, 'default', '2026-03-21 00:07+00') f, LATERAL (SELECT (f.signals).*) s;
SELECT * FROM replenish.verify();
SELECT replenish.watch_audience('sale', 'channel', NULL, 'at');
SELECT replenish.watch_audience('sale', 'channel', 'at', 'at');

DROP VIEW now;
SELECT replenish.unwatch(t) FROM unnest('{sale,stock,room_stat,stage}'::regclass[]) t;
DROP TABLE sale, stock, room_stat, stage;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
