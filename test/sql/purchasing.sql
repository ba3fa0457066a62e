-- Purchase orders: what is on order and when it comes, how long it took before,
-- and what an empty shelf means while something is at sea
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET replenish.evaluate = manual;
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
CREATE TABLE sale (sku text, qty integer, at timestamptz, place text);
CREATE TABLE stock (sku text, units integer, place text);
-- as a shop with lines of purchase orders has them
CREATE TABLE po_line (
	id integer PRIMARY KEY, product text, place text, qty numeric,
	received numeric DEFAULT 0, ordered timestamptz, promised date,
	arrived timestamptz, lane text, state text DEFAULT 'purchase');
SELECT replenish.watch_orders('sale', 'sku', 'qty', 'at', location => 'place');
SELECT replenish.watch_stock('stock', 'sku', 'units', location => 'place');
SELECT replenish.watch_inbound('po_line', 'product', 'qty', 'ordered',
	'promised', 'arrived', location => 'place', route => 'lane',
	received => 'received', status => 'state', counted => '{purchase,done}');
SELECT relation, kind, sku, qty, at, expected_at, received_at, received, channel
FROM replenish.watched WHERE kind = 'inbound';

-- ten a day for a hundred days; two days' stock
INSERT INTO sale SELECT 'LAMP', 1,
	'2026-03-01 00:00+00'::timestamptz - i * interval '2.4 hours', 'venlo'
FROM generate_series(1, 1000) i;
INSERT INTO stock VALUES ('LAMP', 20, 'venlo');
SELECT * FROM replenish.tick('2026-03-01 00:00+00');
CREATE VIEW now AS SELECT sku, on_order, stock_position, tier, reason,
	next_arrival_at, date_trunc('hour', gap) AS gap, threshold, reorder_qty
FROM replenish.status;
SELECT * FROM now;

-- a container of 900 on day 25: the position is well, the shelf is not
INSERT INTO po_line (id, product, place, qty, ordered, promised, lane)
VALUES (1, 'LAMP', 'venlo', 900, '2026-02-20', '2026-03-25', 'sea');
-- quantities show at once, the rest is the decider's
SELECT sku, on_order, tier FROM replenish.status;
SELECT * FROM replenish.tick('2026-03-01 00:00+00');
SELECT * FROM now;
-- sold out after two days: with an arrival before that nothing is wrong, up to
-- twice that half of the wait is left, later it is not
UPDATE po_line SET promised = '2026-03-02' WHERE id = 1;
SELECT * FROM replenish.tick('2026-03-01 00:00+00');
SELECT tier, reason, next_arrival_at, gap < '0' AS in_time FROM replenish.status;
UPDATE po_line SET promised = '2026-03-03' WHERE id = 1;
SELECT * FROM replenish.tick('2026-03-01 00:00+00');
SELECT tier, reason, next_arrival_at, gap > '0' AS empty FROM replenish.status;
UPDATE po_line SET promised = '2026-03-06' WHERE id = 1;
SELECT * FROM replenish.tick('2026-03-01 00:00+00');
SELECT tier, reason, next_arrival_at FROM replenish.status;
-- what explain() says of it
SELECT name, value, unit, formula, calculation
FROM replenish.explain('LAMP', 'venlo', '2026-03-01 00:00+00')
WHERE name IN ('inbound', 'stock_on_order', 'on_order', 'stock_position',
	'next_arrival_at', 'route', 'lead_time', 'tier', 'reason', 'overdue');

-- two thirds have come, and go to the shelf
UPDATE po_line SET received = 600 WHERE id = 1;
UPDATE stock SET units = units + 600;
SELECT * FROM replenish.tick('2026-03-01 00:00+00');
SELECT * FROM now;
-- the rest does not come by its day: overdue, it counts for the position and
-- says nothing of when it comes; time alone decides that
SELECT next_check FROM replenish.item;
SELECT * FROM replenish.tick('2026-03-07 00:00+00');
SELECT on_order, next_arrival_at, gap FROM now;
SELECT name, value FROM replenish.explain('LAMP', 'venlo', '2026-03-07 00:00+00')
WHERE name IN ('overdue', 'inbound');
-- more than was ordered comes: nothing is owed, and nothing below that
UPDATE po_line SET received = 950, arrived = '2026-03-12 09:00+00', state = 'done'
WHERE id = 1;
-- one that is cancelled, and one that is deleted
INSERT INTO po_line (id, product, place, qty, ordered, promised, lane)
VALUES (2, 'LAMP', 'venlo', 100, '2026-03-01', '2026-03-20', 'sea'),
	(3, 'LAMP', 'venlo', 100, '2026-03-01', '2026-03-21', 'sea'),
	(4, 'LAMP', 'venlo', 100, '2026-03-01', NULL, 'sea');
SELECT sku, on_order FROM replenish.status;
UPDATE po_line SET state = 'cancel' WHERE id = 2;
DELETE FROM po_line WHERE id = 3;
SELECT * FROM replenish.tick('2026-03-12 10:00+00');
SELECT on_order, next_arrival_at FROM now;
SELECT * FROM replenish.verify();

-- Receipts are the route's record: 20.4 days, late; four more, in time by the
-- day, make five, from which on the buffer is the route's own
SELECT location, route, replenish.lead_time_n(lead_time) AS n,
	round(replenish.lead_time_mean(lead_time)::numeric, 2) AS mean, late
FROM replenish.route_record ORDER BY 1, 2;
INSERT INTO po_line SELECT 10 + i, 'LAMP', 'venlo', 5, 5, '2026-02-01',
	'2026-02-20', '2026-02-20 17:00+00'::timestamptz - i * interval '1 day', 'sea', 'done'
