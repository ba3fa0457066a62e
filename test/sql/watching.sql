-- watch_orders(), watch_stock(), unwatch() and what they refuse
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE SCHEMA shop;
CREATE TABLE shop.orders (
	id integer PRIMARY KEY, sku text, qty integer, at timestamptz,
	warehouse text, channel varchar(20), status text, price numeric,
	payload jsonb, gone numeric, "Weird ""name"" 'x\y" text);
CREATE TABLE shop.stock (sku text, warehouse text, on_hand integer,
	reserved integer, on_order integer);

ALTER TABLE shop.orders DROP COLUMN gone;

-- what is watched, and how
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at',
	location => 'warehouse', channel => 'channel', status => 'status',
	counted => '{paid,shipped}', price => 'price', keep => '30 days');
SELECT replenish.watch_stock('shop.stock', 'sku', 'on_hand', 'warehouse',
	reserved => 'reserved', on_order => 'on_order');
\x
SELECT id, relation, kind, sku, location, channel, status, counted, qty, at,
	price, on_hand, reserved, on_order, keep, zone,
	watched_at <= clock_timestamp() AS watched,
	backfilled_at IS NOT NULL AS backfilled, enabled
FROM replenish.watched ORDER BY id;
\x
SELECT tgrelid::regclass, tgname FROM pg_trigger
WHERE tgfoid = 'replenish.capture'::regproc ORDER BY 1, 2;

-- watched twice
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at');
SELECT replenish.watch_stock('shop.orders', 'sku', 'qty');

-- unwatched, and watched again under the same number
SELECT replenish.unwatch('shop.orders');
SELECT relation FROM replenish.watched;
SELECT replenish.unwatch('shop.orders');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at');
SELECT id, relation, status, keep FROM replenish.watched ORDER BY id;
SELECT replenish.unwatch('shop.orders');

-- names of any spelling
SELECT replenish.watch_orders('shop.orders', 'Weird "name" ''x\y', 'qty', 'at');
INSERT INTO shop.orders (id, "Weird ""name"" 'x\y", qty, at)
VALUES (1, 'odd', 2, '2026-11-01 10:00+00');
SELECT sku, amount FROM replenish.inbox ORDER BY sku COLLATE "C", amount;
DELETE FROM shop.orders;
SELECT replenish.unwatch('shop.orders');
CREATE TABLE "Shop's ""Orders"" \ 订单" ("SKU 编号" text, "Menge" integer,
	"at" timestamptz);
SELECT replenish.watch_orders('"Shop''s ""Orders"" \ 订单"', 'SKU 编号',
	'Menge', 'at');
INSERT INTO "Shop's ""Orders"" \ 订单" VALUES ('茶', 1, '2026-11-01 10:00+00');
SELECT sku, amount FROM replenish.inbox WHERE sku = '茶';
SELECT relation, sku, qty FROM replenish.watched ORDER BY id;
SELECT replenish.unwatch('"Shop''s ""Orders"" \ 订单"');

-- what cannot be watched
CREATE VIEW shop.order_view AS SELECT * FROM shop.orders;
CREATE MATERIALIZED VIEW shop.order_matview AS SELECT * FROM shop.orders;
CREATE UNLOGGED TABLE shop.unlogged (sku text, qty integer, at timestamptz);
CREATE TEMPORARY TABLE temp_orders (sku text, qty integer, at timestamptz);
CREATE FOREIGN DATA WRAPPER shop_fdw;
CREATE SERVER shop_server FOREIGN DATA WRAPPER shop_fdw;
CREATE FOREIGN TABLE shop.order_foreign (sku text, qty integer,
	at timestamptz) SERVER shop_server;
