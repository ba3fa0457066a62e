-- verify() finds what is wrong, repair() and backfill() put it right
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE orders (id integer PRIMARY KEY, sku text, qty integer, at timestamptz);
CREATE TABLE stock (sku text PRIMARY KEY, on_hand integer);
-- rows from before the watch
INSERT INTO orders SELECT i, 'A', 1, '2026-11-20 12:00+00'::timestamptz - i * interval '1 day'
	FROM generate_series(1, 200) i;
INSERT INTO stock VALUES ('A', 100), ('B', 0);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', keep => '60 days');
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT what, count(*), sum(expected) AS expected, sum(actual) AS actual
FROM replenish.verify() GROUP BY 1 ORDER BY 1;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what LIKE 'source%';
CALL replenish.backfill('orders');
CALL replenish.backfill('stock');
SELECT kind, count(*) FROM replenish.backlog GROUP BY kind ORDER BY kind;
SELECT count(*) FROM replenish.verify();
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.verify();
SELECT sum(units) FILTER (WHERE resolution = '7 days') AS weeks,
	sum(units) FILTER (WHERE resolution = '1 day') AS days
FROM replenish.item_demand, replenish.demand_buckets(demand);
-- again: there is nothing left to do
CALL replenish.backfill('orders');
CALL replenish.repair();
SELECT count(*) FROM replenish.inbox;
-- in one go or line by line: the same to the bit
CREATE TABLE again (LIKE orders);
SELECT replenish.watch_orders('again', 'sku', 'qty', 'at');
INSERT INTO again SELECT * FROM orders WHERE id % 2 = 0;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
INSERT INTO again SELECT * FROM orders WHERE id % 2 = 1 ORDER BY id DESC;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*), count(DISTINCT demand::text), bool_and(demand OPERATOR(replenish.=) (SELECT demand FROM replenish.item_demand WHERE source = 1)) AS same
FROM replenish.item_demand;
SELECT replenish.unwatch('again');
-- rows older than keep go without taking their demand with them, younger ones don't
DELETE FROM orders WHERE id > 100;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.verify();
SELECT sum(units) FROM replenish.item_demand, replenish.demand_buckets(demand)
WHERE source = 1 AND resolution = '7 days';
DELETE FROM orders WHERE id <= 10;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.verify();
SELECT sum(units) FROM replenish.item_demand, replenish.demand_buckets(demand)
WHERE source = 1 AND resolution = '7 days';
-- whoever disables the triggers is told, and can repair
ALTER TABLE orders DISABLE TRIGGER USER;
INSERT INTO orders VALUES (1000, 'A', 7, '2026-11-19 12:00+00'), (1001, 'new', 1, '2026-11-20 11:59+00');
DELETE FROM orders WHERE id = 20;
SELECT relation, enabled FROM replenish.watched ORDER BY id;
SELECT ok, detail, hint FROM replenish.health() WHERE what = 'source public.orders';
ALTER TABLE orders ENABLE TRIGGER USER;
SELECT * FROM replenish.verify('orders') WHERE what <> 'demand per hour';
CALL replenish.repair('orders');
SELECT count(*) FROM replenish.verify();
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.verify();
-- a state that somebody has spoilt
UPDATE replenish.item_stock SET on_hand = 17 WHERE sku = 'A';
DELETE FROM replenish.item_demand WHERE sku = 'new';
INSERT INTO replenish.item_stock VALUES ('ghost', 'default', 2, 0, 5, 0, 0, 0);
INSERT INTO replenish.fault VALUES (1, 'blank_sku', 3, now(), now());
SELECT relation, sku, what, expected, actual FROM replenish.verify()
WHERE what NOT LIKE 'demand%' ORDER BY 1, 2, 3;
CALL replenish.repair();
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.verify();
-- what is not watched cannot be verified
SELECT * FROM replenish.verify('again');
CALL replenish.repair('again');
CALL replenish.backfill('again');
CALL replenish.backfill(NULL);
BEGIN ISOLATION LEVEL REPEATABLE READ;
CALL replenish.repair();
ROLLBACK;
-- stock that is unwatched counts no more, and does again when it is watched again
SELECT on_hand, reason FROM replenish.status WHERE sku = 'A';
SELECT replenish.unwatch('stock');
UPDATE stock SET on_hand = 99 WHERE sku = 'A';
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT on_hand, reason FROM replenish.status WHERE sku = 'A';
SELECT replenish.watch_stock('stock', 'sku', 'on_hand');
CALL replenish.backfill('stock');
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT on_hand FROM replenish.status WHERE sku = 'A';
SELECT count(*) FROM replenish.verify();
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, stock, again;
CREATE EXTENSION replenish;
