-- partitions and children: written to by any name, coming, going, dropped: each row counts once
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
-- what is counted by the week, and whether the tables agree
CREATE FUNCTION counted() RETURNS TABLE (sku text, week date, units float8, differences bigint)
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM replenish.tick('2026-11-20 12:00+00');
	RETURN QUERY SELECT d.sku, (b.bucket AT TIME ZONE 'UTC')::date, sum(b.units),
		(SELECT count(*) FROM replenish.verify())
	FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
	WHERE b.resolution = '7 days' GROUP BY 1, 2 HAVING sum(b.units) <> 0 ORDER BY 1, 2;
END $$;
CREATE TABLE sales (sku text, qty integer, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE sales_2025 PARTITION OF sales FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE sales_10 PARTITION OF sales FOR VALUES FROM ('2026-10-01') TO ('2026-11-01')
	PARTITION BY LIST (sku);
CREATE TABLE sales_10_a PARTITION OF sales_10 FOR VALUES IN ('A');
CREATE TABLE sales_10_rest PARTITION OF sales_10 DEFAULT;
SELECT replenish.watch_orders('sales', 'sku', 'qty', 'at', keep => '90 days');
SELECT part, relation, enabled FROM replenish.watched_table ORDER BY relation::text;
SELECT relation, header, enabled, stale FROM replenish.watched;
-- partitions are watched with their table only
SELECT replenish.watch_orders('sales_10_a', 'sku', 'qty', 'at');
SELECT replenish.unwatch('sales_10_a');

-- written to on every level
INSERT INTO sales VALUES ('A', 1, '2026-10-05'), ('B', 1, '2026-10-05'), ('A', 1, '2025-06-01');
INSERT INTO sales_10 VALUES ('A', 10, '2026-10-05'), ('B', 10, '2026-10-05');
INSERT INTO sales_10_a VALUES ('A', 100, '2026-10-05');
COPY sales_10_rest FROM stdin;
C	100	2026-10-05
\.
SELECT * FROM counted();
UPDATE sales SET qty = qty + 1;
UPDATE sales_10_a SET at = '2026-10-12';
UPDATE sales_10 SET sku = 'A' WHERE sku = 'B';
UPDATE sales SET at = at - interval '300 days' WHERE sku = 'C';
SELECT * FROM counted();
DELETE FROM sales_10_a WHERE qty > 100;
DELETE FROM sales WHERE at < '2026-01-01' AND sku = 'C';
SELECT * FROM counted();

-- a new partition, one that brings rows, and a tree of them
CREATE TABLE sales_11 PARTITION OF sales FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
CREATE TABLE sales_09 (x integer, at timestamptz, qty integer, sku text) PARTITION BY LIST (sku);
ALTER TABLE sales_09 DROP COLUMN x;
CREATE TABLE sales_09_a PARTITION OF sales_09 FOR VALUES IN ('A');
INSERT INTO sales_09 VALUES ('2026-09-07', 5, 'A');
ALTER TABLE sales ATTACH PARTITION sales_09 FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
INSERT INTO sales VALUES ('A', 7, '2026-11-03'), ('A', 8, '2026-09-07');
INSERT INTO sales_09_a VALUES ('2026-09-07', 9, 'A');
SELECT relation, enabled FROM replenish.watched_table ORDER BY relation::text;
SELECT * FROM counted();
-- undone with its transaction
BEGIN;
ALTER TABLE sales DETACH PARTITION sales_09;
SELECT count(*) FROM replenish.inbox;
ROLLBACK;
-- what is older than keep is not even read: orders wait for the command
BEGIN;
ALTER TABLE sales DETACH PARTITION sales_2025;
SELECT count(*) FROM replenish.inbox;
ROLLBACK;
SELECT * FROM counted();
-- emptied by any name
TRUNCATE sales_09_a;
SELECT * FROM counted();
TRUNCATE sales_10;
SELECT * FROM counted();

-- a partition that leaves takes its rows along, but for those older than keep
INSERT INTO sales VALUES ('B', 1, '2026-10-05'), ('A', 2, '2026-10-05');
ALTER TABLE sales DETACH PARTITION sales_10;
ALTER TABLE sales DETACH PARTITION sales_2025;
SELECT count(*) FROM pg_trigger WHERE tgrelid IN ('sales_10'::regclass, 'sales_10_a'::regclass, 'sales_2025'::regclass);
INSERT INTO sales_10 VALUES ('B', 1000, '2026-10-06');
SELECT * FROM counted();
-- and brings them back; what stayed counted is not counted twice
ALTER TABLE sales ATTACH PARTITION sales_10 FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');
ALTER TABLE sales ATTACH PARTITION sales_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
SELECT * FROM counted();
ALTER TABLE sales DETACH PARTITION sales_10 CONCURRENTLY;
SELECT * FROM counted();
-- nobody reads whether rows that cannot be counted go with it, or come back
CALL replenish.repair('sales');
INSERT INTO sales VALUES (NULL, 1, '2025-06-01'), (' ', 1, '2026-11-02'), ('A', NULL, '2025-06-02');
SELECT differences FROM counted() LIMIT 1;
SELECT what, detail, hint FROM replenish.health() WHERE what LIKE 'fault%';
ALTER TABLE sales DETACH PARTITION sales_2025;
SELECT differences FROM counted() LIMIT 1;
SELECT what, detail, hint FROM replenish.health() WHERE what LIKE 'fault%';
ALTER TABLE sales ATTACH PARTITION sales_2025 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
SELECT differences FROM counted() LIMIT 1;
SELECT what, detail FROM replenish.health() WHERE what LIKE 'fault%';
CALL replenish.repair('sales');
-- a fault that was missed is found again
DELETE FROM replenish.fault WHERE code = 'blank_sku';
SELECT channel, what, expected, actual FROM replenish.verify('sales');
CALL replenish.repair('sales');

-- dropped: what its bounds show to be older than keep is housekeeping
DROP TABLE sales_2025;
SELECT stale FROM replenish.watched;
SELECT differences FROM counted() LIMIT 1;
CALL replenish.repair('sales');
SELECT differences FROM counted() LIMIT 1;
SELECT what, detail, hint FROM replenish.health() WHERE what LIKE 'fault%';
DELETE FROM sales WHERE sku = ' ';
DROP TABLE sales_09, sales_10;
SELECT stale, stale_since <= clock_timestamp() AS since FROM replenish.watched;
SELECT ok, detail, hint FROM replenish.health() WHERE what LIKE 'source%';
CALL replenish.repair('sales');
SELECT stale, stale_since FROM replenish.watched;
SELECT * FROM counted();

-- renamed, and in another schema
CREATE SCHEMA shop;
ALTER TABLE sales_11 RENAME TO "Sales, 11";
ALTER TABLE sales SET SCHEMA shop;
ALTER TABLE shop.sales RENAME TO orders;
ALTER SCHEMA shop RENAME TO store;
SELECT name, watched_as FROM replenish.source;
SELECT name, relation::regclass, upto FROM replenish.followed ORDER BY name;
INSERT INTO "Sales, 11" VALUES ('A', 1, '2026-11-03');
DROP TABLE "Sales, 11";
SELECT stale FROM replenish.watched;

-- watched again under its old number; a partition with foreign rows is refused
CALL replenish.repair();
CREATE FOREIGN DATA WRAPPER elsewhere;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER elsewhere;
CREATE FOREIGN TABLE far PARTITION OF store.orders DEFAULT SERVER elsewhere;
CREATE FOREIGN TABLE far (sku text, qty integer, at timestamptz) SERVER elsewhere;
ALTER TABLE store.orders ATTACH PARTITION far DEFAULT;
SELECT relation FROM replenish.watched_table;
SELECT replenish.unwatch('store.orders');
ALTER TABLE store.orders ATTACH PARTITION far DEFAULT;
SELECT replenish.watch_orders('store.orders', 'sku', 'qty', 'at');
DROP FOREIGN DATA WRAPPER elsewhere CASCADE;
SELECT replenish.watch_orders('store.orders', 'sku', 'qty', 'at');
SELECT id, name, watched_as FROM replenish.source;
SELECT replenish.unwatch('store.orders');

-- inheritance: an INSERT is for the table it names, all else for its children as well
CREATE TABLE events (sku text, qty integer, at timestamptz);
CREATE TABLE web_events (url text) INHERITS (events);
SELECT replenish.watch_orders('events', 'sku', 'qty', 'at');
INSERT INTO events VALUES ('I', 1, '2026-11-16');
INSERT INTO web_events VALUES ('I', 10, '2026-11-16', '/');
UPDATE events SET qty = qty * 2;
UPDATE ONLY events SET qty = qty + 1;
CREATE TABLE app_events () INHERITS (web_events);
INSERT INTO app_events VALUES ('J', 5, '2026-11-16', '/');
CREATE TABLE shop_events (at timestamptz, qty integer, sku text);
INSERT INTO shop_events VALUES ('2026-11-16', 3, 'K');
ALTER TABLE shop_events INHERIT events;
INSERT INTO shop_events VALUES ('2026-11-16', 4, 'K');
SELECT relation, enabled FROM replenish.watched_table ORDER BY relation::text;
SELECT * FROM counted() WHERE week >= '2026-11-16';
-- a temporary child is nobody's but its session's
CREATE TEMPORARY TABLE temp_events () INHERITS (events);
INSERT INTO temp_events VALUES ('T', 1, '2026-11-16');
SELECT count(*) FROM replenish.inbox;
DROP TABLE temp_events;
ALTER TABLE shop_events NO INHERIT events;
DELETE FROM events WHERE sku = 'J';
SELECT * FROM counted() WHERE week >= '2026-11-16';
TRUNCATE ONLY events;
SELECT * FROM counted() WHERE week >= '2026-11-16';
TRUNCATE events;
SELECT * FROM counted() WHERE week >= '2026-11-16';
DROP TABLE app_events;
SELECT relation, stale FROM replenish.watched;
-- a child that moves from one watched table to another
CREATE TABLE visits (sku text, qty integer, at timestamptz);
SELECT replenish.watch_orders('visits', 'sku', 'qty', 'at');
INSERT INTO web_events VALUES ('M', 6, '2026-11-16', '/');
ALTER TABLE web_events NO INHERIT events, INHERIT visits;
INSERT INTO web_events VALUES ('M', 1, '2026-11-16', '/');
SELECT id, relation, enabled FROM replenish.watched_table ORDER BY relation::text;
CALL replenish.repair('events');
SELECT * FROM counted() WHERE week >= '2026-11-16';
-- two watched tables cannot share one
ALTER TABLE web_events INHERIT events;
SELECT id, relation, enabled FROM replenish.watched_table ORDER BY id, relation::text;

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE events, visits, web_events, shop_events;
DROP SCHEMA store CASCADE;
DROP FUNCTION counted;
CREATE EXTENSION replenish;
