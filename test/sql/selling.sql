-- Channels: what each sells, what is set aside for it, who eats whose units,
-- and what is gone on one while the total looks well
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE TABLE sale (id integer GENERATED ALWAYS AS IDENTITY, sku text, qty integer, at timestamptz, channel text);
CREATE INDEX ON sale (at);
CREATE TABLE stock (sku text, units integer);
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', channel => 'channel');
SELECT replenish.watch_stock('stock', 'sku', 'units');
-- six an hour on tiktok, two on shopee
INSERT INTO sale (sku, qty, at, channel) SELECT 'LAMP', 1, '2026-03-02 00:00+00'::timestamptz - i * interval '10 minutes',
	CASE WHEN i % 4 = 0 THEN 'shopee' ELSE 'tiktok' END FROM generate_series(1, 6 * 24 * 40) i;
INSERT INTO sale (sku, qty, at, channel) SELECT 'RING', 2, '2026-03-02 00:00+00'::timestamptz - i * interval '1 hour', 'shopee'
FROM generate_series(1, 24 * 40) i;
INSERT INTO stock VALUES ('LAMP', 90), ('RING', 100);
SELECT decided FROM replenish.tick('2026-03-02 00:00+00');
CREATE VIEW rest AS SELECT sku, channel, round(velocity::numeric, 1) AS velocity, round(sold_24h) AS sold_24h,
	round(share::numeric, 2) AS share, set_aside, left_for_it, gone, date_trunc('minute', gone_at) AS gone_at, eats
FROM replenish.channel_item ORDER BY 1, 2;
-- nothing set aside: all units are anybody's, until all are gone
SELECT * FROM rest;
-- 30 for shopee: tiktok has the other 60, and then eats those of shopee
INSERT INTO replenish.channel_allotment VALUES ('LAMP', 'default', 'shopee', 30, '2026-03-02 00:00+00');
SELECT * FROM rest WHERE sku = 'LAMP';
-- what shopee sells is taken off its own
INSERT INTO sale (sku, qty, at, channel) SELECT 'LAMP', 1, '2026-03-02 00:00+00'::timestamptz + i * interval '1 minute', 'shopee'
FROM generate_series(1, 10) i;
UPDATE stock SET units = units - 10 WHERE sku = 'LAMP';
SELECT decided FROM replenish.tick('2026-03-02 00:20+00');
SELECT channel, set_aside, left_for_it FROM rest WHERE sku = 'LAMP';
-- all that is left is shopee's: gone on tiktok while the total is positive
UPDATE stock SET units = 20 WHERE sku = 'LAMP';
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('LAMP', 2);
SELECT decided FROM replenish.tick('2026-03-02 00:20+00');
SELECT c.channel, c.left_for_it, c.gone, s.available, s.tier FROM replenish.channel_item c
JOIN replenish.status s USING (sku, location) WHERE sku = 'LAMP' ORDER BY 1;
-- more set aside than there is: each keeps the same share of its own; owed: nothing
INSERT INTO replenish.channel_allotment VALUES ('LAMP', 'default', 'tiktok', 60, '2026-03-02 00:20+00');
SELECT channel, set_aside, left_for_it, gone FROM rest WHERE sku = 'LAMP';
UPDATE stock SET units = -5 WHERE sku = 'LAMP';
SELECT decided FROM replenish.tick('2026-03-02 00:20+00');
SELECT channel, set_aside, left_for_it, gone FROM rest WHERE sku = 'LAMP';
-- a channel that never sold, and one of a SKU that is nobody's
INSERT INTO replenish.channel_allotment VALUES ('RING', 'default', 'radio', 10, '2026-03-02 00:00+00'),
	('NOBODY', 'default', 'radio', 10, '2026-03-02 00:00+00');
SELECT * FROM rest WHERE sku <> 'LAMP';

-- by channel: orders, units and money a minute, and its share
INSERT INTO replenish.sku_price (sku, channel, price) VALUES ('LAMP', NULL, 30), ('LAMP', 'shopee', 60);
SELECT channel, round(orders_per_minute, 2) AS orders_per_minute, round((units_per_minute * 60)::numeric, 1) AS units_per_hour,
	money_per_minute > 0 AS money, round(sold_24h) AS sold_24h, round(share::numeric, 2) AS share, skus
FROM replenish.channel_status ORDER BY 1;
SELECT * FROM replenish.channel_orders('20 minutes') ORDER BY 1;
SELECT count(*) FROM sale WHERE at > '2026-03-02 00:00+00' AND at <= '2026-03-02 00:20+00';
SELECT * FROM replenish.channel_orders('0');
INSERT INTO replenish.channel_allotment VALUES ('RING', 'default', 'web', -1, '2026-03-02 00:00+00');
SELECT * FROM replenish.verify();

DROP VIEW rest;
SELECT replenish.unwatch('sale'), replenish.unwatch('stock');
DROP TABLE sale, stock;
DROP EXTENSION replenish;
CREATE EXTENSION replenish;