SELECT replenish.watch_orders('shop.order_view', 'sku', 'qty', 'at');
SELECT replenish.watch_orders('shop.order_matview', 'sku', 'qty', 'at');
SELECT replenish.watch_orders('temp_orders', 'sku', 'qty', 'at');
SELECT replenish.watch_orders('shop.unlogged', 'sku', 'qty', 'at');
SELECT replenish.watch_orders('shop.order_foreign', 'sku', 'qty', 'at');
SELECT replenish.watch_orders('shop.orders_pkey', 'sku', 'qty', 'at');
SELECT replenish.watch_orders('pg_class', 'relname', 'relpages', 'relname');
SELECT replenish.watch_orders('replenish.inbox_even', 'sku', 'amount', 'sku');
SELECT replenish.watch_orders('no_such_table', 'sku', 'qty', 'at');
SELECT replenish.watch_orders(NULL, 'sku', 'qty', 'at');
SELECT replenish.watch_orders(0::regclass, 'sku', 'qty', 'at');

-- columns that are missing or of a type that cannot be read
SELECT replenish.watch_orders('shop.orders', 'skuu', 'qty', 'at');
SELECT replenish.watch_orders('shop.orders', 'sku', 'sku', 'at');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'qty');
SELECT replenish.watch_orders('shop.orders', 'payload', 'qty', 'at');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at', channel => 'at');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'ctid');
SELECT replenish.watch_orders('shop.orders', NULL, 'qty', 'at');
SELECT replenish.watch_stock('shop.orders', 'sku', NULL);
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at', price => 'gone');

-- arguments that make no sense together, or with what is watched already
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at', status => 'status');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at', counted => '{paid}');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at',
	status => 'status', counted => '{}');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at', keep => '1 month');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at', keep => '-1 day');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at',
	header => 'shop.stock', header_key => 'sku');
SELECT replenish.watch_stock('shop.orders', 'sku', 'qty', at => 'status');

-- a table with rows: they are not counted until they are asked for
INSERT INTO shop.orders (id, sku, qty, at) VALUES (2, 'A', 1, '2026-11-01 10:00+00');
SELECT replenish.watch_orders('shop.orders', 'sku', 'qty', 'at');
SELECT relation, backfilled_at IS NOT NULL AS backfilled
FROM replenish.watched ORDER BY id;
CALL replenish.backfill('shop.orders');
SELECT relation, backfilled_at IS NOT NULL AS backfilled
FROM replenish.watched ORDER BY id;
SELECT * FROM replenish.verify();
CALL replenish.backfill('shop.order_view');

-- names and statuses of any characters reach the trigger as they are, also
-- from a session that reads backslashes the old way
CREATE TABLE shop.strange ("s,ku\" text, "q,,ty" integer, at timestamptz,
	"st\,at" text);
BEGIN;
DO $$
BEGIN
	PERFORM set_config('standard_conforming_strings', 'off', true),
		set_config('escape_string_warning', 'off', true);
EXCEPTION WHEN feature_not_supported THEN
	NULL;						-- from 19 on no session can
END $$;
SELECT replenish.watch_orders('shop.strange', E's,ku\\', 'q,,ty', 'at',
	status => E'st\\,at', counted => ARRAY['', ',', E'\\', E'paid\\, a,b']);
COMMIT;
INSERT INTO shop.strange VALUES
	('X', 1, '2026-11-01 10:00+00', ''),
	('X', 10, '2026-11-01 10:00+00', ','),
	('X', 100, '2026-11-01 10:00+00', '\'),
	('X', 1000, '2026-11-01 10:00+00', 'paid\, a,b'),
	('X', 20000, '2026-11-01 10:00+00', 'paid'),
	('X', 20000, '2026-11-01 10:00+00', 'paid\'),
	('X', 20000, '2026-11-01 10:00+00', '\,');
SELECT kind, sku, amount / 1000000 AS units FROM replenish.inbox
WHERE sku = 'X';
SELECT * FROM replenish.verify('shop.strange');
DROP TABLE shop.strange;

-- a table that is dropped is watched no more; the rest goes on
DROP TABLE shop.stock;
SELECT relation FROM replenish.watched;
SELECT what, ok, detail FROM replenish.health() WHERE what = 'source shop.stock';

DROP EXTENSION replenish CASCADE;
SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'replenish%';
SELECT count(*) FROM pg_namespace WHERE nspname = 'replenish';
DROP SCHEMA shop CASCADE;
DROP TABLE "Shop's ""Orders"" \ 订单";
DROP FOREIGN DATA WRAPPER shop_fdw CASCADE;
CREATE EXTENSION replenish;
