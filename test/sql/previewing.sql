-- preview(): what would be counted is what is counted, and what deserves a look
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'Europe/Berlin';
CREATE SCHEMA shop;
CREATE TYPE shop.state AS ENUM ('paid', 'on its way', 'cancelled', 'mystery');
CREATE DOMAIN shop.amount AS float8;
-- flat lines with everything that can be wrong
CREATE TABLE shop.orders (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sku char(300), qty shop.amount, at timestamp, place text, room text, state shop.state);
INSERT INTO shop.orders (sku, qty, at, place, room, state)
SELECT 'S-' || i % 5, i % 4 + 0.125, timestamp '2024-03-20 12:00' + i * interval '7 hours',
	CASE i % 3 WHEN 0 THEN 'HK' WHEN 1 THEN 'SZ' END, CASE WHEN i % 2 = 0 THEN ' ' ELSE 'live' END,
	CASE WHEN i % 9 = 0 THEN 'cancelled' WHEN i % 11 = 0 THEN 'on its way' ELSE 'paid' END::shop.state
FROM generate_series(1, 60) i;
INSERT INTO shop.orders (sku, qty, at, place, state) VALUES
	('s0', 2, '2024-03-31 02:30', 'HK', 'paid'), ('S 1', 2, '2024-03-22 12:00', 'HK', 'paid'),
	('MUG', -3, '2024-03-22 12:00', 'HK', 'paid'), ('MUG', 5, '2024-03-22 12:00', 'HK', 'paid'),
	('MUG', 5, '2024-03-22 12:00', 'HK', 'paid'), ('MUG', 5, '2024-03-22 12:00', 'HK', 'paid'),
	('MUG', 7, now()::timestamp + interval '10 days', 'HK', 'paid'),
	('MUG', 1, '2024-03-23 12:00', 'HK', NULL), ('MUG', 1, '2024-03-23 12:00', 'HK', 'mystery'),
	(NULL, 1, '2024-03-22 12:00', 'HK', 'paid'), (E' \t', 1, '2024-03-22 12:00', 'HK', 'paid'),
	(repeat('茶', 90), 1, '2024-03-22 12:00', 'HK', 'paid'),
	-- white space, and what is none
	(E'\x0b', 1, '2024-03-22 12:00', E'\x0b', 'paid'), ('v', 1, '2024-03-22 12:00', 'v', 'paid'),
	('MUG', 1, '2024-03-22 12:00', repeat('x', 256), 'paid'),
	('MUG', NULL, '2024-03-22 12:00', 'HK', 'paid'), ('MUG', 'NaN', '2024-03-22 12:00', 'HK', 'paid'),
	('MUG', '-Infinity', '2024-03-22 12:00', 'HK', 'paid'), ('MUG', 1.1e12, '2024-03-22 12:00', 'HK', 'paid'),
	('MUG', 1e12, '2024-03-22 12:00', 'HK', 'paid'), ('MUG', -1e12, '2024-03-22 12:00', 'HK', 'paid'),
	('MUG', 1, NULL, 'HK', 'paid'), ('MUG', 1, 'infinity', 'HK', 'paid'), ('MUG', 1, '0044-03-15 BC', 'HK', 'paid'),
	('MUG', 1, '1970-01-01 00:30', 'HK', 'paid'), ('MUG', 1, '294000-01-01', 'HK', 'paid'),
	-- neither is a fault where the status is not counted
	(NULL, 'NaN', NULL, 'HK', 'cancelled');
INSERT INTO replenish.location VALUES ('SZ', 'Asia/Shanghai');
CREATE TABLE shop.stock (sku text, place text, on_hand numeric);
INSERT INTO shop.stock VALUES ('S-0', 'HK', 5), ('S-2', 'HK', 5), ('S-3', 'HK', 5), ('S-4', 'HK', 1),
	('S1', 'HK', 1), ('LAMP', 'KL', 9), (NULL, 'HK', 1);
SELECT what, ok, rows, CASE WHEN what = 'future dates' THEN left(detail, 30) ELSE detail END AS detail
FROM replenish.preview('shop.orders', sku => 'sku', qty => 'qty', at => 'at',
	location => 'place', channel => 'room', status => 'state', counted => '{paid,on its way,sold}',
	keep => '36000 days', stock => 'shop.stock', stock_location => 'place');
SELECT what, hint FROM replenish.preview('shop.orders', sku => 'sku', qty => 'qty', at => 'at',
	location => 'place', channel => 'room', status => 'state', counted => '{paid,on its way,sold}',
	keep => '36000 days', stock => 'shop.stock', stock_location => 'place') WHERE hint IS NOT NULL;
