-- recount() gives the same with parallel workers as without, whoever reads which row
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET min_parallel_table_scan_size = 0;
-- small: workers send what they have several times
SET maintenance_work_mem = '1MB';
-- the rows of a recount of all watched tables, with or without the leader's part
CREATE FUNCTION recounted(workers integer, leader boolean)
	RETURNS TABLE (relation text, kind text, line text)
	LANGUAGE plpgsql AS $$
DECLARE
	p record;
BEGIN
	PERFORM set_config('max_parallel_maintenance_workers', workers::text, true),
		set_config('parallel_leader_participation', leader::text, true);
	FOR p IN SELECT w.relation, replenish.trigger_arguments(s, w.part) AS arguments
		FROM replenish.source s JOIN replenish.watched_part w ON w.id = s.id
		ORDER BY w.relation::text
	LOOP
		RETURN QUERY SELECT p.relation::text, r.kind, r::text
		FROM replenish.recount(p.relation, p.arguments, '2026-11-20 12:00+00',
			'2026-11-19 00:00+00') r;
	END LOOP;
END $$;
-- the number of rows in which two recounts differ
CREATE FUNCTION differences(workers integer, leader boolean) RETURNS bigint
	LANGUAGE sql AS $$
	WITH alone AS MATERIALIZED (SELECT * FROM recounted(0, true)),
		helped AS MATERIALIZED (SELECT * FROM recounted(workers, leader))
	SELECT count(*) FROM (
		(SELECT * FROM alone EXCEPT ALL SELECT * FROM helped) UNION ALL
		(SELECT * FROM helped EXCEPT ALL SELECT * FROM alone)) d
$$;

-- two years of orders, some of them tomorrow's, some that cannot be counted
CREATE TABLE orders (id integer, sku text, qty numeric, at timestamptz, shop text, status text);
INSERT INTO orders
SELECT i, CASE WHEN i % 997 = 0 THEN ' ' WHEN i % 2 = 0 THEN 'A' || i % 10 ELSE 'B' || i % 4001 END,
	CASE WHEN i % 991 = 0 THEN 'NaN' WHEN i % 13 = 0 THEN -1 ELSE (i % 7) + 0.000001 END,
	CASE WHEN i % 983 = 0 THEN 'infinity'
		ELSE '2026-11-21 12:00+00'::timestamptz - i * interval '106 minutes' END,
	'shop ' || i % 3, CASE WHEN i % 17 = 0 THEN 'cancelled' ELSE 'paid' END
FROM generate_series(1, 10000) i ORDER BY i % 3, i;
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', channel => 'shop',
	status => 'status', counted => '{paid}', keep => '9999 days');
-- headers and lines
CREATE TABLE invoice (id integer PRIMARY KEY, at timestamptz, shop text);
CREATE TABLE item (invoice_id integer, sku text, qty integer);
INSERT INTO invoice SELECT i, CASE WHEN i % 100 > 0 THEN '2026-11-20 12:00+00'::timestamptz
	- i * interval '1 hour' END, 'web' FROM generate_series(1, 1000) i;
INSERT INTO item SELECT nullif(i % 1100, 0), 'A' || i % 10, 1 FROM generate_series(1, 3000) i;
SELECT replenish.watch_orders('item', 'sku', 'qty', 'at', channel => 'shop',
	header => 'invoice', header_key => 'invoice_id');
-- stock in several bins, and stock as it was every night
CREATE TABLE stock (sku text, bin integer, on_hand numeric, reserved integer);
INSERT INTO stock SELECT 'A' || i % 10, i, i / 8.0, CASE WHEN i % 2 = 0 THEN i END
	FROM generate_series(1, 1000) i;
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', reserved => 'reserved');
CREATE TABLE nightly (sku text, at date, on_hand integer);
INSERT INTO nightly SELECT 'B' || i % 200, date '2026-11-01' + i / 200, i
	FROM generate_series(1, 2000) i;
