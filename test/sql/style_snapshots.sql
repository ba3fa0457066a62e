-- stock from a warehouse's nightly feed: what was ordered since is taken off, whatever arrives late
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE orders (id serial PRIMARY KEY, sku text, qty integer, ordered_at timestamptz);
CREATE TABLE wms_feed (warehouse text, sku text, bin text, counted_at timestamptz,
	on_hand integer, allocated integer, inbound integer);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'ordered_at');
SELECT replenish.watch_stock('wms_feed', 'sku', 'on_hand',
	reserved => 'allocated', on_order => 'inbound', at => 'counted_at');
-- two bins make up one item; a night's rows come within a minute
INSERT INTO wms_feed VALUES
	('rotterdam', 'LAMP', 'A-01', '2026-11-17 02:00:11+00', 80, 0, 0),
	('rotterdam', 'LAMP', 'A-01', '2026-11-18 02:00:09+00', 60, 2, 0),
	('rotterdam', 'LAMP', 'C-14', '2026-11-18 02:00:31+00', 12, 0, 40),
	('rotterdam', 'DESK', 'B-02', '2026-11-18 02:00:40+00', 5, 0, 0),
	('rotterdam', 'LAMP', 'A-01', '2026-11-19 02:00:10+00', 50, 1, 0),
	('rotterdam', 'LAMP', 'C-14', '2026-11-19 02:00:32+00', 12, 0, 40),
	('rotterdam', 'DESK', 'B-02', '2026-11-19 02:00:41+00', 5, 1, 0);
INSERT INTO orders (sku, qty, ordered_at) VALUES
	('LAMP', 10, '2026-11-18 15:30+00'),
	('LAMP', 3, '2026-11-19 01:59:59+00'),
	-- in the minute of the count: it may be in it, and counts as if it were
	('LAMP', 2, '2026-11-19 02:00:59+00'),
	('LAMP', 4, '2026-11-19 02:01:00+00'),
	('DESK', 1, '2026-11-19 20:00+00'),
	('LAMP', 1, '2026-11-19 21:30+00');
SELECT decided FROM replenish.tick('2026-11-19 22:00+00');
SELECT sku, on_hand, reserved, available, on_order, snapshot_at, assumed @> '{on_hand}' AS assumed
FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();

-- an order of the day before arrives late: the count knew it, only demand did not
INSERT INTO orders (sku, qty, ordered_at) VALUES ('LAMP', 7, '2026-11-18 23:00+00');
-- one from after the count is cancelled, one changed
DELETE FROM orders WHERE sku = 'DESK';
UPDATE orders SET qty = 6 WHERE qty = 4;
SELECT decided FROM replenish.tick('2026-11-19 22:05+00');
SELECT sku, on_hand, sold_24h FROM replenish.status ORDER BY sku;

-- the night's feed comes bin by bin, hours after its count; and with a date from the future
INSERT INTO wms_feed VALUES ('rotterdam', 'LAMP', 'A-01', '2026-11-20 02:00:10+00', 45, 0, 0);
INSERT INTO orders (sku, qty, ordered_at) VALUES ('LAMP', 2, '2026-11-20 07:00+00');
INSERT INTO wms_feed VALUES ('rotterdam', 'DESK', 'B-02', '2026-11-22 02:00:10+00', 99, 0, 0);
SELECT decided FROM replenish.tick('2026-11-20 08:00+00');
SELECT sku, on_hand, snapshot_at FROM replenish.status ORDER BY sku;
INSERT INTO wms_feed VALUES ('rotterdam', 'LAMP', 'C-14', '2026-11-20 02:00:30+00', 12, 0, 0);
SELECT decided FROM replenish.tick('2026-11-20 08:10+00');
SELECT sku, on_hand, on_order, snapshot_at FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();
-- the count of a night is withdrawn: the one before holds again
DELETE FROM wms_feed WHERE counted_at BETWEEN '2026-11-20' AND '2026-11-21';
SELECT decided FROM replenish.tick('2026-11-20 08:20+00');
SELECT sku, on_hand, on_order, snapshot_at FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();

-- the feed stays away: that is said, and what it says is an assumption
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-21 12:00+00');
SELECT sku, on_hand, snapshot_at, assumed @> '{on_hand}' AS assumed FROM replenish.status ORDER BY sku;
SELECT what, ok, detail, hint FROM replenish.health() WHERE what LIKE 'snapshot%';
-- what was dated ahead holds when its time has come
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-22 02:30+00');
SELECT sku, on_hand, snapshot_at FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();

-- a second stock table for the same items adds to the first
CREATE TABLE back_room (sku text PRIMARY KEY, pieces integer);
INSERT INTO back_room VALUES ('LAMP', 3), ('CHAIR', 4);
SELECT replenish.watch_stock('back_room', 'sku', 'pieces');
CALL replenish.backfill('back_room');
SELECT decided > 0 AS decided FROM replenish.tick('2026-11-22 02:40+00');
SELECT sku, on_hand, snapshot_at FROM replenish.status ORDER BY sku;
SELECT count(*) AS differences FROM replenish.verify();

SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, wms_feed, back_room;
CREATE EXTENSION replenish;