-- nothing is attached or written, so it can be asked in a transaction that only reads
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'shop.orders'::regclass;
BEGIN READ ONLY;
SELECT count(*) > 0 FROM replenish.preview('shop.orders', 'sku', 'qty', 'at');
COMMIT;
CREATE TABLE previewed AS SELECT what, rows, detail FROM replenish.preview('shop.orders', 'sku', 'qty', 'at',
	'place', 'room', 'state', '{paid,on its way,sold}');
-- the same arguments watch, and backfill() counts the same
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at',
	'place', 'room', 'state', '{paid,on its way,sold}');
CALL replenish.backfill('shop.orders');
SELECT decided > 0 FROM replenish.tick('2024-05-01 12:00+00');
SELECT f.code, f.rows = p.rows AS same, f.rows FROM replenish.fault f
FULL JOIN previewed p ON p.what = 'fault ' || f.code
WHERE f.rows > 0 OR p.what LIKE 'fault%' ORDER BY f.code;
SELECT p.detail, format('They are %s units of demand.', trim_scale((SELECT sum(units)::numeric
		FROM replenish.item_demand, replenish.demand_buckets(demand) WHERE resolution = '7 days')
	+ (SELECT sum(amount) FROM replenish.postponed) / 1000000)) = p.detail AS same
FROM previewed p WHERE what = 'counted';
-- an alias that was suggested is known at once
INSERT INTO replenish.sku_alias (external_sku, sku) VALUES ('S-1', 'S1'), ('S 1', 'S1'), ('s0', 'S-0');
SELECT what, rows, detail FROM replenish.preview('shop.orders', 'sku', 'qty', 'at',
	status => 'state', counted => '{paid}', stock => 'shop.stock') WHERE what ~ 'SKU|spell';
-- lines and headers; the key has another type, two headers have the same
CREATE TABLE shop.head (no bigint, placed date, state text, room text);
CREATE TABLE shop.line (head_no text, sku integer, qty numeric(30, 10), price real);
INSERT INTO shop.head SELECT i, date '2024-03-01' + i, CASE WHEN i % 4 = 0 THEN '已取消' ELSE '已付款' END, 'live'
FROM generate_series(1, 12) i;
INSERT INTO shop.head VALUES (13, NULL, '已付款'), (14, '3026-01-01', '已付款'), (15, NULL, '已取消'),
	(16, '2024-03-20', '已付款'), (16, '2024-03-21', '已付款'), (NULL, '2024-03-20', '已付款');
INSERT INTO shop.line SELECT i::text, i % 3, i + 0.0000005, 9.5 FROM generate_series(1, 17) i;
INSERT INTO shop.line VALUES (NULL, 1, 1), ('', 1, 1), ('1', NULL, 1), ('1', 1, 'NaN'), ('4', NULL, 1), ('99', NULL, 1);
SELECT what, ok, rows, detail FROM replenish.preview('shop.line', 'sku', 'qty', 'placed',
	channel => 'room', status => 'state', counted => '{已付款}', header => 'shop.head', header_key => 'head_no',
	keep => '36000 days');
ALTER TABLE shop.head RENAME no TO head_no;
SELECT what, ok, rows, detail FROM replenish.preview('shop.line', 'sku', 'qty', 'placed',
	channel => 'room', status => 'state', counted => '{已付款}', header => 'shop.head', header_key => 'head_no',
	keep => '36000 days');
DROP TABLE previewed;
CREATE TABLE previewed AS SELECT what, rows, detail FROM replenish.preview('shop.line', 'sku', 'qty', 'placed',
	channel => 'room', status => 'state', counted => '{已付款}', header => 'shop.head', header_key => 'head_no');
SELECT replenish.watch_orders('shop.line', 'sku', 'qty', 'placed', channel => 'room',
	status => 'state', counted => '{已付款}', header => 'shop.head', header_key => 'head_no');
CALL replenish.backfill('shop.line');
SELECT decided > 0 FROM replenish.tick('2024-05-01 12:00+00');
SELECT f.code, f.rows = p.rows AS same, f.rows FROM (SELECT * FROM replenish.fault WHERE source = 2) f
FULL JOIN previewed p ON p.what = 'fault ' || f.code
WHERE f.rows > 0 OR p.what LIKE 'fault%' ORDER BY f.code;
SELECT p.detail, format('They are %s units of demand.', trim_scale((SELECT sum(units)::numeric
	FROM replenish.item_demand d, replenish.demand_buckets(demand)
	WHERE resolution = '7 days' AND d.source = 2))) = p.detail AS same
