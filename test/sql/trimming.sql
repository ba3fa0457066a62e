-- the inbox gives its pages back when nobody can see a row in it any more, not before
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
CREATE TABLE orders (sku text, qty integer, at timestamptz);
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
CREATE FUNCTION pages() RETURNS bigint LANGUAGE sql AS $$
	SELECT (pg_relation_size('replenish.inbox_even') + pg_relation_size('replenish.inbox_odd'))
		/ current_setting('block_size')::bigint
$$;
-- both halves, whichever is in turn now
CREATE FUNCTION trim_both() RETURNS void LANGUAGE sql AS $$
	SELECT replenish.trim_inbox('2026-11-20 12:00:30+00'),
		replenish.trim_inbox('2026-11-20 12:01:30+00')
$$;
INSERT INTO orders SELECT 'A' || i, 1, '2026-11-20 11:00+00' FROM generate_series(1, 10000) i;
SELECT pages() > 64 AS many;
-- rows that wait stay
SELECT trim_both();
SELECT count(*) FROM replenish.inbox;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT count(*) FROM replenish.inbox;
-- rows that VACUUM has not removed stay
SELECT trim_both();
SELECT pages() > 64 AS many;
-- just after a minute began, somebody may still be on the way to the other half
SELECT replenish.trim_inbox('2026-11-20 12:00:04+00'), replenish.trim_inbox('2026-11-20 12:01:04+00');
SELECT pages() > 64 AS many;
-- then it goes; a statistics run of the server may have to end first
VACUUM (DISABLE_PAGE_SKIPPING) replenish.inbox_even, replenish.inbox_odd;
DO $$ BEGIN PERFORM pg_sleep(1); END $$;
VACUUM (DISABLE_PAGE_SKIPPING) replenish.inbox_even, replenish.inbox_odd;
SELECT trim_both();
SELECT pages() < 32 AS few;
INSERT INTO orders VALUES ('A1', 1, '2026-11-20 11:00+00');
SELECT sku, amount FROM replenish.inbox;
SELECT decided FROM replenish.tick('2026-11-20 12:00+00');
SELECT * FROM replenish.verify();
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE orders;
DROP FUNCTION pages, trim_both;
CREATE EXTENSION replenish;
