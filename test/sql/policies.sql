-- policy: the most specific row wins field by field, a change is felt at the next tick
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE stock (sku text, place text, on_hand numeric);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', 'place');
INSERT INTO stock VALUES ('A', 'HK', 100), ('A', 'SZ', 100), ('B', 'HK', 100);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
-- the defaults, and that they are assumed
SELECT service_level, lead_time, lead_time_sd, review_period, order_cycle, buffer,
	exit_margin, moq, multiple, maximum, fixed_threshold, assumed
FROM replenish.resolve_policy('A', 'HK');
INSERT INTO replenish.policy (sku, location, service_level, lead_time, buffer) VALUES
	(NULL, NULL, 0.90, '20 days', 0.1);
INSERT INTO replenish.policy (sku, location, service_level, lead_time) VALUES
	(NULL, 'HK', 0.91, NULL);
INSERT INTO replenish.policy (sku, location, service_level, moq) VALUES
	('A', NULL, 0.92, 12);
INSERT INTO replenish.policy (sku, location, lead_time, fixed_threshold) VALUES
	('A', 'HK', '5 days', 40);
SELECT k.sku, k.location, p.service_level, p.lead_time, p.buffer, p.moq,
	p.fixed_threshold, p.assumed
FROM (VALUES ('A', 'HK'), ('A', 'SZ'), ('B', 'HK'), ('B', 'SZ')) k (sku, location),
	replenish.resolve_policy(k.sku, k.location) p ORDER BY 1, 2;
-- felt at the next tick by exactly the items that are concerned
SELECT decided FROM replenish.tick('2026-11-20 12:01+00');
SELECT sku, location, threshold, tier FROM replenish.status ORDER BY 1, 2;
UPDATE replenish.policy SET fixed_threshold = 90 WHERE sku = 'A' AND location = 'HK';
SELECT * FROM replenish.tick('2026-11-20 12:02+00');
SELECT sku, location, threshold, tier, decided_at FROM replenish.status ORDER BY 1, 2;
UPDATE replenish.policy SET sku = 'B' WHERE sku = 'A' AND location = 'HK';
SELECT * FROM replenish.tick('2026-11-20 12:03+00');
SELECT sku, location, threshold, tier, decided_at FROM replenish.status ORDER BY 1, 2;
DELETE FROM replenish.policy WHERE sku = 'B';
SELECT * FROM replenish.tick('2026-11-20 12:04+00');
SELECT sku, location, threshold, tier, decided_at FROM replenish.status ORDER BY 1, 2;
DELETE FROM replenish.policy WHERE sku IS NULL AND location IS NULL;
SELECT decided FROM replenish.tick('2026-11-20 12:05+00');
-- quantities follow MOQ, pack and maximum
INSERT INTO replenish.policy (sku, location, fixed_threshold, buffer, multiple, maximum)
VALUES ('A', 'SZ', 200, 0, 7, NULL);
SELECT decided FROM replenish.tick('2026-11-20 12:06+00');
SELECT stock_position, threshold, target, reorder_qty FROM replenish.status
WHERE sku = 'A' AND location = 'SZ';
UPDATE replenish.policy SET maximum = 100 WHERE location = 'SZ';
SELECT decided FROM replenish.tick('2026-11-20 12:07+00');
SELECT reorder_qty FROM replenish.status WHERE sku = 'A' AND location = 'SZ';
-- fields of different rows that contradict each other harm nobody
INSERT INTO replenish.policy (maximum, lead_time, review_period)
VALUES (5, '300 days', '60 days');
UPDATE replenish.policy SET maximum = NULL, lead_time = '366 days' WHERE location = 'SZ';
SELECT decided FROM replenish.tick('2026-11-20 12:08+00');
SELECT sku, location, reorder_qty, lead_time FROM replenish.status ORDER BY 1, 2;
-- no row any more: all are decided anew
BEGIN;
TRUNCATE replenish.policy;
SELECT decided = (SELECT count(*) FROM replenish.item) AS all
FROM replenish.tick('2026-11-20 12:09+00');
SELECT DISTINCT lead_time FROM replenish.status;
ROLLBACK;
-- what a row may not say
INSERT INTO replenish.policy (sku, service_level) VALUES ('X', 1);
INSERT INTO replenish.policy (sku, service_level) VALUES ('X', 'NaN');
INSERT INTO replenish.policy (sku, lead_time) VALUES ('X', '1 month');
INSERT INTO replenish.policy (sku, lead_time) VALUES ('X', '-1 day');
INSERT INTO replenish.policy (sku, lead_time) VALUES ('X', '500 days');
INSERT INTO replenish.policy (sku, buffer) VALUES ('X', 'NaN');
INSERT INTO replenish.policy (sku, buffer) VALUES ('X', -0.1);
INSERT INTO replenish.policy (sku, exit_margin) VALUES ('X', 'Infinity');
INSERT INTO replenish.policy (sku, moq, maximum) VALUES ('X', 10, 5);
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('X', 'Infinity');
INSERT INTO replenish.policy (sku, maximum) VALUES ('X', 'NaN');
INSERT INTO replenish.policy (sku) VALUES ('');
INSERT INTO replenish.policy (sku) VALUES ('A');
INSERT INTO replenish.policy DEFAULT VALUES;
INSERT INTO replenish.location VALUES ('HK', 'Asia/Hongkong');
INSERT INTO replenish.location VALUES ('SZ', 'Tokio');
INSERT INTO replenish.location VALUES ('SZ', 'FOO+3');
-- settings can be changed where every table is published
SET client_min_messages = error;
CREATE PUBLICATION everything FOR ALL TABLES;
INSERT INTO replenish.policy (sku, moq) VALUES ('X', 1);
UPDATE replenish.policy SET moq = 2;
DELETE FROM replenish.policy;
INSERT INTO replenish.sku_alias (external_sku, sku) VALUES ('X1', 'X');
DELETE FROM replenish.sku_alias;
INSERT INTO replenish.location_rule (location) VALUES ('HK');
DELETE FROM replenish.location_rule;
DROP PUBLICATION everything;
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE stock;
CREATE EXTENSION replenish;