FROM previewed p WHERE what = 'counted';
SELECT * FROM replenish.verify();
-- an empty table, and one that cannot be watched
CREATE TABLE shop.empty (sku text, qty integer, at timestamptz);
SELECT * FROM replenish.preview('shop.empty', 'sku', 'qty', 'at');
CREATE VIEW shop.seen AS SELECT sku::text, qty, at FROM shop.orders;
SELECT what, ok, rows, detail, hint FROM replenish.preview('shop.seen', 'sku', 'qty', 'at') WHERE what IN ('watching', 'rows');
-- errors are those of watch_orders()
SELECT replenish.preview('shop.empty', 'skuu', 'qty', 'at');
SELECT replenish.preview('shop.empty', 'sku', 'sku', 'at');
SELECT replenish.preview('shop.empty', 'sku', 'qty', NULL);
SELECT replenish.preview('shop.empty', 'sku', 'qty', 'at', status => 'sku');
SELECT replenish.preview('shop.empty', 'sku', 'qty', 'at', header => 'shop.head');
SELECT replenish.preview('shop.line', 'sku', 'qty', 'nowhere', header => 'shop.head', header_key => 'head_no');
SELECT replenish.preview('shop.empty', 'sku', 'qty', 'at', stock_sku => 'sku');
SELECT replenish.preview('shop.empty', 'sku', 'qty', 'at', stock => 'shop.head');
-- with the caller's own rights, row security and all
CREATE ROLE regress_looker;
GRANT USAGE ON SCHEMA shop, replenish TO regress_looker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA replenish TO regress_looker;
GRANT SELECT ON replenish.location, replenish.location_rule, replenish.sku_alias TO regress_looker;
SET ROLE regress_looker;
SELECT what FROM replenish.preview('shop.orders', 'sku', 'qty', 'at');
RESET ROLE;
GRANT SELECT ON shop.orders TO regress_looker;
ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON shop.orders TO regress_looker USING (id <= 10);
SET ROLE regress_looker;
SELECT what, ok, rows, detail FROM replenish.preview('shop.orders', 'sku', 'qty', 'at') WHERE what IN ('watching', 'rows');
RESET ROLE;
DROP OWNED BY regress_looker;
DROP ROLE regress_looker;
-- stock, snapshots among it
INSERT INTO shop.stock VALUES ('S-0', 'KL', -2), ('S-2', 'HK', NULL), ('S-3', repeat('x', 256), 1);
SELECT * FROM replenish.preview_stock('shop.stock', 'sku', 'on_hand', 'place');
CREATE TABLE shop.feed (code text, units real, held integer, coming numeric, taken timestamptz);
INSERT INTO shop.feed VALUES ('A', 5, 1, NULL, '2024-03-01 03:00+01'), ('A', 4, NULL, 7, '2024-03-02 03:00+01'),
	('B', 1, 0, 'NaN', '2024-03-02 03:00+01'), ('C', 1, 0, 0, NULL), ('C', 1, 0, 0, now() + interval '2 days');
SELECT * FROM replenish.preview_stock('shop.feed', 'code', 'units', reserved => 'held', on_order => 'coming', at => 'taken');
CREATE TABLE stock_previewed AS SELECT what, rows
FROM replenish.preview_stock('shop.feed', 'code', 'units', reserved => 'held', on_order => 'coming', at => 'taken')
UNION ALL SELECT what, rows FROM replenish.preview_stock('shop.stock', 'sku', 'on_hand', 'place');
SELECT replenish.watch_stock('shop.feed', 'code', 'units', reserved => 'held', on_order => 'coming', at => 'taken');
SELECT replenish.watch_stock('shop.stock', 'sku', 'on_hand', 'place');
CALL replenish.repair();
SELECT decided > 0 FROM replenish.tick('2024-05-01 12:00+00');
SELECT f.code, f.rows, p.rows AS previewed
FROM (SELECT f.code, sum(f.rows) AS rows FROM replenish.fault f WHERE f.source > 2 GROUP BY f.code) f
FULL JOIN (SELECT p.what, sum(p.rows) AS rows FROM stock_previewed p WHERE p.what LIKE 'fault%' GROUP BY p.what) p
	ON p.what = 'fault ' || f.code ORDER BY f.code;
SELECT replenish.preview_stock('shop.stock', 'sku', 'sku');
SELECT replenish.preview_stock('shop.stock', 'sku', NULL);
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP SCHEMA shop CASCADE;
DROP TABLE previewed, stock_previewed;
CREATE EXTENSION replenish;
