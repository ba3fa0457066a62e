-- watch_orders() with a header: which column is whose, what is refused, and what each side's changes count
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE FUNCTION sold() RETURNS TABLE (sku text, location text, channel text, units float8)
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM replenish.tick('2026-11-20 12:00+00');
	RETURN QUERY SELECT d.sku, d.location, d.channel, sum(b.units)
	FROM replenish.item_demand d, replenish.demand_buckets(d.demand) b
	WHERE b.resolution = '7 days' GROUP BY 1, 2, 3
	HAVING sum(b.units) <> 0 ORDER BY 1, 2, 3;
END $$;

-- the header's column by foreign key, by its name, by primary key, or not at all
CREATE TABLE orders (id bigint PRIMARY KEY, number text UNIQUE, ordered_at timestamptz,
	status text, shop text, place text, payload jsonb);
CREATE TABLE lines (id serial PRIMARY KEY, order_id integer, order_number varchar(20)
	REFERENCES orders (number), number text, sku text, qty integer, place text, price numeric,
	note jsonb);
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'ordered_at', header => 'orders', header_key => 'order_number');
SELECT relation, header, header_key FROM replenish.watched;
SELECT header_id, on_header FROM replenish.source;
SELECT replenish.unwatch('orders');
SELECT relation FROM replenish.watched;
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'ordered_at', header => 'orders', header_key => 'number');
SELECT header_key, header_id FROM replenish.source;
SELECT replenish.unwatch('lines');
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'ordered_at', location => 'place',
	channel => 'shop', status => 'status', counted => '{paid,sent}', price => 'price',
	header => 'orders', header_key => 'order_id', keep => '30 days');
SELECT id, header_key, header_id, on_header FROM replenish.source;
SELECT * FROM replenish.watched_part ORDER BY part;
SELECT w.relation, w.part, replenish.trigger_arguments(s, w.part)
FROM replenish.source s JOIN replenish.watched_part w ON w.id = s.id ORDER BY w.part;
CREATE TABLE no_key (order_no integer, at timestamptz);
CREATE TABLE bag (order_id integer, sku text, qty integer, at timestamptz, place text);
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', header => 'no_key', header_key => 'order_id');

-- what does not fit together
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', header => 'no_key');
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', header_key => 'order_id');
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', header => 'bag', header_key => 'order_id');
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', header => 'no_key', header_key => 'order_no');
SELECT replenish.watch_orders('bag', 'order_no', 'qty', 'at', header => 'no_key', header_key => 'order_id');
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'ordered', header => 'no_key', header_key => 'order_id');
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', location => 'nowhere', header => 'no_key', header_key => 'order_id');
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'ordered_at', header => 'orders', header_key => 'note');
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', channel => 'payload', header => 'orders', header_key => 'order_id');
-- watched already, as whatever
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', header => 'orders', header_key => 'order_id');
SELECT replenish.watch_stock('orders', 'number', 'id');
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'id');
CREATE VIEW order_view AS SELECT * FROM orders;
SELECT replenish.watch_orders('bag', 'sku', 'qty', 'at', header => 'order_view', header_key => 'order_id');

-- lines before their header, lines without one, a header without lines
INSERT INTO lines (order_id, sku, qty, place) VALUES (1, 'A', 2, 'SZ'), (1, 'B', 1, NULL), (2, 'A', 5, 'SZ'), (9, 'C', 7, 'SZ');
SELECT * FROM sold();
INSERT INTO orders VALUES (1, 'N1', '2026-11-20 10:00+00', 'paid', 'web'),
	(2, 'N2', '2026-11-20 10:00+00', 'new', 'live'), (3, 'N3', '2026-11-20 10:00+00', 'paid', 'web');
SELECT * FROM sold();
SELECT * FROM replenish.verify();
-- a change of the header is a change of its lines
UPDATE orders SET status = 'paid' WHERE id = 2;
SELECT * FROM sold();
UPDATE orders SET shop = 'live', ordered_at = '2026-11-19 10:00+00' WHERE id = 1;
SELECT * FROM sold();
UPDATE orders SET status = 'cancelled' WHERE id = 1;
SELECT * FROM sold();
UPDATE orders SET status = 'sent' WHERE id = 1;
UPDATE lines SET order_id = 1, qty = 3 WHERE sku = 'C';
SELECT * FROM sold();
SELECT * FROM replenish.verify();
-- lines first, then the header; and the other way round
DELETE FROM lines WHERE order_id = 2;
DELETE FROM orders WHERE id = 2;
DELETE FROM orders WHERE id = 1;
SELECT * FROM sold();
DELETE FROM lines WHERE order_id = 1;
SELECT * FROM replenish.verify();
-- in one statement, and emptied in one
WITH o AS (INSERT INTO orders VALUES (4, 'N4', '2026-11-20 11:00+00', 'paid', 'web') RETURNING id)
INSERT INTO lines (order_id, sku, qty) SELECT id, 'A', 4 FROM o;
SELECT * FROM sold();
TRUNCATE orders CASCADE;
SELECT * FROM sold();
SELECT * FROM replenish.verify();
-- keys of any types are compared as text
INSERT INTO orders VALUES (42, 'N42', '2026-11-20 11:00+00', 'paid', 'web');
INSERT INTO lines (order_id, sku, qty) VALUES (42, 'A', 1);
SELECT replenish.unwatch('orders');
ALTER TABLE lines ALTER order_id TYPE text;
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'ordered_at', location => 'place',
	channel => 'shop', status => 'status', counted => '{paid,sent}',
	header => 'orders', header_key => 'order_id', keep => '30 days');
CALL replenish.backfill('orders');
SELECT * FROM sold();
SELECT * FROM replenish.verify('orders');
SELECT id, relation, enabled, stale FROM replenish.watched;
-- what is wrong with one of the two is wrong with the source
ALTER TABLE orders DISABLE TRIGGER replenish_update;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what LIKE 'source%';
SELECT replenish.rewatch('orders');
SELECT enabled, stale FROM replenish.watched;
CALL replenish.repair('orders');
SELECT enabled, stale FROM replenish.watched;
ALTER TABLE orders DROP COLUMN ordered_at CASCADE;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what LIKE 'source%';
DROP TABLE orders CASCADE;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what LIKE 'source%';

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE lines, bag, no_key;
DROP FUNCTION sold;
CREATE EXTENSION replenish;
