-- what an order carries and cannot be counted: the order goes in, health() tells
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE orders (id integer PRIMARY KEY, sku text, qty float8,
	price numeric, at timestamptz, place text, shop text);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at', 'place', 'shop');
INSERT INTO orders (id, sku, qty, at) VALUES
	(1, NULL, 1, '2026-11-20 10:00+00'),
	(2, '', 1, '2026-11-20 10:00+00'),
	(3, E' \t\n', 1, '2026-11-20 10:00+00'),
	(4, repeat('x', 256), 1, '2026-11-20 10:00+00'),
	(5, repeat('茶', 86), 1, '2026-11-20 10:00+00'),
	(6, 'A', NULL, '2026-11-20 10:00+00'),
	(7, 'A', 'NaN', '2026-11-20 10:00+00'),
	(8, 'A', 'Infinity', '2026-11-20 10:00+00'),
	(9, 'A', '-Infinity', '2026-11-20 10:00+00'),
	(10, 'A', 1.1e12, '2026-11-20 10:00+00'),
	(11, 'A', 1, NULL),
	(12, 'A', 1, 'infinity'),
	(13, 'A', 1, '-infinity'),
	(14, 'A', 1, '1969-12-31 23:59+00'),
	(15, 'A', 1, '0044-03-15 12:00+00 BC'),
	(16, 'A', 1, '3000-01-01 00:00+00'),
	(17, 'A', 1, '294000-01-01 00:00+00'),
	(18, 'A', 1, '2030-01-01 00:00+00'),
	(19, repeat('x', 255), 1, '2026-11-20 10:00+00'),
	(20, repeat('茶', 85), 1, '2026-11-20 10:00+00'),
	(21, 'A', 1e12, '2026-11-20 10:00+00'),
	(22, 'A', -1e12, '2026-11-20 10:00+00'),
	(23, 'A', 1, '1970-01-01 00:00+00'),
	(24, repeat('y', 1000000), 1, '2026-11-20 10:00+00');
INSERT INTO orders VALUES
	(30, 'A', 1, 0, '2026-11-20 10:00+00', repeat('x', 256), NULL),
	(31, 'A', 1, 0, '2026-11-20 10:00+00', NULL, repeat('x', 256));
SELECT count(*) FROM orders;
SELECT * FROM replenish.verify();
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT * FROM replenish.verify();
SELECT what, ok, since, detail, hint FROM replenish.health()
WHERE what LIKE 'fault%' ORDER BY what;
SELECT left(sku, 3), location, channel, minute, amount FROM replenish.postponed;
SELECT left(sku, 3), length(sku) FROM replenish.item ORDER BY 1;
-- corrected rows are counted, and their faults are gone
UPDATE orders SET sku = 'B' WHERE id <= 5 OR id = 24;
UPDATE orders SET qty = 1 WHERE id BETWEEN 6 AND 10;
DELETE FROM orders WHERE id BETWEEN 11 AND 17;
UPDATE orders SET at = '2026-11-20 11:00+00' WHERE id = 18;
UPDATE orders SET place = 'HK', shop = 'live' WHERE id >= 30;
SELECT decided > 0 FROM replenish.tick('2026-11-20 12:00+00');
SELECT * FROM replenish.verify();
SELECT what, detail FROM replenish.health() WHERE what LIKE 'fault%';
SELECT count(*) FROM replenish.postponed;
-- what is dated ahead is counted when its minute comes
INSERT INTO orders (id, sku, qty, at) VALUES
	(40, 'later', 5, '2026-11-20 12:01+00');
SELECT decided FROM replenish.tick('2026-11-20 12:00:30+00');
SELECT sku, minute, amount FROM replenish.postponed;
SELECT * FROM replenish.verify();
SELECT decided FROM replenish.tick('2026-11-20 12:01+00');
SELECT count(*) FROM replenish.postponed;
SELECT demand FROM replenish.item_demand WHERE sku = 'later';
SELECT * FROM replenish.verify();
-- numbers that are exact, and those that are not numbers
CREATE TABLE exact (id serial, sku text, qty numeric, at timestamptz
	DEFAULT '2026-11-20 10:00+00');
