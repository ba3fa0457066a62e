-- rows written in the role of a replica, where statement triggers keep still: each counts once
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE FUNCTION settle() RETURNS TABLE (sku text, units float8, differences bigint)
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM replenish.tick('2026-11-20 12:00+00');
	RETURN QUERY SELECT d.sku, sum(b.units), (SELECT count(*) FROM replenish.verify())
	FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
	WHERE b.resolution = '7 days' GROUP BY 1 HAVING sum(b.units) <> 0 ORDER BY 1;
END $$;
CREATE TABLE orders (id integer PRIMARY KEY, at timestamptz, status text);
CREATE TABLE lines (order_id integer, sku text, qty numeric) PARTITION BY LIST (sku);
CREATE TABLE lines_a PARTITION OF lines FOR VALUES IN ('A');
CREATE TABLE lines_rest (qty numeric, order_id integer, sku text);
ALTER TABLE lines ATTACH PARTITION lines_rest DEFAULT;
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'at', status => 'status', counted => '{paid}',
	header => 'orders', header_key => 'order_id');
CREATE TABLE stock (sku text, on_hand integer);
CREATE TABLE stock_far () INHERITS (stock);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
-- as the apply of logical replication does it
SET session_replication_role = replica;
INSERT INTO orders VALUES (1, '2026-11-20 10:00+00', 'paid'), (2, '2026-11-20 10:00+00', 'new');
INSERT INTO lines VALUES (1, 'A', 1), (1, 'B', 2), (2, 'A', 4);
INSERT INTO stock VALUES ('A', 10);
COPY stock_far FROM stdin;
A	5
B	7
\.
SELECT * FROM settle();
SELECT sku, on_hand FROM replenish.item ORDER BY sku;
UPDATE orders SET status = 'paid' WHERE id = 2;
UPDATE lines SET qty = qty + 0.5 WHERE sku = 'A';
UPDATE lines SET sku = 'C' WHERE order_id = 2;
UPDATE stock SET on_hand = on_hand + 1;
SELECT * FROM settle();
SELECT sku, on_hand FROM replenish.item ORDER BY sku;
DELETE FROM lines WHERE sku = 'B';
DELETE FROM stock WHERE sku = 'B';
SELECT * FROM settle();
BEGIN;
INSERT INTO lines VALUES (1, 'D', 1);
SAVEPOINT a;
INSERT INTO lines VALUES (1, 'D', 10);
ROLLBACK TO a;
COMMIT;
SELECT * FROM settle();
TRUNCATE lines_rest;
TRUNCATE stock;
SELECT * FROM settle();
SELECT sku, on_hand FROM replenish.item ORDER BY sku;
RESET session_replication_role;
-- whichever triggers somebody has made fire in both roles, rows count once
ALTER TABLE lines ENABLE ALWAYS TRIGGER replenish_insert;
ALTER TABLE lines_rest ENABLE ALWAYS TRIGGER replenish_apply;
INSERT INTO lines VALUES (1, 'E', 1);
SET session_replication_role = replica;
INSERT INTO lines VALUES (1, 'E', 1);
RESET session_replication_role;
SELECT * FROM settle();
SELECT enabled FROM replenish.watched ORDER BY id;
-- a statement that ran before the role changed keeps its own
BEGIN;
INSERT INTO lines VALUES (1, 'F', 1);
SET LOCAL session_replication_role = replica;
INSERT INTO lines VALUES (1, 'F', 2);
SET LOCAL session_replication_role = local;
INSERT INTO lines VALUES (1, 'F', 4);
COMMIT;
SELECT * FROM settle();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, lines, stock, stock_far;
DROP FUNCTION settle;
CREATE EXTENSION replenish;
