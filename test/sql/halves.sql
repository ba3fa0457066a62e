-- state between two decisions: a backlog in parts, snapshots that grow old, what verify() looks for, sums that are too large
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET replenish.quiet_start = off;
SET timezone = 'UTC';
-- items wait for the rest of a backlog: none is red for half of its numbers
CREATE TABLE stock (sku text, on_hand integer, reserved integer);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', reserved => 'reserved');
INSERT INTO replenish.policy (fixed_threshold) VALUES (10);
INSERT INTO stock VALUES ('P1', 5, 0), ('Q', 100, 0);
SELECT * FROM replenish.tick('2026-11-20 12:00+00');
SET client_min_messages = error;
ALTER TABLE stock DISABLE TRIGGER ALL;
INSERT INTO stock SELECT 'P' || i, 95, 50 FROM generate_series(1, 2500) i;
ALTER TABLE stock ENABLE TRIGGER ALL;
SELECT replenish.rewatch('stock');
RESET client_min_messages;
CALL replenish.repair('stock');
SET replenish.evaluate = immediate;
SELECT * FROM replenish.tick('2026-11-20 12:01+00');
SELECT count(*) > 0 AS waiting FROM replenish.undecided;
SELECT clock FROM replenish.decider;
-- quantities are never half
SELECT on_hand, reserved, tier FROM replenish.status WHERE sku = 'P1';
-- who has nothing to wait for is decided
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('Q', 1000);
SELECT * FROM replenish.tick('2026-11-20 12:02+00');
SELECT sku, on_hand, tier FROM replenish.status WHERE sku = 'Q';
SELECT replenish.backlog_waits();
DO $$ BEGIN
	WHILE replenish.is_due('2026-11-20 12:03+00') LOOP
		PERFORM replenish.tick('2026-11-20 12:03+00');
	END LOOP;
END $$;
SELECT count(*), min(available), max(available) FROM replenish.status
WHERE sku LIKE 'P%';
SELECT seq, sku, from_tier, to_tier FROM replenish.event ORDER BY seq;
SELECT count(*) FROM replenish.undecided;
SELECT * FROM replenish.verify();
-- an item that was gone goes on counting its epochs
SET replenish.evaluate = manual;
DELETE FROM stock WHERE sku <> 'Q';
SELECT replenish.unwatch('stock');
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:04+00');
SELECT count(*) FROM replenish.item;
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', reserved => 'reserved');
CALL replenish.backfill('stock');
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-20 12:05+00');
SELECT sku, epoch, from_tier, to_tier FROM replenish.event
WHERE sku = 'Q' ORDER BY seq;
-- what was ordered since a snapshot is taken off once, however old that is
CREATE TABLE orders (sku text, qty numeric, at timestamptz);
CREATE TABLE counts (sku text, units integer, at timestamptz);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
SELECT replenish.watch_stock('counts', 'sku', 'units', at => 'at');
CALL replenish.backfill('orders');
CALL replenish.backfill('counts');
INSERT INTO counts VALUES ('S', 1000, '2026-12-01 00:00+00');
INSERT INTO orders SELECT 'S', 1, '2026-12-01 00:30+00'::timestamptz + i * interval '1 hour'
	FROM generate_series(0, 99) i;
SELECT decided FROM replenish.tick('2026-12-06 00:00+00');
SELECT on_hand FROM replenish.status WHERE sku = 'S';
SELECT decided FROM replenish.tick('2026-12-13 00:00+00');
SELECT on_hand FROM replenish.status WHERE sku = 'S';
-- a tick without anything to decide forgets nothing that verify() looks for
INSERT INTO orders VALUES ('T', 5, '2026-12-13 00:10+00'), ('T', -5, '2026-12-13 00:11+00');
TRUNCATE stock, counts;
DELETE FROM orders WHERE sku = 'S';
SELECT decided > 0 AS decided FROM replenish.tick('2026-12-14 00:00+00');
UPDATE replenish.item SET next_check = NULL;
SELECT decided FROM replenish.tick('2026-12-21 00:30+00');
SELECT * FROM replenish.verify();
-- one poisoned item keeps verify() and repair() from no other
INSERT INTO orders SELECT 'T', 1e12, '2026-12-14 00:00+00' FROM generate_series(1, 9);
SELECT decided > 0 AS decided FROM replenish.tick('2026-12-21 00:31+00');
INSERT INTO orders SELECT 'T', 1e12, '2026-12-14 00:00+00' FROM generate_series(1, 9);
INSERT INTO stock SELECT 'U', 2000000000, 0 FROM generate_series(1, 5000);
SET client_min_messages = error;
SELECT sku, what FROM replenish.verify('orders') WHERE what IN ('fault', 'sold') ORDER BY 1, 2;
CALL replenish.repair();
SELECT decided > 0 AS decided FROM replenish.tick('2026-12-21 00:31+00');
-- and wraps no sum around
SELECT on_hand FROM replenish.status WHERE sku = 'U';
DELETE FROM orders WHERE qty = 1e12;
DELETE FROM stock WHERE sku = 'U';
CALL replenish.repair();
SELECT decided > 0 AS decided FROM replenish.tick('2026-12-21 00:31+00');
CALL replenish.repair();
SELECT decided FROM replenish.tick('2026-12-21 00:31+00');
SELECT * FROM replenish.verify();
RESET client_min_messages;
-- the line of an order that has no header yet is not taken for old
CREATE TABLE headers (id integer PRIMARY KEY, at timestamptz);
CREATE TABLE lines (id integer, sku text, qty integer);
SELECT replenish.watch_orders('lines', 'sku', 'qty', 'at', header => 'headers', header_key => 'id');
CALL replenish.backfill('lines');
INSERT INTO lines VALUES (1, 'V', 5);
SELECT decided FROM replenish.tick('2026-12-21 00:32+00');
SET client_min_messages = error;
ALTER TABLE lines DISABLE TRIGGER ALL;
DELETE FROM lines;
ALTER TABLE lines ENABLE TRIGGER ALL;
SELECT replenish.rewatch('lines');
RESET client_min_messages;
SELECT sku, what, expected, actual FROM replenish.verify('lines');
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE stock, orders, counts, lines, headers;
CREATE EXTENSION replenish;