SELECT replenish.watch_orders('exact', 'sku', 'qty', 'at');
INSERT INTO exact (sku, qty) VALUES ('n1', 0.1), ('n2', 0.0000005),
	('n3', 0.0000004999), ('n4', -0.0000005), ('n5', 1e12),
	('n6', 999999999999.9999994), ('n7', 999999999999.9999995),
	('n8', 1000000000000.000001), ('n9', 'NaN'), ('n10', 'Infinity'),
	('n11', 1e-100), ('n12', 1e100000), ('n13', 123456789.123456);
SELECT sku, kind, channel, amount FROM replenish.inbox
ORDER BY kind, sku, channel;
SELECT decided > 0 FROM replenish.tick('2026-11-20 12:02+00');
SELECT * FROM replenish.verify('exact');
-- sums that no summary can hold are a fault of their item alone
INSERT INTO exact (sku, qty) SELECT 'huge', 1e12 FROM generate_series(1, 20);
INSERT INTO exact (sku, qty) VALUES ('small', 1);
SELECT decided > 0 FROM replenish.tick('2026-11-20 12:02+00');
SELECT what, detail FROM replenish.health() WHERE what LIKE 'fault sum%';
SELECT count(*) FROM replenish.item WHERE sku = 'small';
DELETE FROM exact WHERE sku = 'huge';
CALL replenish.repair('exact');
SELECT decided >= 0 FROM replenish.tick('2026-11-20 12:02+00');
SELECT * FROM replenish.verify('exact');
-- a column that goes, or changes its type, makes rows faults, not errors
ALTER TABLE exact ALTER COLUMN qty TYPE text;
INSERT INTO exact (sku, qty) VALUES ('C', '1');
ALTER TABLE orders DROP COLUMN qty;
INSERT INTO orders (id, sku, at) VALUES (50, 'A', '2026-11-20 10:00+00');
SELECT decided >= 0 FROM replenish.tick('2026-11-20 12:03+00');
SELECT what, detail, hint FROM replenish.health()
WHERE what LIKE 'fault column%' OR what LIKE 'fault missing%' ORDER BY what;
-- record_demand() is asked by a program: it says what is wrong
SELECT replenish.record_demand(NULL, 1);
SELECT replenish.record_demand('  ', 1);
SELECT replenish.record_demand(repeat('x', 256), 1);
SELECT replenish.record_demand('A', NULL);
SELECT replenish.record_demand('A', 'NaN');
SELECT replenish.record_demand('A', 'Infinity');
SELECT replenish.record_demand('A', 1.1e12);
SELECT replenish.record_demand('A', 1, NULL);
SELECT replenish.record_demand('A', 1, 'infinity');
SELECT replenish.record_demand('A', 1, '1969-12-31 23:59+00');
SELECT replenish.record_demand('A', 1, '2026-11-20 10:00+00', repeat('x', 256));
SELECT replenish.record_demand('A', 1, '2026-11-20 10:00+00', NULL, repeat('x', 256));
-- a sum that no number can hold, dated ahead: nobody else waits for it
DO $$
BEGIN
	FOR i IN 1..12 LOOP
		PERFORM replenish.record_demand('late', 1e12, '2026-12-01 10:00+00');
		PERFORM replenish.tick('2026-11-20 12:04+00');
	END LOOP;
END $$;
SELECT sku, amount FROM replenish.postponed WHERE sku = 'late';
SELECT replenish.record_demand('punctual', 1, '2026-11-20 10:00+00');
SELECT decided FROM replenish.tick('2026-11-20 12:04+00');
-- the trigger function in wrong hands
SELECT replenish.capture();
CREATE TABLE wrong (sku text);
CREATE TRIGGER wrong BEFORE INSERT ON wrong FOR EACH ROW
	EXECUTE FUNCTION replenish.capture();
INSERT INTO wrong VALUES ('A');
DROP TRIGGER wrong ON wrong;
CREATE TRIGGER wrong AFTER INSERT ON wrong REFERENCING NEW TABLE AS n
	FOR EACH STATEMENT EXECUTE FUNCTION replenish.capture('x', 'y');
INSERT INTO wrong VALUES ('A');
SELECT * FROM replenish.inbox;
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders, exact, wrong;
CREATE EXTENSION replenish;
