-- a shop as WooCommerce keeps it: status elsewhere than the lines, local times, refunds as negative lines, no foreign keys
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
INSERT INTO replenish.location (location, time_zone) VALUES ('default', 'Europe/Berlin');
-- the copy has the orders' key as text
CREATE TABLE wc_order_stats (order_id varchar(20) PRIMARY KEY, parent_id varchar(20),
	status text, date_created timestamp);
CREATE TABLE wc_order_product_lookup (order_item_id bigint PRIMARY KEY, order_id bigint,
	product_id bigint, variation_id bigint, product_qty integer, date_created timestamp);
CREATE TABLE wc_product_meta_lookup (product_id bigint PRIMARY KEY, sku text,
	stock_quantity double precision);
SELECT replenish.watch_orders('wc_order_product_lookup', 'product_id', 'product_qty', 'date_created',
	status => 'status', counted => '{wc-processing,wc-completed,wc-on-hold}',
	header => 'wc_order_stats', header_key => 'order_id');
SELECT replenish.watch_stock('wc_product_meta_lookup', 'product_id', 'stock_quantity');
INSERT INTO wc_product_meta_lookup VALUES (101, 'hoodie-blue', 25), (102, 'beanie', 8), (103, 'album', NULL);
INSERT INTO wc_order_stats VALUES
	('5001', '0', 'wc-completed', '2026-11-19 14:03:22'),
	('5002', '0', 'wc-processing', '2026-11-20 09:30:10'),
	('5003', '0', 'wc-cancelled', '2026-11-20 10:12:00'),
	-- refunds part of 5001
	('5004', '5001', 'wc-completed', '2026-11-20 11:00:00'),
	-- a header without lines
	('5005', '0', 'wc-on-hold', '2026-11-20 11:20:00');
INSERT INTO wc_order_product_lookup VALUES
	(1, 5001, 101, 0, 3, '2026-11-19 14:03:22'),
	(2, 5001, 102, 0, 1, '2026-11-19 14:03:22'),
	(3, 5002, 101, 0, 2, '2026-11-20 09:30:10'),
	(4, 5003, 102, 0, 5, '2026-11-20 10:12:00'),
	(5, 5004, 101, 0, -1, '2026-11-20 11:00:00'),
	-- lines without a header, and one without an order
	(6, 5006, 102, 0, 4, '2026-11-20 12:30:00'),
	(7, NULL, 102, 0, 4, '2026-11-20 12:30:00');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();
SELECT what, detail, hint FROM replenish.health() WHERE what LIKE 'fault%' ORDER BY what;
-- half past nine in Berlin is half past eight
SELECT d.sku, b.bucket, b.units FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
WHERE b.resolution = '1 hour' AND b.units <> 0 ORDER BY 1, 2;

-- the header comes at last, an order is cancelled, its refund too
INSERT INTO wc_order_stats VALUES ('5006', '0', 'wc-processing', '2026-11-20 12:30:00');
UPDATE wc_order_stats SET status = 'wc-cancelled' WHERE '5001' IN (order_id, parent_id);
-- and lines to the header that had none
INSERT INTO wc_order_product_lookup VALUES (8, 5005, 103, 0, 2, '2026-11-20 11:20:00');
UPDATE wc_order_product_lookup SET order_id = 5005 WHERE order_id IS NULL;
SELECT decided FROM replenish.tick('2026-11-20 12:10+00');
SELECT sku, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();
-- lines are deleted first, then their order; or the other way round
DELETE FROM wc_order_product_lookup WHERE order_id = 5005;
SELECT decided FROM replenish.tick('2026-11-20 12:11+00');
DELETE FROM wc_order_stats WHERE order_id = '5005';
DELETE FROM wc_order_stats WHERE order_id = '5006';
SELECT decided FROM replenish.tick('2026-11-20 12:12+00');
DELETE FROM wc_order_product_lookup WHERE order_id = 5006;
SELECT decided FROM replenish.tick('2026-11-20 12:13+00');
SELECT sku, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE wc_order_stats, wc_order_product_lookup, wc_product_meta_lookup;
CREATE EXTENSION replenish;
