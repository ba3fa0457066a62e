-- tables as they should not be: keys that differ, headers twice or swapped, two stock tables, and starting all over
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE FUNCTION sold()
	RETURNS TABLE (sku text, sold float8, on_hand numeric, differences bigint)
	LANGUAGE plpgsql AS $$
BEGIN
	PERFORM replenish.tick('2026-11-20 12:00+00');
	RETURN QUERY SELECT s.sku, s.sold_24h, s.on_hand,
		(SELECT count(*) FROM replenish.verify())
	FROM replenish.status s ORDER BY s.sku;
END $$;
-- the header's key is padded text, that of the lines a number; nothing is unique
CREATE TABLE invoice (invoice_no char(8), booked_at timestamptz, state text);
CREATE TABLE invoice_line (invoice_no integer, article text, pieces integer);
CREATE TABLE shelf (article text, pieces integer);
CREATE TABLE pallet (article text, pieces integer);
SELECT replenish.watch_orders('invoice_line', 'article', 'pieces', 'booked_at',
	status => 'state', counted => '{open,paid}', header => 'invoice', header_key => 'invoice_no');
SELECT replenish.watch_stock('shelf', 'article', 'pieces');
SELECT replenish.watch_stock('pallet', 'article', 'pieces');
-- one item in two stock tables, twice in one of them, and less than nothing
INSERT INTO shelf VALUES ('pen', 4), ('pen', 1), ('ink', -2);
INSERT INTO pallet VALUES ('pen', 100), ('ruler', 50);
INSERT INTO invoice VALUES
	('7', '2026-11-20 09:00+00', 'paid'), (' 8', '2026-11-20 09:00+00', 'paid'),
	('0009', '2026-11-20 09:00+00', 'paid'), ('10', '2026-11-20 09:00+00', 'Paid'),
	('11', '2026-11-20 09:00+00', NULL), ('12', NULL, 'paid'), ('13', NULL, 'void'),
	('', '2026-11-20 09:00+00', 'paid'), (NULL, '2026-11-20 09:00+00', 'paid'),
	('14', '2027-11-20 09:00+00', 'paid');
INSERT INTO invoice_line VALUES (7, 'pen', 3), (8, 'ink', 1), (9, 'ink', 2), (10, 'ink', 4),
	(11, 'ink', 8), (12, 'ink', 16), (13, 'ink', 32), (NULL, 'ink', 64), (14, 'ruler', 5),
	(7, NULL, 128), (7, 'pen', NULL);
SELECT * FROM sold();
SELECT what, detail, hint FROM replenish.health() WHERE what LIKE 'fault%' ORDER BY what;
-- each is corrected on the side that was wrong
UPDATE invoice SET invoice_no = trim(invoice_no) WHERE invoice_no = ' 8';
UPDATE invoice SET invoice_no = '9' WHERE invoice_no = '0009';
UPDATE invoice SET state = lower(state) WHERE invoice_no = '10';
UPDATE invoice SET state = 'open' WHERE invoice_no = '11';
UPDATE invoice SET booked_at = '2026-11-20 09:00+00' WHERE invoice_no IN ('12', '14');
DELETE FROM invoice WHERE trim(invoice_no) = '' OR invoice_no IS NULL;
UPDATE invoice_line SET invoice_no = 7 WHERE invoice_no IS NULL;
DELETE FROM invoice_line WHERE article IS NULL OR pieces IS NULL;
SELECT * FROM sold();
SELECT count(*) AS faults FROM replenish.health() WHERE what LIKE 'fault%';
-- an import that ran twice: what is there twice counts twice, until one of them goes
INSERT INTO invoice SELECT * FROM invoice;
SELECT * FROM sold();
DELETE FROM invoice WHERE ctid IN (SELECT max(ctid) FROM invoice GROUP BY invoice_no HAVING count(*) > 1);
SELECT * FROM sold();
-- the header is swapped by its name: what is written to the new one is not counted
BEGIN;
CREATE TABLE invoice_new (LIKE invoice);
INSERT INTO invoice_new SELECT * FROM invoice;
ALTER TABLE invoice RENAME TO invoice_old;
ALTER TABLE invoice_new RENAME TO invoice;
COMMIT;
UPDATE invoice SET state = 'void' WHERE invoice_no = '7';
SELECT relation, header, enabled FROM replenish.watched ORDER BY relation::text;
SELECT * FROM sold();
SELECT what, ok, detail, hint FROM replenish.health() WHERE what LIKE 'source%' ORDER BY what;
-- as it says
SELECT replenish.unwatch('invoice_line');
SELECT replenish.watch_orders('invoice_line', 'article', 'pieces', 'booked_at',
	status => 'state', counted => '{open,paid}', header => 'invoice', header_key => 'invoice_no');
CALL replenish.backfill('invoice_line');
SELECT * FROM sold();
SELECT count(*) AS trouble FROM replenish.health() WHERE NOT ok;
-- one of the two stock tables is given up
SELECT replenish.unwatch('pallet');
SELECT * FROM sold();
-- all over: the watches go with the extension, the shop's tables stay, and count to the same
CREATE TABLE before AS SELECT * FROM sold();
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
RESET client_min_messages;
SELECT count(*) AS triggers FROM pg_trigger WHERE NOT tgisinternal;
INSERT INTO invoice_line VALUES (7, 'pen', 1000);
DELETE FROM invoice_line WHERE pieces = 1000;
CREATE EXTENSION replenish;
SELECT count(*) AS items FROM replenish.status;
SELECT replenish.watch_stock('shelf', 'article', 'pieces');
SELECT replenish.watch_orders('invoice_line', 'article', 'pieces', 'booked_at',
	status => 'state', counted => '{open,paid}', header => 'invoice', header_key => 'invoice_no');
CALL replenish.backfill('shelf');
CALL replenish.backfill('invoice_line');
SELECT * FROM sold();
SELECT count(*) AS different FROM (TABLE before EXCEPT SELECT * FROM sold()) d;
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE invoice, invoice_old, invoice_line, shelf, pallet, before;
DROP FUNCTION sold;
CREATE EXTENSION replenish;
