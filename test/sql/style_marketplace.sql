-- marketplaces: listing codes, spellings and bundles, mapped to the shop's own SKUs; a changed code re-counts the past
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE sales (id serial, listing text, qty integer, sold_at timestamptz, marketplace text);
CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer);
SELECT replenish.watch_orders('sales', 'listing', 'qty', 'sold_at', channel => 'marketplace');
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
INSERT INTO stock VALUES ('85123A', 50), ('22423', 40), ('85123a', 5), ('GIFT-SET', 2);
INSERT INTO sales (listing, qty, sold_at, marketplace) VALUES
	('85123A', 3, '2026-11-20 08:00+00', 'web'),
	('85123a', 2, '2026-11-20 08:05+00', 'web'),
	('B07XKQ', 4, '2026-11-20 08:10+00', 'amazon'),
	('1729', 1, '2026-11-20 08:20+00', 'tiktok'),
	('1729', 6, '2026-11-20 08:25+00', 'shopee'),
	('GIFT-SET', 5, '2026-11-20 08:30+00', 'web'),
	('22423', 1, '2026-11-20 08:40+00', NULL);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku;
-- what the codes are: a spelling, a listing, a number that means two things, and a set of 2 and 1
INSERT INTO replenish.sku_alias (channel, external_sku, sku, units) VALUES
	(NULL, '85123a', '85123A', 1),
	('amazon', 'B07XKQ', '22423', 1),
	('tiktok', '1729', '85123A', 1),
	('shopee', '1729', '22423', 12),
	(NULL, 'GIFT-SET', '85123A', 2),
	(NULL, 'GIFT-SET', '22423', 1);
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku;
-- sums are kept under the tables' own keys, and are right under them
SELECT count(*) AS differences FROM replenish.verify();
-- an event after the rule counts by it, also one of the past
INSERT INTO sales (listing, qty, sold_at, marketplace) VALUES
	('GIFT-SET', 10, '2026-11-20 11:00+00', 'tiktok'), ('B07XKQ', 1, '2026-11-19 20:00+00', 'amazon');
DELETE FROM sales WHERE listing = '1729' AND marketplace = 'shopee';
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h FROM replenish.status ORDER BY sku;

-- a channel's own meaning goes before that for all, and only there
INSERT INTO replenish.sku_alias (channel, external_sku, sku, units) VALUES ('tiktok', 'GIFT-SET', '22423', 3);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h FROM replenish.status ORDER BY sku;
DELETE FROM replenish.sku_alias WHERE channel = 'tiktok' AND external_sku = 'GIFT-SET';
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h FROM replenish.status ORDER BY sku;
-- also where all that it sold was sold there
INSERT INTO replenish.sku_alias (channel, external_sku, sku, units) VALUES
	(NULL, 'B07XKQ', 'LISTED', 1);
DELETE FROM replenish.sku_alias WHERE channel = 'amazon';
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, sold_24h FROM replenish.status WHERE sku IN ('22423', 'LISTED') ORDER BY sku;
INSERT INTO replenish.sku_alias (channel, external_sku, sku, units) VALUES
	('amazon', 'B07XKQ', '22423', 1);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, sold_24h FROM replenish.status WHERE sku IN ('22423', 'LISTED') ORDER BY sku;

-- an alias of itself is a pack; two that point at each other change places, and nothing goes round
TRUNCATE replenish.sku_alias;
INSERT INTO replenish.sku_alias (external_sku, sku, units) VALUES
	('85123a', '85123a', 10), ('85123A', '22423', 1), ('22423', '85123A', 1);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();
-- what makes no sense
INSERT INTO replenish.sku_alias (external_sku, sku, units) VALUES ('X', 'Y', 0);
INSERT INTO replenish.sku_alias (external_sku, sku, units) VALUES ('X', 'Y', -1);
INSERT INTO replenish.sku_alias (external_sku, sku, units) VALUES ('X', 'Y', 'NaN');
INSERT INTO replenish.sku_alias (external_sku, sku) VALUES ('85123A', '22423');
INSERT INTO replenish.sku_alias (external_sku, sku) VALUES ('', 'Y');
INSERT INTO replenish.sku_alias (external_sku, sku) VALUES (NULL, 'Y');
INSERT INTO replenish.sku_alias (channel, external_sku, sku) VALUES ('', 'X', 'Y');

-- without any, all is as at first
DELETE FROM replenish.sku_alias;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE sales, stock;
CREATE EXTENSION replenish;
