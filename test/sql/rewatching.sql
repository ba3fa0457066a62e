-- a table watched again: after unwatch(), DROP TABLE, a rename, and what cannot be watched
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE stock (sku text, on_hand integer);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
INSERT INTO stock VALUES ('A', 10), ('B', 20);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
-- what did not change in between counts again at once
SELECT replenish.unwatch('stock');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, reason FROM replenish.status ORDER BY sku;
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
CALL replenish.backfill('stock');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand, reason FROM replenish.status ORDER BY sku;
-- what was emptied in between is not taken for counted
SELECT replenish.unwatch('stock');
TRUNCATE stock;
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
SELECT ok, detail FROM replenish.health() WHERE what = 'source public.stock';
CALL replenish.backfill('stock');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand FROM replenish.status ORDER BY sku;
SELECT * FROM replenish.verify();
-- a table that was dropped and made anew is the same source: nothing counts twice
INSERT INTO stock VALUES ('A', 7);
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
DROP TABLE stock;
SELECT ok, detail, hint FROM replenish.health() WHERE what = 'source public.stock';
CREATE TABLE stock (sku text, on_hand integer);
INSERT INTO stock VALUES ('A', 8);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
CALL replenish.backfill('stock');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand FROM replenish.status ORDER BY sku;
SELECT id, name, active FROM replenish.source ORDER BY id;
-- so is one that was renamed while it was watched
ALTER TABLE stock RENAME TO goods;
SELECT replenish.unwatch('goods');
SELECT replenish.watch_stock('goods', 'sku', 'on_hand');
SELECT id, name, active FROM replenish.source ORDER BY id;
-- a column that has another name goes on; of another type, all rows stop counting, and health() says so
CALL replenish.backfill('goods');
ALTER TABLE goods RENAME COLUMN on_hand TO units;
UPDATE goods SET units = 9;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT ok, detail, hint FROM replenish.health() WHERE what = 'source public.goods';
ALTER TABLE goods RENAME COLUMN units TO on_hand;
ALTER TABLE goods ALTER COLUMN on_hand TYPE text;
SELECT ok, detail, hint FROM replenish.health() WHERE what = 'source public.goods';
CALL replenish.repair('goods');
SELECT count(*) FROM replenish.backlog;
ALTER TABLE goods ALTER COLUMN on_hand TYPE bigint USING on_hand::bigint;
CALL replenish.repair('goods');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sku, on_hand FROM replenish.status WHERE sku = 'A';
SELECT ok, detail FROM replenish.health() WHERE what = 'source public.goods';
-- history of rows that went when they were older than keep stays
CREATE TABLE orders (id integer, sku text, qty integer, at timestamptz);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', keep => '30 days');
INSERT INTO orders SELECT i, 'C', 1, '2026-11-20 12:00+00'::timestamptz - i * interval '1 day'
	FROM generate_series(0, 99) i;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
DELETE FROM orders WHERE id >= 60;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT replenish.unwatch('orders');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', keep => '30 days');
CALL replenish.backfill('orders');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT sum(units) FROM replenish.item_demand, replenish.demand_buckets(demand)
WHERE sku = 'C' AND resolution = '7 days';
-- only who owns the table can stop its watch, only new snapshots can begin one
SELECT replenish.retire_source(id, name) FROM replenish.source WHERE name = 'public.goods';
SELECT replenish.unwatch('goods');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT replenish.watch_stock('goods', 'sku', 'on_hand');
ROLLBACK;
-- triggers that see only a part of what happens to the rows
CREATE TABLE sales (sku text, qty integer, at timestamptz) PARTITION BY LIST (sku);
CREATE TABLE sales_a PARTITION OF sales FOR VALUES IN ('A');
SELECT replenish.watch_orders('sales_a', 'sku', 'qty', 'at');
CREATE FOREIGN DATA WRAPPER elsewhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere;
CREATE FOREIGN TABLE sales_b PARTITION OF sales FOR VALUES IN ('B') SERVER elsewhere;
SELECT replenish.watch_orders('sales', 'sku', 'qty', 'at');
DROP FOREIGN TABLE sales_b;
SELECT replenish.watch_orders('sales', 'sku', 'qty', 'at');
CREATE TABLE lines (sku text, qty integer, at timestamptz);
CREATE TABLE events (sku text);
CREATE TABLE show_lines () INHERITS (lines, events);
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'at');
SELECT replenish.watch_orders('show_lines', 'sku', 'qty', 'at');
-- a trigger with arguments that nobody could have written does no harm
CREATE TRIGGER odd AFTER INSERT ON lines FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.capture('odd');
INSERT INTO lines VALUES ('A', 1, now());
SELECT relation FROM replenish.watched ORDER BY relation::text;
-- triggers that fire always are not disabled
ALTER TABLE sales ENABLE ALWAYS TRIGGER replenish_insert;
SELECT relation, enabled FROM replenish.watched ORDER BY relation::text;
ALTER TABLE sales DISABLE TRIGGER replenish_insert;
SELECT relation, enabled FROM replenish.watched ORDER BY relation::text;
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE goods, orders, sales, show_lines, lines, events;
DROP FOREIGN DATA WRAPPER elsewhere CASCADE;
CREATE EXTENSION replenish;