FROM generate_series(0, 3) i;
SELECT * FROM replenish.tick('2026-03-12 11:00+00');
SELECT location, route, replenish.lead_time_n(lead_time) AS n,
	round(replenish.lead_time_mean(lead_time)::numeric, 2) AS mean, late
FROM replenish.route_record ORDER BY 1, 2;
SELECT name, left(value, 5) AS value, unit, formula, calculation
FROM replenish.explain('LAMP', 'venlo', '2026-03-12 11:00+00')
WHERE name IN ('route', 'receipts', 'late_share', 'lead_time', 'lead_time_sd', 'buffer');
SELECT assumed FROM replenish.status;
-- what the shop says goes before it
INSERT INTO replenish.policy (sku, lead_time, buffer) VALUES ('LAMP', '45 days', 0.1);
SELECT * FROM replenish.tick('2026-03-12 11:00+00');
SELECT name, left(value, 5) AS value, formula
FROM replenish.explain('LAMP', 'venlo', '2026-03-12 11:00+00')
WHERE name IN ('lead_time', 'lead_time_sd', 'buffer');
-- another route's first order leans on all routes
SELECT lead_time > '15 days' AND lead_time < '30 days' AS leans, receipts
FROM replenish.route_of('venlo', 'air');
-- what was written down wrongly is taken back exactly
UPDATE po_line SET arrived = '2026-03-01 09:00+00' WHERE id = 1;
DELETE FROM po_line WHERE id > 10;
SELECT * FROM replenish.tick('2026-03-12 12:00+00');
SELECT location, route, replenish.lead_time_n(lead_time) AS n, late
FROM replenish.route_record ORDER BY 1, 2;
SELECT * FROM replenish.verify();

-- Bad input: each a counted fault, or defined; no statement fails
INSERT INTO po_line (id, product, place, qty, received, ordered, promised, arrived, lane)
VALUES (20, '', 'venlo', 1, 0, '2026-03-01', NULL, NULL, 'sea'),
	(21, 'LAMP', 'venlo', 'NaN', 0, '2026-03-01', NULL, NULL, 'sea'),
	(22, 'LAMP', 'venlo', -5, 0, '2026-03-01', NULL, NULL, 'sea'),
	(23, 'LAMP', 'venlo', 5, 0, '2026-03-01', '20026-01-01', NULL, 'sea'),
	(24, 'LAMP', 'venlo', 5, 0, '2026-03-01', '2020-01-01', NULL, NULL),
	(25, 'LAMP', 'nowhere', 5, 5, '2026-03-01', '2026-03-02', '2026-02-01', ' ');
SELECT * FROM replenish.tick('2026-03-12 13:00+00');
SELECT code, rows FROM replenish.fault WHERE rows <> 0 ORDER BY 1;
SELECT sku, location, on_order FROM replenish.status ORDER BY 1, 2;
-- received before it was ordered is no lead time, and counted as impossible
SELECT location, route, replenish.lead_time_n(lead_time) AS n,
	replenish.lead_time_impossible(lead_time) AS impossible
FROM replenish.route_record WHERE route <> 'sea' ORDER BY 1, 2;
UPDATE stock SET units = -3;
SELECT * FROM replenish.tick('2026-03-12 13:00+00');
SELECT on_order, stock_position, tier, reason FROM replenish.status
WHERE location = 'venlo';
SELECT * FROM replenish.verify();
\set VERBOSITY default
SELECT replenish.watch_inbound('stock', 'sku', 'units', NULL, NULL, NULL);
SELECT replenish.watch_inbound('stock', 'sku', 'units', NULL, 'place', NULL, received => 'units');
SELECT replenish.watch_inbound('po_line', 'product', 'qty', NULL, NULL, 'arrived');

-- Unwatched, its orders count no more; watched again, they do; emptied, all
-- that it contributed is taken back
SELECT replenish.unwatch('po_line');
SELECT * FROM replenish.tick('2026-03-12 14:00+00');
SELECT on_order FROM replenish.status WHERE location = 'venlo';
UPDATE po_line SET qty = 7 WHERE id = 24;
SELECT replenish.watch_inbound('po_line', 'product', 'qty', 'ordered',
	'promised', 'arrived', location => 'place', route => 'lane',
	received => 'received', status => 'state', counted => '{purchase,done}');
CALL replenish.backfill('po_line');
SELECT * FROM replenish.tick('2026-03-12 14:00+00');
SELECT on_order FROM replenish.status WHERE location = 'venlo';
SELECT * FROM replenish.verify();
-- damaged state is found and repaired
UPDATE replenish.item_inbound SET amount = amount + 1000000;
DELETE FROM replenish.receipt WHERE NOT late;
SELECT what, at, expected, actual FROM replenish.verify() ORDER BY 1, 2;
CALL replenish.repair('po_line');
SELECT * FROM replenish.tick('2026-03-12 14:00+00');
SELECT * FROM replenish.verify();
-- a column is renamed: followed
ALTER TABLE po_line RENAME promised TO due;
UPDATE po_line SET due = '2026-04-01' WHERE id = 24;
SELECT * FROM replenish.tick('2026-03-12 15:00+00');
SELECT next_arrival_at FROM replenish.status WHERE location = 'venlo';
TRUNCATE po_line;
SELECT * FROM replenish.tick('2026-03-12 15:00+00');
SELECT count(*) FROM replenish.item_inbound;
SELECT count(*) FROM replenish.receipt;
SELECT on_order FROM replenish.status WHERE location = 'venlo';
SELECT * FROM replenish.verify();
DROP TABLE po_line, sale, stock CASCADE;
DROP VIEW now;
DROP EXTENSION replenish CASCADE;
CREATE EXTENSION replenish;
