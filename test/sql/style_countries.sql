-- orders that carry a country: rules say which warehouse serves it, the most specific one first
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE orders (id serial, sku text, qty integer, at timestamptz, ship_to char(2), room text);
CREATE TABLE warehouse_stock (warehouse text, sku text, on_hand integer, PRIMARY KEY (warehouse, sku));
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', location => 'ship_to', channel => 'room');
SELECT replenish.watch_stock('warehouse_stock', 'sku', 'on_hand', location => 'warehouse');
INSERT INTO warehouse_stock VALUES ('venlo', 'SERUM', 300), ('ontario', 'SERUM', 80),
	('hub', 'SERUM', 1000), ('venlo', 'MASK', 20), ('hub', 'MASK', 5000);
INSERT INTO orders (sku, qty, at, ship_to, room) VALUES
	('SERUM', 3, '2026-11-20 09:00+00', 'DE', 'shop'),
	('SERUM', 5, '2026-11-20 09:10+00', 'FR', 'tiktok'),
	('SERUM', 7, '2026-11-20 09:20+00', 'US', 'tiktok'),
	('SERUM', 11, '2026-11-20 09:30+00', 'BR', 'shop'),
	('SERUM', 13, '2026-11-20 09:40+00', NULL, 'tiktok'),
	('MASK', 1, '2026-11-20 09:50+00', 'DE', 'shop'),
	('MASK', 2, '2026-11-20 10:00+00', 'JP', NULL);
-- without rules a country is a place of its own
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku, location;
INSERT INTO replenish.location_rule (channel, place, location) VALUES
	(NULL, 'DE', 'venlo'), (NULL, 'FR', 'venlo'), (NULL, 'US', 'ontario'), (NULL, NULL, 'hub');
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, sold_24h, reason FROM replenish.status ORDER BY sku, location;
SELECT count(*) AS differences FROM replenish.verify();

-- a live room ships by itself, but to places that have a rule: a place goes before a channel
INSERT INTO replenish.location_rule (channel, place, location) VALUES
	('tiktok', NULL, 'drop-ship'), ('tiktok', 'US', 'hub');
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, sold_24h FROM replenish.status ORDER BY sku, location;
-- orders without a country are of the place default
INSERT INTO replenish.location_rule (place, location) VALUES ('default', 'ontario');
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, sold_24h FROM replenish.status ORDER BY sku, location;
-- a country changes its warehouse, with everything that it ever ordered
UPDATE replenish.location_rule SET location = 'hub' WHERE place = 'DE';
INSERT INTO orders (sku, qty, at, ship_to, room) VALUES ('MASK', 100, '2026-11-20 11:00+00', 'DE', 'shop');
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, sold_24h FROM replenish.status ORDER BY sku, location;
SELECT count(*) AS differences FROM replenish.verify();
-- one rule for each place and channel
INSERT INTO replenish.location_rule (place, location) VALUES ('DE', 'venlo');
INSERT INTO replenish.location_rule (location) VALUES ('venlo');
INSERT INTO replenish.location_rule (place, location) VALUES ('IT', '');
INSERT INTO replenish.location_rule (place) VALUES ('IT');

-- none at all: each country by itself again
TRUNCATE replenish.location_rule;
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, location, on_hand, sold_24h FROM replenish.status ORDER BY sku, location;
SELECT count(*) AS differences FROM replenish.verify();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, warehouse_stock;
CREATE EXTENSION replenish;
