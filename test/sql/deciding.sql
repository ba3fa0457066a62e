-- tick(): events without gaps, hysteresis, postponed and due items, its own refusals
\set SHOW_CONTEXT never
SET replenish.evaluate = manual;
SET timezone = 'UTC';
CREATE TABLE stock (sku text PRIMARY KEY, on_hand numeric, on_order numeric DEFAULT 0);
CREATE TABLE orders (sku text, qty integer, at timestamptz);
SELECT replenish.watch_stock('stock', 'sku', 'on_hand', on_order => 'on_order');
SELECT replenish.watch_orders('orders', 'sku', 'qty', 'at');
INSERT INTO replenish.policy (sku, fixed_threshold) VALUES ('A', 100), ('B', 100);
INSERT INTO stock VALUES ('A', 200), ('B', 200);
SELECT * FROM replenish.tick('2026-11-20 12:00+00');
-- nothing to do writes nothing
SELECT * FROM replenish.tick('2026-11-20 12:00+00');
SELECT clock, last_seq FROM replenish.decider;
-- down through the tiers: the lines themselves belong to the better tier
CREATE FUNCTION step(units numeric, at timestamptz DEFAULT '2026-11-20 12:00+00',
	OUT tier replenish.tier, OUT reason text, OUT events bigint)
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE stock SET on_hand = units WHERE sku = 'A';
	SELECT t.events FROM replenish.tick(at) t INTO events;
	SELECT s.tier, s.reason FROM replenish.status s WHERE s.sku = 'A'
	INTO tier, reason;
END $$;
SELECT u, s.* FROM unnest('{150,149.999999,100,99.999999,50,49.999999,0,-1}'::numeric[])
	WITH ORDINALITY AS x (u, n) CROSS JOIN LATERAL step(u) s ORDER BY n;
-- up again: a line must be passed by the exit margin of 10 %
SELECT u, s.* FROM unnest('{50,54,55,55.1,100,109,110,110.1,150,164,165,165.1}'::numeric[])
	WITH ORDINALITY AS x (u, n) CROSS JOIN LATERAL step(u) s ORDER BY n;
-- falling and rising within the margin is no change
SELECT u, s.* FROM unnest('{149,151,149,151,160,149}'::numeric[])
	WITH ORDINALITY AS x (u, n) CROSS JOIN LATERAL step(u) s ORDER BY n;
-- what is at sea counts, and ordering exactly reorder_qty ends the alert
SELECT step(20);
SELECT stock_position, threshold, target, reorder_qty FROM replenish.status WHERE sku = 'A';
UPDATE stock SET on_order = (SELECT reorder_qty FROM replenish.status WHERE sku = 'A')
WHERE sku = 'A';
SELECT events FROM replenish.tick('2026-11-20 12:00+00');
SELECT available, on_order, stock_position, tier, reason, reorder_qty
FROM replenish.status WHERE sku = 'A';
-- an empty shelf is red whatever is at sea, while the item sells
INSERT INTO orders VALUES ('A', 1, '2026-11-20 11:58+00'), ('A', 1, '2026-11-19 11:58+00');
SELECT step(0);
SELECT step(1);
-- numbers without gaps, in the order of visibility
SELECT seq, sku, epoch, from_tier, to_tier, reason FROM replenish.event ORDER BY seq;
SELECT count(*) = max(seq) AND min(seq) = 1 AS gapless,
	bool_and(xid < pg_current_xact_id()) AS past FROM replenish.event;
