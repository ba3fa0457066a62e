-- DDL on watched tables: followed, or said at once to whoever does it and in health()
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
CREATE FUNCTION trouble() RETURNS TABLE (what text, ok boolean, detail text, hint text)
	LANGUAGE sql AS $$
	SELECT h.what, h.ok, h.detail, h.hint FROM replenish.health() h
	WHERE h.what LIKE 'source%' ORDER BY 1 $$;
CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
CREATE TABLE orders (gone text, id integer PRIMARY KEY, at timestamp, status state,
	room varchar(10), price numeric);
CREATE TABLE lines (order_id integer, sku varchar(10), qty integer, place text, note text);
ALTER TABLE orders DROP COLUMN gone;
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'at', location => 'place', channel => 'room',
	status => 'status', counted => '{paid,sent}', header => 'orders', header_key => 'order_id');
CREATE TABLE stock (sku text, on_hand integer, reserved integer, arriving numeric);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', reserved => 'reserved', on_order => 'arriving');
INSERT INTO orders VALUES (1, '2026-11-20 10:00', 'paid', 'live');
INSERT INTO lines VALUES (1, 'A', 1, 'SZ');
INSERT INTO stock VALUES ('A', 50, 5, 1);
SELECT * FROM settle();

-- what concerns no watched column is nobody's business
ALTER TABLE lines ADD COLUMN more text, ALTER COLUMN note TYPE varchar(9);
ALTER TABLE lines DROP COLUMN more;
ALTER TABLE lines RENAME note TO remark;
CREATE INDEX ON lines (sku);
SELECT * FROM trouble();

-- renamed columns, one by one, on both sides
ALTER TABLE lines RENAME sku TO "Artikel, \Nr.";
ALTER TABLE lines RENAME order_id TO belongs_to;
ALTER TABLE lines RENAME place TO lager;
ALTER TABLE orders RENAME at TO ordered_at;
ALTER TABLE orders RENAME status TO state;
ALTER TABLE orders RENAME room TO channel;
ALTER TABLE orders RENAME id TO "number";
ALTER TABLE stock RENAME on_hand TO units;
ALTER TABLE stock RENAME arriving TO on_order;
SELECT kind, sku, location, channel, status, qty, at, on_hand, on_order, header_key, header_id
FROM replenish.source ORDER BY id;
SELECT DISTINCT c.relation, encode(t.tgargs, 'escape') AS arguments
FROM replenish.capturing c JOIN pg_trigger t ON t.tgrelid = c.relation AND t.tgname = c.name
ORDER BY 1;
INSERT INTO orders VALUES (2, '2026-11-20 10:00', 'new', 'web');
INSERT INTO lines VALUES (2, 'B', 2, NULL);
UPDATE orders SET state = 'sent';
UPDATE stock SET units = 40;
SELECT * FROM settle();
SELECT on_hand, reserved, on_order FROM replenish.item WHERE sku = 'A' AND location = 'default';
-- the names change places
ALTER TABLE stock RENAME units TO x;
ALTER TABLE stock RENAME reserved TO units;
ALTER TABLE stock RENAME x TO reserved;
SELECT on_hand, reserved FROM replenish.source WHERE kind = 'stock';
UPDATE stock SET units = 6;
SELECT * FROM replenish.verify();
-- a rename that is rolled back is none
BEGIN;
ALTER TABLE lines RENAME qty TO amount;
ROLLBACK;
SELECT qty FROM replenish.source WHERE kind = 'orders';

-- other types: of the same values, of others, of none
ALTER TABLE lines ALTER qty TYPE bigint, ALTER belongs_to TYPE text;
ALTER TABLE lines ALTER "Artikel, \Nr." TYPE text;
SELECT * FROM settle();
ALTER TABLE lines ALTER qty TYPE integer USING qty * 10;
SELECT * FROM trouble();
CALL replenish.repair('lines');
SELECT * FROM settle();
ALTER TABLE orders ALTER ordered_at TYPE timestamptz USING ordered_at AT TIME ZONE 'Asia/Tokyo';
CALL replenish.repair('orders');
ALTER TABLE lines ALTER qty TYPE numeric(10,2);
ALTER TABLE lines ALTER qty TYPE integer;
CALL replenish.repair('lines');
SELECT * FROM trouble();
ALTER TABLE lines ALTER qty TYPE jsonb USING to_jsonb(qty);
INSERT INTO lines VALUES (2, 'C', '3', NULL);
SELECT * FROM trouble();
ALTER TABLE lines ALTER qty TYPE integer USING qty::text::integer;
CALL replenish.repair('lines');
SELECT * FROM settle();
-- a status that is called otherwise
ALTER TYPE state ADD VALUE 'lost';
SELECT * FROM trouble();
ALTER TYPE state RENAME VALUE 'sent' TO 'shipped';
CALL replenish.repair('lines');
SELECT * FROM trouble();
ALTER TYPE state RENAME VALUE 'shipped' TO 'sent';
CALL replenish.repair('lines');

-- columns that go, and come again
ALTER TABLE lines DROP COLUMN lager;
SELECT * FROM trouble();
ALTER TABLE lines ADD COLUMN lager text DEFAULT 'SZ';
CALL replenish.repair('lines');
SELECT * FROM settle();
ALTER TABLE lines DROP COLUMN lager, ADD COLUMN lager text;
CALL replenish.repair('lines');
DROP TYPE state CASCADE;
SELECT * FROM trouble();
ALTER TABLE orders ADD COLUMN state text DEFAULT 'paid';
CALL replenish.repair('lines');
SELECT * FROM trouble();
SELECT * FROM settle();

