-- every statement form, type and time: what is captured is what verify() recounts
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TYPE order_status AS ENUM ('new', 'paid', 'cancelled');
CREATE TABLE orders (id integer PRIMARY KEY, sku text, qty integer,
	at timestamptz DEFAULT '2026-11-20 10:00+00', shop text,
	status order_status DEFAULT 'paid');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', channel => 'shop',
	status => 'status', counted => '{paid}');

-- what each statement appends, then whether all is exact
CREATE FUNCTION moved(OUT kind "char", OUT sku text, OUT channel text,
	OUT minute timestamptz, OUT units numeric) RETURNS SETOF record
LANGUAGE sql AS $$
	SELECT kind, sku, channel, to_timestamp(minute * 60.0),
		trim_scale(amount / 1000000.0)
	FROM replenish.inbox ORDER BY 1, 2, 3, 4, 5
$$;
CREATE FUNCTION settle(OUT differences bigint, OUT waiting bigint)
LANGUAGE plpgsql AS $$
BEGIN
	SELECT count(*) FROM replenish.verify() INTO differences;
	PERFORM replenish.tick('2026-11-20 12:00+00');
	SELECT differences + count(*) FROM replenish.verify() INTO differences;
	SELECT count(*) FROM replenish.inbox INTO waiting;
END $$;

INSERT INTO orders (id, sku, qty) VALUES (1, 'A', 3);
SELECT * FROM moved();
SELECT * FROM settle();
-- several lines of an item in a minute are one movement
INSERT INTO orders (id, sku, qty, at, shop) VALUES
	(2, 'A', 1, '2026-11-20 10:01:10+00', 'live'),
	(3, 'A', 2, '2026-11-20 10:01:50+00', 'live'),
	(4, 'A', 4, '2026-11-20 10:02:00+00', 'live'),
	(5, 'B', 8, '2026-11-20 10:01:00+00', NULL);
SELECT * FROM moved();
SELECT * FROM settle();
-- nothing moves
UPDATE orders SET shop = shop;
UPDATE orders SET qty = qty WHERE false;
INSERT INTO orders (id, sku, qty, status) VALUES (6, 'A', 100, 'new');
INSERT INTO orders (id, sku, qty, status) VALUES (7, 'A', 100, NULL);
INSERT INTO orders (id, sku, qty) VALUES (8, 'A', 0);
SELECT * FROM moved();
-- key, quantity, moment, channel and status
UPDATE orders SET sku = 'C' WHERE id = 5;
SELECT * FROM moved();
SELECT * FROM settle();
UPDATE orders SET qty = qty + 10 WHERE id IN (1, 2);
SELECT * FROM moved();
SELECT * FROM settle();
UPDATE orders SET at = at - interval '1 day', shop = 'web' WHERE id = 3;
SELECT * FROM moved();
SELECT * FROM settle();
UPDATE orders SET status = 'paid' WHERE id = 6;
UPDATE orders SET status = 'cancelled' WHERE id = 1;
SELECT * FROM moved();
SELECT * FROM settle();
-- upserts
INSERT INTO orders (id, sku, qty) VALUES (1, 'A', 1), (9, 'D', 1)
	ON CONFLICT (id) DO UPDATE SET qty = 50, status = 'paid';
INSERT INTO orders (id, sku, qty) VALUES (9, 'D', 1) ON CONFLICT DO NOTHING;
SELECT * FROM moved();
SELECT * FROM settle();
-- MERGE
MERGE INTO orders o
USING (VALUES (1, 'A', 7), (2, 'A', 0), (10, 'E', 9)) n (id, sku, qty)
ON o.id = n.id
WHEN MATCHED AND n.qty = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET qty = n.qty
WHEN NOT MATCHED THEN INSERT (id, sku, qty) VALUES (n.id, n.sku, n.qty);
SELECT * FROM moved();
SELECT * FROM settle();
-- COPY, writable CTEs, functions, prepared statements
COPY orders (id, sku, qty) FROM stdin;
11	F	1
12	F	2
\.
WITH a AS (INSERT INTO orders (id, sku, qty) VALUES (13, 'G', 1) RETURNING id),
	b AS (INSERT INTO orders (id, sku, qty) VALUES (14, 'G', 2) RETURNING id)
SELECT count(*) FROM a, b;
PREPARE place (integer, integer) AS
	INSERT INTO orders (id, sku, qty) VALUES ($1, 'H', $2);
EXECUTE place(15, 5);
DO $$ BEGIN INSERT INTO orders (id, sku, qty) VALUES (16, 'H', 6); END $$;
SELECT * FROM moved();
SELECT * FROM settle();
-- savepoints and rollbacks leave nothing
BEGIN;
INSERT INTO orders (id, sku, qty) VALUES (17, 'I', 1);
SAVEPOINT s;
INSERT INTO orders (id, sku, qty) VALUES (18, 'I', 100);
ROLLBACK TO s;
INSERT INTO orders (id, sku, qty) VALUES (18, 'I', 10);
COMMIT;
BEGIN;
DELETE FROM orders;
ROLLBACK;
INSERT INTO orders (id, sku, qty) VALUES (1, 'duplicate', 1);
SELECT * FROM moved();
SELECT * FROM settle();
-- DELETE takes back, and says so with its own kind
DELETE FROM orders WHERE sku = 'H';
SELECT * FROM moved();
SELECT * FROM settle();
-- a cascade
CREATE TABLE customer (id integer PRIMARY KEY);
INSERT INTO customer VALUES (1), (2);
CREATE TABLE basket (customer integer REFERENCES customer ON DELETE CASCADE,
	sku text, qty integer, at timestamptz DEFAULT '2026-11-20 10:00+00');