SELECT seq, to_tier FROM replenish.events_after(2, 3);
SELECT seq FROM replenish.events_after(1000);
SELECT replenish.events_after(NULL);
SELECT replenish.events_after(0, -1);
-- a tick that is rolled back has decided nothing
BEGIN;
UPDATE stock SET on_hand = 1000 WHERE sku = 'B';
UPDATE stock SET on_hand = 10 WHERE sku = 'B';
SELECT events FROM replenish.tick('2026-11-20 12:00+00');
ROLLBACK;
SELECT max(seq) FROM replenish.event;
SELECT * FROM replenish.verify();
-- only what was touched or is due is decided
UPDATE stock SET on_hand = 199 WHERE sku = 'B';
SELECT * FROM replenish.tick('2026-11-20 12:00:01+00');
SELECT sku, decided_at FROM replenish.status ORDER BY sku;
SELECT sku, next_check IS NULL AS never FROM replenish.item ORDER BY sku;
SELECT decided FROM replenish.tick('2026-11-22 12:00+00');
SELECT sku, decided_at FROM replenish.status ORDER BY sku;
-- the clock never goes back
SELECT decided FROM replenish.tick('2020-01-01 00:00+00');
UPDATE stock SET on_hand = 198 WHERE sku = 'B';
SELECT decided FROM replenish.tick('2020-01-01 00:00+00');
SELECT clock FROM replenish.decider;
SELECT decided_at FROM replenish.status WHERE sku = 'B';
-- nothing is due from before the last decision, but for what somebody wrote there: within an hour
BEGIN;
UPDATE replenish.item SET next_check = '2026-11-01 00:00+00' WHERE sku = 'A';
SELECT replenish.is_due('2026-11-22 12:00:01+00');
UPDATE stock SET on_hand = 197 WHERE sku = 'B';
SELECT decided FROM replenish.tick('2026-11-22 12:00:02+00');
UPDATE stock SET on_hand = 196 WHERE sku = 'B';
SELECT decided > 1 AS more FROM replenish.tick('2026-11-22 13:00+00');
SELECT sku, decided_at, next_check > decided_at AS later FROM replenish.item ORDER BY sku;
SELECT replenish.is_due('2026-11-22 13:00+00'), replenish.is_due('2026-11-24 13:00+00');
ROLLBACK;
-- an item whose stock nobody has told: never an alarm
INSERT INTO orders SELECT 'C', 5, '2026-11-22 11:00+00'::timestamptz - i * interval '1 day'
	FROM generate_series(0, 30) i;
SELECT events FROM replenish.tick('2026-11-22 12:00+00');
SELECT tier, reason, velocity > 0 AS sells, threshold > 0 AS has_threshold, reorder_qty,
	'on_hand' = ANY (assumed) AS assumed
FROM replenish.status WHERE sku = 'C';
-- time alone matters to stock for more than a year no sooner than in a day
INSERT INTO stock VALUES ('C', 1e9);
SELECT decided FROM replenish.tick('2026-11-22 12:00+00');
SELECT stockout_eta IS NULL AS beyond, next_check - decided_at > interval '11 hours' AS later
FROM replenish.item WHERE sku = 'C';
-- an item without history takes its location's median, while it is new
INSERT INTO stock VALUES ('new', 1000);
SELECT events FROM replenish.tick('2026-11-22 12:00+00');
SELECT i.threshold = m.threshold AS median, 'threshold' = ANY (i.assumed) AS assumed
FROM replenish.status i, (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY threshold)
	AS threshold FROM replenish.item WHERE sku IN ('A', 'B', 'C')) m
WHERE i.sku = 'new';
SELECT decided > 0 FROM replenish.tick('2026-12-08 12:00+00');
SELECT threshold, tier, reason FROM replenish.status WHERE sku = 'new';
-- what it refuses
SELECT replenish.tick(NULL);
SELECT replenish.tick('infinity');
SELECT replenish.tick('1900-01-01 00:00+00');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT replenish.tick();
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT replenish.tick();
ROLLBACK;
BEGIN READ ONLY;
SELECT replenish.tick();
ROLLBACK;
-- many at once
INSERT INTO stock SELECT 'many' || i, -1 FROM generate_series(1, 2500) i;
SELECT * FROM replenish.tick('2026-12-08 12:00+00');
SELECT count(*) = max(seq) FROM replenish.event;
SELECT count(DISTINCT xid) FROM replenish.event WHERE sku LIKE 'many%';
-- facts are written alike whatever the settings of who decides
SET intervalstyle = 'iso_8601';
SET timezone = 'Asia/Tokyo';
SET extra_float_digits = -10;
UPDATE stock SET on_hand = 100 WHERE sku = 'C';
SELECT events FROM replenish.tick('2026-12-08 12:00+00');
SELECT DISTINCT facts ->> 'lead_time' AS lead_time, right(facts ->> 'stockout_eta', 6) AS zone
FROM replenish.event ORDER BY 1, 2;
SELECT (facts ->> 'threshold')::float8 = (SELECT threshold FROM replenish.status WHERE sku = 'C')
	AS exact FROM replenish.event ORDER BY seq DESC LIMIT 1;
SELECT * FROM replenish.verify();
DROP FUNCTION step;
SET client_min_messages = warning;
DROP EXTENSION replenish CASCADE;
DROP TABLE stock, orders;
CREATE EXTENSION replenish;