-- triggers that are disabled, enabled as they never were, dropped
ALTER TABLE lines DISABLE TRIGGER ALL;
INSERT INTO lines VALUES (2, 'D', 4, NULL);
SELECT * FROM trouble();
ALTER TABLE lines ENABLE TRIGGER ALL;
SELECT name, fires FROM replenish.capturing WHERE relation = 'lines'::regclass ORDER BY name;
SELECT * FROM trouble();
CALL replenish.repair('lines');
INSERT INTO lines VALUES (2, 'D', 5, NULL);
SELECT * FROM settle();
ALTER TABLE stock DISABLE TRIGGER replenish_apply;
ALTER TABLE stock ENABLE TRIGGER USER;
DROP TRIGGER replenish_truncate ON stock;
SELECT * FROM trouble();
SELECT replenish.rewatch('stock');
CALL replenish.repair('stock');
SELECT * FROM trouble();
ALTER TRIGGER replenish_update ON stock RENAME TO something;
SELECT * FROM trouble();
SELECT replenish.rewatch('stock');
CALL replenish.repair('stock');
UPDATE stock SET units = 7;
SELECT * FROM replenish.verify('stock');
SELECT name FROM replenish.capturing WHERE relation = 'stock'::regclass ORDER BY 1;
SELECT * FROM trouble();

-- tables that take another's name, or another's place
ALTER TABLE stock RENAME TO stock_old;
SELECT * FROM trouble();
CREATE TABLE stock_new (LIKE stock_old INCLUDING ALL);
INSERT INTO stock_new SELECT * FROM stock_old;
ALTER TABLE stock_new RENAME TO stock;
SELECT * FROM trouble();
SELECT replenish.unwatch('stock_old');
SELECT replenish.watch_stock('stock', 'sku', 'reserved', reserved => 'units', on_order => 'on_order');
CALL replenish.backfill('stock');
SELECT id, name, watched_as, active FROM replenish.source ORDER BY id;
SELECT count(*) FROM replenish.backlog;
SELECT * FROM trouble();
CREATE TABLE all_stock (LIKE stock) PARTITION BY LIST (sku);
ALTER TABLE all_stock ATTACH PARTITION stock DEFAULT;
SELECT * FROM trouble();
ALTER TABLE all_stock DETACH PARTITION stock;
CALL replenish.repair('stock');
SELECT * FROM trouble();
-- two parts of one tree
CREATE TABLE other (sku text, on_hand integer) PARTITION BY LIST (sku);
SELECT replenish.watch_stock('other', 'sku', 'on_hand');
CREATE TABLE other_a (sku text, on_hand integer);
SELECT replenish.watch_stock('other_a', 'sku', 'on_hand');
ALTER TABLE other ATTACH PARTITION other_a DEFAULT;
SELECT relation FROM replenish.watched ORDER BY id;

-- dropped
DROP TABLE orders;
DROP TABLE stock, other;
SELECT * FROM trouble();
SELECT source, name FROM replenish.followed ORDER BY 1, 2;

-- whoever alters needs no rights on anything of this extension
CREATE ROLE regress_follower;
CREATE SCHEMA theirs AUTHORIZATION regress_follower;
CREATE TABLE theirs.sales (sku text, qty integer, at timestamptz) PARTITION BY RANGE (at);
SELECT replenish.watch_orders('theirs.sales', 'sku', 'qty', 'at');
ALTER TABLE theirs.sales OWNER TO regress_follower;
SET ROLE regress_follower;
CREATE TABLE theirs.sales_1 PARTITION OF theirs.sales DEFAULT;
INSERT INTO theirs.sales_1 VALUES ('Z', 1, '2026-11-20 10:00');
ALTER TABLE theirs.sales RENAME qty TO units;
ALTER TABLE theirs.sales DETACH PARTITION theirs.sales_1;
ALTER TABLE theirs.sales ATTACH PARTITION theirs.sales_1 DEFAULT;
RESET ROLE;
SELECT relation, enabled FROM replenish.watched_table WHERE part = 'orders'
ORDER BY relation::text;
SELECT * FROM replenish.verify('theirs.sales');

-- DDL in the role of a replica is followed as well
SET session_replication_role = replica;
ALTER TABLE theirs.sales RENAME at TO sold_at;
RESET session_replication_role;
SELECT qty, at FROM replenish.source WHERE name = 'theirs.sales';

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE lines, stock_old, all_stock;
DROP SCHEMA theirs CASCADE;
DROP OWNED BY regress_follower;
DROP ROLE regress_follower;
DROP FUNCTION settle, trouble;
CREATE EXTENSION replenish;
-- in a session that quotes all names, names are the same
SET quote_all_identifiers = on;
CREATE TABLE quoted (sku text, qty integer, at timestamptz);
SELECT replenish.watch_orders('quoted', 'sku', 'qty', 'at');
ALTER TABLE quoted ADD note text;
SELECT name, watched_as, stale FROM replenish.source WHERE name ~ 'quoted';
SELECT name, columns -> 'sku' ->> 'type' AS type FROM replenish.followed WHERE name ~ 'quoted';
RESET quote_all_identifiers;
DROP TABLE quoted;
