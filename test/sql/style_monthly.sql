-- orders partitioned by month: loaded ahead, written to directly, emptied and dropped by a job; a table swapped by rename
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE FUNCTION months() RETURNS TABLE (sku text, units float8, differences bigint)
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM replenish.tick('2026-11-20 12:00+00');
	RETURN QUERY SELECT d.sku, sum(b.units), (SELECT count(*) FROM replenish.verify())
	FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
	WHERE b.resolution = '7 days' GROUP BY 1 HAVING sum(b.units) <> 0 ORDER BY 1;
END $$;
CREATE TABLE orders (id bigint, sku text, qty integer, ordered_at timestamptz NOT NULL)
	PARTITION BY RANGE (ordered_at);
CREATE TABLE orders_2026_07 PARTITION OF orders FOR VALUES FROM ('2026-07-01') TO ('2026-08-01');
CREATE TABLE orders_2026_08 PARTITION OF orders FOR VALUES FROM ('2026-08-01') TO ('2026-09-01');
CREATE TABLE orders_2026_10 PARTITION OF orders FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');
CREATE TABLE orders_2026_11 PARTITION OF orders FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
INSERT INTO orders VALUES
	(1, 'TEA', 5, '2026-07-02 10:00+00'), (2, 'CUP', 1, '2026-07-30 10:00+00'),
	(3, 'TEA', 7, '2026-08-03 10:00+00'), (4, 'CUP', 2, '2026-08-28 10:00+00'),
	(5, 'TEA', 11, '2026-10-05 10:00+00'), (6, 'CUP', 3, '2026-10-31 23:59+00'),
	(7, 'TEA', 13, '2026-11-01 00:00+00'), (8, 'CUP', 4, '2026-11-19 10:00+00');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'ordered_at', keep => '90 days');
CALL replenish.backfill('orders');
SELECT * FROM months();

-- the loader writes to the month itself; a correction moves a row to another month
INSERT INTO orders_2026_11 VALUES (9, 'TEA', 100, '2026-11-20 09:00+00');
UPDATE orders SET ordered_at = '2026-10-15 10:00+00' WHERE id = 8;
SELECT * FROM months();
-- September was loaded apart and is attached whole
CREATE TABLE orders_2026_09 (LIKE orders INCLUDING ALL);
INSERT INTO orders_2026_09 VALUES (10, 'TEA', 1000, '2026-09-10 10:00+00');
SELECT * FROM months();
ALTER TABLE orders ATTACH PARTITION orders_2026_09 FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
SELECT * FROM months();
-- the next month's partition is made ahead
CREATE TABLE orders_2026_12 PARTITION OF orders FOR VALUES FROM ('2026-12-01') TO ('2027-01-01');

-- the job: what is older than 90 days goes in whichever way, and counts all the same
DELETE FROM orders WHERE ordered_at < '2026-08-22';
ALTER TABLE orders DETACH PARTITION orders_2026_07;
DROP TABLE orders_2026_07;
SELECT * FROM months();
-- August ends within the 90 days: it leaves with what is younger
ALTER TABLE orders DETACH PARTITION orders_2026_08;
SELECT * FROM months();
-- months that are kept: taken out they count no more, put back they do
ALTER TABLE orders DETACH PARTITION orders_2026_10;
SELECT * FROM months();
ALTER TABLE orders ATTACH PARTITION orders_2026_10 FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');
SELECT * FROM months();
TRUNCATE orders_2026_09;
SELECT * FROM months();
-- dropped with its rows: nobody saw them go, which is said at once
DROP TABLE orders_2026_10;
SELECT relation, enabled, stale IS NOT NULL AS stale FROM replenish.watched;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what = 'source public.orders';
SELECT count(*) > 0 AS differs FROM replenish.verify();
CALL replenish.repair('orders');
SELECT * FROM months();
SELECT relation, enabled, stale IS NOT NULL AS stale FROM replenish.watched;

-- another way to begin a year: the table is swapped by its name
BEGIN;
CREATE TABLE orders_next (LIKE orders) PARTITION BY RANGE (ordered_at);
CREATE TABLE orders_next_all PARTITION OF orders_next DEFAULT;
ALTER TABLE orders RENAME TO orders_2026;
ALTER TABLE orders_next RENAME TO orders;
COMMIT;
INSERT INTO orders VALUES (20, 'TEA', 1, '2026-11-20 11:00+00');
INSERT INTO orders_2026 VALUES (21, 'CUP', 1, '2026-11-20 11:00+00');
SELECT relation, enabled FROM replenish.watched;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what LIKE 'source public.orders%';
SELECT * FROM months();
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'ordered_at', keep => '90 days');
CALL replenish.backfill('orders');
SELECT * FROM months();
SELECT relation, enabled FROM replenish.watched ORDER BY relation::text;

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, orders_2026, orders_2026_08;
DROP FUNCTION months();
CREATE EXTENSION replenish;