SELECT replenish.watch_stock('nightly', 'sku', 'on_hand', at => 'at');
-- partitions with their columns in another order, one that is empty, and a child
CREATE TABLE sales (sku text, qty integer, at timestamptz) PARTITION BY RANGE (at);
CREATE TABLE sales_09 (at timestamptz, dropped text, qty integer, sku text);
ALTER TABLE sales_09 DROP COLUMN dropped;
ALTER TABLE sales ATTACH PARTITION sales_09 FOR VALUES FROM ('2026-09-01') TO ('2026-10-01');
CREATE TABLE sales_10 PARTITION OF sales FOR VALUES FROM ('2026-10-01') TO ('2026-11-01');
CREATE TABLE sales_11 PARTITION OF sales FOR VALUES FROM ('2026-11-01') TO ('2026-12-01');
INSERT INTO sales SELECT 'A' || i % 10, 1, '2026-09-01'::timestamptz + i * interval '10 minutes'
	FROM generate_series(1, 8000) i;
SELECT replenish.watch_orders('sales', 'sku', 'qty', 'at');
CREATE TABLE parent (sku text, qty integer, at timestamptz);
CREATE TABLE child (more text) INHERITS (parent);
INSERT INTO parent SELECT 'A1', 1, '2026-11-01' FROM generate_series(1, 500);
INSERT INTO child SELECT 'A2', 1, '2026-11-01' FROM generate_series(1, 500);
SELECT replenish.watch_orders('parent', 'sku', 'qty', 'at');

SELECT relation, kind, count(*) FROM recounted(0, true) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT workers, leader, differences(workers, leader)
FROM (VALUES (1, false), (2, true), (2, false)) v (workers, leader)
ORDER BY workers, leader;
-- without the leader, none but the workers counted
SET client_min_messages = debug1;
SELECT count(*) FROM recounted(2, false);
RESET client_min_messages;
SELECT count(*) FROM recounted(0, true);

-- they see what the transaction has written, and see it at its snapshot
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO orders SELECT i, 'mine', 1, '2026-11-20 12:00+00', 'web', 'paid'
	FROM generate_series(1, 1000) i;
DELETE FROM orders WHERE id < 500 AND sku <> 'mine';
SELECT differences(2, false);
SELECT line FROM recounted(2, false) WHERE line LIKE '%mine%' ORDER BY line;
ROLLBACK;

-- what no number can hold is what it is to the leader alone: it depends on the order of the rows
CREATE TABLE huge (sku text, qty numeric, at timestamptz);
INSERT INTO huge SELECT 'A' || i % 3, CASE WHEN i % 40 < 25 THEN 1e12 ELSE -1e12 END,
	'2026-11-19 12:00+00' FROM generate_series(1, 3000) i;
SELECT replenish.watch_orders('huge', 'sku', 'qty', 'at');
SELECT line FROM recounted(0, true) WHERE relation = 'huge' AND kind = 'fault';
SELECT differences(2, false), differences(2, true);
SELECT replenish.unwatch('huge');

-- what ends it leaves no worker and no parallel mode behind
SET statement_timeout = '100ms';
DO $$
BEGIN
	LOOP
		PERFORM * FROM recounted(2, false);
	END LOOP;
EXCEPTION WHEN query_canceled THEN
	INSERT INTO parent VALUES ('late', 1, '2026-11-20 11:00+00');
END $$;
SELECT count(*) FROM generate_series(1, 1000000) i, recounted(2, i < 0);
RESET statement_timeout;
SELECT count(*) FROM pg_stat_activity WHERE leader_pid = pg_backend_pid() AND pid <> leader_pid;
SELECT line FROM recounted(2, false) WHERE line LIKE '%late%' ORDER BY line;

-- a small table has no workers, unless its owner wants them
ALTER TABLE sales_10 SET (parallel_workers = 1);
SET min_parallel_table_scan_size = '8MB';
SET client_min_messages = debug1;
SELECT count(*) FROM recounted(2, false);
RESET client_min_messages;
ALTER TABLE sales_10 RESET (parallel_workers);

-- backfill() and verify() with their help
SET min_parallel_table_scan_size = 0;
SET max_parallel_maintenance_workers = 2;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
CALL replenish.backfill('orders');
CALL replenish.backfill('item');
CALL replenish.backfill('stock');
CALL replenish.backfill('nightly');
CALL replenish.backfill('sales');
CALL replenish.backfill('parent');
SELECT count(*) FROM replenish.verify();
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.verify();
SET max_parallel_maintenance_workers = 0;
SELECT count(*) FROM replenish.verify();
SELECT sum(units) FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
WHERE d.source = replenish.source_of('sales') AND b.resolution = '7 days';
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, invoice, item, stock, nightly, sales, parent, child, huge;
DROP FUNCTION recounted, differences;
CREATE EXTENSION replenish;