SELECT replenish.watch_orders('basket', 'sku', 'qty', 'at');
INSERT INTO basket VALUES (1, 'K', 1), (1, 'L', 2), (2, 'K', 4);
DELETE FROM customer WHERE id = 1;
SELECT * FROM moved();
SELECT * FROM settle();
-- many items in one statement
INSERT INTO orders (id, sku, qty)
	SELECT 100 + i, 'bulk' || i % 33000, 1 FROM generate_series(1, 66000) i;
SELECT count(*), sum(amount) / 1000000 AS units FROM replenish.inbox;
SELECT * FROM settle();
-- TRUNCATE: what no deletion took
TRUNCATE orders;
SELECT count(*) FROM replenish.inbox;
SELECT * FROM settle();
SELECT count(*) FROM replenish.item_demand
WHERE source = 1 AND EXISTS (SELECT FROM replenish.demand_buckets(demand));
DELETE FROM replenish.item_demand WHERE sku LIKE 'bulk%';

-- stock: three amounts, several rows to an item
CREATE TABLE bins (bin integer PRIMARY KEY, sku integer, place text,
	units numeric(12,3), held numeric, coming integer);
SELECT replenish.watch_stock('bins', 'sku', 'units', 'place', 'held', 'coming');
INSERT INTO bins VALUES (1, 7, 'HK', 10, 1, 0), (2, 7, 'HK', 2.5, NULL, 100),
	(3, 8, 'HK', 0, 0, 0), (4, 7, NULL, 1, 0, 0);
SELECT kind, sku, location, trim_scale(amount / 1000000.0)
FROM replenish.inbox ORDER BY 1, 2, 3;
SELECT * FROM settle();
UPDATE bins SET units = units - 1, held = 0 WHERE bin = 1;
UPDATE bins SET place = 'SZ' WHERE bin = 2;
DELETE FROM bins WHERE bin = 4;
SELECT * FROM settle();
SELECT sku, location, on_hand, reserved, on_order FROM replenish.status
WHERE sku IN ('7', '8') ORDER BY 1, 2;
TRUNCATE bins;
SELECT * FROM settle();
SELECT sku, location, on_hand, reserved, on_order FROM replenish.status
WHERE sku IN ('7', '8') ORDER BY 1, 2;

-- a partitioned table, through its parent
CREATE TABLE sales (sku uuid, qty numeric, at timestamp) PARTITION BY RANGE (at);
CREATE TABLE sales_old PARTITION OF sales
	FOR VALUES FROM (MINVALUE) TO ('2026-11-01');
CREATE TABLE sales_new (at timestamp, x integer, qty numeric, sku uuid);
ALTER TABLE sales_new DROP COLUMN x;
ALTER TABLE sales ATTACH PARTITION sales_new
	FOR VALUES FROM ('2026-11-01') TO (MAXVALUE);
INSERT INTO replenish.location VALUES ('default', 'Asia/Tokyo');
SELECT replenish.watch_orders('sales', 'sku', 'qty', 'at');
INSERT INTO sales VALUES
	('6F1B1B70-0000-4000-8000-000000000001', 1.5, '2026-10-31 23:59'),
	('6f1b1b70-0000-4000-8000-000000000001', 0.000001, '2026-11-01 00:00');
SELECT * FROM moved();
SELECT * FROM settle();
UPDATE sales SET at = at + interval '1 day';
SELECT * FROM settle();
TRUNCATE sales;
SELECT * FROM settle();

-- moments without a zone are in the zone of their location, day by day, and
-- stay so whatever the session or the location says later
INSERT INTO replenish.location VALUES ('NY', 'America/New_York');
CREATE TABLE local (sku bigint, qty float8, at timestamp, place text);
CREATE TABLE dated (sku char(6), qty real, at date, place name);
SELECT replenish.watch_orders('local', 'sku', 'qty', 'at', 'place');
SELECT replenish.watch_orders('dated', 'sku', 'qty', 'at', 'place');
UPDATE replenish.location SET time_zone = 'UTC';
SET timezone = 'Australia/Sydney';
INSERT INTO local VALUES (-9223372036854775808, 1, '2026-11-01 01:30', 'NY'),
	(42, 1, '2026-11-01 03:30', 'NY'), (42, 1, '2026-11-01 03:30', NULL),
	(42, 1, '2026-03-08 02:30', 'NY');
INSERT INTO dated VALUES ('x  ', 1, '2026-11-01', 'NY'), ('x', 2, '2026-11-01', ' ');
SET timezone = 'UTC';
SELECT kind, sku, location, to_timestamp(minute * 60.0), amount
FROM replenish.inbox ORDER BY 2, 3, 4;
SELECT * FROM settle();
SELECT zone, zones FROM replenish.source ORDER BY id DESC LIMIT 2;

-- record_demand(): the same door
SELECT replenish.record_demand('R', 2.5, '2026-11-20 11:00+00');
SELECT replenish.record_demand('R', -0.5, '2026-11-20 11:00+00', 'HK', 'phone');
SELECT kind, source, sku, location, channel, amount FROM replenish.inbox
ORDER BY amount DESC;
SELECT * FROM settle();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, basket, customer, bins, sales, local, dated;
DROP TYPE order_status;
DROP FUNCTION moved, settle;
CREATE EXTENSION replenish;
